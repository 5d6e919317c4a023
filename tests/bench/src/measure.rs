//! Runs what is compared by turns, so that whatever else the machine does meets all of them alike.

use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// At least so many rounds, after one that does not count.
const MIN_ROUNDS: usize = 5;
/// At most so many.
const MAX_ROUNDS: usize = 51;
/// Between the two, until so much time has been spent.
const BUDGET: Duration = Duration::from_millis(2500);

/// One of those that are compared: runs once, and says how many milliseconds that took; `None` where it can't.
pub(crate) type Contestant<'c> = Box<dyn FnMut() -> Result<Option<f64>> + 'c>;

/// What one contestant took, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) median: f64,
    pub(crate) least: f64,
}

/// Runs all of them in rounds, each once a round. `None` for those that can't.
pub(crate) fn by_turns<const N: usize>(mut contestants: [Contestant<'_>; N]) -> Result<[Option<Times>; N]> {
    let mut times = [const { Vec::new() }; N];
    for contestant in &mut contestants {
        contestant()?;
    }
    let start = Instant::now();
    for round in 0..MAX_ROUNDS {
        if round >= MIN_ROUNDS && start.elapsed() >= BUDGET {
            break;
        }
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            times.extend(contestant()?);
        }
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        Some(Times { median: *times.get(times.len() / 2)?, least: *times.first()? })
    }))
}

/// How many milliseconds of this thread's processor time something took.
pub(crate) fn timed_ms<T>(run: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let begin = processor_ms();
    let result = run()?;
    Ok((processor_ms() - begin, result))
}

fn processor_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}
