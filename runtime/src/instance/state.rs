//! The data of a store: the only type that holds every capability's part. Made per call, so it is kept cheap to make.

use std::sync::Arc;

use wasmtime::{Store, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{Call, CallBounds, ComponentContext, MemoryLimiter, Meter, RunningTime};
use crate::{
    capabilities::{
        blob::BlobView,
        http::Egress,
        key_value::{KeyValueState, KeyValueView},
        postgres::{PostgresState, PostgresView},
        redis::{RedisState, RedisView},
        sqlite::{SqliteState, SqliteView},
        stdio::GuestOutput,
        variables::VariablesView,
    },
    limits::length,
};

/// `wasi:random` hands out no more at once: making random bytes is time that no deadline sees.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// What one call has.
#[expect(missing_debug_implementations, reason = "WASI's contexts have none")]
pub struct State {
    component: Arc<ComponentContext>,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    egress: Egress,
    sqlite: SqliteState,
    postgres: PostgresState,
    redis: RedisState,
    key_value: KeyValueState,
    output: GuestOutput,
    memory: MemoryLimiter,
    time: RunningTime,
}

impl State {
    /// A store for one call, with all bounds in force.
    #[must_use]
    pub fn store(
        engine: &wasmtime::Engine,
        component: &Arc<ComponentContext>,
        bounds: CallBounds,
        call: Call<'_>,
    ) -> Store<Self> {
        let limits = &component.limits;
        let output =
            GuestOutput::new(component.log.clone(), Arc::clone(&component.id), call.correlation_id, limits);
        let mut wasi = WasiCtx::builder();
        wasi.stdout(output.stdout())
            .stderr(output.stderr())
            .allow_tcp(false)
            .allow_udp(false)
            .max_random_size(MAX_RANDOM_BYTES);
        let own = |name: &str| call.environment.iter().any(|(own, _)| *own == name);
        for (name, value) in component.environment.iter().filter(|(name, _)| !own(name)) {
            wasi.env(name, value);
        }
        for (name, value) in call.environment {
            wasi.env(name, value);
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(length(limits.max_resources));
        let state = Self {
            table,
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            egress: Egress::new(
                Arc::clone(&component.carrier),
                Arc::clone(&component.hosts),
                Arc::clone(&component.id),
                component.log.clone(),
                limits,
            ),
            sqlite: SqliteState::new(Arc::clone(&component.sqlite), limits),
            postgres: PostgresState::new(limits),
            redis: RedisState::new(limits),
            key_value: KeyValueState::new(Arc::clone(&component.key_value), limits),
            output,
            memory: MemoryLimiter::new(
                Arc::clone(&component.memory),
                bounds.max_memory_bytes,
                length(limits.max_table_elements),
            ),
            time: RunningTime::new(bounds.max_running_time),
            component: Arc::clone(component),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.memory);
        RunningTime::bound(&mut store, |state| &mut state.time);
        store
    }

    /// Whether the guest was ever refused memory.
    #[must_use]
    pub fn refused_memory(&self) -> bool {
        self.memory.refused()
    }

    /// Whether the guest used up its time.
    #[must_use]
    pub fn out_of_time(&self) -> bool {
        self.time.is_over()
    }

    /// Measures the guest: all of its polls have to go through it.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.time.meter()
    }

    /// The SQLite part.
    pub fn sqlite(&mut self) -> SqliteView<'_> {
        SqliteView { state: &mut self.sqlite, table: &mut self.table }
    }

    /// The key-value part.
    pub fn key_value(&mut self) -> KeyValueView<'_> {
        KeyValueView { state: &self.key_value, table: &mut self.table }
    }

    /// The Redis part.
    pub fn redis(&mut self) -> RedisView<'_> {
        RedisView { grants: &self.component.redis, state: &mut self.redis, table: &mut self.table }
    }

    /// The PostgreSQL part.
    pub fn postgres(&mut self) -> PostgresView<'_> {
        PostgresView { grants: &self.component.postgres, state: &mut self.postgres, table: &mut self.table }
    }

    /// The part of the variables.
    pub fn variables(&mut self) -> VariablesView<'_> {
        VariablesView(&self.component.variables)
    }

    /// The part of the blobs.
    pub fn blobs(&mut self) -> BlobView<'_> {
        BlobView(&self.component.blobs)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.output.finish();
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.egress, table: &mut self.table, ctx: &mut self.http }
    }
}
