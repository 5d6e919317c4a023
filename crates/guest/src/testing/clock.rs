//! A clock that moves when it is told to.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use thumbs_domain::timestamp::Timestamp;

use crate::clock::Clock;

type AtSleep<'a> = Box<dyn FnMut(u32) + 'a>;

/// Begins at a moment of 2025, stands still, and moves when somebody sleeps.
#[derive(Default)]
pub struct ManualClock<'a> {
    slept: Cell<Duration>,
    sleeps: Cell<u32>,
    at_sleep: RefCell<Option<AtSleep<'a>>>,
}

impl<'a> ManualClock<'a> {
    /// What the clock shows at the beginning.
    pub const START: Timestamp = Timestamp::from_unix_millis(1_763_942_400_000);

    /// Calls `at_sleep` with 1, 2, ... at each sleep: what others do meanwhile.
    pub fn with_others(at_sleep: impl FnMut(u32) + 'a) -> Self {
        Self { at_sleep: RefCell::new(Some(Box::new(at_sleep))), ..Self::default() }
    }

    /// Goes on by this much.
    pub fn advance(&self, by: Duration) {
        self.slept.set(self.slept.get() + by);
    }

    /// How often somebody slept.
    pub fn sleeps(&self) -> u32 {
        self.sleeps.get()
    }
}

impl Clock for ManualClock<'_> {
    fn now(&self) -> Timestamp {
        Self::START.plus_millis(i64::try_from(self.slept.get().as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.slept.get()
    }

    fn sleep(&self, pause: Duration) {
        self.advance(pause);
        self.sleeps.set(self.sleeps.get() + 1);
        if let Some(at_sleep) = self.at_sleep.borrow_mut().as_mut() {
            at_sleep(self.sleeps.get());
        }
    }
}
