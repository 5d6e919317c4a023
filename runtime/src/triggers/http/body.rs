//! Bodies, both ways, within their bounds.
//!
//! A request's body is cut while it arrives (`arriving.rs`). Why it was cut is remembered, so that the host can say it where the component
//! only saw a broken stream. What a component leaves unread is read and thrown away after the response, for a
//! while: closing at once would reset the connection, and the client might never see why.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio_util::task::TaskTracker;
use wasmtime_wasi_http::{Error, p2::body::HyperOutgoingBody};

use super::{
    arriving::{Arriving, Cut},
    places::Place,
};
use crate::{instance::CallFailure, problem::Problem};

/// How long an unread body is read after the response.
const LINGER: Duration = Duration::from_secs(2);

/// What nobody has read of a request's body, and why; shared by the body, which the guest drops, and the response, which has it read to
/// its end.
#[derive(Clone, Debug)]
pub(super) struct UnreadBody {
    rest: Arc<Mutex<Rest>>,
    tracker: TaskTracker,
}

#[derive(Debug, Default)]
struct Rest {
    cut: Option<Problem>,
    body: Option<(Incoming, u64)>,
}

impl UnreadBody {
    /// Nothing yet. What is left later is read by a task of this tracker.
    pub(super) fn none(tracker: &TaskTracker) -> Self {
        Self { rest: Arc::default(), tracker: tracker.clone() }
    }

    /// A body that nobody will read, of which at most `max_bytes` are thrown away.
    pub(super) fn whole(body: Incoming, max_bytes: u64, tracker: &TaskTracker) -> Self {
        let unread = Self::none(tracker);
        unread.with(|rest| rest.body = Some((body, max_bytes)));
        unread
    }

    fn with<T>(&self, use_rest: impl FnOnce(&mut Rest) -> T) -> T {
        use_rest(&mut self.rest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the host cut the body, if it did.
    pub(super) fn cut(&self) -> Option<Problem> {
        self.with(|rest| rest.cut)
    }

    fn linger(&self) {
        if let Some((body, max_bytes)) = self.with(|rest| rest.body.take()) {
            self.tracker.spawn(tokio::time::timeout(LINGER, throw_away(body, max_bytes)));
        }
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

/// What a guest reads.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// Some until it is dropped.
    arriving: Option<Arriving>,
    place: Arc<Place>,
    max_bytes: u64,
    unread: UnreadBody,
}

impl RequestBody {
    pub(super) fn new(arriving: Arriving, max_bytes: u64, place: Arc<Place>, unread: UnreadBody) -> Self {
        Self { arriving: Some(arriving), place, max_bytes, unread }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(arriving) = &mut self.arriving else { return Poll::Ready(None) };
        let frame = ready!(arriving.poll_frame(context));
        if arriving.is_there() {
            self.place.body_arrived();
        }
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|cut| match cut {
                Cut::Broken(error) => error.into(),
                Cut::Bound(problem) => {
                    self.unread.with(|rest| rest.cut = Some(problem));
                    match problem {
                        Problem::BodyTooLarge => Error::HttpRequestBodySize(None),
                        _ => Error::ConnectionReadTimeout,
                    }
                }
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.arriving.as_ref().is_none_or(Arriving::is_at_its_end)
    }

    fn size_hint(&self) -> SizeHint {
        self.arriving.as_ref().map(Arriving::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(incoming) = self.arriving.take().and_then(Arriving::into_rest) {
            let max_bytes = self.max_bytes;
            self.unread.with(|rest| rest.body = Some((incoming, max_bytes)));
        }
    }
}

/// The guest, still running while its response goes out. Its errors are logged by itself.
pub(super) type RunningGuest = Pin<Box<dyn Future<Output = Result<(), CallFailure>> + Send>>;

/// What goes to the client.
pub(super) enum ResponseBody {
    /// All there is, so that it goes out in one piece with its length.
    Whole { data: Option<Bytes>, unread: UnreadBody },
    /// What the guest writes, as it writes it.
    Streamed {
        first: Option<Bytes>,
        body: HyperOutgoingBody,
        guest: Option<RunningGuest>,
        unread: UnreadBody,
    },
}

/// The response breaks off in the middle; the connection is closed, so that the client sees it.
#[derive(Debug, thiserror::Error)]
#[error("the component did not finish its response")]
pub(super) struct Broken;

impl ResponseBody {
    pub(super) fn whole(data: Bytes, unread: UnreadBody) -> Self {
        Self::Whole { data: Some(data).filter(|data| !data.is_empty()), unread }
    }

    /// The body of a guest that has ended: everything is there, so it need not be streamed.
    pub(super) fn buffered(mut body: HyperOutgoingBody, unread: UnreadBody) -> Self {
        let mut all = BytesMut::new();
        let mut only: Option<Bytes> = None;
        loop {
            match body.frame().now_or_never() {
                Some(None) => break,
                Some(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if only.is_none() && all.is_empty() => only = Some(data),
                    Ok(data) => {
                        all.extend_from_slice(&only.take().unwrap_or_default());
                        all.extend_from_slice(&data);
                    }
                    // Trailers: no component of ours sends any, and a client of HTTP/1.1 rarely reads them.
                    Err(_) => {}
                },
                // Not whole after all: let the client see where it breaks off.
                Some(Some(Err(_))) | None => {
                    let first = only.unwrap_or_else(|| all.freeze());
                    return Self::Streamed { first: Some(first), body, guest: None, unread };
                }
            }
        }
        Self::whole(only.unwrap_or_else(|| all.freeze()), unread)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Whole { data, .. } => Poll::Ready(data.take().map(|data| Ok(Frame::data(data)))),
            Self::Streamed { first, body, guest, .. } => {
                if let Some(first) = first.take().filter(|first| !first.is_empty()) {
                    return Poll::Ready(Some(Ok(Frame::data(first))));
                }
                if let Some(running) = guest {
                    match running.poll_unpin(context) {
                        Poll::Ready(Ok(())) => *guest = None,
                        Poll::Ready(Err(_)) => return Poll::Ready(Some(Err(Broken))),
                        Poll::Pending => {}
                    }
                }
                match ready!(Pin::new(body).poll_frame(context)) {
                    Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
                    Some(Err(_)) => Poll::Ready(Some(Err(Broken))),
                    // The body is whole, but the guest may have more to do: a job to record, a line to write.
                    None => match guest {
                        None => Poll::Ready(None),
                        Some(_) => Poll::Pending,
                    },
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole { data: None, .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole { data, .. } => {
                SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64))
            }
            Self::Streamed { .. } => SizeHint::default(),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        match self {
            Self::Whole { unread, .. } | Self::Streamed { unread, .. } => unread.linger(),
        }
    }
}
