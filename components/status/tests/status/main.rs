//! The status handler over the real job store and blobs in memory: what a reader gets, how long it is held, when it wakes the workers, and what
//! becomes of a job that is tried again or deleted.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod batches;
mod events;
mod kit;
mod life;
mod reads;
mod waits;
mod wakes;
