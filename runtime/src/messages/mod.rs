//! Messages on their way to the components that handle them, within this process and from Redis servers.
//!
//! | file | what lives there |
//! |---|---|
//! | `broker.rs` | channels and their subscriptions: who gets a message, how many wait |
//! | `forward.rs` | a channel of a Redis server, handed to the broker |
//! | `stand_in.rs` | what answers a guest that connects to an address of the manifest's triggers |
//! | `tick.rs` | wake-ups that come by themselves |
//! | `worker.rs` | the names of workers, and what a fresh one is told of another's end |
//!
//! Not here: threads and instances (`triggers/redis.rs`), what a Redis server speaks (`clients/redis`). What an application asks for
//! beyond Spin's own ways (merging, ticks, reports) comes from its manifest; the payloads are its own, and are passed on as they were sent.

mod broker;
mod forward;
mod stand_in;
mod tick;
mod worker;

pub use broker::{Broker, Channel, Delivery, Message, Subscription};
pub use forward::Forward;
pub use stand_in::{By, StandIn};
pub use tick::tick;
pub use worker::{WORKER_ID, WorkerId, ended};
