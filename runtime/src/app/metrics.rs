//! Goes round and asks everybody for what they counted (`numbers`), for Prometheus.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{components::Contexts, load::Loaded, messages::ParkingLots};
use crate::{
    blocking,
    capabilities::{blob::KeptBlobs, embedded::Database},
    clients::{postgres, redis},
    instance::ComponentContext,
    numbers::{Exposition, Format, Process, rows},
    telemetry::LogSink,
    traces::Tracer,
    triggers::http::{HttpView, ParkingLot},
};

/// Whom to ask.
pub(super) struct Metrics {
    http: HttpView,
    lots: Vec<Arc<ParkingLot>>,
    contexts: Vec<Arc<ComponentContext>>,
    /// Each once, whichever components may open it.
    databases: Vec<Arc<Database>>,
    postgres: postgres::Client,
    redis: redis::Client,
    kept_blobs: Option<Arc<KeptBlobs>>,
    log: Option<Arc<dyn LogSink>>,
    tracer: Tracer,
    started: Duration,
}

impl Metrics {
    pub(super) fn new(
        loaded: &Loaded,
        contexts: &Contexts,
        lots: &ParkingLots,
        http: HttpView,
        log: Option<Arc<dyn LogSink>>,
    ) -> Self {
        let databases: BTreeMap<_, _> = contexts.values().flat_map(|context| context.sqlite.iter()).collect();
        Self {
            http,
            lots: lots.values().map(|(_, lot)| Arc::clone(lot)).collect(),
            databases: databases.into_values().map(Arc::clone).collect(),
            contexts: contexts.values().map(Arc::clone).collect(),
            postgres: loaded.clients.postgres().clone(),
            redis: loaded.clients.redis().clone(),
            kept_blobs: loaded.clients.kept_blobs().cloned(),
            log,
            tracer: loaded.tracer.clone(),
            started: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// All metrics as Prometheus reads them. Blocks for a moment.
    pub(super) fn exposition(&self, format: Format) -> String {
        let mut text = Exposition::new(format);
        text.all(&rows::INFO, [([env!("CARGO_PKG_VERSION")], 1.0)]);
        self.requests(&mut text);
        self.instances(&mut text);
        self.sql(&mut text);
        let (postgres, redis) = (self.postgres.connects(), self.redis.connects());
        text.all(
            &rows::CONNECTS,
            [
                (["postgres", "made"], postgres.made()),
                (["postgres", "failed"], postgres.failed()),
                (["redis", "made"], redis.made()),
                (["redis", "failed"], redis.failed()),
            ]
            .map(|(labels, count)| (labels, count as f64)),
        );
        let kept = self.kept_blobs.as_ref();
        let reads = kept.map(|kept| kept.found_and_asked());
        let reads = reads.map(|(found, asked)| [("memory", found), ("store", asked)]);
        let reads = reads.into_iter().flatten().map(|(from, count)| ([from], count as f64));
        text.all(&rows::BLOB_READS, reads);
        text.one(&rows::BLOBS_KEPT, kept.map_or(0, |kept| kept.kept_bytes()) as f64);
        let fates = self
            .tracer
            .fates()
            .map(|fates| [("sent", fates.sent), ("dropped", fates.dropped), ("unsent", fates.unsent)]);
        let fates = fates.into_iter().flatten().map(|(fate, count)| ([fate], count as f64));
        text.all(&rows::SPANS, fates);
        text.one(&rows::DROPPED, self.log.as_ref().map_or(0, |log| log.dropped_lines()) as f64);
        let (queued, running) = blocking::queued_and_running();
        text.all(&rows::BLOCKING, [(["running"], running as f64), (["queued"], queued as f64)]);
        self.process(&mut text);
        text.into_text()
    }

    fn requests(&self, text: &mut Exposition) {
        let statuses: Vec<_> = self
            .http
            .routes()
            .flat_map(|(route, numbers)| {
                numbers.by_status().map(move |(status, count)| (route, status.to_string(), count))
            })
            .collect();
        let by_status = statuses.iter().map(|(route, status, count)| ([*route, status], *count as f64));
        text.all(&rows::REQUESTS, by_status);
        text.histograms(&rows::ANSWER, self.http.routes().map(|(route, numbers)| (route, numbers.answers())));
        let parked = self.lots.iter().map(|lot| lot.taken());
        let (parked, parked_max) = parked.fold((0, 0), |sum, lot| (sum.0 + lot.0, sum.1 + lot.1));
        let in_work = || self.http.in_work().into_iter().chain([("parked", parked, parked_max)]);
        text.all(&rows::IN_WORK, in_work().map(|(state, taken, _)| ([state], taken as f64)));
        text.all(&rows::IN_WORK_MAX, in_work().map(|(state, _, max)| ([state], max as f64)));
        text.one(&rows::CONNECTIONS, self.http.connections() as f64);
        text.one(&rows::CONNECTIONS_MAX, self.http.max_connections() as f64);
        text.all(&rows::REFUSALS, self.http.refusals().map(|(reason, count)| ([reason], count as f64)));
    }

    fn instances(&self, text: &mut Exposition) {
        let of_each = || self.contexts.iter().map(|context| (&*context.id, &context.numbers));
        text.all(&rows::CALLS, of_each().map(|(id, numbers)| ([id], numbers.begun() as f64)));
        text.all(&rows::INSTANCES, of_each().map(|(id, numbers)| ([id], numbers.live() as f64)));
        let failures = of_each().flat_map(|(id, numbers)| {
            numbers.failures().map(move |(kind, count)| ([id, kind.name()], count as f64))
        });
        text.all(&rows::FAILURES, failures);
        text.all(&rows::GUEST_CPU, of_each().map(|(id, numbers)| ([id], numbers.cpu().as_secs_f64())));
        // All components share the budgets.
        let budgets = || {
            let memory = self.contexts.first().map(|context| &context.memory);
            memory
                .into_iter()
                .flat_map(|memory| [("requests", memory.requests()), ("messages", memory.messages())])
        };
        text.all(&rows::MEMORY, budgets().map(|(of, budget)| ([of], budget.used_bytes() as f64)));
        text.all(&rows::MEMORY_MAX, budgets().map(|(of, budget)| ([of], budget.max_bytes() as f64)));
    }

    fn sql(&self, text: &mut Exposition) {
        let postgres = self.postgres.usage();
        let (mut lent, mut idle, mut max) = (0, 0, 0);
        let mut waits = [(0, Duration::ZERO); 2];
        for database in &self.databases {
            let lent_and_idle = database.lent_and_idle();
            lent += lent_and_idle.0;
            idle += lent_and_idle.1;
            max += database.max_lent();
            for ((count, time), of_one) in waits.iter_mut().zip(database.waits()) {
                *count += of_one.count();
                *time += of_one.time();
            }
        }
        text.all(
            &rows::SQL,
            [
                (["sqlite", "lent"], lent),
                (["sqlite", "idle"], idle),
                (["postgres", "lent"], postgres.lent),
                (["postgres", "idle"], postgres.idle),
            ]
            .map(|(labels, count)| (labels, count as f64)),
        );
        text.all(&rows::SQL_MAX, [(["sqlite"], max as f64), (["postgres"], postgres.max as f64)]);
        let [connection, turn] = waits;
        let waits = [
            (["sqlite", "connection"], connection),
            (["sqlite", "turn"], turn),
            (["postgres", "connection"], (postgres.waits, postgres.waited)),
        ];
        text.all(&rows::SQL_WAITS, waits.map(|(labels, (count, _))| (labels, count as f64)));
        text.all(&rows::SQL_WAITED, waits.map(|(labels, (_, time))| (labels, time.as_secs_f64())));
    }

    fn process(&self, text: &mut Exposition) {
        let process = Process::look();
        text.one(&rows::CPU, process.cpu.as_secs_f64());
        text.maybe(&rows::RESIDENT, process.resident_bytes);
        text.maybe(&rows::OPEN_FDS, process.open_fds);
        text.maybe(&rows::MAX_FDS, process.max_fds);
        text.one(&rows::START, self.started.as_secs_f64());
    }
}
