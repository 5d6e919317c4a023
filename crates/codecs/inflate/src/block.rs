//! The symbols of a block.

use crate::distance::Distances;
use crate::input::{AHEAD_BITS, AtHand, Bits, ahead_at};
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

/// Before symbols are read there have to be this many bytes at hand: a literal (11 bits), the longest length (15 and 5) and the
/// longest distance (15 and 13) are whole then, and what is read ahead behind them are bytes of the stream too.
const MARGIN_BYTES: u32 = 16;
/// A distance of at most this many bits, behind two entries of the table of symbols, leaves the index of a third in what was read
/// ahead.
const MAX_COMMON_DISTANCE_BITS: u32 = AHEAD_BITS - 3 * INDEX_BITS;

/// Where the reading and the writing are.
struct Cursor<'a> {
    at_hand: &'a AtHand,
    bytes: &'a mut window::Bytes,
    /// What comes next, from bit `next` on.
    ahead: u64,
    next: u32,
    filled: usize,
}

impl<'a> Cursor<'a> {
    /// Where both are; nothing is read yet.
    #[inline(always)]
    fn new(bits: &'a Bits, window: &'a mut Window) -> Self {
        let filled = window.filled;
        Self { at_hand: &bits.at_hand, bytes: &mut window.bytes, ahead: 0, next: bits.next, filled }
    }

    /// Reads what comes next anew.
    #[inline(always)]
    fn look(&mut self) {
        self.ahead = ahead_at(self.at_hand, self.next);
    }

    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.ahead >>= bits % u64::BITS;
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
    let limit = bits.end().saturating_sub(8 * MARGIN_BYTES);
    let mut at = Cursor::new(bits, window);
    let mut pause = Pause::Starved;
    at.look();
    let mut symbol = tables.symbols.at(at.ahead);
    while at.next < limit {
        if at.filled >= until {
            pause = Pause::Full;
            break;
        }
        // The symbol was looked up before: so its table and the bytes at hand are waited for at the same time.
        at.look();
        if symbol.is_literals() {
            at.take(symbol);
            symbol = tables.symbols.at(at.ahead);
            if symbol.is_literals() {
                at.take(symbol);
                symbol = tables.symbols.at(at.ahead);
                continue;
            }
        }
        let length = if symbol.is_common() {
            at.take(symbol);
            symbol.length()
        } else {
            at.look();
            if symbol.is_subtable() {
                symbol = tables.symbols.in_subtable(symbol, at.ahead);
                if symbol.is_literals() {
                    at.take(symbol);
                    symbol = tables.symbols.at(at.ahead);
                    continue;
                }
            }
            at.skip(symbol.bits());
            let Some((shortest, extra_bits)) = symbol.rare_length() else {
                pause = if symbol.is_end_of_block() { Pause::Done } else { Pause::Broken };
                break;
            };
            let length = shortest + (at.ahead as usize & ((1 << extra_bits) - 1));
            at.next += extra_bits;
            at.look();
            // At most 258, which the compiler doesn't know.
            length % 512
        };
        let mut distance = tables.distances.at(at.ahead);
        if distance.is_rare() {
            if distance.is_subtable() {
                distance = tables.distances.in_subtable(distance, at.ahead);
            }
            if distance.is_rare() {
                pause = Pause::Broken;
                break;
            }
        }
        let back = distance.with_extra(at.ahead);
        at.skip(distance.bits());
        symbol = tables.symbols.at(at.ahead);
        if distance.bits() > MAX_COMMON_DISTANCE_BITS {
            at.look();
            symbol = tables.symbols.at(at.ahead);
        }
        if back > at.filled {
            pause = Pause::Broken;
            break;
        }
        window::copy(at.bytes, at.filled, back, length);
        at.filled += length;
    }
    let (next, filled) = (at.next, at.filled);
    (bits.next, window.filled) = (next, filled);
    pause
}

/// Reads symbols up to the very end of the bytes at hand. What the stream has only a part of is not read, nor is a literal that
/// was looked up with it.
pub(crate) fn finish(tables: &Tables, bits: &mut Bits, window: &mut Window, until: usize) -> Pause {
    let until = window::bound(until);
    let end = bits.end();
    let mut at = Cursor::new(bits, window);
    let pause = loop {
        if at.filled >= until {
            break Pause::Full;
        }
        at.look();
        let mut symbol = tables.symbols.at(at.ahead);
        if symbol.is_subtable() {
            symbol = tables.symbols.in_subtable(symbol, at.ahead);
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
            let length = shortest + (at.ahead as usize & ((1 << extra_bits) - 1));
            at.skip(extra_bits);
            length
        };
        let mut distance = tables.distances.at(at.ahead);
        if distance.is_subtable() {
            distance = tables.distances.in_subtable(distance, at.ahead);
        }
        if distance.is_rare() {
            break Pause::Broken;
        }
        let back = distance.with_extra(at.ahead);
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
    let (next, filled) = (at.next, at.filled);
    (bits.next, window.filled) = (next, filled);
    pause
}
