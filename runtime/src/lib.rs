//! A Wasmtime host for Spin applications, made for the thumbs application: reads a `spin.toml`, gives its components what it grants them and
//! nothing else, and runs them for requests and messages.
//!
//! Entry point is [`Runtime::builder`]; the binary `thumbs` (`cli.rs`, `main.rs`) is a thin layer over it. Several runtimes may live in one
//! process: nothing here is global.
//!
//! Dependencies point one way; a module uses those of the lines above its own:
//!
//! 1. `backoff`, `blocking`, `descriptors`, `limits`, `permits`, `private`, `problem`, `restart`, `secret`, `shutdown`, `threads`
//! 2. `engine`, `manifest`, `memory`, `numbers`, `telemetry`
//! 3. `bundle`, `clients`, `compose`
//! 4. `traces`
//! 5. `capabilities`
//! 6. `backup`, `messages`, `variables`
//! 7. `backends`, `instance`
//! 8. `triggers`
//! 9. `app`
//! 10. `spin_test`, which runs an application's tests: it shares with `app` how components are compiled
//! 11. `cli`
//!
//! The runtime knows no job and no image: what an application needs beyond Spin's ways it asks for in its manifest
//! (`manifest/tool.rs`), and tests/hosting runs another one.

pub mod app;
pub mod backends;
mod backoff;
pub mod backup;
mod blocking;
pub mod bundle;
pub mod capabilities;
pub mod cli;
pub mod clients;
pub mod compose;
pub mod descriptors;
pub mod engine;
pub mod instance;
pub mod limits;
pub mod manifest;
pub mod memory;
pub mod messages;
pub mod numbers;
pub mod permits;
mod private;
pub mod problem;
mod restart;
pub mod secret;
pub mod shutdown;
pub mod spin_test;
pub mod telemetry;
pub mod threads;
pub mod traces;
pub mod triggers;
pub mod variables;

pub use app::{Running, Runtime, RuntimeBuilder, StartError};
