//! What a process counts of itself, and how it is told to Prometheus.
//!
//! Here are the counters, the table of all metrics and the text. Whoever does something counts it, with a counter of its own: `triggers/http/numbers.rs`,
//! `instance/numbers.rs`, `clients`, `capabilities/embedded`. What is bounded by places or by a budget is not counted at all: the bound knows how much
//! of it is used. `app/metrics.rs` goes round and asks, and only when somebody asks it (`app/admin.rs`).
//!
//! What an application tells of its own work (`/metrics` among its routes) is not here.

mod connects;
mod counter;
mod exposition;
mod process;
pub(crate) mod rows;
mod waits;

pub use self::{
    connects::Connects,
    counter::{Counter, Exemplar, HISTOGRAM_BOUNDS, Histogram},
    rows::{Kind, Row, TABLE},
    waits::Waits,
};
pub(crate) use exposition::{Exposition, Format};
pub(crate) use process::Process;
