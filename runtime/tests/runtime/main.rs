//! The runtime from outside: a manifest and guests made on the spot, driven over real HTTP. One module per subject.
//!
//! Guests are core modules in text form with the canonical ABI spelt out (`guests.rs`), each doing one thing: answering, trapping, computing
//! for ever. What a guest sees is observed by what it answers and by what it writes, which the runtime's log captures. Nothing here sleeps:
//! waiting is for a log line or an answer, with a deadline.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly too"
)]

mod access;
mod admin;
mod app;
mod behind;
mod client;
mod documents;
mod grants;
mod guests;
mod hostile;
mod memory;
mod messages;
mod parking;
mod power;
mod process;
mod requests;
mod start;
mod stopping;
mod suite_guests;
mod suites;
mod uploads;
