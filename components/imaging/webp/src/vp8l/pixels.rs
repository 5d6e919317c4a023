//! The entropy-coded pixels (RFC 9649, sections 3.6.2 and 3.7.3): literals, references back, colour cache.
//!
//! The buffer holds what references can reach, not the image: a distance is less than 2^20 pixels.

use crate::{
    error::Error,
    vp8l::{
        bit_reader::BitReader,
        tables::{Group, Tables},
    },
};

/// The largest distance that can be coded: 2^20 less the 120 codes for near neighbours.
const REACH: usize = 1 << 20;
/// A reference copies at most so many pixels.
const MAX_COPY: usize = 4096;
const FIRST_LENGTH_CODE: u32 = 256;
const FIRST_CACHE_CODE: u32 = 256 + 24;

/// Near neighbours by distance code: columns to the left, rows up (section 3.6.2.2).
const NEIGHBOURS: [(i8, i8); 120] = [
    (0, 1),
    (1, 0),
    (1, 1),
    (-1, 1),
    (0, 2),
    (2, 0),
    (1, 2),
    (-1, 2),
    (2, 1),
    (-2, 1),
    (2, 2),
    (-2, 2),
    (0, 3),
    (3, 0),
    (1, 3),
    (-1, 3),
    (3, 1),
    (-3, 1),
    (2, 3),
    (-2, 3),
    (3, 2),
    (-3, 2),
    (0, 4),
    (4, 0),
    (1, 4),
    (-1, 4),
    (4, 1),
    (-4, 1),
    (3, 3),
    (-3, 3),
    (2, 4),
    (-2, 4),
    (4, 2),
    (-4, 2),
    (0, 5),
    (3, 4),
    (-3, 4),
    (4, 3),
    (-4, 3),
    (5, 0),
    (1, 5),
    (-1, 5),
    (5, 1),
    (-5, 1),
    (2, 5),
    (-2, 5),
    (5, 2),
    (-5, 2),
    (4, 4),
    (-4, 4),
    (3, 5),
    (-3, 5),
    (5, 3),
    (-5, 3),
    (0, 6),
    (6, 0),
    (1, 6),
    (-1, 6),
    (6, 1),
    (-6, 1),
    (2, 6),
    (-2, 6),
    (6, 2),
    (-6, 2),
    (4, 5),
    (-4, 5),
    (5, 4),
    (-5, 4),
    (3, 6),
    (-3, 6),
    (6, 3),
    (-6, 3),
    (0, 7),
    (7, 0),
    (1, 7),
    (-1, 7),
    (5, 5),
    (-5, 5),
    (7, 1),
    (-7, 1),
    (4, 6),
    (-4, 6),
    (6, 4),
    (-6, 4),
    (2, 7),
    (-2, 7),
    (7, 2),
    (-7, 2),
    (3, 7),
    (-3, 7),
    (7, 3),
    (-7, 3),
    (5, 6),
    (-5, 6),
    (6, 5),
    (-6, 5),
    (8, 0),
    (4, 7),
    (-4, 7),
    (7, 4),
    (-7, 4),
    (8, 1),
    (8, 2),
    (6, 6),
    (-6, 6),
    (8, 3),
    (5, 7),
    (-5, 7),
    (7, 5),
    (-7, 5),
    (8, 4),
    (6, 7),
    (-6, 7),
    (7, 6),
    (-7, 6),
    (8, 5),
    (7, 7),
    (-7, 7),
    (8, 6),
    (8, 7),
];

/// Which group of codes applies where, in square blocks.
#[derive(Clone, Debug)]
pub(crate) struct GroupMap {
    /// Blocks are `1 << block_bits` pixels a side.
    pub(crate) block_bits: u32,
    pub(crate) blocks_per_row: usize,
    /// Group numbers, all within [`Tables::groups`]; empty where there is only one group.
    pub(crate) numbers: Vec<u16>,
}

/// Recently seen colours by their hash.
#[derive(Clone, Debug)]
struct ColourCache {
    /// 32 less the bits of an index; a cache that is not used has one colour.
    shift: u32,
    colours: Vec<u32>,
}

impl ColourCache {
    fn new(bits: u32) -> Self {
        // With 0 bits the shift would be 32, which no u32 allows.
        Self { shift: 32 - bits.max(1), colours: vec![0; 1 << bits.max(1)] }
    }

    #[inline(always)]
    fn insert(&mut self, colour: u32) {
        let at = colour.wrapping_mul(0x1e35_a7bd) >> self.shift;
        self.colours[at as usize] = colour;
    }
}

/// Decodes an image's pixels from the first to the last.
#[derive(Clone, Debug)]
pub(crate) struct PixelDecoder {
    tables: Tables,
    map: GroupMap,
    cache: Option<ColourCache>,
    width: usize,
    /// Pixels of the whole image.
    total: usize,
    /// Pixels decoded so far.
    decoded: usize,
    /// The pixels up to `decoded`, as far back as references reach.
    buffer: Vec<u32>,
    /// The image's pixel that `buffer` begins with.
    buffer_start: usize,
}

impl PixelDecoder {
    /// `batch`: pixels that are asked for at once at most.
    pub(crate) fn new(
        tables: Tables,
        map: GroupMap,
        cache_bits: u32,
        width: usize,
        height: usize,
        batch: usize,
    ) -> Self {
        let total = width * height;
        // Twice the reach, so that moving the part still in reach to the front costs one copy per pixel.
        let room = total.min(2 * REACH + batch + MAX_COPY);
        Self {
            tables,
            map,
            cache: (cache_bits > 0).then(|| ColourCache::new(cache_bits)),
            width,
            total,
            decoded: 0,
            buffer: vec![0; room],
            buffer_start: 0,
        }
    }

    /// Pixels decoded so far; may be beyond what was asked for.
    pub(crate) const fn decoded(&self) -> usize {
        self.decoded
    }

    /// Pixels `first..last`; they must have been decoded, and the last call to [`Self::decode`] asked for them.
    pub(crate) fn pixels(&self, first: usize, last: usize) -> &[u32] {
        &self.buffer[first - self.buffer_start..last - self.buffer_start]
    }

    /// All pixels of an image that was decoded in one go.
    pub(crate) fn into_pixels(self) -> Vec<u32> {
        self.buffer
    }

    /// Decodes until pixel `until` is reached. Pixels from `keep` on stay available. Stops early, without an error, where
    /// the data end.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn decode(
        &mut self,
        bits: &mut BitReader<'_>,
        keep: usize,
        until: usize,
    ) -> Result<(), Error> {
        let needed = (until + MAX_COPY).min(self.total) - self.buffer_start;
        if needed > self.buffer.len() {
            let keep = keep.min(self.decoded.saturating_sub(REACH)) - self.buffer_start;
            self.buffer.copy_within(keep..self.decoded - self.buffer_start, 0);
            self.buffer_start += keep;
        }
        let mut reader = *bits;
        let result = if self.cache.is_some() {
            self.decode_run::<true>(&mut reader, until)
        } else {
            self.decode_run::<false>(&mut reader, until)
        };
        *bits = reader;
        result
    }

    fn group(&self, pixel: usize) -> Group {
        let (x, y) = (pixel % self.width, pixel / self.width);
        let bits = self.map.block_bits;
        let number = self.map.numbers.get((y >> bits) * self.map.blocks_per_row + (x >> bits));
        self.tables.groups[number.map_or(0, |&number| usize::from(number))]
    }

    /// `CACHED`: there is a colour cache.
    fn decode_run<const CACHED: bool>(
        &mut self,
        bits: &mut BitReader<'_>,
        until: usize,
    ) -> Result<(), Error> {
        let block_mask =
            if self.map.numbers.is_empty() { usize::MAX } else { (1 << self.map.block_bits) - 1 };
        let width = self.width;
        let mut x = self.decoded % width;
        let mut at = self.decoded - self.buffer_start;
        let end = until - self.buffer_start;
        // Colours enter the cache late: only when it is looked at, or the end is reached.
        let mut cached = at;
        let mut group = self.group(self.decoded.min(self.total - 1));
        while at < end {
            if x & block_mask == 0 {
                group = self.group(self.buffer_start + at);
            }
            let entries = &self.tables.entries[..];
            bits.fill();
            let (green, length) = group.green.look_up(entries, bits.peek());
            bits.consume(length);
            if green < FIRST_LENGTH_CODE {
                let rest = if let Some(fixed) = group.fixed {
                    fixed
                } else {
                    let (red, length) = group.red.look_up(entries, bits.peek());
                    bits.consume(length);
                    let (blue, length) = group.blue.look_up(entries, bits.peek());
                    bits.consume(length);
                    // Up to 45 of 56 bits are used.
                    bits.fill();
                    let (alpha, length) = group.alpha.look_up(entries, bits.peek());
                    bits.consume(length);
                    (alpha << 24) | (red << 16) | blue
                };
                self.buffer[at] = rest | (green << 8);
                at += 1;
                x += 1;
                if x == width {
                    x = 0;
                    if bits.is_exhausted() {
                        break;
                    }
                }
            } else if green < FIRST_CACHE_CODE {
                let length = prefixed(bits, green - FIRST_LENGTH_CODE) as usize;
                let symbol = group.distance.read(entries, bits);
                let code = prefixed(bits, symbol) as usize;
                let distance = distance(code, width);
                if distance > self.buffer_start + at {
                    return Err(Error::Malformed("reference to before the image"));
                }
                if length > self.total - (self.buffer_start + at) {
                    return Err(Error::Malformed("reference beyond the image"));
                }
                if bits.is_exhausted() {
                    break;
                }
                copy(&mut self.buffer, at, distance, length);
                at += length;
                x += length;
                if x >= width {
                    x %= width;
                }
                if x & block_mask != 0 {
                    group = self.group((self.buffer_start + at).min(self.total - 1));
                }
            } else {
                let Some(cache) = self.cache.as_mut().filter(|_| CACHED) else {
                    return Err(Error::Malformed("colour cache not in use"));
                };
                for &colour in &self.buffer[cached..at] {
                    cache.insert(colour);
                }
                cached = at;
                let colour = cache.colours.get((green - FIRST_CACHE_CODE) as usize);
                self.buffer[at] = *colour.ok_or(Error::Malformed("colour cache too small"))?;
                at += 1;
                x += 1;
                if x == width {
                    x = 0;
                    if bits.is_exhausted() {
                        break;
                    }
                }
            }
        }
        if let Some(cache) = &mut self.cache {
            for &colour in &self.buffer[cached..at] {
                cache.insert(colour);
            }
        }
        self.decoded = self.buffer_start + at;
        if bits.is_exhausted() {
            // Which of this batch's last pixels are made of bits that are not there is not known: the row is given up.
            self.decoded = self.decoded.saturating_sub(1) / width * width;
        }
        Ok(())
    }
}

/// The value of a length or distance symbol with its extra bits (section 3.6.2.1).
#[inline(always)]
fn prefixed(bits: &mut BitReader<'_>, symbol: u32) -> u32 {
    if symbol < 4 {
        return symbol + 1;
    }
    let extra = (symbol - 2) >> 1;
    ((2 + (symbol & 1)) << extra) + bits.bits(extra) + 1
}

/// Pixels back, at least 1.
#[inline(always)]
fn distance(code: usize, width: usize) -> usize {
    match NEIGHBOURS.get(code - 1) {
        None => code - NEIGHBOURS.len(),
        Some(&(left, up)) => usize::try_from(i64::from(left) + i64::from(up) * width as i64)
            .map_or(1, |distance| distance.max(1)),
    }
}

/// Copies `length` pixels to `at` from `distance` before; where the two overlap, what was copied is copied on.
#[inline(always)]
fn copy(buffer: &mut [u32], at: usize, distance: usize, length: usize) {
    let from = at - distance;
    if distance >= length {
        buffer.copy_within(from..from + length, at);
    } else if distance == 1 {
        let colour = buffer[from];
        buffer[at..at + length].fill(colour);
    } else {
        let window = &mut buffer[from..at + length];
        for to in distance..window.len() {
            window[to] = window[to - distance];
        }
    }
}
