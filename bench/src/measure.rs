//! Runs what is compared by turns, so that whatever else the machine does meets all of them alike.

use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// At least so many rounds, after one that does not count.
const MIN_ROUNDS: usize = 7;
/// At most so many.
const MAX_ROUNDS: usize = 51;
/// Between the two, until so much time has been spent.
const BUDGET: Duration = Duration::from_millis(2500);

/// One of those that are compared: runs once, and says how many milliseconds that took; `None` where it can't.
pub(crate) type Contestant<'c> = Box<dyn FnMut() -> Result<Option<f64>> + 'c>;

/// What one contestant took in each round, in milliseconds; at least one.
#[derive(Clone, Debug)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn median(&self) -> f64 {
        median(self.0.clone())
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The median of the rounds' ratios to another contestant: the machine's speed changes less within a round than between them.
    pub(crate) fn ratio_to(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect())
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs all of them in rounds, each once a round. `None` for those that can't, in whichever round.
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
    let rounds = times.iter().map(Vec::len).max();
    Ok(times.map(|times| (!times.is_empty() && Some(times.len()) == rounds).then_some(Times(times))))
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
