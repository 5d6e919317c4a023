//! The border to the host's HTTP types: in at the top, out at the bottom, nothing of them in between.

use std::future::Future;

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use spin_sdk::http::{
    Fields, IncomingRequest, Method as HostMethod, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use thumbs_domain::event::Event;

use super::answer::answer;
use super::body::{Body, BodyError};
use super::request::Request;
use super::response::{Failed, Response};
use super::throttle::{HostMeter, Meter, Unmetered};
use crate::clock::HostClock;
use crate::config::HostVariables;
use crate::ids::HostIds;
use crate::log::Log;

/// Serves one request: reads it, has it handled, answers. The client has its answer when this is over, and the component may go on.
pub async fn serve<H, F>(component: &'static str, incoming: IncomingRequest, out: ResponseOutparam, handle: H)
where
    H: FnOnce(Request, Body, Log) -> F,
    F: Future<Output = Result<Response, Failed>>,
{
    serve_metered(component, &HostMeter, incoming, out, handle).await;
}

/// The same for a component that has nothing of which there could be too much for one client: it needs no job store then.
pub async fn serve_unmetered<H, F>(
    component: &'static str,
    incoming: IncomingRequest,
    out: ResponseOutparam,
    handle: H,
) where
    H: FnOnce(Request, Body, Log) -> F,
    F: Future<Output = Result<Response, Failed>>,
{
    serve_metered(component, &Unmetered, incoming, out, handle).await;
}

async fn serve_metered<H, F>(
    component: &'static str,
    meter: &dyn Meter,
    incoming: IncomingRequest,
    out: ResponseOutparam,
    handle: H,
) where
    H: FnOnce(Request, Body, Log) -> F,
    F: Future<Output = Result<Response, Failed>>,
{
    let headers = headers(&incoming);
    let method = method(&incoming.method());
    let path_and_query = incoming.path_with_query().unwrap_or_default();
    let Some(request) = Request::new(method, &path_and_query, headers, &HostIds) else {
        // Without an outparam the host answers 500 by itself.
        return Log::new(component).event(Event::NoRandomNumbers);
    };
    let is_head = request.method == Method::HEAD;
    let log = Log::new(component).with_correlation_id(request.correlation_id.as_str());
    let log = log.with_trace(request.trace_parent());
    send(
        answer(&HostVariables, &HostClock::start(), meter, request, body(incoming), log.clone(), handle)
            .await,
        out,
        is_head,
        &log,
    );
}

/// The body, opened by whoever asks for its first piece: most requests have none, and opening it costs calls to the host.
fn body(incoming: IncomingRequest) -> Body {
    let pieces = futures::stream::once(async move { incoming.into_body_stream() }).flatten();
    pieces
        .map(|piece| piece.map(Bytes::from).map_err(|error| BodyError::Broken(error.to_debug_string())))
        .boxed_local()
}

fn method(method: &HostMethod) -> Method {
    match method {
        HostMethod::Get => Method::GET,
        HostMethod::Head => Method::HEAD,
        HostMethod::Post => Method::POST,
        HostMethod::Put => Method::PUT,
        HostMethod::Delete => Method::DELETE,
        HostMethod::Connect => Method::CONNECT,
        HostMethod::Options => Method::OPTIONS,
        HostMethod::Trace => Method::TRACE,
        HostMethod::Patch => Method::PATCH,
        // Every component answers 405 to it, as to any other method that it does not know.
        HostMethod::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE),
    }
}

fn headers(incoming: &IncomingRequest) -> HeaderMap {
    let fields = incoming.headers().entries();
    let parsed = fields.into_iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?))
    });
    parsed.collect()
}

fn send(response: Response, out: ResponseOutparam, is_head: bool, log: &Log) {
    let (head, content) = response.into_parts();
    let fields: Vec<(String, Vec<u8>)> =
        head.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let Ok(fields) = Fields::from_list(&fields) else {
        return log.event(Event::ResponseRefused { cause: "a header is not allowed" });
    };
    let outgoing = OutgoingResponse::new(fields);
    if outgoing.set_status_code(head.status.as_u16()).is_err() {
        return log.event(Event::ResponseRefused { cause: "the status is not allowed" });
    }
    let Ok(body) = outgoing.body() else {
        return log.event(Event::ResponseRefused { cause: "the body was taken already" });
    };
    out.set(outgoing);
    if is_head {
        // The host sends no body, and would find that this one is not as long as its header says.
        let _ = OutgoingBody::finish(body, None);
        return;
    }
    if write(&body, &content).is_none() || OutgoingBody::finish(body, None).is_err() {
        log.event(Event::ClientGone);
    }
}

/// Writes as much at a time as the host takes. There is no flush: it would only wait until the client has read what is sent
/// anyway once the body is finished. None where the client does not read on.
fn write(body: &OutgoingBody, mut content: &[u8]) -> Option<()> {
    let stream = body.write().ok()?;
    while !content.is_empty() {
        let permitted = usize::try_from(stream.check_write().ok()?).unwrap_or(usize::MAX);
        if permitted == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = content.split_at(permitted.min(content.len()));
        stream.write(now).ok()?;
        content = later;
    }
    Some(())
}
