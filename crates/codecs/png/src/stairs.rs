//! Four rows of pixels of three or four bytes unfiltered at once.
//!
//! A byte needs the one to its left to be done: one row alone is a chain in which the processor waits for itself. But the
//! row below may follow one pixel behind, so four rows go abreast like stairs, two to a vector of eight 16-bit lanes: at
//! step t, row r is at pixel t - r. What a row needs from above is then what the row above it gave one step ago.

use thumbs_lanes::{I16x8, U8x16};

use crate::filter::Filter;

/// Rows that go abreast.
pub(crate) const BATCH: usize = 4;
/// Steps that are taken at a time between the ends of the rows, so that bytes are loaded and stored by words.
const GROUP: usize = 4;

/// As [`crate::unfilter::rows`], for four rows of pixels of three or four bytes.
pub(crate) fn unfilter_batch(
    raw: &[u8],
    filters: [Filter; BATCH],
    bytes_per_pixel: usize,
    row_bytes: usize,
    rows: &mut [Vec<u8>; BATCH + 1],
) -> Option<()> {
    let mut raw_rows = raw.chunks_exact(row_bytes + 1).filter_map(|raw| raw.get(1..));
    let raw = [raw_rows.next()?, raw_rows.next()?, raw_rows.next()?, raw_rows.next()?];
    let [above, first, second, third, fourth] = rows.each_mut();
    let above = above.get(..row_bytes)?;
    let rows = [
        first.get_mut(..row_bytes)?,
        second.get_mut(..row_bytes)?,
        third.get_mut(..row_bytes)?,
        fourth.get_mut(..row_bytes)?,
    ];
    match (bytes_per_pixel, filters.contains(&Filter::Paeth)) {
        (3, true) => Stairs::<3, 12, true>::new(filters).run(above, raw, rows),
        (3, false) => Stairs::<3, 12, false>::new(filters).run(above, raw, rows),
        (_, true) => Stairs::<4, 16, true>::new(filters).run(above, raw, rows),
        (_, false) => Stairs::<4, 16, false>::new(filters).run(above, raw, rows),
    }
    Some(())
}

/// Which lanes take which prediction: masks of ones or zeros.
#[derive(Clone, Copy)]
struct Masks {
    sub: I16x8,
    up: I16x8,
    average: I16x8,
    paeth: I16x8,
}

impl Masks {
    fn new(filters: [Filter; 2]) -> Self {
        // Bytes of ones suffice: no prediction has more.
        let mask = |filter| widen(filters.map(|of_row| if of_row == filter { u32::MAX } else { 0 }));
        Self {
            sub: mask(Filter::Sub),
            up: mask(Filter::Up),
            average: mask(Filter::Average),
            paeth: mask(Filter::Paeth),
        }
    }
}

/// Two rows to a vector, the upper one in its low half. `BYTES` a pixel, `BYTES_OF_GROUP` four pixels; `HAS_PAETH` is
/// whether any row needs the costliest prediction.
struct Stairs<const BYTES: usize, const BYTES_OF_GROUP: usize, const HAS_PAETH: bool> {
    masks: [Masks; 2],
    /// What the last step gave.
    before: [I16x8; 2],
    /// What was above at the last step.
    above_before: [I16x8; 2],
}

impl<const BYTES: usize, const BYTES_OF_GROUP: usize, const HAS_PAETH: bool>
    Stairs<BYTES, BYTES_OF_GROUP, HAS_PAETH>
{
    fn new(filters: [Filter; BATCH]) -> Self {
        let [first, second, third, fourth] = filters;
        Self {
            masks: [Masks::new([first, second]), Masks::new([third, fourth])],
            before: [I16x8::splat(0); 2],
            above_before: [I16x8::splat(0); 2],
        }
    }

    /// All slices have the length of a row.
    fn run(&mut self, above: &[u8], raw: [&[u8]; BATCH], mut rows: [&mut [u8]; BATCH]) {
        let steps = above.len() / BYTES + BATCH - 1;
        let lead = BATCH - 1;
        for step in 0..lead.min(steps) {
            self.single(step, above, raw, &mut rows);
        }
        let mut step = lead;
        {
            // Each row from where it is at step `lead`.
            let from = |row: usize| (lead - row) * BYTES;
            let [first, second, third, fourth] = rows.each_mut();
            let rows = groups_mut::<BYTES_OF_GROUP>(first, from(0))
                .zip(groups_mut::<BYTES_OF_GROUP>(second, from(1)))
                .zip(groups_mut::<BYTES_OF_GROUP>(third, from(2)))
                .zip(groups_mut::<BYTES_OF_GROUP>(fourth, from(3)));
            let raw = groups::<BYTES_OF_GROUP>(raw[0], from(0))
                .zip(groups::<BYTES_OF_GROUP>(raw[1], from(1)))
                .zip(groups::<BYTES_OF_GROUP>(raw[2], from(2)))
                .zip(groups::<BYTES_OF_GROUP>(raw[3], from(3)));
            let above = groups::<BYTES_OF_GROUP>(above, from(0));
            for ((above, (((r0, r1), r2), r3)), (((o0, o1), o2), o3)) in above.zip(raw).zip(rows) {
                let above = split::<BYTES>(above);
                let [r0, r1, r2, r3] = [r0, r1, r2, r3].map(|group| split::<BYTES>(group));
                let mut done = [[0; GROUP]; BATCH];
                for at in 0..GROUP {
                    let pixels = self.step(above[at], [r0[at], r1[at], r2[at], r3[at]]);
                    for (done, pixel) in done.iter_mut().zip(pixels) {
                        done[at] = pixel;
                    }
                }
                for (group, done) in [o0, o1, o2, o3].into_iter().zip(done) {
                    join::<BYTES>(group, done);
                }
                step += GROUP;
            }
        }
        for step in step..steps {
            self.single(step, above, raw, &mut rows);
        }
    }

    /// One step near the ends of the rows, where some rows have no pixel.
    fn single(&mut self, step: usize, above: &[u8], raw: [&[u8]; BATCH], rows: &mut [&mut [u8]; BATCH]) {
        let at = |row: usize| step.checked_sub(row).map(|pixel| pixel * BYTES..(pixel + 1) * BYTES);
        let load = |row: &[u8], place: Option<std::ops::Range<usize>>| {
            let bytes = place.and_then(|place| row.get(place)).unwrap_or_default();
            bytes.iter().rev().fold(0, |pixel, &byte| pixel << 8 | u32::from(byte))
        };
        let stored = std::array::from_fn(|row| load(raw[row], at(row)));
        let pixels = self.step(load(above, at(0)), stored);
        for (index, (row, pixel)) in rows.iter_mut().zip(pixels).enumerate() {
            if let Some(place) = at(index).and_then(|place| row.get_mut(place)) {
                for (byte, value) in place.iter_mut().zip(pixel.to_le_bytes()) {
                    *byte = value;
                }
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, above: u32, stored: [u32; BATCH]) -> [u32; BATCH] {
        let [upper, lower] = self.before;
        let above = [I16x8::join_lower(widen([above, 0]), upper), I16x8::join_upper_lower(upper, lower)];
        let [first, second, third, fourth] = stored;
        let stored = [widen([first, second]), widen([third, fourth])];
        for pair in 0..2 {
            let prediction = self.predict(pair, above[pair]);
            self.before[pair] = stored[pair].add(prediction).and(I16x8::splat(0xFF));
        }
        self.above_before = above;
        let ([first, second], [third, fourth]) = (narrow(self.before[0]), narrow(self.before[1]));
        [first, second, third, fourth]
    }

    #[inline(always)]
    fn predict(&self, pair: usize, b: I16x8) -> I16x8 {
        let (a, c, masks) = (self.before[pair], self.above_before[pair], &self.masks[pair]);
        let sum = a.add(b);
        let simple = a.and(masks.sub).or(b.and(masks.up)).or(sum.shift_right(1).and(masks.average));
        if !HAS_PAETH {
            return simple;
        }
        let (low, high) = (a.min(b), a.max(b));
        let threshold = c.add(c).add(c).sub(sum);
        let nearest = high.is_greater(threshold).select(c, low);
        let paeth = threshold.is_greater(low).select(nearest, high);
        simple.or(paeth.and(masks.paeth))
    }
}

/// The bytes of two pixels as numbers, first those of the first.
#[inline(always)]
fn widen([first, second]: [u32; 2]) -> I16x8 {
    U8x16::from_pixels([first, second, 0, 0]).widen_low()
}

/// Back from [`widen`], of numbers from 0 to 255.
#[inline(always)]
fn narrow(pixels: I16x8) -> [u32; 2] {
    let [first, second, ..] = U8x16::narrow(pixels, pixels).to_pixels();
    [first, second]
}

fn groups<const BYTES: usize>(row: &[u8], from: usize) -> impl Iterator<Item = &[u8; BYTES]> {
    row.get(from..).unwrap_or_default().as_chunks::<BYTES>().0.iter()
}

fn groups_mut<const BYTES: usize>(row: &mut [u8], from: usize) -> impl Iterator<Item = &mut [u8; BYTES]> {
    row.get_mut(from..).unwrap_or_default().as_chunks_mut::<BYTES>().0.iter_mut()
}

/// Four pixels to a word each. Of pixels of three bytes the fourth is anything.
#[inline(always)]
fn split<const BYTES: usize>(group: &[u8]) -> [u32; GROUP] {
    let words = group.as_chunks::<4>().0;
    let word = |index: usize| words.get(index).map_or(0, |&bytes| u32::from_le_bytes(bytes));
    let (first, second, third) = (word(0), word(1), word(2));
    if BYTES == 4 {
        return [first, second, third, word(3)];
    }
    [first, first >> 24 | second << 8, second >> 16 | third << 16, third >> 8]
}

/// Back from [`split`].
#[inline(always)]
fn join<const BYTES: usize>(group: &mut [u8], [first, second, third, fourth]: [u32; GROUP]) {
    let words = if BYTES == 4 {
        [first, second, third, fourth]
    } else {
        [
            first & 0x00FF_FFFF | second << 24,
            second >> 8 & 0xFFFF | third << 16,
            third >> 16 & 0xFF | fourth << 8,
            0,
        ]
    };
    for (bytes, word) in group.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
}
