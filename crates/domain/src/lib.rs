//! The pure model of the service: what a job, an option and a problem are, and which step may follow which.
//!
//! Nothing here reads a clock, draws a random number, does I/O or knows WIT, wasm, SQL or HTTP libraries; the time and the ids
//! come in as arguments. So each rule is tested natively, and the same code decides on every host. Texts from outside are
//! parsed here once, into types that cannot be wrong; behind the edge nobody checks again.

pub mod accept;
pub mod address;
pub mod background;
pub mod batch;
pub mod callback;
pub mod cursor;
pub mod dependency;
pub mod digest;
pub mod event;
pub mod failure;
pub mod format;
pub mod framing;
pub mod history;
pub mod id;
pub mod job;
pub mod limits;
pub mod list;
pub mod machine;
pub mod message;
pub mod metric;
pub mod object_key;
pub mod options;
pub mod origin;
pub mod owner;
pub mod preset;
pub mod problem;
pub mod rate;
pub mod retention;
pub mod rgb;
pub mod route;
pub mod timestamp;
pub mod trace;
pub mod variable;
pub mod variant;
pub mod view;
pub mod wait;
mod words;
