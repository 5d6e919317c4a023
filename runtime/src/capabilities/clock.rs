//! `wasi:clocks/monotonic-clock`: WASI's own, and somebody is told when a guest goes to sleep.
//!
//! A guest that waits for time to pass (a long poll, a stream of events) is there for long and does little, unlike one that waits for a
//! disk or a server. Who bounds how many may be there has to tell the two apart; this is the one place where it shows.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::{
    async_trait,
    clocks::WasiClocksCtxView,
    p2::{
        DynPollable, Pollable,
        bindings::clocks::monotonic_clock::{
            self, Duration as Nanoseconds, Host, Instant as NanosecondsOfClock,
        },
        subscribe,
    },
};

/// Who waits for less has something else in mind: a second attempt, a lock.
const SHORTEST_SLEEP: Duration = Duration::from_millis(10);

/// Is told of a guest that sleeps.
pub trait OnSleep: std::fmt::Debug + Send + Sync {
    /// The guest goes to sleep; it may have done so before.
    fn sleeps(&self);
}

/// A view for one call.
#[expect(missing_debug_implementations, reason = "WASI's contexts have none")]
pub struct ClockView<'a> {
    /// WASI's own.
    pub clocks: WasiClocksCtxView<'a>,
    /// Who is told.
    pub on_sleep: Option<&'a Arc<dyn OnSleep>>,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasClock;

impl HasData for HasClock {
    type Data<'a> = ClockView<'a>;
}

/// Gives the interface to components, in the place of WASI's own.
///
/// # Errors
/// The linker has it in another form.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> ClockView<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = monotonic_clock::add_to_linker::<T, HasClock>(linker, view);
    linker.allow_shadowing(false);
    added
}

impl Host for ClockView<'_> {
    fn now(&mut self) -> wasmtime::Result<NanosecondsOfClock> {
        self.clocks.now()
    }

    fn resolution(&mut self) -> wasmtime::Result<Nanoseconds> {
        Host::resolution(&mut self.clocks)
    }

    fn subscribe_instant(&mut self, when: NanosecondsOfClock) -> wasmtime::Result<Resource<DynPollable>> {
        let now = Host::now(&mut self.clocks)?;
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, duration: Nanoseconds) -> wasmtime::Result<Resource<DynPollable>> {
        let asked = Duration::from_nanos(duration);
        match self.on_sleep {
            Some(on_sleep) if asked >= SHORTEST_SLEEP => {
                let sleep =
                    Sleep { until: Instant::now().checked_add(asked), on_sleep: Arc::clone(on_sleep) };
                let sleep = self.clocks.table.push(sleep)?;
                subscribe(self.clocks.table, sleep)
            }
            _ => self.clocks.subscribe_duration(duration),
        }
    }
}

/// A time that a guest waits for.
struct Sleep {
    /// None where it is too far away to ever come.
    until: Option<Instant>,
    on_sleep: Arc<dyn OnSleep>,
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        match self.until {
            Some(until) if until <= Instant::now() => {}
            until => {
                self.on_sleep.sleeps();
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            }
        }
    }
}
