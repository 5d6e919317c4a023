//! What the host reads of servers and operators, and what must hold of it for any bytes whatsoever.
//!
//! | here | subject |
//! |---|---|
//! | `clients/redis.rs` | the framing of RESP, beside the parser that keeps what it lets through |
//! | `clients/postgres.rs` | the framing of PostgreSQL's messages, likewise |
//! | `manifest` | spin.toml; with its routes and grants: `triggers.rs`, `capabilities.rs` |
//!
//! The files are the host's own, taken by their paths and under their names there, so that they find each other.

#![allow(dead_code, unreachable_pub, reason = "of the host's files only the readers are called here")]

pub mod capabilities;
pub mod clients;
#[path = "../../../runtime/src/manifest/mod.rs"]
pub mod manifest;
#[path = "../../../runtime/src/memory.rs"]
mod memory;
#[path = "../../../runtime/src/permits.rs"]
mod permits;
#[path = "../../../runtime/src/secret.rs"]
mod secret;
pub mod triggers;
