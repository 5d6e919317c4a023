//! What components may ask of the host. One folder or file per capability; none knows the store type, the triggers or the manifest.
//!
//! | WIT | here | grant |
//! |---|---|---|
//! | `fermyon:spin/variables@2.0.0` | `variables.rs` | the component's own `variables` |
//! | `fermyon:spin/key-value@2.0.0` | `key_value/` | `key_value_stores` |
//! | `fermyon:spin/sqlite@2.0.0` | `sqlite/` | `sqlite_databases` |
//! | `fermyon:spin/redis@2.0.0` | `redis/` | `allowed_outbound_hosts` |
//! | `fermyon:spin/postgres@2.0.0` | `postgres/` | `allowed_outbound_hosts` |
//! | `thumbs:blob-store/store@1.0.0` | `blob/` | declaring the dependency; for a bucket `allowed_outbound_hosts` as well |
//! | `wasi:http/outgoing-handler@0.2` | `http.rs` | `allowed_outbound_hosts` |
//! | `wasi:sockets@0.2` | `sockets.rs` | none: nobody has any |
//! | `wasi:clocks/monotonic-clock@0.2` | `clock.rs` | - |
//! | `wasi:cli/{stdout,stderr}@0.2` | `stdio.rs` | - |
//!
//! Each capability has three lifetimes in three types: its backend (once per runtime), what a component may do with it (once per
//! component), and a view that borrows both and the instance's resource table for one host call. The view implements the traits
//! generated from the WIT, and `add_to_linker` takes a function that makes it from the store's data.
//!
//! Host functions return flat results: an error of the WIT where the guest, its grants or a backend is at fault, a trap only for a handle
//! that is none. What a component is not granted is said in the log, with its name (`refusals.rs`).

pub mod allowed_hosts;
pub(crate) mod bindings;
pub mod blob;
pub mod clock;
pub mod embedded;
pub mod error;
pub mod http;
pub mod key_value;
pub mod postgres;
pub mod redis;
pub mod refusals;
pub mod sockets;
pub mod sqlite;
pub mod stdio;
pub mod variables;
