//! What the guests read of clients and of S3, and what must hold of it for any bytes whatsoever. The targets say it; here is what they share.
//!
//! | file | subject |
//! |---|---|
//! | `message.rs` | a request as a text, in which inputs and seeds are written |
//! | `world.rs` | the handlers that ship, over capabilities in memory |
//!
//! Not here: pixels (`fuzz/src`), and what the host reads (`fuzz/host`).

pub mod message;
pub mod world;
