//! S3 from this host: requests by hyper, over connections that are kept.
//!
//! Redirects are not followed, for a signature is for one host. A proxy of the environment (`HTTPS_PROXY` and the like) is not used: where
//! requests with credentials go is decided by the `s3_*` variables and by nothing else.

mod connector;

use std::{
    error::Error as StdError,
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, Client},
    rt::{TokioExecutor, TokioTimer},
};
use thumbs_s3::{
    Settings,
    request::Request,
    transport::{Answer, BodyFault, Fault, Transport},
};
use tokio::{runtime, time::Instant};

use self::connector::{Connector, Unconnected};
use crate::limits::length;

type HttpClient = Client<Connector, Full<Bytes>>;

/// Sends requests to one server.
pub(super) struct Network {
    connector: Connector,
    /// One for each Tokio runtime. A connection lives on the runtime that made it: requests of another would wait for whatever that one is
    /// busy with, which is guests where it is the workers', and would lose the connection when it ends.
    clients: Mutex<Vec<(runtime::Id, HttpClient)>>,
    begin: Instant,
}

impl Network {
    /// `patience` is the time of a whole operation: connecting takes a third of it at most, so that a second attempt still has time.
    ///
    /// # Errors
    /// The system has no trusted certificates, and the endpoint speaks TLS. One sentence.
    pub(super) fn new(settings: &Settings, patience: Duration) -> Result<Self, String> {
        Self::to(settings.endpoint(), settings.is_https(), patience)
    }

    /// The same, to another server; `place` names it in the sentence.
    ///
    /// # Errors
    /// As for [`Network::new`].
    pub(super) fn to(place: String, is_https: bool, patience: Duration) -> Result<Self, String> {
        let connector = Connector::new(&place, is_https, patience / 3)?;
        Ok(Self { connector, clients: Mutex::default(), begin: Instant::now() })
    }

    /// The client of this runtime.
    fn client(&self) -> HttpClient {
        let runtime = runtime::Handle::current().id();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(of, _)| *of == runtime) {
            return client.clone();
        }
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(self.connector.clone());
        clients.push((runtime, client.clone()));
        client
    }
}

impl Transport for Network {
    type Answer = Received;

    async fn send(&self, request: Request, body: Bytes, time_left: Duration) -> Result<Received, Fault> {
        let deadline = Instant::now() + time_left;
        let request =
            outgoing(request, body).map_err(|_| Fault::Request("the request can't be written as HTTP"))?;
        match tokio::time::timeout_at(deadline, self.client().request(request)).await {
            Ok(Ok(response)) => Ok(Received { response, deadline }),
            Ok(Err(error)) => Err(unanswered(&error)),
            Err(_) => Err(Fault::TooSlow),
        }
    }

    fn monotonic(&self) -> Duration {
        self.begin.elapsed()
    }

    fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn random(&self) -> u64 {
        // The hasher's keys are random: enough for a pause, and no dependency.
        RandomState::new().hash_one(self.monotonic())
    }
}

/// The head of an answer.
pub(super) struct Received {
    response: http::Response<Incoming>,
    deadline: Instant,
}

impl Answer for Received {
    fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    fn header(&self, name: &str) -> Option<String> {
        let mut values = self.response.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok().map(str::to_owned),
            _ => None,
        }
    }

    async fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        let mut body = self.response.into_body();
        let declared = hyper::body::Body::size_hint(&body).lower();
        if declared > max_bytes {
            return Err(BodyFault::TooLarge);
        }
        let mut data = Vec::with_capacity(length(declared));
        loop {
            let piece = match tokio::time::timeout_at(self.deadline, body.frame()).await {
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Ok(Some(Err(_))) => return Err(BodyFault::Fault(Fault::BROKEN_OFF)),
                Ok(None) => return Ok(data),
                Err(_) => return Err(BodyFault::Fault(Fault::TooSlow)),
            };
            if data.len().saturating_add(piece.len()) > length(max_bytes) {
                return Err(BodyFault::TooLarge);
            }
            data.extend_from_slice(&piece);
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

fn outgoing(request: Request, body: Bytes) -> http::Result<http::Request<Full<Bytes>>> {
    let scheme = if request.is_https { "https" } else { "http" };
    let mut outgoing = http::Request::builder()
        .method(request.method.as_str())
        .uri(format!("{scheme}://{}{}", request.authority, request.path))
        .header(http::header::HOST, request.authority);
    for (name, value) in request.headers {
        outgoing = outgoing.header(name, value);
    }
    outgoing.body(Full::new(body))
}

/// The meaning of an answer that did not come.
fn unanswered(error: &legacy::Error) -> Fault {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(Unconnected(fault)) = error.downcast_ref() {
            return *fault;
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return if error.is_parse() || error.is_user() { Fault::NO_HTTP } else { Fault::BROKEN_OFF };
        }
        cause = error.source();
    }
    Fault::BROKEN_OFF
}
