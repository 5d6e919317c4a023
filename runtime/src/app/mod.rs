//! From a manifest and an operator's options to a running application: the wiring, the order of starting and that of stopping.
//!
//! Starting: manifest, variables, backends, grants, address, engine, components, what prepares the application, triggers. What is wrong
//! with the manifest or the options is said before anything is compiled. Stopping: no new connections and messages, then a wait for what
//! runs, then the end.

mod admin;
mod banner;
mod builder;
mod clients;
mod components;
mod error;
mod examine;
mod load;
mod messages;
mod metrics;
mod running;
mod servers;

pub use builder::{Runtime, RuntimeBuilder};
pub(crate) use components::compile_one;
pub use error::StartError;
pub use examine::{Finding, Verdict};
pub(crate) use load::usable_dir;
pub use running::Running;
