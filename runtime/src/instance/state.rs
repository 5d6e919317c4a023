//! The data of a store: the only type that holds every capability's part. Made per call, so it is kept cheap to make.

use std::sync::Arc;

use wasmtime::{Store, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, clocks::WasiClocksCtxView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{Call, CallBounds, ComponentContext, MemoryLimiter, Meter, RunningTime};
use crate::{
    capabilities::{
        blob::BlobView,
        clock::{ClockView, OnSleep},
        http::{CountedView, Egress},
        key_value::{KeyValueState, KeyValueView},
        postgres::{PostgresState, PostgresView},
        redis::{RedisState, RedisView},
        refusals::Refusals,
        sockets::SocketsView,
        sqlite::{SqliteState, SqliteView},
        stdio::GuestOutput,
        variables::VariablesView,
    },
    limits::{Limits, length},
    memory::{CallMemory, MemoryBound, Share},
    traces::CallTrace,
};

/// `wasi:random` hands out no more at once: making random bytes is time that no deadline sees.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;
/// What a call hands over besides its largest value: names, types, the elements of lists.
const CALL_OVERHEAD_BYTES: u64 = 1024 * 1024;
/// A header takes more in memory than on the wire.
const HEADER_OVERHEAD: u64 = 2;

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
    refusals: Refusals,
    on_sleep: Option<Arc<dyn OnSleep>>,
    share: Arc<Share>,
    calls: CallMemory,
    limiter: MemoryLimiter,
    time: RunningTime,
    trace: CallTrace,
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
        let output = GuestOutput::new(
            component.log.clone(),
            Arc::clone(&component.id),
            call.correlation_id.clone(),
            call.trace.clone(),
            limits,
        );
        let refusals = Refusals::of(
            Arc::clone(&component.id),
            call.correlation_id,
            component.log.clone(),
            call.trace.clone(),
        );
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
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(length(HEADER_OVERHEAD * limits.max_header_bytes));
        let share = component.memory.share(bounds.caller, bounds.max_memory_bytes);
        let state = Self {
            table,
            wasi: wasi.build(),
            http,
            egress: Egress::new(
                Arc::clone(&component.carrier),
                Arc::clone(&component.hosts),
                Arc::clone(&component.id),
                component.log.clone(),
                Arc::clone(&share),
                call.trace.clone(),
                limits,
            ),
            sqlite: SqliteState::new(Arc::clone(&component.sqlite), limits, bounds.caller).noting(&refusals),
            postgres: PostgresState::new(limits, bounds.caller).noting(&refusals),
            redis: RedisState::new(limits).noting(&refusals),
            key_value: KeyValueState::new(Arc::clone(&component.key_value), limits).noting(&refusals),
            output,
            refusals,
            on_sleep: call.on_sleep,
            calls: CallMemory::new(&share),
            limiter: MemoryLimiter::new(Arc::clone(&share), length(limits.max_table_elements)),
            share,
            time: RunningTime::new(bounds.max_running_time),
            trace: call.trace,
            component: Arc::clone(component),
        };
        component.numbers.begin();
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(largest_call(limits).min(bounds.max_memory_bytes));
        RunningTime::bound(&mut store, |state| &mut state.time);
        store
    }

    /// Which bound refused the guest memory, if one did.
    #[must_use]
    pub fn refused_memory(&self) -> Option<MemoryBound> {
        self.share.refused()
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

    /// The clock that a guest waits by.
    pub fn clock(&mut self) -> ClockView<'_> {
        ClockView {
            clocks: WasiClocksCtxView { ctx: self.wasi.clocks(), table: &mut self.table },
            on_sleep: self.on_sleep.as_ref(),
        }
    }

    /// The SQLite part.
    pub fn sqlite(&mut self) -> SqliteView<'_> {
        SqliteView {
            state: &mut self.sqlite,
            table: &mut self.table,
            memory: &mut self.calls,
            trace: &self.trace,
        }
    }

    /// The key-value part.
    pub fn key_value(&mut self) -> KeyValueView<'_> {
        KeyValueView {
            state: &self.key_value,
            table: &mut self.table,
            memory: &mut self.calls,
            trace: &self.trace,
        }
    }

    /// The Redis part.
    pub fn redis(&mut self) -> RedisView<'_> {
        RedisView {
            grants: &self.component.redis,
            state: &mut self.redis,
            table: &mut self.table,
            memory: &mut self.calls,
            trace: &self.trace,
        }
    }

    /// The PostgreSQL part.
    pub fn postgres(&mut self) -> PostgresView<'_> {
        PostgresView {
            grants: &self.component.postgres,
            state: &mut self.postgres,
            table: &mut self.table,
            memory: &mut self.calls,
            trace: &self.trace,
        }
    }

    /// What is counted of `wasi:http/types`.
    pub fn counted_http(&mut self) -> CountedView<'_> {
        let http = WasiHttpCtxView { hooks: &mut self.egress, table: &mut self.table, ctx: &mut self.http };
        CountedView { http, memory: &self.share }
    }

    /// Where sockets would be.
    pub fn sockets(&mut self) -> SocketsView<'_> {
        SocketsView { table: &mut self.table, refusals: &self.refusals }
    }

    /// The part of the variables.
    pub fn variables(&mut self) -> VariablesView<'_> {
        VariablesView { values: &self.component.variables, refusals: &self.refusals }
    }

    /// The part of the blobs.
    pub fn blobs(&mut self) -> BlobView<'_> {
        BlobView {
            store: &self.component.blobs,
            table: &mut self.table,
            memory: &mut self.calls,
            trace: &self.trace,
        }
    }
}

/// The most that a guest hands over in one call: wasmtime copies it into the host before the host can look at it.
fn largest_call(limits: &Limits) -> usize {
    let largest = limits
        .max_blob_bytes
        .max(limits.kv_max_value_bytes)
        .max(limits.sql_max_value_bytes)
        .max(limits.redis_max_exchange_bytes);
    length(largest.saturating_add(CALL_OVERHEAD_BYTES))
}

impl Drop for State {
    fn drop(&mut self) {
        self.output.finish();
        self.trace.took(self.time.used(), self.share.used_bytes());
        self.component.numbers.end(self.time.used());
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
