//! One call of a component: a store with everything that the guest may see, filled anew for each request and each message.
//!
//! Three lifetimes: [`ComponentContext`] (once per component, shared), [`Prepared`] (the same with its compiled code and resolved imports),
//! [`State`] (once per call). Nothing of a call outlives it.

mod context;
mod failure;
mod limiter;
mod numbers;
mod prepared;
mod running_time;
mod state;

pub use context::{Call, CallBounds, ComponentContext};
pub use failure::{CallFailure, FailureKind};
pub use limiter::MemoryLimiter;
pub use numbers::InstanceNumbers;
pub use prepared::{NativeBlobs, Prepared, linker};
pub use running_time::{Meter, RunningTime};
pub use state::State;
