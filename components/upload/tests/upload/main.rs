//! The upload handler over capabilities in memory: what is accepted, what is refused with which words, and what is left behind.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod batches;
mod bounds;
mod callbacks;
mod creation;
mod forms;
mod kit;
mod lists;
mod original;
mod repetition;
mod reuse;
mod room;
mod variants;
mod waiting;
