//! What goes on behind a response: a guest that is not done yet, and the reading of a body that nobody has read.
//!
//! A response is over for hyper as soon as its announced length is out, and what it still holds is dropped then. On Spin a guest goes on
//! after its response, so here it does too, within the bounds that it had and holding its place. A connection that is closed while its
//! client still sends is reset, and the client might never see why; many look for an answer only when they have sent all of their body.

use std::time::Duration;

use futures_util::FutureExt as _;
use http::{Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::{
    ServerTasks,
    body::{RunningGuest, UnreadBody},
};
use crate::limits::{Limits, millis};

/// Has things done behind responses. What is under way there is waited for when the host stops, and ends with it.
#[derive(Debug)]
pub(super) struct Behind {
    tracker: TaskTracker,
    kill: CancellationToken,
    max_linger_bytes: u64,
    linger_timeout: Duration,
}

impl Behind {
    pub(super) fn new(limits: &Limits, tasks: &ServerTasks) -> Self {
        Self {
            tracker: tasks.tracker.clone(),
            kill: tasks.kill.clone(),
            max_linger_bytes: limits.max_linger_bytes,
            linger_timeout: millis(limits.linger_timeout_ms),
        }
    }

    /// Reads what a client still sends, and throws it away.
    pub(super) fn linger(&self, body: Incoming) {
        let throwing_away =
            tokio::time::timeout(self.linger_timeout, throw_away(body, self.max_linger_bytes));
        self.go_on(throwing_away.map(drop));
    }

    /// Polls a guest to its end, whose response is out, but for what it may not have said yet to be the end of it.
    pub(super) fn finish(&self, guest: RunningGuest, body: Option<HyperOutgoingBody>, unread: UnreadBody) {
        self.go_on(async move {
            let rest = async {
                if let Some(mut body) = body {
                    while let Some(Ok(_)) = body.frame().await {}
                }
            };
            // What went wrong was logged by the guest's own future.
            let _ = tokio::join!(guest, rest);
            unread.linger();
        });
    }

    fn go_on(&self, task: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = task => {}
                () = kill.cancelled() => {}
            }
        });
    }
}

async fn throw_away(mut body: Incoming, max_bytes: u64) {
    let mut read = 0_u64;
    while let Some(Ok(frame)) = body.frame().await {
        read = read.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64));
        if read > max_bytes {
            return;
        }
    }
}

/// How many bytes the body of a response has on the wire, where its header tells.
pub(super) fn announced_bytes<T>(response: &Response<T>, is_head: bool) -> Option<u64> {
    if is_head || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return Some(0);
    }
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether all of a response is out or will come without its guest, of which so many bytes are missing, where that is known.
pub(super) fn is_whole(body: &mut HyperOutgoingBody, mut missing_bytes: Option<u64>) -> bool {
    while missing_bytes != Some(0) {
        match body.frame().now_or_never() {
            Some(None) => return true,
            Some(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                missing_bytes = missing_bytes.map(|missing| missing.saturating_sub(bytes));
            }
            Some(Some(Err(_))) | None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_a_response_tells_how_long_it_is() {
        let response = |status: u16, length: Option<&str>| {
            let response = Response::builder().status(status);
            match length {
                Some(length) => response.header(header::CONTENT_LENGTH, length).body(()).unwrap(),
                None => response.body(()).unwrap(),
            }
        };
        for (status, length, is_head, announced) in [
            (200, Some("5"), false, Some(5)),
            (200, Some("5"), true, Some(0)),
            (200, None, false, None),
            (200, None, true, Some(0)),
            (200, Some("many"), false, None),
            (204, None, false, Some(0)),
            (304, Some("5"), false, Some(0)),
        ] {
            let response = response(status, length);
            assert_eq!(announced_bytes(&response, is_head), announced, "{status} {length:?} {is_head}");
        }
    }
}
