//! Bodies, both ways, within their bounds.
//!
//! A request's body is cut while it arrives (`arriving.rs`). Why it was cut is remembered, so that the host can say it where the component
//! only saw a broken stream. What is left of a body or of a guest when the response is out is not lost: `behind.rs`.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream::BoxStream};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, p2::body::HyperOutgoingBody};

use super::{
    arriving::{Arriving, Cut},
    behind::{Behind, is_whole},
    places::Place,
};
use crate::{instance::CallFailure, problem::Problem};

/// What nobody has read of a request's body, and why; shared by the body, which the guest drops, and the response, which has it read to
/// its end.
#[derive(Clone, Debug)]
pub(super) struct UnreadBody {
    rest: Arc<Mutex<Rest>>,
    behind: Arc<Behind>,
}

#[derive(Debug, Default)]
struct Rest {
    cut: Option<Problem>,
    body: Option<Incoming>,
}

impl UnreadBody {
    /// Nothing yet. What is left later is read behind the response.
    pub(super) fn none(behind: &Arc<Behind>) -> Self {
        Self { rest: Arc::default(), behind: Arc::clone(behind) }
    }

    /// A body that nobody will read.
    pub(super) fn whole(body: Incoming, behind: &Arc<Behind>) -> Self {
        let unread = Self::none(behind);
        unread.with(|rest| rest.body = Some(body));
        unread
    }

    fn with<T>(&self, use_rest: impl FnOnce(&mut Rest) -> T) -> T {
        use_rest(&mut self.rest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the host cut the body, if it did.
    pub(super) fn cut(&self) -> Option<Problem> {
        self.with(|rest| rest.cut)
    }

    /// Has it read, where there is any.
    pub(super) fn linger(&self) {
        if let Some(body) = self.with(|rest| rest.body.take()) {
            self.behind.linger(body);
        }
    }
}

/// What a guest reads.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// Some until it is dropped.
    arriving: Option<Arriving>,
    place: Arc<Place>,
    unread: UnreadBody,
}

impl RequestBody {
    pub(super) fn new(arriving: Arriving, place: Arc<Place>, unread: UnreadBody) -> Self {
        Self { arriving: Some(arriving), place, unread }
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
            self.unread.with(|rest| rest.body = Some(incoming));
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
        /// None once the response is over.
        body: Option<HyperOutgoingBody>,
        guest: Option<RunningGuest>,
        /// What has not come of the length that the header gives, where it gives one.
        missing_bytes: Option<u64>,
        unread: UnreadBody,
    },
    /// What one guest after the other writes.
    Continued { pieces: BoxStream<'static, Result<Bytes, Broken>>, unread: UnreadBody },
}

/// The response breaks off in the middle; the connection is closed, so that the client sees it.
#[derive(Debug, thiserror::Error)]
#[error("the component did not finish its response")]
pub(super) struct Broken;

impl ResponseBody {
    pub(super) fn whole(data: Bytes, unread: UnreadBody) -> Self {
        Self::Whole { data: Some(data).filter(|data| !data.is_empty()), unread }
    }

    /// The body of a guest that goes on, and how long the header says that it is.
    pub(super) fn streamed(
        body: HyperOutgoingBody,
        guest: RunningGuest,
        announced_bytes: Option<u64>,
        unread: UnreadBody,
    ) -> Self {
        let missing_bytes = announced_bytes;
        Self::Streamed { first: None, body: Some(body), guest: Some(guest), missing_bytes, unread }
    }

    /// Of more than one guest.
    pub(super) fn continued(
        pieces: impl Stream<Item = Result<Bytes, Broken>> + Send + 'static,
        unread: UnreadBody,
    ) -> Self {
        Self::Continued { pieces: pieces.boxed(), unread }
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
                    let (first, body) = (Some(only.unwrap_or_else(|| all.freeze())), Some(body));
                    return Self::Streamed { first, body, guest: None, missing_bytes: None, unread };
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
            Self::Continued { pieces, .. } => {
                pieces.poll_next_unpin(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
            Self::Streamed { first, body, guest, missing_bytes, unread } => {
                if let Some(first) = first.take().filter(|first| !first.is_empty()) {
                    return Poll::Ready(Some(Ok(Frame::data(first))));
                }
                if let Some(running) = guest
                    && let Poll::Ready(ended) = running.poll_unpin(context)
                {
                    *guest = None;
                    if ended.is_err() {
                        return Poll::Ready(Some(Err(Broken)));
                    }
                }
                let Some(streamed) = body else { return Poll::Ready(None) };
                match ready!(Pin::new(streamed).poll_frame(context)) {
                    Some(Ok(frame)) => {
                        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                        *missing_bytes = missing_bytes.map(|missing| missing.saturating_sub(bytes));
                        Poll::Ready(Some(Ok(frame)))
                    }
                    Some(Err(_)) => Poll::Ready(Some(Err(Broken))),
                    None => {
                        *body = None;
                        // The guest may have more to do: a job to record, a line to write.
                        if let Some(guest) = guest.take() {
                            unread.behind.finish(guest, None, unread.clone());
                        }
                        Poll::Ready(None)
                    }
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
            Self::Streamed { .. } | Self::Continued { .. } => SizeHint::default(),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // A client that goes away takes along a guest that is still answering, and no other.
        if let Self::Streamed { body, guest, missing_bytes, unread, .. } = self
            && let (Some(mut body), Some(guest)) = (body.take(), guest.take())
            && is_whole(&mut body, *missing_bytes)
        {
            unread.behind.finish(guest, Some(body), unread.clone());
        }
        match self {
            Self::Whole { unread, .. } | Self::Streamed { unread, .. } | Self::Continued { unread, .. } => {
                unread.linger();
            }
        }
    }
}
