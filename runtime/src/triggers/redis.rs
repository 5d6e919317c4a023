//! Messages: as many workers as there are cores, one fresh instance per message, and a tick that wakes by itself.
//!
//! Workers have threads of their own, so that a decoder that computes never holds up a request. A message is only a wake-up: nothing is
//! lost with one, so a worker that is told to stop takes no further ones, and what waits is dropped.
//!
//! A guest that was trapped can't tell anybody. Where it had announced what it works on (`stdio.rs`), a fresh instance is called once with
//! `{"failed": {"job_id", "lease_token", "reason"}}` and records it; where that fails too, the end of the job's lease does it. Such a
//! message never comes from outside: one that does is taken for a wake-up.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    capabilities::{
        bindings::MessageHandlerPre,
        redis::{Broker, Message, Subscription},
        stdio::Claim,
    },
    instance::{CallBounds, CallFailure, FailureKind, Prepared, State},
    limits::millis,
    telemetry::{Level, RUNTIME},
};

/// A message that only says: look.
pub const WAKE_UP: &[u8] = b"{}";

/// A component that handles messages.
pub struct MessageHandler {
    prepared: Prepared,
    pre: MessageHandlerPre<State>,
    bounds: CallBounds,
}

/// What became of a call.
enum Handled {
    /// The guest returned.
    Returned { accepted: bool },
    /// The guest was stopped; it had announced this.
    Stopped(CallFailure, Option<Claim>),
}

impl MessageHandler {
    /// Of a prepared component.
    ///
    /// # Errors
    /// It does not export `fermyon:spin/inbound-redis`.
    pub fn new(prepared: Prepared) -> wasmtime::Result<Self> {
        let bounds = CallBounds::of_message(&prepared.context().limits);
        Ok(Self { pre: prepared.messages()?, prepared, bounds })
    }

    /// Takes messages until the subscription is closed.
    pub async fn work(self: Arc<Self>, subscription: Subscription) {
        while let Some(message) = subscription.next().await {
            self.handle(from_outside(message)).await;
        }
    }

    async fn handle(&self, message: Message) {
        match self.call(message).await {
            Handled::Returned { accepted } => self.note(accepted, None),
            Handled::Stopped(failure, claim) => {
                self.log_failure("message-failed", &failure, claim.as_ref());
                if let Some(claim) = claim {
                    self.report(&claim, failure.kind).await;
                }
            }
        }
    }

    /// Has a fresh instance record that another was stopped.
    async fn report(&self, claim: &Claim, reason: FailureKind) {
        let message = json!({"failed": {
            "job_id": claim.job_id,
            "lease_token": claim.lease_token.expose(),
            "reason": reason.name(),
        }});
        match self.call(message.to_string().into_bytes()).await {
            Handled::Returned { accepted } => self.note(accepted, Some(claim)),
            Handled::Stopped(failure, _) => self.log_failure("failure-not-recorded", &failure, Some(claim)),
        }
    }

    async fn call(&self, message: Message) -> Handled {
        let mut store = self.prepared.store(self.bounds, None);
        let meter = store.data().meter();
        let call = async {
            let guest = self.pre.instantiate_async(&mut store).await?;
            guest.fermyon_spin_inbound_redis().call_handle_message(&mut store, &message).await
        };
        let failure = match tokio::time::timeout(self.bounds.timeout, meter.measure(call)).await {
            Ok(Ok(result)) => return Handled::Returned { accepted: result.is_ok() },
            Ok(Err(error)) => CallFailure::of(&store, &error),
            Err(_) => CallFailure::timed_out(),
        };
        Handled::Stopped(failure, store.data().output().claim())
    }

    fn note(&self, accepted: bool, claim: Option<&Claim>) {
        if !accepted {
            let context = self.prepared.context();
            let fields: Vec<_> =
                claim.map(|claim| ("job_id", claim.job_id.as_str().into())).into_iter().collect();
            context.log.of(Level::Warn, &context.id, "message-refused", None, &fields);
        }
    }

    fn log_failure(&self, event: &str, failure: &CallFailure, claim: Option<&Claim>) {
        let context = self.prepared.context();
        let mut fields =
            vec![("reason", failure.kind.name().into()), ("cause", failure.text.as_str().into())];
        fields.extend(claim.map(|claim| ("job_id", claim.job_id.as_str().into())));
        let correlation_id = claim.and_then(|claim| claim.correlation_id.as_deref());
        context.log.of(Level::Error, &context.id, event, correlation_id, &fields);
    }
}

/// What a message from outside is taken for: itself, unless it is one that only this host sends.
fn from_outside(message: Message) -> Message {
    let forged = message != WAKE_UP
        && serde_json::from_slice::<Value>(&message).is_ok_and(|value| value.get("failed").is_some());
    if forged { WAKE_UP.to_vec() } else { message }
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
            let work = Arc::clone(handler).work(subscription.clone());
            let kill = self.kill.clone();
            self.tracker.spawn_on(
                async move {
                    tokio::select! {
                        () = work => {}
                        () = kill.cancelled() => {}
                    }
                },
                runtime.handle(),
            );
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

    /// Ends those still being handled.
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

/// Sends a wake-up at once and then every `tick_ms`, until stopped.
pub async fn tick(
    broker: Arc<Broker>,
    channel: String,
    handler: Arc<MessageHandler>,
    stop: CancellationToken,
) {
    let context = handler.prepared.context();
    let mut ticks = tokio::time::interval(millis(context.limits.tick_ms));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let ticking = async {
        loop {
            ticks.tick().await;
            if let Err(error) = broker.publish(&channel, WAKE_UP) {
                context.log.of(
                    Level::Error,
                    RUNTIME,
                    "tick-failed",
                    None,
                    &[("cause", error.to_string().into())],
                );
            }
        }
    };
    tokio::select! {
        () = ticking => {}
        () = stop.cancelled() => {}
    }
}

impl std::fmt::Debug for MessageHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageHandler")
            .field("component", &self.prepared.context().id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_reports_failures() {
        for (sent, taken) in [
            (&b"{}"[..], &b"{}"[..]),
            (b"", b""),
            (b"anything", b"anything"),
            (br#"{"failed":{"job_id":"a","lease_token":"b","reason":"trap"}}"#, b"{}"),
            (br#" { "x": 1, "f\u0061iled": null }"#, b"{}"),
        ] {
            assert_eq!(from_outside(sent.to_vec()), taken);
        }
    }
}
