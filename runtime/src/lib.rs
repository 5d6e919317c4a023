//! The Wasmtime host of the thumbs application: reads `spin.toml`, gives its components what it grants them and nothing else, and runs
//! them for requests and messages.
//!
//! Entry point is [`Runtime::builder`]; the binary `thumbs` (`cli.rs`, `main.rs`) is a thin layer over it. Several runtimes may live in one
//! process: nothing here is global.
//!
//! Dependencies point one way: `limits`, `telemetry`, `secret` ← `capabilities` ← `instance` ← `triggers` ← `app` ← `spin_test` ← `cli`.
//! `spin_test` runs the application's tests; it stands beside `app` and shares with it how components are compiled. The runtime knows no
//! job and no image; it could host another application, and its tests do.

pub mod app;
pub mod capabilities;
pub mod cli;
pub mod compose;
pub mod config;
pub mod engine;
pub mod instance;
pub mod limits;
pub mod manifest;
pub mod problem;
pub mod secret;
pub mod shutdown;
pub mod spin_test;
pub mod telemetry;
pub mod threads;
pub mod triggers;
pub mod variables;

pub use app::{Running, Runtime, RuntimeBuilder, StartError};
