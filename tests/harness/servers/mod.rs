//! Throw-away real servers for tests: PostgreSQL, Redis, an S3 server in this process, and an independent one (versitygw).
//!
//! Each starts in a temporary folder on a free port, is ready when `start` returns, and is gone when its value is dropped, when
//! the test panics, and when the test process is killed. Each can be stopped, killed and restarted on the same port, for the tests
//! of what happens then. A program that this machine lacks is [`Missing`]; [`available`] turns that into a skip that is seen, or
//! into a failure where nothing may be skipped. A server that is there and does not start is a panic with its log.
//!
//! All calls block. Nothing here knows the service under test, but for the names of its variables in [`Bucket::variables`].

mod bucket;
#[cfg(test)]
mod contract;
mod exchange;
mod missing;
mod port;
mod postgres;
mod process;
mod redis;
mod s3;
mod s3_front;
mod versitygw;

pub use bucket::Bucket;
pub use missing::{Missing, available};
pub use postgres::{Auth, Postgres};
pub use redis::Redis;
pub use s3::S3;
pub use s3_front::Fault;
pub use versitygw::VersityGw;
