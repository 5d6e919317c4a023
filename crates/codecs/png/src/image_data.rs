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

/// `rows` of `row_bytes` each, at least 1, as IDAT holds them; `step`: the bytes from one pixel to the next, at least 1. Memory: six times that of `rows` and
/// some hundred KiB.
#[must_use]
pub fn image_data(rows: &[u8], row_bytes: usize, step: usize) -> Vec<u8> {
    zlib(&filtered(rows, row_bytes, step))
}

fn filtered(rows: &[u8], row_bytes: usize, step: usize) -> Vec<u8> {
    let trials = trials(rows, row_bytes, step);
    let of_rows = || trials.chunks_exact(FILTERS.len() * row_bytes);
    let least = |row: &[u8], cost: &dyn Fn(&[u8]) -> u32| {
        let costs = row.chunks_exact(row_bytes).map(cost).enumerate();
        costs.min_by_key(|&(_, cost)| cost).map_or(0, |(filter, _)| filter)
    };
    let sum = |row: &[u8]| row.iter().map(|&byte| u32::from((byte as i8).unsigned_abs())).sum();
    let mut chosen: Vec<usize> = of_rows().map(|row| least(row, &sum)).collect();
    for _ in 0..ROUNDS {
        let mut counts = [0_u32; 256];
        for (row, filter) in of_rows().zip(&chosen) {
            row[filter * row_bytes..][..row_bytes].iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        }
        let costs = literal_costs(&counts);
        let cost = |row: &[u8]| row.iter().map(|&byte| costs[usize::from(byte)]).sum();
        let better: Vec<usize> = of_rows().map(|row| least(row, &cost)).collect();
        if better == chosen {
            break;
        }
        chosen = better;
    }
    let mut stream = Vec::with_capacity(rows.len() + chosen.len());
    for (row, &filter) in of_rows().zip(&chosen) {
        // One of five.
        stream.push(filter as u8);
        stream.extend_from_slice(&row[filter * row_bytes..][..row_bytes]);
    }
    stream
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
