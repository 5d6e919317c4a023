//! Traces: where the time of a request or a message goes, as spans of OpenTelemetry that are sent to a collector.
//!
//! Off unless an operator names a collector (`settings.rs`): then no span is made, and what could make one is a look at an `Option`. A request
//! begins a trace or goes on with the one in its `traceparent` (`context.rs`), a sampler decides whether it is recorded (`sampler.rs`), and
//! each call of a component collects the spans of what it asks of the host (`call.rs`). When it ends they go to a bounded queue
//! (`queue.rs`), from which one task sends them (`export.rs`) in the form of `otlp.rs`. Nobody waits for it: what the queue does not hold is
//! dropped and counted.
//!
//! A message has no trace until its guest says to which one it belongs (`call.rs`): only the application knows.
//!
//! What is said in words is the log's (`telemetry`), what is counted the numbers' (`numbers`). docs/TRACING.md has the spans and their attributes.

mod call;
mod context;
mod export;
mod operation;
mod otlp;
mod queue;
mod request;
mod sampler;
mod settings;
mod span;
mod wire;

pub use call::{CallTrace, OpenSpan};
pub use context::TraceParent;
pub use export::Sending;
pub use operation::Operation;
pub use queue::Fates;
pub(crate) use request::{Parent, RequestTrace};
pub use sampler::Sampler;
pub use settings::{SettingError, Settings};

use std::sync::Arc;

use self::queue::Queue;
use crate::limits::{Limits, length};

/// Begins traces. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<Tracing>>);

/// What a tracer has that is on.
#[derive(Debug)]
struct Tracing {
    sampler: Sampler,
    queue: Arc<Queue>,
    max_call_spans: usize,
}

impl Tracer {
    /// One that makes nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// One whose spans wait to be sent.
    fn new(sampler: Sampler, queue: Arc<Queue>, limits: &Limits) -> Self {
        let max_call_spans = length(limits.max_call_spans);
        Self(Some(Arc::new(Tracing { sampler, queue, max_call_spans })))
    }

    /// Whether anything is traced.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What became of spans so far; none where nothing is traced.
    #[must_use]
    pub fn fates(&self) -> Option<Fates> {
        self.0.as_ref().map(|tracing| tracing.queue.fates())
    }

    #[cfg(test)]
    pub(crate) fn of_test(sampler: Sampler) -> (Self, Arc<Queue>) {
        let queue = Arc::new(Queue::new(1_000));
        (Self::new(sampler, Arc::clone(&queue), &Limits::default()), queue)
    }
}
