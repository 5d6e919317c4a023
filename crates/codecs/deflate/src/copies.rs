//! Bytes that are told, and those that are copied from where the same ones were last, if that takes fewer bits.
//!
//! What is left of a photograph once its rows are filtered is mostly noise of few values. Short copies of it are found everywhere, and most of them take
//! more bits than the bytes by themselves: which do is known beforehand, because how often each byte occurs is.

use std::ops::Range;

use crate::costs::{BIT, literal_costs};
use crate::symbols;
use crate::token::{MAX_DISTANCE, MAX_LENGTH, Token};

/// Bytes that are alike at least: fewer save next to nothing.
const ALIKE: usize = 5;
const HASH_BITS: u32 = 13;
const HASHES: usize = 1 << HASH_BITS;
/// No earlier place.
const NONE: u32 = u32::MAX;
/// Of the places inside a copy, one in so many is remembered.
const STEP: usize = 2;
/// What the symbols of a length and a distance take, which in photographs are rare.
const SYMBOLS_COST: u32 = 15 * BIT;

/// Goes through the parts of a buffer.
pub(crate) struct Copies<'d> {
    data: &'d [u8],
    /// Of all bytes.
    costs: [u32; 256],
    /// What the bytes of the part take by themselves, up to each place of it.
    sums: Vec<u32>,
    /// The last place for each hash.
    last: Box<[u32; HASHES]>,
}

impl<'d> Copies<'d> {
    pub(crate) fn new(data: &'d [u8]) -> Self {
        let mut counts = [0; 256];
        data.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        Self { data, costs: literal_costs(&counts), sums: Vec::new(), last: Box::new([NONE; HASHES]) }
    }

    /// For these bytes, which follow those of the call before.
    pub(crate) fn tokens(&mut self, places: Range<usize>) -> Vec<Token> {
        let Range { start, end } = places;
        let data = self.data;
        self.weigh(&data[start..end]);
        let mut told = start;
        let mut tokens = Vec::with_capacity(end - start);
        let mut at = start;
        while at < end {
            let Some(here) = word(data, at) else { break };
            let from = std::mem::replace(&mut self.last[hash(here)], at as u32) as usize;
            if from < at
                && let Some(there) = word(data, from)
                && let Some(length) = self.worthwhile(from, at, there ^ here, &places)
            {
                tokens.extend(data[told..at].iter().copied().map(Token::literal));
                tokens.push(Token::copy(length, at - from));
                for inside in (at + 1..at + length).step_by(STEP) {
                    if let Some(there) = word(data, inside) {
                        self.last[hash(there)] = inside as u32;
                    }
                }
                at += length;
                told = at;
            } else {
                at += 1;
            }
        }
        tokens.extend(data[told..end].iter().copied().map(Token::literal));
        tokens
    }

    /// What the bytes of a part take up to each place.
    fn weigh(&mut self, part: &[u8]) {
        let mut sum = 0;
        self.sums.clear();
        self.sums.push(0);
        self.sums.extend(part.iter().map(|&byte| {
            sum += self.costs[usize::from(byte)];
            sum
        }));
    }

    /// How long a copy of what is at `from` is, of which the first eight bytes are `different` from those at `at` in these bits, where it takes
    /// fewer bits than the bytes by themselves.
    #[inline]
    fn worthwhile(&self, from: usize, at: usize, different: u64, part: &Range<usize>) -> Option<usize> {
        let distance = at - from;
        if beginning(different) != 0 || distance > MAX_DISTANCE {
            return None;
        }
        // In most cases it is no longer than what was looked at.
        let length = match different {
            0 => 8 + common(self.data, from + 8, at + 8, MAX_LENGTH - 8),
            _ => different.trailing_zeros() as usize / 8,
        };
        let length = length.min(part.end - at);
        if length < ALIKE {
            return None;
        }
        let extra_bits = symbols::length(length).extra_bits + symbols::distance(distance).extra_bits;
        let told = self.sums[at + length - part.start] - self.sums[at - part.start];
        (told > SYMBOLS_COST + BIT * extra_bits).then_some(length)
    }
}

/// The bytes that have to be alike.
const fn beginning(word: u64) -> u64 {
    word << (64 - 8 * ALIKE)
}

fn hash(word: u64) -> usize {
    (beginning(word).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - HASH_BITS)) as usize
}

/// The eight bytes at a place, the first lowest.
#[inline]
fn word(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// How many bytes from `from` on, an earlier place, are those from `at` on; `most` at most.
#[inline(never)]
fn common(data: &[u8], from: usize, at: usize, most: usize) -> usize {
    let mut length = 0;
    while length < most {
        let (Some(old), Some(new)) = (word(data, from + length), word(data, at + length)) else {
            let (old, new) = (data.get(from + length..), data.get(at + length..));
            let pairs = old.unwrap_or_default().iter().zip(new.unwrap_or_default());
            length += pairs.take_while(|(old, new)| old == new).count();
            break;
        };
        let different = old ^ new;
        if different != 0 {
            length += different.trailing_zeros() as usize / 8;
            break;
        }
        length += 8;
    }
    length.min(most)
}
