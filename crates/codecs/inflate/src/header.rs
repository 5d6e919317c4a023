//! What stands before the symbols of a block: how it is compressed, and its codes (RFC 1951, sections 3.2.3 to 3.2.7).

use crate::code::Code;
use crate::input::Bits;

/// A header with its codes is at most so long: 17 bits, 19 lengths of 3, and 316 of 7 with 7 extra ones.
pub(crate) const MAX_BYTES: usize = (17 + 19 * 3 + MAX_LENGTHS as usize * 14).div_ceil(8);

const MAX_SYMBOLS: u32 = 286;
const MAX_DISTANCES: u32 = 30;
const MAX_LENGTHS: u32 = MAX_SYMBOLS + MAX_DISTANCES;
/// The order of the lengths of the code for lengths.
const LENGTHS_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// Its words are at most so long.
const INDEX_BITS: u32 = 7;

/// How a block is compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Not at all: this many bytes.
    Stored(usize),
    /// By the code of the specification.
    Fixed,
    /// By codes of its own, which come next: [`lengths`].
    Dynamic,
}

/// The lengths of the words of a block's two codes.
#[derive(Debug)]
pub(crate) struct Lengths {
    /// First those of literals and lengths, then those of distances.
    lengths: [u8; MAX_LENGTHS as usize],
    /// How many are of literals and lengths.
    symbols: usize,
    /// How many there are.
    all: usize,
}

impl Lengths {
    /// The lengths of the words for literals and lengths.
    pub(crate) fn symbols(&self) -> &[u8] {
        self.lengths.get(..self.symbols).unwrap_or_default()
    }

    /// Of those for distances.
    pub(crate) fn distances(&self) -> &[u8] {
        self.lengths.get(self.symbols..self.all).unwrap_or_default()
    }
}

/// The lengths of the fixed code's words for literals and lengths; for distances there are 30 of 5 bits and 2 that mean nothing.
pub(crate) const FIXED_SYMBOLS: [u8; 288] = {
    let mut lengths = [8; 288];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};
pub(crate) const FIXED_DISTANCES: [u8; 32] = [5; 32];
/// Its word for the end of the block: this many zeros.
pub(crate) const FIXED_END_BITS: u32 = 7;

/// The beginning of a header: whether the block is the last one, and its kind. `None` for one that makes no sense, or that the
/// stream has not all of.
pub(crate) fn read(bits: &mut Bits) -> Option<(bool, Kind)> {
    let is_last = bits.take(1) == 1;
    let kind = match bits.take(2) {
        0 => stored(bits)?,
        1 => Kind::Fixed,
        2 => Kind::Dynamic,
        _ => return None,
    };
    (!bits.is_overrun()).then_some((is_last, kind))
}

fn stored(bits: &mut Bits) -> Option<Kind> {
    bits.align();
    let (length, complement) = (bits.take(16), bits.take(16));
    (length == !complement & 0xFFFF).then_some(Kind::Stored(length as usize))
}

/// The codes of a block that has its own. `None` as above.
pub(crate) fn lengths(bits: &mut Bits) -> Option<Lengths> {
    let symbols = bits.take(5) + 257;
    let distances = bits.take(5) + 1;
    if symbols > MAX_SYMBOLS || distances > MAX_DISTANCES {
        return None;
    }
    let count = bits.take(4) as usize + 4;
    let mut of_lengths = [0; LENGTHS_ORDER.len()];
    for &place in LENGTHS_ORDER.iter().take(count) {
        *of_lengths.get_mut(place)? = bits.take(3) as u8;
    }
    // A single length would do for no block: there is an end, and there are symbols that are not used.
    if of_lengths.iter().filter(|&&length| length > 0).count() < 2 {
        return None;
    }
    let table = table_of_lengths(&Code::new(&of_lengths)?);
    let (symbols, all) = (symbols as usize, (symbols + distances) as usize);
    let mut lengths = [0; MAX_LENGTHS as usize];
    let mut known = 0;
    while known < all {
        let (symbol, length_bits) = table[bits.ahead() as usize % table.len()];
        bits.take(u32::from(length_bits));
        let (length, times) = match symbol {
            16 => (*lengths.get(known.checked_sub(1)?)?, 3 + bits.take(2)),
            17 => (0, 3 + bits.take(3)),
            18 => (0, 11 + bits.take(7)),
            length => (length, 1),
        };
        let end = known + times as usize;
        lengths.get_mut(..all)?.get_mut(known..end)?.fill(length);
        known = end;
    }
    (!bits.is_overrun()).then_some(Lengths { lengths, symbols, all })
}

/// Symbols and the lengths of their words.
fn table_of_lengths(code: &Code<'_>) -> [(u8, u8); 1 << INDEX_BITS] {
    let mut table = [(0, 0); 1 << INDEX_BITS];
    for (symbol, word, bits) in code.words() {
        for entry in table.iter_mut().skip(word as usize).step_by(1 << bits) {
            *entry = (symbol as u8, bits as u8);
        }
    }
    table
}
