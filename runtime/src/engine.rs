//! The wasmtime engine: what code may do, the pool its instances come from, the compile cache, and the clock that stops it.
//!
//! Epochs: a thread advances the engine's epoch every [`TICK`]. Each store asks to be called back at the next epoch while its guest runs,
//! looks then whether the guest has used up its time, which is measured (`instance/running_time.rs`), and yields to other tasks.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, OptLevel,
    PoolingAllocationConfig,
};

use crate::limits::{Limits, length};

/// How often a guest that computes is looked at, and lets others run: it is stopped at most this long after its time is over.
pub const TICK: Duration = Duration::from_millis(10);

/// An application with dependencies has one memory for each of its components; none of ours has more than six.
const MEMORIES_PER_INSTANCE: u32 = 6;
/// Core modules of one composed component, adapters and the shims that wasmtime adds included; ours have about a dozen.
const CORE_INSTANCES_PER_INSTANCE: u32 = 64;
/// Tables go with core modules, but most of those have none.
const TABLES_PER_INSTANCE: u32 = 16;
/// After a call, pages that were written are wiped in place and kept up to this size of a memory, the rest is given back to the system. A
/// small request writes within this (its stack and data alone take more than one MiB), so a warm slot costs no page fault; a resize gives
/// its megabytes back.
const MEMORY_KEPT_BYTES: usize = 2 * 1024 * 1024;
/// The same for a table: 1,024 entries, more than our components have functions in theirs.
const TABLE_KEPT_BYTES: usize = 8 * 1024;

/// How many instances an engine has room for, and how many memories for them all: each memory is 4 GiB of the process's addresses, of which
/// there are 128 TiB.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    instances: u32,
    memories: u32,
}

impl PoolSize {
    /// Room for so many instances, whatever they are.
    #[must_use]
    pub fn of(instances: u32) -> Self {
        Self { instances, memories: instances.saturating_mul(MEMORIES_PER_INSTANCE) }
    }

    /// Room for all requests and for the messages of so many workers, and the reports of their ends. Those that run may be anything; few
    /// that upload have more than one component composed in, and few that wait have any.
    #[must_use]
    pub fn serving(limits: &Limits, workers: usize) -> Self {
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let running =
            Self::of(number(limits.max_concurrent_requests).saturating_add(number(2 * workers as u64)));
        let (uploading, waiting) =
            (number(limits.max_uploading_requests), number(limits.max_waiting_requests));
        Self {
            instances: running.instances.saturating_add(uploading).saturating_add(waiting),
            memories: running.memories.saturating_add(uploading.saturating_mul(2)).saturating_add(waiting),
        }
    }
}

/// Where compiled code is kept. The path must be absolute.
///
/// # Errors
/// The directory can't be used.
pub fn compile_cache(directory: &Path) -> wasmtime::Result<Cache> {
    let mut cache = CacheConfig::new();
    cache.with_directory(directory);
    Cache::new(cache)
}

/// Makes the engine of a runtime for so many instances at a time.
///
/// # Errors
/// The system does not give the address space of the pool.
pub fn engine(limits: &Limits, size: PoolSize, cache: Cache) -> wasmtime::Result<Engine> {
    let PoolSize { instances, memories } = size;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_INSTANCE))
        .total_memories(memories)
        .total_tables(instances.saturating_mul(TABLES_PER_INSTANCE))
        .total_stacks(instances)
        .max_memories_per_component(MEMORIES_PER_INSTANCE)
        .max_core_instances_per_component(CORE_INSTANCES_PER_INSTANCE)
        .max_tables_per_component(TABLES_PER_INSTANCE)
        // A second bound behind the store's own, which counts all memories together.
        .max_memory_size(length(limits.max_request_memory_bytes.max(limits.max_message_memory_bytes)))
        .table_elements(length(limits.max_table_elements))
        .linear_memory_keep_resident(MEMORY_KEPT_BYTES)
        .table_keep_resident(TABLE_KEPT_BYTES)
        // Linux 6.7 tells which pages were written, and only those are wiped.
        .pagemap_scan(Enabled::Auto);

    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // What no guest needs is no surface to attack, and 64-bit sizes overflow where others do not. Threads, garbage collection and
        // exceptions are not compiled into this host (Cargo.toml). Several memories in one module are what wasmtime itself makes between
        // composed components. docs/hosts.md has the list.
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .wasm_stack_switching(false)
        // Relaxed SIMD gives different results on different processors; thumbnails must not.
        .wasm_relaxed_simd(false)
        // Every instance runs one call of the synchronous component model.
        .concurrency_support(false)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .cranelift_opt_level(OptLevel::Speed)
        .cache(Some(cache))
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// The thread that advances the epoch. It ends when this value is dropped.
#[derive(Debug)]
pub struct Ticker {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (stopped, engine) = (Arc::clone(&stop), engine.weak());
        let thread =
            std::thread::Builder::new().name("thumbs-epoch".into()).spawn(move || tick(&stopped, &engine))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

fn tick(stop: &(Mutex<bool>, Condvar), engine: &EngineWeak) {
    let (stopped, wake) = stop;
    let mut guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
    while !*guard {
        guard = wake.wait_timeout(guard, TICK).unwrap_or_else(PoisonError::into_inner).0;
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // It can't have panicked, and if it had there would be nothing to do.
            let _ = thread.join();
        }
    }
}
