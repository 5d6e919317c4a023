//! A collector of traces: takes OTLP over HTTP as it comes from the wire, and gives the spans as a test wants to see them.
//!
//! It reads Protocol Buffers by code of its own, by the numbers of opentelemetry-proto's `trace.proto`, so that what the runtime writes is held
//! against a second reading. It may refuse, or never answer.

mod protobuf;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::AbortHandle};

use self::protobuf::Message;

/// What a test waits for comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a collector does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It takes the spans.
    Takes,
    /// It answers with this status.
    Refuses(StatusCode),
    /// It reads and never answers.
    Hangs,
}

/// One span.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields of trace.proto")]
pub struct Span {
    pub trace_id: String,
    pub span_id: String,
    pub parent_id: Option<String>,
    pub state: String,
    pub name: String,
    pub kind: u64,
    pub begin_ns: u64,
    pub end_ns: u64,
    pub attributes: BTreeMap<String, Value>,
    pub events: Vec<(String, BTreeMap<String, Value>)>,
    pub is_error: bool,
    /// Of the resource that it came with.
    pub resource: BTreeMap<String, Value>,
}

/// A collector on 127.0.0.1. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Taken {
    manner: Manner,
    spans: Vec<Span>,
    /// Headers and bodies as they came.
    requests: Vec<(hyper::HeaderMap, Vec<u8>)>,
}

impl Collector {
    /// Starts it.
    ///
    /// # Panics
    /// When the system gives no port.
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let taken = Arc::new(Mutex::new(Taken { manner, spans: Vec::new(), requests: Vec::new() }));
        let task = tokio::spawn(serve(listener, Arc::clone(&taken))).abort_handle();
        Self { address, taken, task }
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` would be.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it does so.
    pub fn set_manner(&self, manner: Manner) {
        self.lock().manner = manner;
    }

    /// All spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.lock().spans.clone()
    }

    /// All requests so far: headers, and bodies as they came.
    #[must_use]
    pub fn requests(&self) -> Vec<(hyper::HeaderMap, Vec<u8>)> {
        self.lock().requests.clone()
    }

    /// Waits until the spans so far are what a test waits for, and gives them.
    ///
    /// # Panics
    /// When they never are.
    pub async fn until(&self, fits: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let begun = Instant::now();
        loop {
            let spans = self.spans();
            if fits(&spans) {
                return spans;
            }
            assert!(begun.elapsed() < PATIENCE, "they never came; there are {spans:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, taken: Arc<Mutex<Taken>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let taken = Arc::clone(&taken);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let taken = Arc::clone(&taken);
                async move { Ok::<_, Infallible>(answer(request, &taken).await) }
            });
            // It ends with its client.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, taken: &Mutex<Taken>) -> Response<Full<Bytes>> {
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/traces"));
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    let manner = {
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.manner == Manner::Takes {
            taken.spans.extend(spans(&body));
        }
        taken.requests.push((head.headers, body));
        taken.manner
    };
    let mut answer = Response::new(Full::default());
    match manner {
        Manner::Takes => {}
        Manner::Refuses(status) => *answer.status_mut() = status,
        Manner::Hangs => std::future::pending().await,
    }
    answer
}

/// The spans of an `ExportTraceServiceRequest`.
fn spans(request: &[u8]) -> Vec<Span> {
    let mut all = Vec::new();
    for resource_spans in Message(request).messages(1) {
        let resource = resource_spans
            .messages(1)
            .flat_map(|resource| attributes(&resource, 1))
            .collect::<BTreeMap<_, _>>();
        for span in resource_spans.messages(2).flat_map(|scope| scope.messages(2).collect::<Vec<_>>()) {
            let parent_id = hex(span.bytes(4));
            all.push(Span {
                trace_id: hex(span.bytes(1)),
                span_id: hex(span.bytes(2)),
                parent_id: (!parent_id.is_empty()).then_some(parent_id),
                state: span.text(3),
                name: span.text(5),
                kind: span.number(6),
                begin_ns: span.number(7),
                end_ns: span.number(8),
                attributes: attributes(&span, 9),
                events: span.messages(11).map(|event| (event.text(2), attributes(&event, 3))).collect(),
                is_error: span.messages(15).any(|status| status.number(3) == 2),
                resource: resource.clone(),
            });
        }
    }
    all
}

/// Pairs of a name and an `AnyValue`.
fn attributes(of: &Message<'_>, field: u64) -> BTreeMap<String, Value> {
    let value = |any: Message<'_>| match any.fields().next() {
        Some((1, _)) => any.text(1).into(),
        Some((2, _)) => (any.number(2) != 0).into(),
        Some((3, _)) => any.number(3).cast_signed().into(),
        Some((4, _)) => f64::from_bits(any.number(4)).into(),
        other => panic!("no value that is known: {other:?}"),
    };
    of.messages(field)
        .map(|pair| (pair.text(1), pair.messages(2).map(value).next().unwrap_or_default()))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
