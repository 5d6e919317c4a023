//! The zlib stream of an image's rows (PNG specification, sections 9 and 10): each row behind the filter of which least is left to tell.
//!
//! Which filter that is depends on what the others leave, for all rows share their codes: a byte that is frequent takes few bits. So rows are first
//! filtered by the usual rule, the least sum of differences, and then again by what the bytes of the whole image would take, which are counted anew
//! each time.

use thumbs_deflate::{literal_costs, zlib};

use crate::filter::Filter;
use crate::unfilter::paeth;

const FILTERS: [Filter; 5] = [Filter::None, Filter::Sub, Filter::Up, Filter::Average, Filter::Paeth];

/// How often filters are chosen anew by what bytes take; hardly a row changes after that.
const ROUNDS: usize = 3;
/// A filter that takes more than the best by one part in so many is not weighed again.
const NEAR: u32 = 24;
/// A filter with more than so many times the least sum is never weighed. This and [`NEAR`] cost 0.03 % of the bytes of 46 photographs.
const FAR: u32 = 2;

/// `rows` of `row_bytes` each, at least 1, as IDAT holds them; `step`: the bytes from one pixel to the next, at least 1. Memory: six times that of `rows` and
/// some hundred KiB.
#[must_use]
pub fn image_data(rows: &[u8], row_bytes: usize, step: usize) -> Vec<u8> {
    zlib(&filtered(rows, row_bytes, step))
}

fn filtered(rows: &[u8], row_bytes: usize, step: usize) -> Vec<u8> {
    let trials = trials(rows, row_bytes, step);
    let mut choices: Vec<Choice> = (trials.chunks_exact(FILTERS.len() * row_bytes))
        .map(|trials| Choice::of(trials.chunks_exact(row_bytes)))
        .collect();
    for _ in 0..ROUNDS {
        let mut counts = [0_u32; 256];
        for choice in &choices {
            choice.chosen().iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        }
        let costs = literal_costs(&counts);
        let mut is_changed = false;
        for choice in &mut choices {
            is_changed |= choice.again(&costs);
        }
        if !is_changed {
            break;
        }
    }
    let mut stream = Vec::with_capacity(rows.len() + choices.len());
    for choice in &choices {
        // One of five.
        stream.push(choice.filter as u8);
        stream.extend_from_slice(choice.chosen());
    }
    stream
}

/// A row with each filter, and which of them it gets.
struct Choice<'t> {
    trials: [&'t [u8]; FILTERS.len()],
    filter: usize,
    /// Which may yet be chosen.
    open: [bool; FILTERS.len()],
}

impl<'t> Choice<'t> {
    /// By the usual rule: the least sum of differences.
    fn of(row: impl Iterator<Item = &'t [u8]>) -> Self {
        let mut trials: [&[u8]; FILTERS.len()] = Default::default();
        trials.iter_mut().zip(row).for_each(|(trial, bytes)| *trial = bytes);
        let sum = |row: &[u8]| row.iter().map(|&byte| u32::from((byte as i8).unsigned_abs())).sum::<u32>();
        let sums = trials.map(sum);
        let filter = (0..FILTERS.len()).min_by_key(|&filter| sums[filter]).unwrap_or(0);
        let open = sums.map(|sum| sum / FAR <= sums[filter]);
        Self { trials, filter, open }
    }

    fn chosen(&self) -> &'t [u8] {
        self.trials[self.filter]
    }

    /// By what bytes take. Whether that is another one than before.
    fn again(&mut self, costs: &[u32; 256]) -> bool {
        let mut of = [u32::MAX; FILTERS.len()];
        for ((cost, trial), is_open) in of.iter_mut().zip(self.trials).zip(self.open) {
            if is_open {
                *cost = trial.iter().map(|&byte| costs[usize::from(byte)]).sum();
            }
        }
        let filter = (0..FILTERS.len()).min_by_key(|&filter| of[filter]).unwrap_or(0);
        let bound = of[filter] + of[filter] / NEAR;
        self.open = of.map(|cost| cost <= bound);
        std::mem::replace(&mut self.filter, filter) != filter
    }
}

/// Each row with each filter.
fn trials(rows: &[u8], row_bytes: usize, step: usize) -> Vec<u8> {
    let mut trials = vec![0; FILTERS.len() * rows.len()];
    // Beyond the left and the upper edge all is 0.
    let mut above = vec![0; step + row_bytes];
    let mut here = above.clone();
    for (row, trials) in rows.chunks_exact(row_bytes).zip(trials.chunks_exact_mut(FILTERS.len() * row_bytes))
    {
        here[step..].copy_from_slice(row);
        for (filter, trial) in FILTERS.into_iter().zip(trials.chunks_exact_mut(row_bytes)) {
            apply(filter, &here, &above, step, trial);
        }
        std::mem::swap(&mut here, &mut above);
    }
    trials
}

/// Both rows begin `step` bytes before their first pixel.
fn apply(filter: Filter, here: &[u8], above: &[u8], step: usize, out: &mut [u8]) {
    let row = &here[step..];
    let (a, b, c) = (&here[..row.len()], &above[step..], &above[..row.len()]);
    match filter {
        Filter::None => out.copy_from_slice(row),
        Filter::Sub => {
            out.iter_mut().zip(row).zip(a).for_each(|((out, &x), &a)| *out = x.wrapping_sub(a));
        }
        Filter::Up => {
            out.iter_mut().zip(row).zip(b).for_each(|((out, &x), &b)| *out = x.wrapping_sub(b));
        }
        Filter::Average => {
            for (((out, &x), &a), &b) in out.iter_mut().zip(row).zip(a).zip(b) {
                // The mean, rounded down.
                *out = x.wrapping_sub((a & b) + ((a ^ b) >> 1));
            }
        }
        Filter::Paeth => {
            for ((((out, &x), &a), &b), &c) in out.iter_mut().zip(row).zip(a).zip(b).zip(c) {
                *out = x.wrapping_sub(paeth(a, b, c));
            }
        }
    }
}
