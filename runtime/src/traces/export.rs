//! Sending spans: one task that takes them out of the queue, and nobody who waits for it.
//!
//! A collector that is away, or says that it has too much to do, is tried again a few times with pauses that grow; meanwhile the queue fills
//! up, and what it has no room for is dropped and counted. That it does not work is said once, and once more when it does again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    SettingError, Settings, Tracer, otlp,
    queue::Queue,
    span::Attribute,
    wire::{Fault, Wire},
};
use crate::{
    limits::{Limits, length, millis},
    telemetry::{Event, Logger},
};

/// So many spans go at once without waiting for more, and in one request.
const BATCH_SPANS: usize = 512;
/// For how long spans wait for others.
const GATHER_PAUSE: Duration = Duration::from_secs(1);
/// How often the same spans are sent.
const MAX_ATTEMPTS: u32 = 5;
/// Before the second attempt; before each further one twice as long as before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Sends spans until it is told to end. Dropping it ends it at once.
#[derive(Debug)]
pub struct Sending {
    queue: Arc<Queue>,
    ending: CancellationToken,
    task: JoinHandle<()>,
    patience: Duration,
}

struct Exporter {
    queue: Arc<Queue>,
    wire: Wire,
    resource: Vec<Attribute>,
    address: String,
    log: Logger,
    ending: CancellationToken,
    is_failing: bool,
}

impl Settings {
    /// A tracer whose spans are sent as these settings say. `service` is how whoever made them is called where the settings do not say. Must be
    /// called within a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// The collector's address is none that can be asked.
    pub(crate) fn start(
        self,
        service: &str,
        limits: &Limits,
        log: &Logger,
    ) -> Result<(Tracer, Sending), SettingError> {
        let queue = Arc::new(Queue::new(length(limits.max_queued_spans)));
        let ending = CancellationToken::new();
        let address = self.address();
        let resource = self.resource(service);
        let headers: HeaderMap = self.headers;
        let wire = Wire::new(&self.url, headers, self.timeout)
            .map_err(|reason| SettingError { name: self.named_by, reason })?;
        let exporter = Exporter {
            queue: Arc::clone(&queue),
            wire,
            resource,
            address,
            log: log.clone(),
            ending: ending.clone(),
            is_failing: false,
        };
        let tracer = Tracer::new(self.sampler, Arc::clone(&queue), limits);
        let task = tokio::spawn(exporter.run());
        Ok((tracer, Sending { queue, ending, task, patience: millis(limits.span_flush_ms) }))
    }
}

impl Sending {
    /// Sends what waits, for a short while; what was not sent by then is lost, and counted.
    pub async fn finish(mut self) {
        self.ending.cancel();
        if tokio::time::timeout(self.patience, &mut self.task).await.is_err() {
            self.task.abort();
            // So that nothing is counted twice. Its end can't be other than that it was cut off.
            let _ended = (&mut self.task).await;
        }
        self.queue.give_up();
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Exporter {
    async fn run(mut self) {
        loop {
            tokio::select! {
                () = self.queue.holds(1) => {}
                () = self.ending.cancelled() => {}
            }
            tokio::select! {
                () = self.queue.holds(BATCH_SPANS) => {}
                () = tokio::time::sleep(GATHER_PAUSE) => {}
                () = self.ending.cancelled() => {}
            }
            let spans = self.queue.take(BATCH_SPANS);
            if spans.is_empty() {
                if self.ending.is_cancelled() {
                    return;
                }
                continue;
            }
            let body = Bytes::from(otlp::request(&self.resource, &spans));
            drop(spans);
            let unsent = self.send(body).await;
            self.queue.settle(unsent);
        }
    }

    /// How many spans were not taken; more than there were is all of them.
    async fn send(&mut self, body: Bytes) -> usize {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=MAX_ATTEMPTS {
            match self.wire.send(body.clone()).await {
                Ok(answer) => {
                    if std::mem::take(&mut self.is_failing) {
                        self.log.event(&Event::SpansSent { address: &self.address });
                    }
                    return otlp::rejected(&answer);
                }
                Err(Fault { reason, may_pass }) => {
                    if !std::mem::replace(&mut self.is_failing, true) {
                        self.log.event(&Event::SpansUnsent { address: &self.address, cause: &reason });
                    }
                    if !may_pass || attempt == MAX_ATTEMPTS || self.ending.is_cancelled() {
                        return usize::MAX;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.ending.cancelled() => {}
            }
            pause *= 2;
        }
        usize::MAX
    }
}
