//! The symbols of a block.

use crate::distance::Distances;
use crate::input::{AtHand, Bits, WORD_BITS, word_at};
use crate::symbol::{INDEX_BITS, Symbol, Symbols};
use crate::window::{self, Window};

/// The codes of a block as tables.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) symbols: Symbols,
    pub(crate) distances: Distances,
}

/// Why no more symbols are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The output goes as far as was asked for.
    Full,
    /// The bytes at hand are used up, or nearly so.
    Starved,
    /// The end of the block.
    Done,
    /// Bits that stand for nothing, or for what was never put out.
    Broken,
}

/// Before a symbol is read there have to be so many bytes at hand: two literals, and the longest length and distance.
const AHEAD_BYTES: u32 = 16;
/// A distance of at most so many bits leaves, behind two entries of the table of symbols, the index of a third in a word.
const MAX_COMMON_DISTANCE_BITS: u32 = WORD_BITS - 3 * INDEX_BITS;

/// Where the reading and the writing are.
struct Cursor<'a> {
    at_hand: &'a AtHand,
    bytes: &'a mut window::Bytes,
    /// What comes next, from bit `next` on.
    word: u64,
    next: u32,
    filled: usize,
}

impl Cursor<'_> {
    /// Reads what comes next anew.
    #[inline(always)]
    fn look(&mut self) {
        self.word = word_at(self.at_hand, self.next);
    }

    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.word >>= bits % u64::BITS;
        self.next += bits;
    }

    /// Reads a common symbol and puts out its literals.
    #[inline(always)]
    fn take(&mut self, symbol: Symbol) {
        self.skip(symbol.bits());
        if let Some(place) = self.bytes.get_mut(self.filled..).and_then(<[u8]>::first_chunk_mut) {
            *place = symbol.literals();
        }
        self.filled += symbol.count();
    }
}

/// Reads symbols as long as there are bytes at hand to read them without looking out for their end.
// On its own, and with as few values as can be: others would cost it registers.
#[inline(never)]
pub(crate) fn run(tables: &Tables, bits: &mut Bits, window: &mut Window, until: usize) -> Pause {
    let until = window::bound(until);
    let limit = bits.end().saturating_sub(8 * AHEAD_BYTES);
    let mut at = Cursor {
        at_hand: &bits.at_hand,
        bytes: &mut window.bytes,
        word: 0,
        next: bits.next,
        filled: window.filled,
    };
    let mut pause = Pause::Starved;
    at.look();
    let mut symbol = tables.symbols.at(at.word);
    while at.next < limit {
        if at.filled >= until {
            pause = Pause::Full;
            break;
        }
        // The symbol was looked up before: so its table and the bytes at hand are waited for at the same time.
        at.look();
        if symbol.is_literals() {
            at.take(symbol);
            symbol = tables.symbols.at(at.word);
            if symbol.is_literals() {
                at.take(symbol);
                symbol = tables.symbols.at(at.word);
                continue;
            }
        }
        let length = if symbol.is_common() {
            at.take(symbol);
            symbol.length()
        } else {
            at.look();
            if symbol.is_subtable() {
                symbol = tables.symbols.in_subtable(symbol, at.word);
                if symbol.is_literals() {
                    at.take(symbol);
                    symbol = tables.symbols.at(at.word);
                    continue;
                }
            }
            at.skip(symbol.bits());
            let Some((shortest, extra_bits)) = symbol.rare_length() else {
                pause = if symbol.is_end_of_block() { Pause::Done } else { Pause::Broken };
                break;
            };
            let length = shortest + (at.word as usize & ((1 << extra_bits) - 1));
            at.next += extra_bits;
            at.look();
            length % 512
        };
        let mut distance = tables.distances.at(at.word);
        if distance.is_rare() {
            if distance.is_subtable() {
                distance = tables.distances.in_subtable(distance, at.word);
            }
            if distance.is_rare() {
                pause = Pause::Broken;
                break;
            }
        }
        let back = distance.with_extra(at.word);
        at.skip(distance.bits());
        symbol = tables.symbols.at(at.word);
        if distance.bits() > MAX_COMMON_DISTANCE_BITS {
            at.look();
            symbol = tables.symbols.at(at.word);
        }
        if back > at.filled {
            pause = Pause::Broken;
            break;
        }
        window::copy(at.bytes, at.filled, back, length);
        at.filled += length;
    }
    (bits.next, window.filled) = (at.next, at.filled);
    pause
}

/// Reads symbols up to the very end of the bytes at hand. What the stream has only a part of is not read, nor is a literal before it
/// that was looked up with it.
pub(crate) fn finish(tables: &Tables, bits: &mut Bits, window: &mut Window, until: usize) -> Pause {
    let until = window::bound(until);
    let end = bits.end();
    let mut at = Cursor {
        at_hand: &bits.at_hand,
        bytes: &mut window.bytes,
        word: 0,
        next: bits.next,
        filled: window.filled,
    };
    let pause = loop {
        if at.filled >= until {
            break Pause::Full;
        }
        at.look();
        let mut symbol = tables.symbols.at(at.word);
        if symbol.is_subtable() {
            symbol = tables.symbols.in_subtable(symbol, at.word);
        }
        if at.next + symbol.bits() > end {
            break Pause::Starved;
        }
        let length = if symbol.is_common() {
            at.take(symbol);
            if symbol.is_literals() {
                continue;
            }
            symbol.length()
        } else {
            at.skip(symbol.bits());
            let Some((shortest, extra_bits)) = symbol.rare_length() else {
                break if symbol.is_end_of_block() { Pause::Done } else { Pause::Broken };
            };
            let length = shortest + (at.word as usize & ((1 << extra_bits) - 1));
            at.skip(extra_bits);
            length
        };
        let mut distance = tables.distances.at(at.word);
        if distance.is_subtable() {
            distance = tables.distances.in_subtable(distance, at.word);
        }
        if distance.is_rare() {
            break Pause::Broken;
        }
        let back = distance.with_extra(at.word);
        at.skip(distance.bits());
        if at.next > end {
            break Pause::Starved;
        }
        if back > at.filled {
            break Pause::Broken;
        }
        window::copy(at.bytes, at.filled, back, length);
        at.filled += length;
    };
    (bits.next, window.filled) = (at.next, at.filled);
    pause
}
