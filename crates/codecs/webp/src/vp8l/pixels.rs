//! The entropy-coded pixels (RFC 9649, sections 3.6.2 and 3.7.3): literals, references back, colour cache.
//!
//! The buffer holds what references can reach, not the image: a distance is less than 2^20 pixels.

use crate::{
    error::Error,
    vp8l::{
        bit_reader::BitReader,
        colour_cache::ColourCache,
        distance::distance,
        group::Group,
        prefix_code::{Code, Entry},
        tables::Tables,
    },
};

/// The largest distance that can be coded: 2^20 less the 120 codes for near neighbours.
const REACH: usize = 1 << 20;
/// A reference copies at most this many pixels.
const MAX_COPY: usize = 4096;
/// Copying goes by four pixels, so up to three too many.
const SLACK: usize = 3;
const FIRST_LENGTH_CODE: u32 = 256;
const FIRST_CACHE_CODE: u32 = 256 + 24;

/// Which group of codes applies where, in square blocks.
#[derive(Clone, Debug)]
pub(crate) struct GroupMap {
    /// Blocks are `1 << block_bits` pixels a side.
    pub(crate) block_bits: u32,
    pub(crate) blocks_per_row: usize,
    /// Group numbers, all within [`Tables::groups`]; empty where there is only one group.
    pub(crate) numbers: Vec<u16>,
}

/// Decodes an image's pixels from the first to the last.
#[derive(Clone, Debug)]
pub(crate) struct PixelDecoder {
    tables: Tables,
    map: GroupMap,
    cache: ColourCache,
    width: usize,
    /// Pixels of the whole image.
    total: usize,
    /// Pixels decoded so far.
    decoded: usize,
    /// A ring: pixel `n` of the image is at `n % lap`. Behind its end there is room for what a copy writes beyond a batch.
    buffer: Vec<u32>,
    /// A multiple of `batch`, so that no batch goes over the end; `total` where the ring has no second lap.
    lap: usize,
    /// The image's pixel that is at 0.
    lap_start: usize,
}

impl PixelDecoder {
    /// `batch`: pixels that are asked for at once, whole rows. More than [`MAX_COPY`], unless they are all.
    pub(crate) fn new(
        tables: Tables,
        map: GroupMap,
        cache_bits: u32,
        width: usize,
        height: usize,
        batch: usize,
    ) -> Self {
        let total = width * height;
        // What is about to be overwritten is out of reach, by a batch.
        let lap = total.min((REACH / batch + 2) * batch);
        Self {
            tables,
            map,
            cache: ColourCache::new(cache_bits),
            width,
            total,
            decoded: 0,
            buffer: Vec::with_capacity(total.min(lap + MAX_COPY) + SLACK),
            lap,
            lap_start: 0,
        }
    }

    /// Pixels decoded so far; may be beyond what was asked for.
    pub(crate) const fn decoded(&self) -> usize {
        self.decoded
    }

    /// Pixels `first..last` of the batch asked for last, or of the one after it if it has been decoded along.
    pub(crate) fn pixels(&self, first: usize, last: usize) -> &[u32] {
        &self.buffer[first - self.lap_start..last - self.lap_start]
    }

    /// All pixels of an image that was decoded in one go.
    pub(crate) fn into_pixels(mut self) -> Vec<u32> {
        self.buffer.truncate(self.total);
        self.buffer
    }

    /// Decodes until pixel `until`, the end of a batch, is reached. Stops early, without an error, where the data end.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn decode(&mut self, bits: &mut BitReader<'_>, until: usize) -> Result<(), Error> {
        if until > self.lap_start + self.lap {
            // What was decoded beyond the last batch is the beginning of the next lap.
            let beyond = self.decoded - self.lap_start;
            self.buffer.copy_within(self.lap..beyond, 0);
            self.lap_start += self.lap;
        }
        // Grows with the batches: memory that is never reached is never touched.
        let needed = (until + MAX_COPY).min(self.total) + SLACK - self.lap_start;
        if needed > self.buffer.len() {
            self.buffer.resize(needed, 0);
        }
        let mut reader = *bits;
        let result = if self.cache.is_used {
            self.decode_run::<true>(&mut reader, until)
        } else {
            self.decode_run::<false>(&mut reader, until)
        };
        *bits = reader;
        result
    }

    /// `CACHED`: there is a colour cache.
    fn decode_run<const CACHED: bool>(
        &mut self,
        bits: &mut BitReader<'_>,
        until: usize,
    ) -> Result<(), Error> {
        let Self { tables, map, cache, width, total, buffer, lap, lap_start, .. } = self;
        let (width, total, lap, lap_start) = (*width, *total, *lap, *lap_start);
        let entries = &tables.entries[..];
        let buffer = &mut buffer[..];
        let end = until - lap_start;
        let mut at = self.decoded - lap_start;
        let mut y = self.decoded / width;
        let mut row_start = at - self.decoded % width;
        'runs: while at < end {
            while at - row_start >= width {
                row_start += width;
                y += 1;
            }
            // One group applies until `stop`.
            let x = at - row_start;
            let (number, run) = if map.numbers.is_empty() {
                (0, width - x)
            } else {
                let block = (y >> map.block_bits) * map.blocks_per_row + (x >> map.block_bits);
                let block_end = ((x >> map.block_bits) + 1) << map.block_bits;
                (usize::from(map.numbers[block]), block_end.min(width) - x)
            };
            let group = &tables.groups[number];
            let stop = (at + run).min(end);

            let mut cursor = Cursor { bits: *bits, ahead: bits.ahead() };
            let mut packed = group.packed(entries, cursor.ahead);
            while at < stop {
                // The entry was looked up before: so the tables and the stream are waited for at the same time.
                cursor.look();
                if packed.is_colour() {
                    cursor.skip(packed.bits());
                    let colour = group.read_alpha(entries, &mut cursor) | packed.value();
                    packed = group.packed(entries, cursor.ahead);
                    buffer[at] = colour;
                    at += 1;
                    if CACHED {
                        cache.insert(colour);
                    }
                    continue;
                }
                let green = if packed.is_green() {
                    cursor.skip(packed.bits());
                    packed.value()
                } else {
                    cursor.take(group.green, entries)
                };
                if green < FIRST_LENGTH_CODE {
                    let red = cursor.take(group.red, entries);
                    let blue = cursor.take(group.blue, entries);
                    if group.fixed_alpha.is_none() {
                        cursor.look();
                    }
                    let colour = group.read_alpha(entries, &mut cursor) | (red << 16) | (green << 8) | blue;
                    packed = group.packed(entries, cursor.ahead);
                    buffer[at] = colour;
                    at += 1;
                    if CACHED {
                        cache.insert(colour);
                    }
                } else if green < FIRST_CACHE_CODE {
                    cursor.look();
                    // Up to 10 bits, 15, and 18.
                    let length = prefixed(&mut cursor, green - FIRST_LENGTH_CODE) as usize;
                    let symbol = cursor.take(group.distance, entries);
                    let distance = distance(prefixed(&mut cursor, symbol) as usize, width);
                    packed = group.packed(entries, cursor.ahead);
                    if cursor.bits.is_exhausted() {
                        *bits = cursor.bits;
                        break 'runs;
                    }
                    if distance > lap_start + at {
                        return Err(Error::Malformed("reference to before the image"));
                    }
                    if length > total - (lap_start + at) {
                        return Err(Error::Malformed("reference beyond the image"));
                    }
                    if distance <= at {
                        copy(buffer, at, distance, length);
                    } else {
                        copy_from_last_lap(buffer, at, lap + at - distance, length, lap);
                    }
                    at += length;
                    if CACHED {
                        // Where the copy repeats itself, what comes last is in the cache afterwards.
                        for &colour in &buffer[at - length.min(distance)..at] {
                            cache.insert(colour);
                        }
                    }
                } else {
                    packed = group.packed(entries, cursor.ahead);
                    buffer[at] = cache
                        .look_up(green - FIRST_CACHE_CODE)
                        .ok_or(Error::Malformed("colour cache code out of range"))?;
                    at += 1;
                }
            }
            *bits = cursor.bits;
            if bits.is_exhausted() {
                break;
            }
        }
        self.decoded = lap_start + at;
        if bits.is_exhausted() {
            // Which of the last pixels are made of bits that are not there is not known: their row is given up.
            self.decoded = self.decoded.saturating_sub(1) / width * width;
        }
        Ok(())
    }
}

/// A place in the stream, and what comes next there. The last [`Cursor::look`] is good for 57 bits: three symbols of 15, or one of 15
/// and two numbers of extra bits (10 and 18), and the index of a packed entry.
struct Cursor<'a> {
    bits: BitReader<'a>,
    ahead: u64,
}

impl Cursor<'_> {
    #[inline(always)]
    fn look(&mut self) {
        self.ahead = self.bits.ahead();
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.ahead >>= count;
        self.bits.skip(count);
    }

    /// The next symbol.
    #[inline(always)]
    fn take(&mut self, code: Code, entries: &[Entry]) -> u32 {
        let (symbol, count) = code.look_up(entries, self.ahead);
        self.skip(count);
        symbol
    }
}

impl Group {
    /// The alpha of a pixel, in its place.
    #[inline(always)]
    fn read_alpha(&self, entries: &[Entry], bits: &mut Cursor<'_>) -> u32 {
        match self.fixed_alpha {
            Some(alpha) => alpha,
            None => bits.take(self.alpha, entries) << 24,
        }
    }
}

/// The value of a length or distance symbol with its up to 18 extra bits (section 3.6.2.1).
#[inline(always)]
fn prefixed(bits: &mut Cursor<'_>, symbol: u32) -> u32 {
    if symbol < 4 {
        return symbol + 1;
    }
    let extra = (symbol - 2) >> 1;
    let low = (bits.ahead & ((1 << extra) - 1)) as u32;
    bits.skip(extra);
    ((2 + (symbol & 1)) << extra) + low + 1
}

/// Copies `length` pixels to `at` from `distance` before; where the two overlap, what was copied is copied on. May overwrite
/// [`SLACK`] pixels more.
#[inline(always)]
fn copy(buffer: &mut [u32], at: usize, distance: usize, length: usize) {
    // A call for a large block costs more than a short loop.
    const SHORT: usize = 64;
    let from = at - distance;
    if distance >= length && length > SHORT {
        buffer.copy_within(from..from + length, at);
        return;
    }
    let window = &mut buffer[from..at + length + SLACK];
    let (mut from, mut to) = (0, distance);
    if distance == 1 {
        let four = [window[0]; 4];
        while to <= length {
            window[to..to + 4].copy_from_slice(&four);
            to += 4;
        }
    } else if distance >= 4 {
        while from < length {
            if let Some(four) = window[from..].first_chunk::<4>().copied() {
                window[to..to + 4].copy_from_slice(&four);
            }
            (from, to) = (from + 4, to + 4);
        }
    } else {
        while from < length {
            window[to] = window[from];
            (from, to) = (from + 1, to + 1);
        }
    }
}

/// As [`copy`], where the first pixels to copy are in the lap before, from `from` on.
#[cold]
fn copy_from_last_lap(buffer: &mut [u32], at: usize, from: usize, length: usize, lap: usize) {
    for step in 0..length {
        let from = from + step;
        buffer[at + step] = buffer[if from < lap { from } else { from - lap }];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_repeat_themselves_where_they_overlap() {
        for distance in 1..80 {
            for length in 1..150 {
                let mut buffer: Vec<u32> = (0..distance as u32).collect();
                buffer.resize(distance + length + SLACK, 1 << 20);
                copy(&mut buffer, distance, distance, length);
                buffer.truncate(distance + length);
                let repeated: Vec<u32> = (0..distance as u32).cycle().take(distance + length).collect();
                assert_eq!(buffer, repeated, "distance {distance}, length {length}");
            }
        }
    }

    #[test]
    fn copies_go_on_over_the_end_of_a_lap() {
        let mut buffer: Vec<u32> = (0..20).collect();
        copy_from_last_lap(&mut buffer, 5, 14, 7, 16);
        assert_eq!(buffer[5..12], [14, 15, 0, 1, 2, 3, 4]);
    }
}
