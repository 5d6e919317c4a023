//! Distances as a table that is indexed by what comes next in the stream.

use crate::code::{Code, MAX_BITS};

const INDEX_BITS: u32 = 9;
const ENTRIES: usize = 1 << INDEX_BITS;
/// Of a complete code of 30 symbols, at most 15 subtables have two symbols each; and they are of 64 entries.
const SUBTABLE_ENTRIES: usize = 15 << (MAX_BITS - INDEX_BITS);

/// Shortest distances (RFC 1951, section 3.2.5).
const SHORTEST: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
    4097, 6145, 8193, 12289, 16385, 24577,
];

/// How many extra bits distances have: one more for every second symbol from 4 on.
const fn extra_bits(symbol: usize) -> u32 {
    (symbol as u32 / 2).saturating_sub(1)
}

/// An entry. From bit 0 on: 6 bits, how many bits of the stream it stands for, extra ones included; 2 unused; 4, how many of
/// those are the word's; bit 15, whether it is none of this but nothing, or a subtable; 16, the shortest distance.
///
/// A subtable: 4 bits, how many bits of index follow; bits 14 and 15; 16, its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distance(u32);

const RARE: u32 = 1 << 15;
const SUBTABLE: u32 = 1 << 14;

impl Distance {
    const NONE: Self = Self(RARE);

    fn new(symbol: usize, bits: u32) -> Self {
        SHORTEST.get(symbol).map_or(Self::NONE, |&shortest| {
            Self(u32::from(shortest) << 16 | bits << 8 | (bits + extra_bits(symbol)))
        })
    }

    /// Not a distance.
    #[inline(always)]
    pub(crate) const fn is_rare(self) -> bool {
        self.0 & RARE != 0
    }

    pub(crate) const fn is_subtable(self) -> bool {
        self.0 & SUBTABLE != 0
    }

    /// How many bits of the stream it stands for.
    #[inline(always)]
    pub(crate) const fn bits(self) -> u32 {
        self.0 & 63
    }

    /// The distance, with its extra bits: `ahead` begins with its word.
    #[inline(always)]
    pub(crate) const fn with_extra(self, ahead: u64) -> usize {
        let word_bits = self.0 >> 8 & 15;
        let extra = (ahead >> word_bits) as u32 & ((1 << (self.bits() - word_bits)) - 1);
        ((self.0 >> 16) + extra) as usize
    }
}

/// The table of one block.
#[derive(Debug)]
pub(crate) struct Distances {
    table: [Distance; ENTRIES],
    /// For words longer than the index.
    subtables: [Distance; SUBTABLE_ENTRIES],
}

impl Distances {
    pub(crate) const fn new() -> Self {
        Self { table: [Distance::NONE; ENTRIES], subtables: [Distance::NONE; SUBTABLE_ENTRIES] }
    }

    /// What the next bits stand for.
    #[inline(always)]
    pub(crate) const fn at(&self, ahead: u64) -> Distance {
        self.table[ahead as usize % ENTRIES]
    }

    /// What they stand for where [`Distances::at`] gave a subtable.
    pub(crate) fn in_subtable(&self, subtable: Distance, ahead: u64) -> Distance {
        let index = (ahead >> INDEX_BITS) as usize & ((1 << (subtable.0 & 15)) - 1);
        self.subtables.get((subtable.0 >> 16) as usize + index).copied().unwrap_or(Distance::NONE)
    }

    pub(crate) fn set(&mut self, code: &Code<'_>) {
        self.table.fill(Distance::NONE);
        let subtable_bits = code.longest().saturating_sub(INDEX_BITS);
        let mut subtables = 0;
        for (symbol, word, bits) in code.words() {
            let distance = Distance::new(symbol, bits);
            let index = word as usize % ENTRIES;
            if bits <= INDEX_BITS {
                for entry in self.table.iter_mut().skip(index).step_by(1 << bits) {
                    *entry = distance;
                }
                continue;
            }
            let is_new = !self.table[index].is_subtable();
            if is_new {
                self.table[index] = Distance(RARE | SUBTABLE | subtable_bits | subtables << 16);
                subtables += 1 << subtable_bits;
            }
            let first = (self.table[index].0 >> 16) as usize;
            let subtable = self.subtables.get_mut(first..first + (1 << subtable_bits)).unwrap_or_default();
            if is_new {
                subtable.fill(Distance::NONE);
            }
            for entry in
                subtable.iter_mut().skip((word >> INDEX_BITS) as usize).step_by(1 << (bits - INDEX_BITS))
            {
                *entry = distance;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_their_extra_bits() {
        // Words 0, 10, 110 ... up to 15 bits for the symbols 15 to 29.
        let mut lengths = [0; 30];
        for bits in 1..=15 {
            lengths[14 + bits] = bits as u8;
        }
        lengths[0] = 15;
        let mut distances = Box::new(Distances::new());
        distances.set(&Code::new(&lengths).unwrap());
        for (symbol, bits) in (15..30).zip(1..) {
            let (shortest, extra_bits) = (SHORTEST[symbol], extra_bits(symbol));
            let own = (1_u64 << (bits - 1)) - 1;
            // The last two have words of 15 bits; that of symbol 0 comes first.
            let own = if bits == 15 { 0x7FFF } else { own };
            for extra in [0, 1, (1_u64 << extra_bits) - 1] {
                let word = !0 << (bits + extra_bits) | extra << bits | own;
                let mut distance = distances.at(word);
                assert_eq!(distance.is_rare(), bits > INDEX_BITS);
                if distance.is_rare() {
                    assert!(distance.is_subtable());
                    distance = distances.in_subtable(distance, word);
                }
                assert!(!distance.is_rare());
                assert_eq!(distance.bits(), bits + extra_bits);
                assert_eq!(distance.with_extra(word), usize::from(shortest) + extra as usize);
            }
        }
    }

    #[test]
    fn what_no_word_stands_for_is_nothing() {
        let mut lengths = [0; 30];
        lengths[3] = 12;
        // Whatever the block before had there.
        let mut distances = Box::new(Distances::new());
        distances.subtables.fill(Distance::new(4, 12));
        distances.set(&Code::new(&lengths).unwrap());
        assert!(!distances.in_subtable(distances.at(0), 0).is_rare());
        assert!(distances.in_subtable(distances.at(1 << 9), 1 << 9).is_rare());
        assert!(distances.at(1).is_rare() && !distances.at(1).is_subtable());
    }

    #[test]
    fn a_block_without_matches_has_no_distances() {
        let mut distances = Box::new(Distances::new());
        distances.set(&Code::new(&[0, 0]).unwrap());
        assert!(
            (0..ENTRIES as u64).all(|word| distances.at(word).is_rare() && !distances.at(word).is_subtable())
        );
        // The two of the fixed code that mean nothing.
        assert!(Distance::new(30, 5).is_rare() && Distance::new(31, 5).is_rare());
    }
}
