//! Literals and lengths as a table that is indexed by what comes next in the stream. An entry stands for as much as fits the
//! index: a literal, two of them, the length of a match with its extra bits, or a literal and such a length. So on most
//! streams one look is worth almost two symbols, and where a literal is followed by a match nothing is to be guessed.

use crate::code::{Code, MAX_BITS};

/// A common entry stands for at most this many bits.
pub(crate) const INDEX_BITS: u32 = 11;
const ENTRIES: usize = 1 << INDEX_BITS;
/// Of a complete code of 286 symbols, at most 143 subtables have two symbols each; and they are of 16 entries.
const SUBTABLE_ENTRIES: usize = 143 << (MAX_BITS - INDEX_BITS);

/// The end of a block (RFC 1951, section 3.2.5).
const END: usize = 256;
const FIRST_LENGTH: usize = 257;
const MIN_LENGTH: u32 = 3;
/// Shortest lengths and numbers of extra bits, from symbol 257 on (RFC 1951, section 3.2.5).
const SHORTEST: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const EXTRA_BITS: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// An entry. The common ones, from bit 0 on: 6 bits, how many bits it stands for; 2, how many literals; 8, the first
/// literal; 8, the second or the length of a match less 3; bit 31, whether there is a match.
///
/// The rare ones have bit 30. From bit 0 on: 6 bits, how many bits the word has; 2 unused; 12, the shortest length or the
/// subtable's place; 4, how many extra bits or bits of index follow; and one of bits 27 to 29.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol(u32);

const MATCH: u32 = 1 << 31;
const RARE: u32 = 1 << 30;
const SUBTABLE: u32 = 1 << 29;
const LENGTH: u32 = 1 << 28;
const END_OF_BLOCK: u32 = 1 << 27;

impl Symbol {
    const NONE: Self = Self(RARE);

    fn new(symbol: usize, bits: u32) -> Self {
        match symbol {
            0..END => Self(1 << 6 | (symbol as u32) << 8 | bits),
            END => Self(RARE | END_OF_BLOCK | bits),
            _ => {
                let length = symbol - FIRST_LENGTH;
                let (Some(&shortest), Some(&extra_bits)) = (SHORTEST.get(length), EXTRA_BITS.get(length))
                else {
                    return Self::NONE;
                };
                Self(RARE | LENGTH | u32::from(extra_bits) << 20 | u32::from(shortest) << 8 | bits)
            }
        }
    }

    /// One literal or two, and nothing else.
    #[inline(always)]
    pub(crate) const fn is_literals(self) -> bool {
        self.0 < RARE
    }

    /// Literals, a match or both.
    #[inline(always)]
    pub(crate) const fn is_common(self) -> bool {
        self.0 & RARE == 0
    }

    /// How many bits of the stream it stands for; of a rare one, without the extra ones. At most 15.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u32 {
        self.0 & 63
    }

    /// The literals of a common one and, of whatever is not one, anything.
    #[inline(always)]
    pub(crate) const fn literals(self) -> [u8; 2] {
        ((self.0 >> 8) as u16).to_le_bytes()
    }

    /// How many literals there are: at most 2.
    #[inline(always)]
    pub(crate) const fn count(self) -> usize {
        (self.0 >> 6 & 3) as usize
    }

    /// The length of a common one's match.
    #[inline(always)]
    pub(crate) const fn length(self) -> usize {
        ((self.0 >> 16 & 0xFF) + MIN_LENGTH) as usize
    }

    pub(crate) const fn is_subtable(self) -> bool {
        self.0 & SUBTABLE != 0
    }

    pub(crate) const fn is_end_of_block(self) -> bool {
        self.0 & END_OF_BLOCK != 0
    }

    /// Of a rare length: the shortest, and how many extra bits follow to be added.
    pub(crate) const fn rare_length(self) -> Option<(usize, u32)> {
        if self.0 & LENGTH == 0 { None } else { Some((self.place(), self.extra_bits())) }
    }

    const fn place(self) -> usize {
        (self.0 >> 8 & 0xFFF) as usize
    }

    const fn extra_bits(self) -> u32 {
        self.0 >> 20 & 15
    }

    /// With its extra bits, if the index it is to stand at has them all.
    fn with_extra(self, index: usize) -> Self {
        let bits = self.bits() + self.extra_bits();
        if self.0 & LENGTH == 0 || bits > INDEX_BITS {
            return self;
        }
        let extra = index as u32 >> self.bits() & ((1 << self.extra_bits()) - 1);
        Self(MATCH | (self.place() as u32 + extra - MIN_LENGTH) << 16 | bits)
    }

    /// This one, a literal, and what comes behind it.
    #[inline(always)]
    const fn and(self, next: Self) -> Self {
        // The next one's bits are added; a second literal moves to its place and is counted.
        if next.0 & MATCH != 0 {
            Self((self.0 + next.bits()) | (next.0 & 0xFFFF_0000))
        } else {
            Self((self.0 + (1 << 6) + next.bits()) | ((next.0 & 0xFF00) << 8))
        }
    }
}

/// The table of one block.
#[derive(Debug)]
pub(crate) struct Symbols {
    table: [Symbol; ENTRIES],
    /// For words longer than the index.
    subtables: [Symbol; SUBTABLE_ENTRIES],
}

impl Symbols {
    pub(crate) const fn new() -> Self {
        Self { table: [Symbol::NONE; ENTRIES], subtables: [Symbol::NONE; SUBTABLE_ENTRIES] }
    }

    /// What the next bits stand for.
    #[inline(always)]
    pub(crate) const fn at(&self, ahead: u64) -> Symbol {
        self.table[ahead as usize % ENTRIES]
    }

    /// What they stand for where [`Symbols::at`] gave a subtable.
    pub(crate) fn in_subtable(&self, subtable: Symbol, ahead: u64) -> Symbol {
        let index = (ahead >> INDEX_BITS) as usize & ((1 << subtable.extra_bits()) - 1);
        self.subtables.get(subtable.place() + index).copied().unwrap_or(Symbol::NONE)
    }

    pub(crate) fn set(&mut self, code: &Code<'_>) {
        self.table.fill(Symbol::NONE);
        let subtable_bits = code.longest().saturating_sub(INDEX_BITS);
        let mut subtables = 0;
        for (symbol, word, bits) in code.words() {
            let symbol = Symbol::new(symbol, bits);
            let index = word as usize % ENTRIES;
            if bits <= INDEX_BITS {
                for index in (index..ENTRIES).step_by(1 << bits) {
                    self.table[index] = symbol.with_extra(index);
                }
                continue;
            }
            let is_new = !self.table[index].is_subtable();
            if is_new {
                self.table[index] = Symbol(RARE | SUBTABLE | subtable_bits << 20 | subtables << 8);
                subtables += 1 << subtable_bits;
            }
            let first = self.table[index].place();
            let subtable = self.subtables.get_mut(first..first + (1 << subtable_bits)).unwrap_or_default();
            if is_new {
                subtable.fill(Symbol::NONE);
            }
            for entry in
                subtable.iter_mut().skip((word >> INDEX_BITS) as usize).step_by(1 << (bits - INDEX_BITS))
            {
                *entry = symbol;
            }
        }
        self.combine();
    }

    /// Adds to literals what comes behind them, where the index has all of it.
    fn combine(&mut self) {
        // Downwards, as an entry that is looked up stands below the one that looks, and has to be alone still.
        for index in (0..ENTRIES).rev() {
            let first = self.table[index];
            if first.is_literals() {
                let next = self.table[index >> first.bits()];
                if next.is_common() && first.bits() + next.bits() <= INDEX_BITS {
                    self.table[index] = first.and(next);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words for `a`, `b`, the end and the symbols 257, 265 and 285, of 1, 2, 3, 4, 5 and 5 bits.
    fn lengths() -> [u8; 286] {
        let mut lengths = [0; 286];
        for (symbol, bits) in [(97, 1), (98, 2), (256, 3), (257, 4), (265, 5), (285, 5)] {
            lengths[symbol] = bits;
        }
        lengths
    }

    /// Words as they stand in the stream, first bit first.
    fn stream(words: &[&str]) -> u64 {
        words.concat().bytes().rev().fold(0, |word, bit| word << 1 | u64::from(bit == b'1'))
    }

    fn table(lengths: &[u8]) -> Box<Symbols> {
        let mut symbols = Box::new(Symbols::new());
        symbols.set(&Code::new(lengths).unwrap());
        symbols
    }

    #[test]
    fn an_entry_stands_for_as_much_as_fits() {
        let symbols = table(&lengths());
        let at = |words| symbols.at(stream(words));
        let two = at(&["0", "10", "0"]);
        assert!(two.is_literals());
        assert_eq!((two.count(), two.literals(), two.bits()), (2, *b"ab", 3));
        let with_match = at(&["10", "1110"]);
        assert!(with_match.is_common() && !with_match.is_literals());
        assert_eq!((with_match.count(), with_match.literals()[0]), (1, b'b'));
        assert_eq!((with_match.length(), with_match.bits()), (3, 6));
        let with_extra = at(&["11110", "1"]);
        assert!(with_extra.is_common() && !with_extra.is_literals());
        assert_eq!((with_extra.count(), with_extra.length(), with_extra.bits()), (0, 12, 6));
        assert_eq!((at(&["11111"]).length(), at(&["11111"]).bits()), (258, 5));
        assert!(at(&["110"]).is_end_of_block());
        // A literal before the end stays alone.
        assert_eq!((at(&["0", "110"]).count(), at(&["0", "110"]).bits()), (1, 1));
    }

    #[test]
    fn long_words_are_in_subtables() {
        // 0, 10, 110 ...: symbols 100 to 114, with words of 1 to 15 bits and one more of 15, which is length symbol 284.
        let mut lengths = [0; 286];
        for bits in 1..=15 {
            lengths[99 + bits] = bits as u8;
        }
        lengths[284] = 15;
        let symbols = table(&lengths);
        for bits in 12..=15_u32 {
            let word = (1_u64 << (bits - 1)) - 1;
            let entry = symbols.at(word);
            assert!(entry.is_subtable() && !entry.is_common());
            let symbol = symbols.in_subtable(entry, word);
            assert!(symbol.is_literals());
            assert_eq!((symbol.count(), symbol.literals()[0], symbol.bits()), (1, 99 + bits as u8, bits));
        }
        let length = symbols.in_subtable(symbols.at(0x7FFF), 0x7FFF);
        assert_eq!((length.rare_length(), length.bits()), (Some((227, 5)), 15));
    }

    #[test]
    fn what_no_word_stands_for_is_nothing() {
        let mut lengths = [0; 286];
        lengths[97] = 13;
        // Whatever the block before had there.
        let mut symbols = Box::new(Symbols::new());
        symbols.subtables.fill(Symbol::new(98, 13));
        symbols.set(&Code::new(&lengths).unwrap());
        let nothing = |symbol: Symbol| {
            !symbol.is_common() && symbol.rare_length().is_none() && !symbol.is_end_of_block()
        };
        assert!(symbols.in_subtable(symbols.at(0), 0).is_literals());
        assert!(nothing(symbols.in_subtable(symbols.at(1 << 11), 1 << 11)));
        assert!(nothing(symbols.at(1)) && !symbols.at(1).is_subtable());
        // Symbols 286 and 287 of the fixed code mean nothing either.
        assert!(nothing(Symbol::new(286, 8)) && nothing(Symbol::new(287, 8)));
    }
}
