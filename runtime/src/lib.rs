//! A Wasmtime host for Spin applications, made for the thumbs application: reads a `spin.toml`, gives its components what it grants them and
//! nothing else, and runs them for requests and messages.
//!
//! Entry point is [`Runtime::builder`]; the binary `thumbs` (`cli.rs`, `main.rs`) is a thin layer over it. Several runtimes may live in one
//! process: nothing here is global.
//!
//! Dependencies point one way: `limits`, `memory`, `permits`, `telemetry`, `secret` ← `clients` ← `traces` ← `capabilities` ← `manifest`, `instance`, `messages` ← `variables`,
//! `compose`, `backends`, `triggers` ← `app` ← `spin_test` ← `cli`; beside them, `manifest` ← `bundle` ← `cli`, `restart` ← `cli` and `capabilities` ← `backup` ← `cli`. `spin_test` runs an application's tests; it shares with `app` how components
//! are compiled. The runtime knows no job and no image: what an application needs beyond Spin's ways it asks for in its manifest
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
