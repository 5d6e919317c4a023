//! A body that is handed on one piece at a time.
//!
//! The reader of forms takes in all that has arrived before it looks at any of it. A client faster than us would so make it
//! hold the whole upload, a second time beside our own copy, and limits would be noticed late. Here each piece is looked at
//! before the next one is taken.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use thumbs_guest::http::{Body, BodyError};

/// Whether the reader was just made to wait, with the next piece perhaps at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(Rc<Cell<bool>>);

/// The stream for the reader.
pub(crate) struct Paced {
    body: Body,
    pace: Pace,
    has_given: bool,
}

impl Paced {
    pub(crate) fn new(body: Body) -> (Self, Pace) {
        let pace = Pace::default();
        (Self { body, pace: pace.clone(), has_given: false }, pace)
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_given {
            self.has_given = false;
            self.pace.0.set(true);
            return Poll::Pending;
        }
        let next = self.body.poll_next_unpin(context);
        self.has_given = next.is_ready();
        next
    }
}

impl Pace {
    /// Runs the reader: where it waits only because it was made to, it goes on at once.
    pub(crate) async fn run<T>(&self, reader: impl Future<Output = T>) -> T {
        let mut reader = pin!(reader);
        poll_fn(|context| {
            loop {
                let polled = reader.as_mut().poll(context);
                if polled.is_ready() || !self.0.replace(false) {
                    return polled;
                }
            }
        })
        .await
    }
}
