//! Huffman tables (T.81, annex C and F.2.2.3), and the lookup tables made of them.
//!
//! Three kinds of lookup, by what the caller wants of a symbol: the difference of a DC term, a run and size of an AC term, or
//! (where AC terms are only stepped over) the length of as many symbols as can be told from the next bits at once.

use crate::error::Error;

/// Bits of the window that [`DcTable`] is indexed by. Longer codes take a slow path.
pub(crate) const DC_BITS: u32 = 9;
/// Likewise for [`AcTable`].
pub(crate) const AC_BITS: u32 = 10;
/// Likewise for [`SkipTable`].
pub(crate) const SKIP_BITS: u32 = 12;

/// Added to a [`SkipTable`] step that ends with an end-of-block.
pub(crate) const END_OF_BLOCK: u32 = 128;
/// The step of a [`SkipTable`] entry whose first code is longer than its index.
const ESCAPE: u32 = 255;

/// A table as a DHT segment gives it: how many codes of each length, and the symbols in code order.
///
/// Invariant: the counts do not claim more codes than their lengths allow, and `symbols.len()` is their sum, at most 256.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Codes {
    /// # Errors
    /// [`Error::Malformed`] where the invariant would not hold.
    pub(crate) fn new(counts: [u8; 16], symbols: &[u8]) -> Result<Self, Error> {
        let mut room = 1_u32;
        for count in counts {
            room = (room << 1)
                .checked_sub(u32::from(count))
                .ok_or(Error::Malformed("a Huffman table has more codes than fit"))?;
        }
        if symbols.len() > 256 || symbols.len() != counts.iter().map(|&count| usize::from(count)).sum() {
            return Err(Error::Malformed("a Huffman table's length is wrong"));
        }
        Ok(Self { counts, symbols: symbols.to_vec() })
    }

    /// For codes of any length: the slow path, and what the lookup tables are filled from.
    fn ladder(&self) -> Ladder {
        let mut ladder = Ladder { ends: [0; 17], offsets: [0; 17], symbols: [0; 256] };
        let mut code = 0_u32;
        let mut first_symbol = 0_i32;
        for (length, &count) in (1_usize..).zip(&self.counts) {
            ladder.offsets[length] = first_symbol - code as i32;
            code += u32::from(count);
            first_symbol += i32::from(count);
            ladder.ends[length] = code << (16 - length);
            code <<= 1;
        }
        for (to, from) in ladder.symbols.iter_mut().zip(&self.symbols) {
            *to = *from;
        }
        ladder
    }
}

/// Canonical decoding by code length.
#[derive(Clone, Debug)]
struct Ladder {
    /// For each length, the first 16-bit window that no code up to this length begins.
    ends: [u32; 17],
    /// For each length, what to add to a code to get its symbol's index.
    offsets: [i32; 17],
    symbols: [u8; 256],
}

impl Ladder {
    /// The code at the top of a 16-bit window: its length and symbol. `None` for bits that are no code.
    fn find(&self, window: u32) -> Option<(u32, u8)> {
        let length = (1..=16).find(|&length| window < self.ends[length])?;
        let code = (window >> (16 - length)) as i32;
        let symbol = self.symbols[(code + self.offsets[length]) as usize & 255];
        Some((length as u32, symbol))
    }

    /// As libjpeg has it: bits that are no code count as a 16-bit code for 0.
    fn find_or_zero(&self, window: u32) -> (u32, u8) {
        self.find(window).unwrap_or((16, 0))
    }
}

/// A decoded code: the category it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DcSymbol {
    /// Bits of the code and of the difference after it, 1 to 31.
    pub(crate) total: u32,
    /// Bits of the difference, 0 to 15.
    pub(crate) size: u32,
}

/// For DC differences.
#[derive(Clone, Debug)]
pub(crate) struct DcTable {
    /// `total | size << 8`, 0 where the code is longer than the index.
    lookup: [u16; 1 << DC_BITS],
    ladder: Ladder,
}

impl DcTable {
    /// Of a symbol that is not found by [`DcTable::slow`], at most this many bits are used.
    pub(crate) const MAX_TOTAL: u32 = DC_BITS + 15;

    /// # Errors
    /// [`Error::Malformed`] for a category above 15 (libjpeg's bound).
    pub(crate) fn new(codes: &Codes) -> Result<Self, Error> {
        if codes.symbols.iter().any(|&symbol| symbol > 15) {
            return Err(Error::Malformed("a Huffman table for DC terms has a category above 15"));
        }
        let ladder = codes.ladder();
        let mut lookup = [0; 1 << DC_BITS];
        for (window, entry) in (0_u32..).zip(&mut lookup) {
            if let Some((length, symbol)) = ladder.find(window << (16 - DC_BITS))
                && length <= DC_BITS
            {
                *entry = (length as u16 + u16::from(symbol)) | u16::from(symbol) << 8;
            }
        }
        Ok(Self { lookup, ladder })
    }

    /// The symbol at the top of `bits`.
    #[inline(always)]
    pub(crate) fn symbol(&self, bits: u64) -> DcSymbol {
        let entry = u32::from(self.lookup[(bits >> (64 - DC_BITS)) as usize]);
        if entry == 0 { self.slow(bits) } else { DcSymbol { total: entry & 255, size: entry >> 8 } }
    }

    #[cold]
    #[inline(never)]
    fn slow(&self, bits: u64) -> DcSymbol {
        let (length, symbol) = self.ladder.find_or_zero((bits >> 48) as u32);
        DcSymbol { total: length + u32::from(symbol), size: u32::from(symbol) }
    }
}

/// A decoded code of an AC table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AcSymbol {
    /// Bits of the code and of the value after it, 1 to 31.
    pub(crate) total: u32,
    /// Bits of the value, 0 to 15.
    pub(crate) size: u32,
    /// Zero terms before it, 0 to 15; for size 0 also the class of an end-of-band run.
    pub(crate) run: u32,
}

/// For AC terms whose values are wanted.
#[derive(Clone, Debug)]
pub(crate) struct AcTable {
    /// `total | size << 5 | run << 9`, 0 where the code is longer than the index.
    lookup: [u16; 1 << AC_BITS],
    ladder: Ladder,
}

impl AcTable {
    pub(crate) fn new(codes: &Codes) -> Self {
        Self::of(codes.ladder())
    }

    /// For refinements, where sizes other than 0 and 1 are not allowed; as in libjpeg they count as 1.
    pub(crate) fn for_refinement(codes: &Codes) -> Self {
        let mut ladder = codes.ladder();
        for symbol in &mut ladder.symbols {
            *symbol = (*symbol & 0xf0) | (*symbol & 15).min(1);
        }
        Self::of(ladder)
    }

    fn of(ladder: Ladder) -> Self {
        let mut lookup = [0; 1 << AC_BITS];
        for (window, entry) in (0_u32..).zip(&mut lookup) {
            if let Some((length, symbol)) = ladder.find(window << (16 - AC_BITS))
                && length <= AC_BITS
            {
                let (run, size) = (u16::from(symbol >> 4), u16::from(symbol & 15));
                *entry = (length as u16 + size) | size << 5 | run << 9;
            }
        }
        Self { lookup, ladder }
    }

    /// The symbol at the top of `bits`.
    #[inline(always)]
    pub(crate) fn symbol(&self, bits: u64) -> AcSymbol {
        let entry = u32::from(self.lookup[(bits >> (64 - AC_BITS)) as usize]);
        if entry == 0 {
            self.slow(bits)
        } else {
            AcSymbol { total: entry & 31, size: (entry >> 5) & 15, run: entry >> 9 }
        }
    }

    #[cold]
    #[inline(never)]
    fn slow(&self, bits: u64) -> AcSymbol {
        let (length, symbol) = self.ladder.find_or_zero((bits >> 48) as u32);
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        AcSymbol { total: length + size, size, run }
    }
}

/// For AC terms that are only stepped over (sequential scans only).
///
/// An entry is one step: the bits it uses up and the terms it passes, of as many symbols as have their codes within the index bits;
/// the last one's value may reach beyond. It is right only as long as the block has room for all its terms, so a step that leads
/// to index 64 or beyond (other than by an end-of-block) has to be taken symbol by symbol.
#[derive(Clone, Debug)]
pub(crate) struct SkipTable {
    lookup: [u16; 1 << SKIP_BITS],
}

impl SkipTable {
    /// Bits that a step uses up, at most.
    pub(crate) const MAX_BITS: u32 = SKIP_BITS + 15;

    pub(crate) fn new(codes: &Codes) -> Self {
        let ladder = codes.ladder();
        let mut lookup = [0; 1 << SKIP_BITS];
        for (window, entry) in (0_u32..).zip(&mut lookup) {
            let (bits, terms) = Self::step(&ladder, window);
            *entry = (bits | terms << 8) as u16;
        }
        Self { lookup }
    }

    fn step(ladder: &Ladder, window: u32) -> (u32, u32) {
        let (mut bits, mut terms) = (0, 0);
        while bits < SKIP_BITS {
            let rest = (window << (16 - SKIP_BITS) << bits) & 0xffff;
            let Some((length, symbol)) = ladder.find(rest) else { break };
            if bits + length > SKIP_BITS {
                break;
            }
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && run != 15 {
                return (bits + length, terms + END_OF_BLOCK);
            }
            if terms + run + 1 > 63 {
                break;
            }
            (bits, terms) = (bits + length + size, terms + run + 1);
        }
        if bits == 0 { (0, ESCAPE) } else { (bits, terms) }
    }

    /// The step that the top of `bits` tells. Its low 6 bits are the bits it uses up, at most [`SkipTable::MAX_BITS`], 0 where the
    /// code is too long for the table; from bit 8 on, the terms it passes: 1 to 63, plus [`END_OF_BLOCK`] where the block ends
    /// with it, or 255 where the code is too long.
    #[inline(always)]
    pub(crate) fn entry(&self, bits: u64) -> u32 {
        u32::from(self.lookup[(bits >> (64 - SKIP_BITS)) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::{AcTable, Codes, DcTable, END_OF_BLOCK, SkipTable};
    use crate::standard_tables;

    #[test]
    fn refuses_more_codes_than_fit() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Codes::new(counts, &[1, 2, 3]).is_err());
        counts[0] = 2;
        assert!(Codes::new(counts, &[1, 2, 3]).is_err());
        assert!(Codes::new(counts, &[1, 2]).is_ok());
    }

    #[test]
    fn decodes_codes_of_each_length() {
        // T.81, table K.5: 1010 ends the block, 00 is (0,1), 11111111001 is a run of 15 zeros, 1111111111111110 is (15,10).
        let table = AcTable::new(&standard_tables::ac(0).unwrap());
        let symbol = |code: u64, length: u32| table.symbol(code << (64 - length));
        assert_eq!((symbol(0b1010, 4).total, symbol(0b1010, 4).run, symbol(0b1010, 4).size), (4, 0, 0));
        assert_eq!((symbol(0b00, 2).total, symbol(0b00, 2).size), (3, 1));
        assert_eq!((symbol(0x7f9, 11).total, symbol(0x7f9, 11).run), (11, 15));
        assert_eq!((symbol(0xfffe, 16).total, symbol(0xfffe, 16).run, symbol(0xfffe, 16).size), (26, 15, 10));
        // No code: 16 bits, nothing.
        assert_eq!((symbol(0xffff, 16).total, symbol(0xffff, 16).size), (16, 0));
    }

    #[test]
    fn skips_several_symbols_at_once() {
        let table = SkipTable::new(&standard_tables::ac(0).unwrap());
        let step = |bits: u64| (table.entry(bits << 52) & 255, table.entry(bits << 52) >> 8);
        // (0,1) three times with one value bit each, then 00: a fourth code whose value bit lies beyond the index.
        assert_eq!(step(0b0000_0100_0001), (12, 4));
        assert_eq!(step(0b0001_0101_1111), (7, 1 + END_OF_BLOCK));
        assert_eq!(step(0b1111_1111_1111), (0, 255));
    }

    #[test]
    fn a_dc_category_above_15_is_refused() {
        let mut counts = [0; 16];
        counts[0] = 1;
        assert!(DcTable::new(&Codes::new(counts, &[16]).unwrap()).is_err());
        let table = DcTable::new(&Codes::new(counts, &[15]).unwrap()).unwrap();
        assert_eq!(table.symbol(0).size, 15);
    }
}
