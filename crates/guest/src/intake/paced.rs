//! A body that is handed on one piece at a time, and not for ever while no part is open.
//!
//! The reader of forms takes in all that has arrived before it looks at any of it. A client faster than us would so make it
//! hold the whole upload, a second time beside our own copy, and limits would be noticed late. Here each piece is looked at
//! before the next one is taken.
//!
//! While it looks for the beginning of a part, the reader searches all it holds anew with each piece. So what may come there is
//! bounded, and the body ends for the reader where it goes on beyond that.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::http::{Body, BodyError};

/// The other end of a [`Paced`] body.
#[derive(Clone, Debug)]
pub(super) struct Pace(Rc<State>);

#[derive(Debug)]
struct State {
    /// The reader was just made to wait, with the next piece perhaps at hand.
    is_held_back: Cell<bool>,
    /// Bytes that may still be given before a part is open; none within a part, where all may.
    may_give: Cell<Option<u64>>,
    max_between_parts: u64,
}

/// The stream for the reader.
pub(super) struct Paced {
    body: Body,
    pace: Pace,
    has_given: bool,
}

impl Paced {
    /// Gives at most `max_between_parts` bytes, and the piece that goes beyond, while no part is open.
    pub(super) fn new(body: Body, max_between_parts: u64) -> (Self, Pace) {
        let pace = Pace(Rc::new(State {
            is_held_back: Cell::new(false),
            may_give: Cell::new(Some(max_between_parts)),
            max_between_parts,
        }));
        (Self { body, pace: pace.clone(), has_given: false }, pace)
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_given {
            self.has_given = false;
            self.pace.0.is_held_back.set(true);
            return Poll::Pending;
        }
        let may_give = self.pace.0.may_give.get();
        if may_give == Some(0) {
            return Poll::Ready(None);
        }
        let next = self.body.poll_next_unpin(context);
        if let (Some(may_give), Poll::Ready(Some(Ok(piece)))) = (may_give, &next) {
            self.pace.0.may_give.set(Some(may_give.saturating_sub(piece.len() as u64)));
        }
        self.has_given = next.is_ready();
        next
    }
}

impl Pace {
    /// The reader looks for the next part from here on.
    pub(super) fn between_parts(&self) {
        self.0.may_give.set(Some(self.0.max_between_parts));
    }

    /// The reader has found one.
    pub(super) fn within_a_part(&self) {
        self.0.may_give.set(None);
    }

    /// Runs the reader: where it waits only because it was made to, it goes on at once.
    pub(super) async fn run<T>(&self, reader: impl Future<Output = T>) -> T {
        let mut reader = pin!(reader);
        poll_fn(|context| {
            loop {
                let polled = reader.as_mut().poll(context);
                if polled.is_ready() || !self.0.is_held_back.replace(false) {
                    return polled;
                }
            }
        })
        .await
    }
}
