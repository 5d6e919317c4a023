//! Messages: as many workers as there are cores, and one fresh instance per message.
//!
//! Workers have threads of their own, so that a handler that computes never holds up a request. Messages are delivered at most once, as
//! Redis' own: a worker that is told to stop takes no further ones, and what waits is dropped.
//!
//! A guest that was ended can't tell anybody. Each has a name that the host gave it (`messages/worker.rs`), and where the application asks
//! for it, a fresh instance is called once with the name of the dead one and the reason. Where that fails too, it is the last word.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    capabilities::bindings::MessageHandlerPre,
    instance::{Call, CallBounds, CallFailure, FailureKind, Prepared, State},
    limits::{TABLE, millis},
    manifest::MessagePolicy,
    messages::{Message, Subscription, WORKER_ID, WorkerId, ended},
    telemetry::{Event, SpanContext},
    traces::{CallTrace, Operation},
};

/// How long a report may take when the host stops: long enough for one write, and short enough for whoever waits for the end.
const LAST_REPORT: Duration = Duration::from_secs(2);

/// A component that handles messages.
pub struct MessageHandler {
    prepared: Prepared,
    pre: MessageHandlerPre<State>,
    bounds: CallBounds,
    policy: MessagePolicy,
}

impl MessageHandler {
    /// Of a prepared component, and what it asks for in the manifest.
    ///
    /// # Errors
    /// It does not export `fermyon:spin/inbound-redis`.
    pub fn new(prepared: Prepared, policy: MessagePolicy) -> wasmtime::Result<Self> {
        let bounds = CallBounds::of_message(&prepared.context().limits);
        Ok(Self { pre: prepared.messages()?, prepared, bounds, policy })
    }

    /// What the component asks for.
    #[must_use]
    pub fn policy(&self) -> &MessagePolicy {
        &self.policy
    }

    /// Has a fresh instance handle one message before the application serves.
    ///
    /// # Errors
    /// The instance refused it or was ended, as the end of a sentence that begins with its name.
    pub async fn prepare(&self, message: &str) -> Result<(), String> {
        let worker = WorkerId::fresh();
        let called = self.call_at_start(message, &[(WORKER_ID, worker.expose())]).await;
        match called.map_err(|ended| format!("was ended while it prepared the application {ended}"))? {
            true => Ok(()),
            false => Err("could not prepare the application; what it wrote to the log says why".into()),
        }
    }

    /// Has a fresh instance look at its settings, and at the host's limits, which it finds in its environment under the names by which
    /// an operator sets them: an application may have settings that go with one of them.
    ///
    /// # Errors
    /// As for [`MessageHandler::prepare`].
    pub async fn check(&self, message: &str) -> Result<(), String> {
        let limits = &self.prepared.context().limits;
        let limits: Vec<_> =
            TABLE.iter().filter_map(|row| Some((row.env(), limits.get(row.name)?.to_string()))).collect();
        let environment: Vec<_> =
            limits.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let called = self.call_at_start(message, &environment).await;
        match called.map_err(|ended| format!("was ended while it looked at its settings {ended}"))? {
            true => Ok(()),
            false => Err("refuses its settings; what it wrote to the log says which".into()),
        }
    }

    async fn call_at_start(&self, message: &str, environment: &[(&str, &str)]) -> Result<bool, String> {
        let timeout = millis(self.prepared.context().limits.prepare_timeout_ms);
        let bounds = CallBounds { timeout, ..self.bounds };
        let called = self.call(&message.as_bytes().to_vec(), environment, bounds, &self.trace()).await;
        called.map_err(|failure| format!("({}): {}", failure.kind.name(), failure.text))
    }

    /// Takes messages until the subscription is closed or, in the middle of one, this process has to end.
    async fn work(self: Arc<Self>, subscription: Subscription, kill: CancellationToken) {
        loop {
            let message = tokio::select! {
                message = subscription.next() => message,
                () = kill.cancelled() => None,
            };
            let Some(message) = message else { return };
            self.handle(&message, &kill).await;
        }
    }

    async fn handle(&self, message: &Message, kill: &CancellationToken) {
        let worker = WorkerId::fresh();
        let environment = [(WORKER_ID, worker.expose())];
        let trace = self.trace();
        let handled = tokio::select! {
            handled = self.call(message, &environment, self.bounds, &trace) => handled,
            () = kill.cancelled() => {
                self.prepared.context().numbers.failed(FailureKind::Stopped);
                trace.end(Some(FailureKind::Stopped.name()));
                Err(CallFailure::stopped())
            }
        };
        let span = trace.context();
        drop(trace);
        let failure = match handled {
            Ok(accepted) => return self.note(accepted, span),
            Err(failure) => failure,
        };
        self.log(span, &Event::MessageFailed { reason: failure.kind.name(), cause: &failure.text });
        // Where there was no instance, nothing was begun.
        if self.policy.report_ended_workers && failure.kind != FailureKind::Busy {
            let report = self.report(&worker, failure.kind);
            if failure.kind == FailureKind::Stopped {
                if tokio::time::timeout(LAST_REPORT, report).await.is_err() {
                    self.report_failed(&CallFailure::timed_out());
                }
            } else {
                report.await;
            }
        }
    }

    /// Tells a fresh instance that another was ended.
    async fn report(&self, worker: &WorkerId, reason: FailureKind) {
        let fresh = WorkerId::fresh();
        let environment = [(WORKER_ID, fresh.expose())];
        let trace = self.trace();
        match self.call(&ended(worker, reason.name()), &environment, self.bounds, &trace).await {
            Ok(accepted) => self.note(accepted, trace.context()),
            Err(failure) => self.report_failed(&failure),
        }
    }

    /// Whether a fresh instance with this in its environment accepted the message.
    async fn call(
        &self,
        message: &Message,
        environment: &[(&str, &str)],
        bounds: CallBounds,
        trace: &CallTrace,
    ) -> Result<bool, CallFailure> {
        let context = self.prepared.context();
        let call = Call { environment, trace: trace.clone(), ..Call::default() };
        let mut store = self.prepared.store(bounds, call);
        let meter = store.data().meter();
        let call = async {
            let making = self.pre.instantiate_async(&mut store);
            let guest = trace.around(|| Operation::internal("instantiate"), making).await?;
            guest.fermyon_spin_inbound_redis().call_handle_message(&mut store, message).await
        };
        let called = match tokio::time::timeout(bounds.timeout, meter.measure(call)).await {
            Ok(Ok(result)) => Ok(result.is_ok()),
            Ok(Err(error)) => Err(CallFailure::of(&store, &error)),
            Err(_) => Err(CallFailure::timed_out()),
        };
        trace.end(called.as_ref().err().map(|failure| failure.kind.name()));
        called.inspect_err(|failure| context.numbers.failed(failure.kind))
    }

    /// Begins what the handling of a message leaves in a trace.
    fn trace(&self) -> CallTrace {
        let context = self.prepared.context();
        context.tracer.message(&context.id)
    }

    fn note(&self, accepted: bool, span: Option<SpanContext>) {
        if !accepted {
            self.log(span, &Event::MessageRefused);
        }
    }

    fn report_failed(&self, failure: &CallFailure) {
        self.log(None, &Event::ReportFailed { reason: failure.kind.name(), cause: &failure.text });
    }

    fn log(&self, span: Option<SpanContext>, event: &Event<'_>) {
        let context = self.prepared.context();
        context.log.within(&context.id, None, span, event);
    }
}

/// The threads that messages are handled on. Dropping it ends them without waiting.
#[derive(Debug)]
pub struct Workers {
    runtime: Option<tokio::runtime::Runtime>,
    tracker: TaskTracker,
    kill: CancellationToken,
    subscriptions: Vec<Subscription>,
}

impl Workers {
    /// So many threads; none where there is nothing to do.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let runtime = match threads {
            0 => None,
            threads => Some(crate::threads::runtime("thumbs-worker", Some(threads))?),
        };
        Ok(Self {
            runtime,
            tracker: TaskTracker::new(),
            kill: CancellationToken::new(),
            subscriptions: Vec::new(),
        })
    }

    /// Lets so many workers take messages of a subscription.
    pub fn serve(&mut self, handler: &Arc<MessageHandler>, subscription: &Subscription, workers: usize) {
        let Some(runtime) = &self.runtime else { return };
        for _ in 0..workers {
            let work = Arc::clone(handler).work(subscription.clone(), self.kill.clone());
            self.tracker.spawn_on(work, runtime.handle());
        }
        self.subscriptions.push(subscription.clone());
    }

    /// Takes no further messages; those being handled go on.
    pub fn stop(&self) {
        for subscription in &self.subscriptions {
            subscription.close();
        }
        self.tracker.close();
    }

    /// Waits for those being handled, after [`Workers::stop`].
    pub async fn finished(&self) {
        self.tracker.wait().await;
    }

    /// Ends those still being handled, after [`Workers::stop`]; [`Workers::finished`] then waits for their reports.
    pub fn kill(&self) {
        self.kill.cancel();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.kill.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for MessageHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageHandler")
            .field("component", &self.prepared.context().id)
            .finish_non_exhaustive()
    }
}
