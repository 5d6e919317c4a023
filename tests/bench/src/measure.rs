//! Repeats something and takes the median. Medians, because these machines have neighbours.

use std::time::{Duration, Instant};

use anyhow::Result;

/// How often something is repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    /// At least so often, after one run that does not count.
    pub(crate) at_least: usize,
    /// At most so often.
    pub(crate) at_most: usize,
    /// Between the two, until so much time has been spent.
    pub(crate) budget: Duration,
}

impl Default for Repeat {
    fn default() -> Self {
        Self { at_least: 5, at_most: 51, budget: Duration::from_millis(1500) }
    }
}

/// The median of the runs, in milliseconds.
pub(crate) fn median_ms(repeat: Repeat, mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    run()?;
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < repeat.at_least || (times.len() < repeat.at_most && start.elapsed() < repeat.budget) {
        let begin = Instant::now();
        run()?;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
