//! How long a guest may run, in ticks of the engine's clock (`engine.rs`); waiting for the host does not count.

use wasmtime::{Store, Trap, UpdateDeadline};

/// What is left of one guest's time.
#[derive(Debug)]
pub struct RunningTime {
    ticks_left: u64,
}

impl RunningTime {
    /// So many ticks.
    #[must_use]
    pub fn new(max_ticks: u64) -> Self {
        Self { ticks_left: max_ticks }
    }

    /// Has the guest of a store stopped when its time, which `time` finds in the store's data, is over. Until then it lets others run at
    /// each tick.
    pub fn bound<T: 'static>(store: &mut Store<T>, time: fn(&mut T) -> &mut Self) {
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut store| time(store.data_mut()).tick());
    }

    /// One tick is over.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.ticks_left = self.ticks_left.saturating_sub(1);
        if self.is_over() { Err(Trap::Interrupt.into()) } else { Ok(UpdateDeadline::Yield(1)) }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ticks_left == 0
    }
}
