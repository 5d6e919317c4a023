//! `wasi:http/outgoing-handler`: requests of components to others, within their grants.
//!
//! wasmtime-wasi-http does the protocol; here is who may be asked, how long one waits, and that the first request of an instance that is
//! refused is said in the log, and how many there were in the end. Requests to other components of the application (`*.spin.internal`) are refused. What is granted goes to a
//! [`Carrier`]: the network, but in tests.

mod counted;
mod strangers;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub use counted::{CountedView, add_to_linker};
pub use strangers::Strangers;

use super::allowed_hosts::AllowedHosts;
use crate::{
    limits::{Limits, millis},
    memory::Share,
    telemetry::{Event, Logger},
    traces::{CallTrace, Operation},
};

/// What becomes of a connection after its response began.
pub type IoResult = Box<dyn Future<Output = Result<(), Error>> + Send>;
/// What becomes of a request.
pub type Sending = Box<dyn Future<Output = Result<(http::Response<WasiBody>, IoResult), Error>> + Send>;

/// Carries requests that are granted to whoever answers them. One per runtime.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Sends one off; all three timeouts of `options` are set.
    fn carry(&self, request: http::Request<WasiBody>, options: RequestOptions) -> Sending;
}

/// Carries over the network.
#[derive(Debug)]
pub struct Network;

impl Carrier for Network {
    fn carry(&self, request: http::Request<WasiBody>, options: RequestOptions) -> Sending {
        Box::new(async move {
            let (response, io) = wasmtime_wasi_http::default_send_request(request, Some(options)).await?;
            Ok((response.map(http_body_util::BodyExt::boxed_unsync), Box::new(io) as IoResult))
        })
    }
}

/// Decides on one instance's outgoing requests.
#[derive(Debug)]
pub struct Egress {
    carrier: Arc<dyn Carrier>,
    hosts: Arc<AllowedHosts>,
    component: Arc<str>,
    log: Logger,
    longest: RequestOptions,
    left: u64,
    refused: Refused,
    memory: Arc<Share>,
    trace: CallTrace,
}

/// How many requests of an instance were refused. Those of a name that leads where none may go are once they are on their way.
#[derive(Clone, Debug, Default)]
struct Refused(Arc<AtomicU64>);

impl Refused {
    /// Whether this one is the first.
    fn one(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) == 0
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A piece of a body that a guest writes: it waits in the host until the other side takes it.
const BODY_PIECE_BYTES: usize = 64 * 1024;
/// One that waits, and one that is on its way.
const BODY_PIECES: usize = 2;

/// The longest name of a host that is logged; DNS knows no longer one.
const MAX_HOST_BYTES: usize = 253;

impl Egress {
    /// For an instance of this component.
    #[must_use]
    pub fn new(
        carrier: Arc<dyn Carrier>,
        hosts: Arc<AllowedHosts>,
        component: Arc<str>,
        log: Logger,
        memory: Arc<Share>,
        trace: CallTrace,
        limits: &Limits,
    ) -> Self {
        let response = millis(limits.egress_response_timeout_ms);
        let longest = RequestOptions {
            connect_timeout: Some(millis(limits.egress_connect_timeout_ms)),
            first_byte_timeout: Some(response),
            between_bytes_timeout: Some(response),
        };
        let left = limits.max_egress_requests;
        Self { carrier, hosts, component, log, longest, left, refused: Refused::default(), memory, trace }
    }

    /// Whether a request may go out, and if not, why.
    fn refusal(&self, uri: &http::Uri) -> Option<(&'static str, Error)> {
        let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
        if self.left == 0 {
            return Some(("too many requests of one instance", Error::ConnectionLimitReached));
        }
        if host.ends_with(".spin.internal") {
            return Some(("this runtime does not serve calls between components", Error::HttpRequestDenied));
        }
        if !self.hosts.allows(scheme, host, uri.port_u16()) {
            return Some(("not in allowed_outbound_hosts", Error::HttpRequestDenied));
        }
        None
    }

    /// What the guest asked for, but no longer than the operator allows.
    fn bounded(&self, asked: Option<RequestOptions>) -> RequestOptions {
        let asked = asked.unwrap_or_default();
        let shorter = |asked: Option<_>, longest: Option<_>| match (asked, longest) {
            (Some(asked), Some(longest)) => Some(std::cmp::min(asked, longest)),
            (asked, longest) => asked.or(longest),
        };
        RequestOptions {
            connect_timeout: shorter(asked.connect_timeout, self.longest.connect_timeout),
            first_byte_timeout: shorter(asked.first_byte_timeout, self.longest.first_byte_timeout),
            between_bytes_timeout: shorter(asked.between_bytes_timeout, self.longest.between_bytes_timeout),
        }
    }
}

/// Whom a request is for, as the log says it.
fn logged(uri: &http::Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    &host[..host.floor_char_boundary(MAX_HOST_BYTES)]
}

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: IoResult,
    ) -> Sending {
        let refusal = self.refusal(request.uri());
        // Refused ones count as well: asking for what is not granted costs the host as much.
        self.left = self.left.saturating_sub(1);
        if let Some((reason, error)) = refusal {
            if self.refused.one() {
                let host = Some(logged(request.uri()));
                let event = Event::EgressRefused { host, reason: Some(reason), requests: None };
                self.log.within(&self.component, None, self.trace.context(), &event);
            }
            return Box::new(std::future::ready(Err(error)));
        }
        let span = self.trace.open(|| Operation::request(request.method(), request.uri()));
        let host = logged(request.uri()).to_owned();
        let (component, log, context) = (Arc::clone(&self.component), self.log.clone(), self.trace.context());
        let refused = self.refused.clone();
        let sending = self.carrier.carry(request, self.bounded(options));
        Box::new(async move {
            let sent = Box::into_pin(sending).await;
            if let Some(span) = span {
                span.answered(sent.as_ref().ok().map(|(response, _)| response.status()));
            }
            // A name that is granted, and leads where its owner would like this host to ask.
            if let Err(Error::DestinationIpProhibited) = sent
                && refused.one()
            {
                let reason = Some("its name leads to no public address");
                let event = Event::EgressRefused { host: Some(&host), reason, requests: None };
                log.within(&component, None, context, &event);
            }
            sent
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        BODY_PIECES - 1
    }

    /// Asked once for each body that the guest makes, which takes so much until the instance ends. There is no way to refuse one, so a guest
    /// that may have no more memory writes its further bodies a byte at a time.
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        match self.memory.take(BODY_PIECES * BODY_PIECE_BYTES) {
            Ok(()) => BODY_PIECE_BYTES,
            Err(_) => 1,
        }
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        let refused = self.refused.count();
        if refused > 1 {
            let event = Event::EgressRefused { host: None, reason: None, requests: Some(refused) };
            self.log.within(&self.component, None, self.trace.context(), &event);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::{
        memory::MemoryBudget,
        telemetry::{CaptureSink, Level},
    };

    fn egress(limits: &Limits) -> Egress {
        logging(limits, &CaptureSink::new())
    }

    fn logging(limits: &Limits, sink: &CaptureSink) -> Egress {
        let hosts = Arc::new(AllowedHosts::parse(["http://api.example:80"]).unwrap());
        let log = Logger::new(Arc::new(sink.clone()), Level::Debug);
        let memory = Share::new(Arc::new(MemoryBudget::new(1 << 20)), 1 << 20);
        Egress::new(Arc::new(Network), hosts, "upload".into(), log, memory, CallTrace::default(), limits)
    }

    fn refused(egress: &Egress, uri: &'static str) -> Option<&'static str> {
        egress.refusal(&http::Uri::from_static(uri)).map(|(reason, _)| reason)
    }

    #[test]
    fn only_granted_hosts_are_asked() {
        let egress = egress(&Limits::default());
        assert_eq!(refused(&egress, "http://api.example/x"), None);
        assert_eq!(refused(&egress, "https://api.example/x"), Some("not in allowed_outbound_hosts"));
        assert_eq!(refused(&egress, "http://169.254.169.254/"), Some("not in allowed_outbound_hosts"));
        assert!(refused(&egress, "http://status.spin.internal/").unwrap().contains("between components"));
    }

    #[test]
    fn requests_of_one_instance_are_counted() {
        let egress = egress(&Limits { max_egress_requests: 0, ..Limits::default() });
        assert!(refused(&egress, "http://api.example/x").unwrap().contains("too many"));
    }

    #[tokio::test]
    async fn a_guest_that_asks_again_and_again_for_what_it_may_not_fills_no_log() {
        let sink = CaptureSink::new();
        let mut egress = logging(&Limits { max_egress_requests: 2, ..Limits::default() }, &sink);
        for _ in 0..100 {
            let host = "x".repeat(1_000);
            let body = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
            let request = http::Request::builder().uri(format!("http://{host}/")).body(body).unwrap();
            let sent =
                Box::into_pin(egress.send_request(request, None, Box::new(std::future::pending()))).await;
            assert!(sent.is_err());
        }
        assert!(refused(&egress, "http://api.example/x").unwrap().contains("too many"), "refusals count");
        drop(egress);
        let lines = sink.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0].fields["host"].as_str().map(str::len), Some(MAX_HOST_BYTES));
        assert_eq!(lines[1].fields["requests"], 100);
    }

    /// Knows every name, and that it leads where none may go.
    #[derive(Debug)]
    struct LeadsAstray;

    impl Carrier for LeadsAstray {
        fn carry(&self, _: http::Request<WasiBody>, _: RequestOptions) -> Sending {
            Box::new(std::future::ready(Err(Error::DestinationIpProhibited)))
        }
    }

    #[tokio::test]
    async fn a_granted_name_that_leads_where_none_may_go_fills_no_log_either() {
        let sink = CaptureSink::new();
        let mut egress = logging(&Limits::default(), &sink);
        egress.carrier = Arc::new(LeadsAstray);
        for uri in ["http://api.example/", "http://api.example/x", "http://other.example/"] {
            let body = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
            let request = http::Request::builder().uri(uri).body(body).unwrap();
            let sent =
                Box::into_pin(egress.send_request(request, None, Box::new(std::future::pending()))).await;
            assert!(sent.is_err());
        }
        drop(egress);
        let lines = sink.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0].fields["host"], "api.example");
        assert_eq!(lines[1].fields["requests"], 3);
    }

    #[test]
    fn a_guest_may_wait_less_and_not_longer() {
        let egress = egress(&Limits {
            egress_connect_timeout_ms: 10,
            egress_response_timeout_ms: 20,
            ..Limits::default()
        });
        let asked = RequestOptions {
            connect_timeout: Some(Duration::from_millis(5)),
            first_byte_timeout: Some(Duration::from_secs(60)),
            between_bytes_timeout: None,
        };
        let bounded = egress.bounded(Some(asked));
        assert_eq!(bounded.connect_timeout, Some(Duration::from_millis(5)));
        assert_eq!(bounded.first_byte_timeout, Some(Duration::from_millis(20)));
        assert_eq!(bounded.between_bytes_timeout, Some(Duration::from_millis(20)));
    }
}
