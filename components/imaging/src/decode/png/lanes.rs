//! Four rows of pixels of three or four bytes unfiltered at once.
//!
//! A byte needs the one to its left to be done: one row alone is a chain in which the processor waits for itself. But the
//! row below may follow one pixel behind, so four rows go abreast like stairs, two to a vector of eight 16-bit lanes: at
//! step t, row r is at pixel t - r. What a row needs from above is then what the row above it gave one step ago.

use super::unfilter::{AVERAGE, PAETH, SUB, UP};
use super::vector::Lanes;

/// Rows that go abreast.
pub(super) const BATCH: usize = 4;

/// As [`super::unfilter::rows`], for four rows. The filters are known to exist.
pub(super) fn unfilter_batch(
    raw: &[u8],
    filters: [u8; BATCH],
    bytes_per_pixel: usize,
    row_bytes: usize,
    rows: &mut [Vec<u8>; BATCH + 1],
) -> Option<()> {
    let [above, first, second, third, fourth] = rows.each_mut();
    let mut raw_rows = raw.chunks_exact(row_bytes + 1).filter_map(|raw| raw.get(1..));
    let raw = [raw_rows.next()?, raw_rows.next()?, raw_rows.next()?, raw_rows.next()?];
    let out = [&mut first[..], second, third, fourth];
    let predictors = [Predictor::new([filters[0], filters[1]]), Predictor::new([filters[2], filters[3]])];
    let mut stairs = Stairs { predictors, before: [Lanes::splat(0); 2], above_before: [Lanes::splat(0); 2] };
    let pixels = row_bytes / bytes_per_pixel;
    for step in 0..pixels + BATCH - 1 {
        let stored: [u32; BATCH] = std::array::from_fn(|row| {
            step.checked_sub(row).map_or(0, |pixel| load(raw[row], pixel * bytes_per_pixel))
        });
        let done = stairs.step(load(above, step * bytes_per_pixel), stored);
        for (row, done) in done.into_iter().enumerate() {
            if let Some(pixel) = step.checked_sub(row)
                && pixel < pixels
            {
                // The byte too many of a pixel of three is the next pixel's, or the margin.
                let at = pixel * bytes_per_pixel;
                out[row].get_mut(at..at + 4)?.copy_from_slice(&done.to_le_bytes());
            }
        }
    }
    Some(())
}

/// Four bytes; zeros where the row ends.
fn load(row: &[u8], at: usize) -> u32 {
    if let Some(bytes) = row.get(at..at + 4)
        && let Ok(bytes) = bytes.try_into()
    {
        return u32::from_le_bytes(bytes);
    }
    let mut bytes = [0; 4];
    for (byte, &stored) in bytes.iter_mut().zip(row.get(at..).unwrap_or_default()) {
        *byte = stored;
    }
    u32::from_le_bytes(bytes)
}

/// Which lanes take which prediction: masks of all ones or zeros.
#[derive(Clone, Copy)]
struct Predictor {
    sub: Lanes,
    up: Lanes,
    average: Lanes,
    paeth: Lanes,
}

impl Predictor {
    fn new(filters: [u8; 2]) -> Self {
        // Bytes of ones suffice: no prediction has more.
        let mask = |filter| Lanes::pixels(filters.map(|of_row| if of_row == filter { u32::MAX } else { 0 }));
        Self { sub: mask(SUB), up: mask(UP), average: mask(AVERAGE), paeth: mask(PAETH) }
    }

    fn predict(&self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        let (low, high) = (a.min(b), a.max(b));
        let sum = a.add(b);
        let threshold = c.add(c).add(c).sub(sum);
        let nearest = Lanes::select(high.greater(threshold), c, low);
        let paeth = Lanes::select(threshold.greater(low), nearest, high);
        let others = a.and(self.sub).or(b.and(self.up)).or(sum.half().and(self.average));
        others.or(paeth.and(self.paeth))
    }
}

/// Two rows to a vector, the upper one in its low half.
struct Stairs {
    predictors: [Predictor; 2],
    /// What the last step gave.
    before: [Lanes; 2],
    /// What was above at the last step.
    above_before: [Lanes; 2],
}

impl Stairs {
    fn step(&mut self, above: u32, stored: [u32; BATCH]) -> [u32; BATCH] {
        let [upper, lower] = self.before;
        let above = [Lanes::low_low(Lanes::pixels([above, 0]), upper), Lanes::high_low(upper, lower)];
        let stored = [Lanes::pixels([stored[0], stored[1]]), Lanes::pixels([stored[2], stored[3]])];
        let mut done = [0; BATCH];
        for pair in 0..2 {
            let prediction =
                self.predictors[pair].predict(self.before[pair], above[pair], self.above_before[pair]);
            let sum = stored[pair].add(prediction).and(Lanes::splat(0xFF));
            self.before[pair] = sum;
            [done[2 * pair], done[2 * pair + 1]] = sum.to_pixels();
        }
        self.above_before = above;
        done
    }
}
