//! Messages at start: what checks its settings and prepares it, and for each trigger a subscription, the workers that share it, its tick, and where a
//! Redis server carries the messages, a task that forwards them. Likewise for each component whose requests wait for messages.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{StartError, load::Loaded};
use crate::{
    backends,
    instance::Prepared,
    messages::{Channel, Delivery, Forward, tick},
    telemetry::Event,
    triggers::{
        http::{ParkingLot, ServerTasks},
        redis::{MessageHandler, Workers},
    },
};

/// Where the requests of a component wait, and for the messages of which channel; by the component's id.
pub(super) type ParkingLots = BTreeMap<String, (Channel, Arc<ParkingLot>)>;

impl Loaded {
    /// One for each component that asks for it.
    pub(super) fn parking_lots(&self) -> ParkingLots {
        let values = self.variables.values();
        let components = self.manifest.components.values();
        let asking = components.filter_map(|component| Some((&component.id, component.parking.as_ref()?)));
        asking
            .map(|(id, parking)| {
                let channel = Channel::new(parking.address.resolve(values), parking.channel.resolve(values));
                (id.clone(), (channel, Arc::new(ParkingLot::new(&self.limits))))
            })
            .collect()
    }
}

/// The handler of each component that has a Redis trigger.
pub(super) struct Messages<'a> {
    loaded: &'a Loaded,
    handlers: BTreeMap<&'a str, Arc<MessageHandler>>,
}

impl<'a> Messages<'a> {
    /// # Errors
    /// A component has a Redis trigger and handles no messages.
    pub(super) fn new(loaded: &'a Loaded, prepared: &BTreeMap<String, Prepared>) -> Result<Self, StartError> {
        let mut handlers = BTreeMap::new();
        for trigger in &loaded.manifest.redis {
            let id = trigger.component.as_str();
            let (Some(component), Some(of_manifest)) = (prepared.get(id), loaded.manifest.components.get(id))
            else {
                continue;
            };
            let handler =
                MessageHandler::new(component.clone(), of_manifest.messages.clone()).map_err(|cause| {
                    StartError::component(
                        id,
                        "has a Redis trigger, but exports no fermyon:spin/inbound-redis",
                        &cause,
                    )
                })?;
            handlers.insert(id, Arc::new(handler));
        }
        Ok(Self { loaded, handlers })
    }

    /// Has the components that ask for it look at their settings, one after the other.
    ///
    /// # Errors
    /// One refuses them; those after it are not asked.
    pub(super) async fn check(&self) -> Result<(), StartError> {
        for (id, handler) in &self.handlers {
            if let Some(message) = &handler.policy().check {
                let checked = handler.check(message).await;
                checked.map_err(|reason| StartError::Check { component: (*id).to_owned(), reason })?;
            }
        }
        Ok(())
    }

    /// Has the components that ask for it prepare the application, one after the other.
    ///
    /// # Errors
    /// One could not; those after it are not asked.
    pub(super) async fn prepare(&self) -> Result<(), StartError> {
        for (id, handler) in &self.handlers {
            if let Some(message) = &handler.policy().prepare {
                handler
                    .prepare(message)
                    .await
                    .map_err(|reason| StartError::Prepare { component: (*id).to_owned(), reason })?;
            }
        }
        Ok(())
    }

    /// The same before serving, where a failure is only said: what prepares an application is also done when it is needed.
    pub(super) async fn prepare_or_warn(&self) {
        if let Err(error) = self.prepare().await {
            self.loaded.log.event(&Event::PrepareFailed { cause: &error.to_string() });
        }
    }

    /// Lets so many workers take the messages of each trigger, with none of them none of its messages is asked for, and requests wait in
    /// these lots.
    pub(super) fn start(
        &self,
        tasks: &ServerTasks,
        workers: usize,
        lots: ParkingLots,
    ) -> Result<Workers, StartError> {
        let Loaded { manifest, variables, backends, clients, broker, log, .. } = self.loaded;
        let threads = if self.handlers.is_empty() { 0 } else { workers };
        let mut pool = Workers::start(threads).map_err(|cause| StartError::Threads { cause })?;
        let mut forwards = Vec::new();
        let mut forwarded = HashSet::new();
        let mut forward = |channel: &Channel| -> Result<(), StartError> {
            let url = match &backends.messages {
                backends::Messages::InProcess => return Ok(()),
                backends::Messages::Manifest => channel.server(),
                backends::Messages::Server(url) => url.expose(),
            };
            if forwarded.insert(channel.clone()) {
                let forward = Forward::new(clients.redis(), url, channel.clone(), broker, log);
                forwards.push(forward.map_err(|reason| StartError::Server {
                    setting: "the address of a [[trigger.redis]]".to_owned(),
                    reason,
                })?);
            }
            Ok(())
        };
        let mut ticks = Vec::new();
        for trigger in manifest.redis.iter().filter(|_| workers > 0) {
            let Some(handler) = self.handlers.get(trigger.component.as_str()) else { continue };
            let address = trigger.address.resolve(variables.values());
            let channel = Channel::new(address, trigger.channel.resolve(variables.values()));
            let policy = handler.policy();
            let workers = policy.workers.unwrap_or(workers);
            let delivery = Delivery {
                max_equal: policy.merge_equal_messages.then_some(workers),
                wake_up: policy.tick.as_ref().map(|tick| tick.message.clone().into_bytes()),
            };
            let subscription = broker.subscribe(&channel, delivery);
            pool.serve(handler, &subscription, workers);
            forward(&channel)?;
            // A tick wakes this process alone: every runtime has one of its own.
            ticks.extend(policy.tick.as_ref().map(|tick| (subscription, tick.every)));
        }
        for (channel, lot) in lots.into_values() {
            // An empty message is every key: some may have been missed.
            let delivery = Delivery { max_equal: None, wake_up: Some(Vec::new()) };
            let keys = broker.subscribe(&channel, delivery);
            forward(&channel)?;
            tasks.tracker.spawn(lot.listen(keys, tasks.stop.clone()));
        }
        for forward in forwards {
            tasks.tracker.spawn(forward.run(tasks.stop.clone()));
        }
        for (subscription, every) in ticks {
            tasks.tracker.spawn(tick(subscription, every, tasks.stop.clone()));
        }
        Ok(pool)
    }
}
