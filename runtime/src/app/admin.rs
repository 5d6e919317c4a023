//! The listener for whoever looks after this process: its numbers, whether it lives, and whether it should be sent requests.
//!
//! It has an address of its own, so that what faces clients need not be asked for what is not for them, and answers when all places for
//! requests are taken. It knows no keys: who reaches it may read it, and read is all that anybody can do here.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use super::{StartError, metrics::Metrics};
use crate::{
    blocking::blocking,
    limits::{Limits, length, millis},
    numbers::Format,
    triggers::http::ACCEPT_PAUSE,
};

/// Bound, and not yet answering.
#[derive(Debug)]
pub(super) struct AdminListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl AdminListener {
    /// # Errors
    /// The address is taken, or is none of this machine.
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, StartError> {
        let refused = |cause| StartError::ListenAdmin { address, cause };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        Ok(Self { address: listener.local_addr().map_err(refused)?, listener })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until told to end. `leave` is cancelled once nobody should send requests to the process.
    pub(super) async fn run(
        self,
        metrics: Arc<Metrics>,
        limits: Arc<Limits>,
        leave: CancellationToken,
        end: CancellationToken,
    ) {
        let connections = Arc::new(Semaphore::new(length(limits.max_admin_connections)));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(millis(limits.header_timeout_ms))
            .max_buf_size(length(limits.max_header_bytes).max(64 * 1024));
        let accepting = async {
            loop {
                let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
                let Ok((stream, _)) = self.listener.accept().await else {
                    // Out of files, mostly, which the listener for clients says.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let (http, metrics) = (http.clone(), Arc::clone(&metrics));
                let (leave, end) = (leave.clone(), end.clone());
                tokio::spawn(async move {
                    let serve = service_fn(|request: Request<Incoming>| {
                        let (metrics, stops) = (Arc::clone(&metrics), leave.is_cancelled());
                        let (asked, _) = request.into_parts();
                        async move { Ok::<_, Infallible>(answer(&asked, metrics, stops).await) }
                    });
                    let connection = pin!(http.serve_connection(TokioIo::new(stream), serve));
                    tokio::select! {
                        // Errors are the client's going away, or its breaking of HTTP.
                        _ = connection => {}
                        () = end.cancelled() => {}
                    }
                    drop(permit);
                });
            }
        };
        tokio::select! {
            () = accepting => {}
            () = end.cancelled() => {}
        }
    }
}

async fn answer(asked: &Parts, metrics: Arc<Metrics>, stops: bool) -> Response<Full<Bytes>> {
    if !matches!(asked.method, Method::GET | Method::HEAD) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "Here is nothing but to read: GET or HEAD.\n");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    match asked.uri.path() {
        "/livez" => text(StatusCode::OK, "OK\n"),
        "/readyz" if stops => text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        "/readyz" => text(StatusCode::OK, "OK\n"),
        "/metrics" => {
            let accept = asked.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
            let format = Format::preferred(accept);
            let mut answer = text(StatusCode::OK, blocking(move || metrics.exposition(format)).await);
            let headers = answer.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
            headers.insert(header::VARY, HeaderValue::from_static("accept"));
            answer
        }
        _ => text(StatusCode::NOT_FOUND, "There are /metrics, /livez and /readyz.\n"),
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
