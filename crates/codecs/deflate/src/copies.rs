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
    /// The last place for each hash.
    last: Vec<u32>,
}

impl<'d> Copies<'d> {
    pub(crate) fn new(data: &'d [u8]) -> Self {
        let mut counts = [0; 256];
        data.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        Self { data, costs: literal_costs(&counts), last: vec![NONE; 1 << HASH_BITS] }
    }

    /// For these bytes, which follow those of the call before.
    pub(crate) fn tokens(&mut self, places: Range<usize>) -> Vec<Token> {
        let Range { start: mut at, end } = places;
        let mut tokens = Vec::with_capacity(end - at);
        while at < end {
            let Some(here) = word(self.data, at) else { break };
            let from = std::mem::replace(&mut self.last[hash(here)], at as u32) as usize;
            if let Some(length) = self.worthwhile(from, at, end, here) {
                tokens.push(Token::copy(length, at - from));
                for inside in (at + 1..at + length).step_by(STEP) {
                    if let Some(there) = word(self.data, inside) {
                        self.last[hash(there)] = inside as u32;
                    }
                }
                at += length;
            } else {
                tokens.push(Token::literal(here as u8));
                at += 1;
            }
        }
        tokens.extend(self.data[at..end].iter().copied().map(Token::literal));
        tokens
    }

    /// How long a copy of what is at `from` is, where it takes fewer bits than the bytes from `at` on, which begin with `here`.
    #[inline]
    fn worthwhile(&self, from: usize, at: usize, end: usize, here: u64) -> Option<usize> {
        let distance = at.checked_sub(from).filter(|distance| (1..=MAX_DISTANCE).contains(distance))?;
        if beginning(word(self.data, from)? ^ here) != 0 {
            return None;
        }
        let length = common(self.data, from, at, MAX_LENGTH.min(end - at));
        if length < ALIKE {
            return None;
        }
        let extra_bits = symbols::length(length).extra_bits + symbols::distance(distance).extra_bits;
        let told: u32 = self.data[at..at + length].iter().map(|&byte| self.costs[usize::from(byte)]).sum();
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
#[inline]
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
