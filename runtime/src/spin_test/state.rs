//! The data of a suite's store: WASI as every guest has it, without a network, and the world of one test.

use std::sync::Arc;

use wasmtime::{Store, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::{output::Output, subject::Subject, world::World};
use crate::{
    capabilities::{
        http::{IoResult, Sending},
        key_value::MemoryStore,
        sqlite::{SqliteState, SqliteView},
    },
    instance::{CallBounds, MemoryLimiter, Meter, RunningTime},
    limits::{Limits, length},
    memory::{CallMemory, MemoryBudget, Share},
    telemetry::Logger,
    traces::CallTrace,
};

/// Pieces of a body that a suite writes before anybody reads it, and the bytes of one: a suite writes all of a request before it has it
/// answered.
const BODY_PIECES: usize = 64 * 1024;
const PIECE_BYTES: usize = 4096;

/// A key-value store that a suite has open.
#[expect(unreachable_pub, reason = "generated code re-exports it")]
#[derive(Clone, Debug)]
pub struct OpenStore {
    pub(super) label: String,
    pub(super) store: Arc<MemoryStore>,
}

/// What one test's suite has.
pub(super) struct SuiteState {
    pub(super) table: ResourceTable,
    pub(super) world: World,
    pub(super) subject: Arc<Subject>,
    /// Of the component under test.
    pub(super) log: Logger,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoNetwork,
    sqlite: SqliteState,
    share: Arc<Share>,
    calls: CallMemory,
    limiter: MemoryLimiter,
    time: RunningTime,
    /// Of nothing: a test is not traced.
    trace: CallTrace,
}

impl SuiteState {
    /// A store for one test, with all bounds in force.
    pub(super) fn store(
        engine: &wasmtime::Engine,
        subject: &Arc<Subject>,
        world: World,
        (output, log): (&Output, Logger),
        (limits, bounds): (&Limits, CallBounds),
        memory: &Arc<MemoryBudget>,
    ) -> Store<Self> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(length(limits.max_resources));
        let share = Share::new(Arc::clone(memory), bounds.max_memory_bytes);
        let state = Self {
            table,
            wasi: WasiCtx::builder()
                .stdout(output.clone())
                .stderr(output.clone())
                .allow_tcp(false)
                .allow_udp(false)
                .build(),
            http: WasiHttpCtx::new(),
            hooks: NoNetwork,
            sqlite: SqliteState::new(Arc::clone(&world.databases), limits, bounds.caller),
            calls: CallMemory::new(&share),
            limiter: MemoryLimiter::new(Arc::clone(&share), length(limits.max_table_elements)),
            share,
            time: RunningTime::new(bounds.max_running_time),
            world,
            subject: Arc::clone(subject),
            log,
            trace: CallTrace::default(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        RunningTime::bound(&mut store, |state| &mut state.time);
        store
    }

    /// The SQLite part: all databases of the world.
    pub(super) fn sqlite(&mut self) -> SqliteView<'_> {
        SqliteView {
            state: &mut self.sqlite,
            table: &mut self.table,
            memory: &mut self.calls,
            trace: &self.trace,
        }
    }

    /// Measures the suite, and with it the component under test, which runs within the suite's polls.
    pub(super) fn meter(&self) -> Meter {
        self.time.meter()
    }

    /// Whether the suite was ever refused memory.
    pub(super) fn refused_memory(&self) -> bool {
        self.share.refused().is_some()
    }

    /// Whether the suite used up its time.
    pub(super) fn out_of_time(&self) -> bool {
        self.time.is_over()
    }
}

impl WasiView for SuiteState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for SuiteState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// A suite asks the component under test and nobody else.
struct NoNetwork;

impl WasiHttpHooks for NoNetwork {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: IoResult,
    ) -> Sending {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        BODY_PIECES
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE_BYTES
    }
}
