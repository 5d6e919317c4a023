//! S3 in a component: requests by `wasi:http`, time by `wasi:clocks`, chance by `wasi:random`.
//!
//! Bodies are streamed both ways, in pieces as large as the host takes or gives. Each wait is bounded here, by the time of the operation and by
//! the time between two pieces; the host's own timeouts are set too, but not every host keeps to them. Functions wait inside, so their futures
//! are ready at once.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use thumbs_s3::request::{Method, Request};
use thumbs_s3::transport::{Answer, BodyFault, Fault, Transport};
use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    self, ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use wasi::io::poll::{self, Pollable};
use wasi::io::streams::{InputStream, OutputStream, StreamError};

/// How long a connection, TLS included, may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a server may take from the end of the request to the head of its answer.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a body may stand still, in either direction.
const BETWEEN_BYTES_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest piece that is read or written at once, in bytes.
const MAX_PIECE_BYTES: u64 = 256 << 10;

/// Sends by what the host of this component gives.
pub(crate) struct WasiHttp;

impl Transport for WasiHttp {
    type Answer = WasiAnswer;

    async fn send(&self, request: Request, body: Bytes, time_left: Duration) -> Result<WasiAnswer, Fault> {
        let deadline = Deadline::after(time_left);
        let request = outgoing(request).ok_or(Fault::Request("the request can't be written as HTTP"))?;
        // A body that was asked for goes out in chunks even where nothing is written to it, and S3 takes no chunks.
        let request_body = match body.is_empty() {
            true => None,
            false => Some(request.body().map_err(|()| Fault::Request("the host gives no request body"))?),
        };
        let answer = outgoing_handler::handle(request, Some(options())).map_err(fault)?;
        let answer_ready = answer.subscribe();
        let unfinished = match request_body {
            Some(unwritten) => written(unwritten, &body, &answer_ready, &deadline)?,
            None => None,
        };
        deadline.wait(&answer_ready, FIRST_BYTE_TIMEOUT)?;
        drop(answer_ready);
        Ok(WasiAnswer { response: received(&answer)?, deadline, _unfinished: unfinished })
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn pause(&self, duration: Duration) {
        monotonic_clock::subscribe_duration(nanos(duration)).block();
    }

    fn random(&self) -> u64 {
        wasi::random::random::get_random_u64()
    }
}

/// The head of an answer. It keeps the request's body where the server answered before it had read all of that: to drop
/// it would break the connection, and with it the answer's own body.
pub(crate) struct WasiAnswer {
    response: IncomingResponse,
    deadline: Deadline,
    _unfinished: Option<OutgoingBody>,
}

impl Answer for WasiAnswer {
    fn status(&self) -> u16 {
        self.response.status()
    }

    fn header(&self, name: &str) -> Option<String> {
        let mut values = self.response.headers().get(&name.to_owned());
        match (values.pop(), values.is_empty()) {
            (Some(value), true) => String::from_utf8(value).ok(),
            _ => None,
        }
    }

    async fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        let declared = self.header("content-length").and_then(|length| length.parse::<u64>().ok());
        if declared.is_some_and(|declared| declared > max_bytes) {
            return Err(BodyFault::TooLarge);
        }
        let body = self.response.consume().map_err(|()| BodyFault::Fault(Fault::BROKEN_OFF))?;
        let stream = body.stream().map_err(|()| BodyFault::Fault(Fault::BROKEN_OFF))?;
        let data = download(&stream, declared, max_bytes, &self.deadline)?;
        drop(stream);
        drop::<IncomingBody>(body);
        match declared {
            Some(declared) if declared != data.len() as u64 => Err(BodyFault::Fault(Fault::BROKEN_OFF)),
            _ => Ok(data),
        }
    }
}

/// A moment of the monotonic clock.
struct Deadline(monotonic_clock::Instant);

impl Deadline {
    fn after(time: Duration) -> Self {
        Self(monotonic_clock::now().saturating_add(nanos(time)))
    }

    /// Waits for `event`, at most `patience` and never beyond the deadline.
    fn wait(&self, event: &Pollable, patience: Duration) -> Result<(), Fault> {
        self.wait_any(&[event], patience).map(drop)
    }

    /// Waits for one of `events`: the indices of those that came.
    fn wait_any(&self, events: &[&Pollable], patience: Duration) -> Result<Vec<u32>, Fault> {
        let until = monotonic_clock::now().saturating_add(nanos(patience)).min(self.0);
        let timer = monotonic_clock::subscribe_instant(until);
        let mut all = events.to_vec();
        all.push(&timer);
        let mut ready = poll::poll(&all);
        ready.retain(|index| (*index as usize) < events.len());
        if ready.is_empty() { Err(Fault::TooSlow) } else { Ok(ready) }
    }
}

/// Writes the request's body and ends it; gives it back where the server did not want all of it.
fn written(
    body: OutgoingBody,
    data: &[u8],
    answer_ready: &Pollable,
    deadline: &Deadline,
) -> Result<Option<OutgoingBody>, Fault> {
    if !upload(&body, data, answer_ready, deadline)? {
        return Ok(Some(body));
    }
    // Where this fails the connection is gone, and the future says why better than this error does.
    let _said_by_the_answer = OutgoingBody::finish(body, None);
    Ok(None)
}

/// Writes the request's body; whether all of it was written. It is not where the answer comes first or the connection
/// breaks: either way the answer says more.
fn upload(
    body: &OutgoingBody,
    data: &[u8],
    answer_ready: &Pollable,
    deadline: &Deadline,
) -> Result<bool, Fault> {
    let stream: OutputStream = body.write().map_err(|()| Fault::Request("the host gives no request body"))?;
    let writable = stream.subscribe();
    let mut rest = data;
    while !rest.is_empty() {
        let Ok(room) = stream.check_write() else { return Ok(false) };
        if room == 0 {
            let ready = deadline.wait_any(&[&writable, answer_ready], BETWEEN_BYTES_TIMEOUT)?;
            if ready == [1] {
                return Ok(false);
            }
            continue;
        }
        let length = usize::try_from(room.min(MAX_PIECE_BYTES)).unwrap_or(rest.len()).min(rest.len());
        let (piece, after) = rest.split_at(length);
        if stream.write(piece).is_err() {
            return Ok(false);
        }
        rest = after;
    }
    Ok(stream.flush().is_ok())
}

fn download(
    stream: &InputStream,
    declared: Option<u64>,
    max_bytes: u64,
    deadline: &Deadline,
) -> Result<Vec<u8>, BodyFault> {
    let capacity = usize::try_from(declared.unwrap_or_default().min(max_bytes)).unwrap_or_default();
    let mut data = Vec::with_capacity(capacity);
    let readable = stream.subscribe();
    loop {
        match stream.read(MAX_PIECE_BYTES) {
            Ok(piece) if piece.is_empty() => {
                deadline.wait(&readable, BETWEEN_BYTES_TIMEOUT).map_err(BodyFault::Fault)?;
            }
            Ok(piece) if (data.len() + piece.len()) as u64 > max_bytes => return Err(BodyFault::TooLarge),
            Ok(piece) => data.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(data),
            Err(StreamError::LastOperationFailed(error)) => {
                let fault = types::http_error_code(&error).map_or(Fault::BROKEN_OFF, fault);
                return Err(BodyFault::Fault(fault));
            }
        }
    }
}

fn outgoing(request: Request) -> Option<OutgoingRequest> {
    let headers: Vec<(String, Vec<u8>)> =
        request.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    let outgoing = OutgoingRequest::new(Fields::from_list(&headers).ok()?);
    let method = match request.method {
        Method::Get => types::Method::Get,
        Method::Head => types::Method::Head,
        Method::Put => types::Method::Put,
        Method::Post => types::Method::Post,
        Method::Delete => types::Method::Delete,
    };
    let scheme = if request.is_https { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&method).ok()?;
    outgoing.set_scheme(Some(&scheme)).ok()?;
    outgoing.set_authority(Some(&request.authority)).ok()?;
    outgoing.set_path_with_query(Some(&request.path)).ok()?;
    Some(outgoing)
}

fn options() -> RequestOptions {
    let options = RequestOptions::new();
    // A host may know none of these. The waits here have the same bounds, so nothing depends on it.
    let _known = options.set_connect_timeout(Some(nanos(CONNECT_TIMEOUT)));
    let _known = options.set_first_byte_timeout(Some(nanos(FIRST_BYTE_TIMEOUT)));
    let _known = options.set_between_bytes_timeout(Some(nanos(BETWEEN_BYTES_TIMEOUT)));
    options
}

fn received(answer: &FutureIncomingResponse) -> Result<IncomingResponse, Fault> {
    match answer.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(fault(code)),
        Some(Err(())) | None => Err(Fault::Request("the host gives no answer")),
    }
}

fn fault(code: ErrorCode) -> Fault {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Fault::Denied,
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            Fault::NO_SUCH_NAME
        }
        ErrorCode::ConnectionRefused => Fault::REFUSED,
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Fault::TooSlow,
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => Fault::NO_WAY,
        ErrorCode::ConnectionLimitReached => Fault::Network("too many connections are open"),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => Fault::BROKEN_OFF,
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => Fault::NO_TLS,
        ErrorCode::TlsCertificateError => Fault::UNTRUSTED,
        ErrorCode::HttpProtocolError | ErrorCode::InternalError(_) => Fault::NO_HTTP,
        _ => Fault::Request("HTTP does not allow the request or the answer"),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
