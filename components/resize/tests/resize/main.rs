//! The resize handler over the real job store and blobs in memory: each way a message can end, and what the row says then.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod endings;
mod hanging;
mod kit;
mod leases;
mod several;
mod stores;
mod sweeps;
