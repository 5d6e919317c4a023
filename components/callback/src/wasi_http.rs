//! One request by `wasi:http`, within the time of an attempt. The host's own timeouts are set too, but not every host keeps to them.

use thumbs_domain::callback::{ATTEMPT_TIMEOUT_MS, Answer, CallbackFault, CallbackUrl};
use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasi::io::poll::{self, Pollable};

use crate::{Carry, Message};

const ATTEMPT_TIMEOUT_NANOS: u64 = ATTEMPT_TIMEOUT_MS as u64 * 1_000_000;

/// Sends by what the host of this component gives.
pub(crate) struct WasiHttp;

impl Carry for WasiHttp {
    fn carry(&self, url: &CallbackUrl, message: &Message) -> Result<Answer, CallbackFault> {
        let deadline = monotonic_clock::now().saturating_add(ATTEMPT_TIMEOUT_NANOS);
        let request = outgoing(url, message).ok_or(CallbackFault::BrokenAnswer)?;
        let body = request.body().map_err(|()| CallbackFault::BrokenAnswer)?;
        let answer = outgoing_handler::handle(request, Some(options())).map_err(|code| fault(&code))?;
        let ready = answer.subscribe();
        // Kept until there is an answer: one may come before all was sent, and to drop it would break the connection.
        let _unfinished = written(body, &message.body, &ready, deadline)?;
        wait(&[&ready], deadline)?;
        drop(ready);
        let response = received(&answer)?;
        Ok(Answer { status: response.status(), retry_after_secs: retry_after_secs(&response) })
    }
}

fn outgoing(url: &CallbackUrl, message: &Message) -> Option<OutgoingRequest> {
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let headers = Fields::from_list(&[
        header("content-type", "application/json"),
        header("content-length", &message.body.len().to_string()),
        header("user-agent", concat!("thumbs/", env!("CARGO_PKG_VERSION"))),
        header("webhook-id", &message.id),
        header("webhook-timestamp", &message.timestamp_secs.to_string()),
        header("webhook-signature", &message.signature),
    ]);
    let request = OutgoingRequest::new(headers.ok()?);
    request.set_method(&Method::Post).ok()?;
    request.set_scheme(Some(if url.is_https() { &Scheme::Https } else { &Scheme::Http })).ok()?;
    request.set_authority(Some(url.authority())).ok()?;
    request.set_path_with_query(Some(&url.path_and_query())).ok()?;
    Some(request)
}

fn options() -> RequestOptions {
    let options = RequestOptions::new();
    let _known = options.set_connect_timeout(Some(ATTEMPT_TIMEOUT_NANOS));
    let _known = options.set_first_byte_timeout(Some(ATTEMPT_TIMEOUT_NANOS));
    let _known = options.set_between_bytes_timeout(Some(ATTEMPT_TIMEOUT_NANOS));
    options
}

/// Waits for one of these until the deadline.
fn wait(events: &[&Pollable], deadline: monotonic_clock::Instant) -> Result<(), CallbackFault> {
    let timer = monotonic_clock::subscribe_instant(deadline);
    let mut all = events.to_vec();
    all.push(&timer);
    let came = poll::poll(&all).into_iter().any(|index| (index as usize) < events.len());
    if came { Ok(()) } else { Err(CallbackFault::TimedOut) }
}

/// Writes the request's body and ends it; gives it back where the receiver did not want all of it, whose answer then says why.
fn written(
    body: OutgoingBody,
    data: &[u8],
    answer_ready: &Pollable,
    deadline: monotonic_clock::Instant,
) -> Result<Option<OutgoingBody>, CallbackFault> {
    let stream = body.write().map_err(|()| CallbackFault::BrokenAnswer)?;
    let writable = stream.subscribe();
    let mut rest = data;
    while !rest.is_empty() && !answer_ready.ready() {
        let Ok(room) = stream.check_write() else { break };
        if room == 0 {
            wait(&[&writable, answer_ready], deadline)?;
            continue;
        }
        let (piece, after) = rest.split_at(usize::try_from(room).unwrap_or(rest.len()).min(rest.len()));
        if stream.write(piece).is_err() {
            break;
        }
        rest = after;
    }
    let is_whole = rest.is_empty() && stream.flush().is_ok();
    drop(writable);
    drop(stream);
    if !is_whole {
        return Ok(Some(body));
    }
    // Where this fails the connection is gone, and the answer says why better than this error does.
    let _said_by_the_answer = OutgoingBody::finish(body, None);
    Ok(None)
}

fn received(answer: &FutureIncomingResponse) -> Result<IncomingResponse, CallbackFault> {
    match answer.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(fault(&code)),
        Some(Err(())) | None => Err(CallbackFault::BrokenAnswer),
    }
}

/// A date is none: the pause is then as long as without the header.
fn retry_after_secs(response: &IncomingResponse) -> Option<u32> {
    let values = response.headers().get(&"retry-after".to_owned());
    let [value] = &values[..] else { return None };
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

fn fault(code: &ErrorCode) -> CallbackFault {
    match code {
        ErrorCode::HttpRequestDenied
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::ConnectionLimitReached => CallbackFault::AddressRefused,
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => CallbackFault::NoSuchName,
        ErrorCode::ConnectionRefused
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable => CallbackFault::Unreachable,
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => CallbackFault::TimedOut,
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            CallbackFault::TlsFailed
        }
        _ => CallbackFault::BrokenAnswer,
    }
}
