//! Messages at start: one subscription per trigger, workers that share it, a tick, and where a Redis server carries the wake-ups, a task
//! that forwards them.

use std::{collections::BTreeMap, sync::Arc};

use super::{StartError, clients::Clients};
use crate::{
    capabilities::redis::{Broker, Forward},
    config::{Backends, WakeUps},
    instance::Prepared,
    manifest::Manifest,
    telemetry::Logger,
    triggers::{
        http::ServerTasks,
        redis::{MessageHandler, WAKE_UP, Workers, tick},
    },
    variables::Variables,
};

/// What the handling of messages is started from.
pub(super) struct Messages<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) variables: &'a Variables,
    pub(super) backends: &'a Backends,
    pub(super) clients: &'a Clients<'a>,
    pub(super) broker: &'a Arc<Broker>,
    pub(super) tasks: &'a ServerTasks,
    pub(super) log: &'a Logger,
}

impl Messages<'_> {
    /// Lets so many workers take the messages of each trigger; with none, no message is asked for.
    pub(super) fn start(
        &self,
        prepared: &BTreeMap<String, Prepared>,
        workers: usize,
    ) -> Result<Workers, StartError> {
        let threads = if self.manifest.redis.is_empty() { 0 } else { workers };
        let mut pool = Workers::start(threads).map_err(|cause| StartError::Threads { cause })?;
        for trigger in &self.manifest.redis {
            let Some(component) = prepared.get(&trigger.component) else { continue };
            let handler = MessageHandler::new(component.clone()).map(Arc::new).map_err(|cause| {
                StartError::component(
                    &trigger.component,
                    "has a Redis trigger, but exports no fermyon:spin/inbound-redis",
                    &cause,
                )
            })?;
            if workers == 0 {
                continue;
            }
            let channel = trigger.channel.resolve(self.variables.values());
            let subscription = self.broker.subscribe(&channel, workers);
            pool.serve(&handler, &subscription, workers);
            if matches!(self.backends.wake_ups, WakeUps::Redis(_)) {
                let address = trigger.address.resolve(self.variables.values());
                let forward = Forward::new(
                    self.clients.redis(),
                    &address,
                    channel.as_str(),
                    self.broker,
                    WAKE_UP,
                    self.log,
                )
                .map_err(|reason| StartError::Server { setting: "redis_url", reason })?;
                self.tasks.tracker.spawn(forward.run(self.tasks.stop.clone()));
            }
            // The tick wakes this process alone: every runtime has one of its own.
            self.tasks.tracker.spawn(tick(
                Arc::clone(self.broker),
                channel,
                handler,
                self.tasks.stop.clone(),
            ));
        }
        Ok(pool)
    }
}
