//! Prefix codes (RFC 9649, section 3.7.2): reading their code lengths and turning them into lookup tables.
//!
//! A table has a root of up to 8 bits; longer codes continue in second-level tables behind it. A code whose longest
//! code word is shorter gets a smaller root, so that thousands of tiny codes cost little.

use crate::{error::Error, vp8l::bit_reader::BitReader};

pub(crate) const ROOT_BITS: u32 = 8;
const MAX_BITS: usize = 15;
/// How the lengths of the code length code are ordered.
const LENGTH_ORDER: [u8; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A table entry: the symbol in the upper half, a number of bits in the lower.
///
/// In the root, a number above [`ROOT_BITS`] says that the "symbol" is the offset of a second-level table, from the root's
/// beginning, which is indexed by so many bits less [`ROOT_BITS`].
pub(crate) type Entry = u32;

const fn entry(symbol: usize, bits: usize) -> Entry {
    ((symbol as u32) << 16) | bits as u32
}

/// Where a code's table lies among all tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Code {
    /// Index of the root's first entry.
    pub(crate) offset: u32,
    /// Size of the root less 1.
    pub(crate) mask: u32,
}

impl Code {
    /// The next symbol and its number of bits, which are not consumed; 15 bits must be valid in `window`.
    #[inline(always)]
    pub(crate) fn look_up(self, tables: &[Entry], window: u64) -> (u32, u32) {
        let root = self.offset + (window as u32 & self.mask);
        let found = tables[root as usize];
        let bits = found & 0xffff;
        if bits <= ROOT_BITS {
            return (found >> 16, bits);
        }
        let index = (window as u32 >> ROOT_BITS) & ((1 << (bits - ROOT_BITS)) - 1);
        let found = tables[(self.offset + (found >> 16) + index) as usize];
        (found >> 16, ROOT_BITS + (found & 0xffff))
    }

    /// The next symbol.
    pub(crate) fn read(self, tables: &[Entry], bits: &mut BitReader<'_>) -> u32 {
        let (symbol, length) = self.look_up(tables, bits.ahead());
        bits.skip(length);
        symbol
    }

    /// The symbol, where there is only one and it costs no bits.
    pub(crate) fn only_symbol(self, tables: &[Entry]) -> Option<u32> {
        (self.mask == 0).then(|| tables[self.offset as usize] >> 16)
    }
}

/// Appends the table of a code with these code lengths (0 = not used, at most 15).
///
/// # Errors
/// [`Error::Malformed`] where the code words are too many or too few, save for a single one, of which the length is ignored.
pub(crate) fn build(lengths: &[u8], tables: &mut Vec<Entry>) -> Result<Code, Error> {
    const NOT_COMPLETE: Error = Error::Malformed("incomplete prefix code");
    let mut counts = [0_usize; MAX_BITS + 1];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    let used: usize = counts.iter().sum();
    let offset = u32::try_from(tables.len()).map_err(|_| NOT_COMPLETE)?;
    if used <= 1 {
        let symbol = lengths.iter().position(|&length| length > 0).ok_or(NOT_COMPLETE)?;
        tables.push(entry(symbol, 0));
        return Ok(Code { offset, mask: 0 });
    }
    let claimed: usize = (1..=MAX_BITS).map(|bits| counts[bits] << (MAX_BITS - bits)).sum();
    if claimed != 1 << MAX_BITS {
        return Err(NOT_COMPLETE);
    }

    // Symbols sorted by code word.
    let mut next = [0_usize; MAX_BITS + 2];
    for bits in 1..=MAX_BITS {
        next[bits + 1] = next[bits] + counts[bits];
    }
    let mut sorted = vec![0_u16; used];
    for (symbol, &length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
        let at = &mut next[usize::from(length)];
        sorted[*at] = symbol as u16;
        *at += 1;
    }

    let longest = (1..=MAX_BITS).rev().find(|&bits| counts[bits] > 0).unwrap_or(1);
    let root_bits = longest.min(ROOT_BITS as usize);
    let root = tables.len();
    tables.resize(root + (1 << root_bits), 0);
    let mut symbols = sorted.iter().map(|&symbol| usize::from(symbol));
    // Code words are stored with their first bit lowest, so they count up with their bits reversed.
    let mut word = 0_usize;
    for (bits, &count) in counts.iter().enumerate().take(root_bits + 1).skip(1) {
        for symbol in symbols.by_ref().take(count) {
            for slot in tables[root + word..root + (1 << root_bits)].iter_mut().step_by(1 << bits) {
                *slot = entry(symbol, bits);
            }
            word = next_reversed(word, bits);
        }
    }
    let mut second = (root, 0_usize);
    let mut current_low = usize::MAX;
    let low_mask = (1 << root_bits) - 1;
    let mut left = counts;
    for bits in root_bits + 1..=longest {
        for symbol in symbols.by_ref().take(counts[bits]) {
            let low = word & low_mask;
            if low != current_low {
                current_low = low;
                let size_bits = second_level_bits(&left, bits, root_bits);
                second = (tables.len(), size_bits);
                tables.resize(second.0 + (1 << size_bits), 0);
                tables[root + low] = entry(second.0 - root, root_bits + size_bits);
            }
            let (start, size_bits) = second;
            let own_bits = bits - root_bits;
            for slot in tables[start + (word >> root_bits)..start + (1 << size_bits)]
                .iter_mut()
                .step_by(1 << own_bits)
            {
                *slot = entry(symbol, own_bits);
            }
            left[bits] -= 1;
            word = next_reversed(word, bits);
        }
    }
    Ok(Code { offset, mask: low_mask as u32 })
}

/// The bits needed by a second-level table whose first code word has `bits` bits, given how many words of each length
/// are still to come.
fn second_level_bits(left: &[usize; MAX_BITS + 1], bits: usize, root_bits: usize) -> usize {
    let mut open = 1_usize << (bits - root_bits);
    for (length, &count) in left.iter().enumerate().skip(bits) {
        if open <= count {
            return length - root_bits;
        }
        open = (open - count) << 1;
    }
    MAX_BITS - root_bits
}

/// The code word after `word` in the order of code words of `bits` bits; both have their first bit lowest.
fn next_reversed(word: usize, bits: usize) -> usize {
    let mut step = 1 << (bits - 1);
    while word & step != 0 {
        step >>= 1;
    }
    if step == 0 { 0 } else { (word & (step - 1)) + step }
}

/// Reads the code lengths of one code over `lengths.len()` symbols (section 3.7.2.1); `lengths` comes in as zeros.
///
/// # Errors
/// [`Error::Malformed`].
pub(crate) fn read_lengths(bits: &mut BitReader<'_>, lengths: &mut [u8]) -> Result<(), Error> {
    const BAD: Error = Error::Malformed("prefix code for symbols that do not exist");
    if bits.flag() {
        let two = bits.flag();
        let first = if bits.flag() { bits.bits(8) } else { bits.bits(1) };
        *lengths.get_mut(first as usize).ok_or(BAD)? = 1;
        if two {
            *lengths.get_mut(bits.bits(8) as usize).ok_or(BAD)? = 1;
        }
        return Ok(());
    }
    let mut length_lengths = [0_u8; 19];
    let count = 4 + bits.bits(4) as usize;
    for &at in &LENGTH_ORDER[..count] {
        length_lengths[usize::from(at)] = bits.bits(3) as u8;
    }
    let mut tables = Vec::with_capacity(1 << 7);
    let code = build(&length_lengths, &mut tables)?;

    let mut left = if bits.flag() {
        let size = 2 + 2 * bits.bits(3);
        2 + bits.bits(size) as usize
    } else {
        lengths.len()
    };
    if left > lengths.len() {
        return Err(BAD);
    }
    let mut at = 0;
    let mut previous = 8;
    while at < lengths.len() && left > 0 {
        left -= 1;
        let symbol = code.read(&tables, bits);
        if symbol < 16 {
            lengths[at] = symbol as u8;
            at += 1;
            if symbol != 0 {
                previous = symbol as u8;
            }
            continue;
        }
        let (value, repeat) = match symbol {
            16 => (previous, 3 + bits.bits(2)),
            17 => (0, 3 + bits.bits(3)),
            _ => (0, 11 + bits.bits(7)),
        };
        let end = at + repeat as usize;
        lengths.get_mut(at..end).ok_or(BAD)?.fill(value);
        at = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code word, by the canonical assignment, must be found in the table.
    fn check(lengths: &[u8]) {
        let mut tables = vec![7; 3];
        let code = build(lengths, &mut tables).unwrap();
        let mut word = 0_u32;
        for bits in 1..=15_u8 {
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, length)| **length == bits) {
                let reversed = word.reverse_bits() >> (32 - u32::from(bits));
                for noise in [0, 0x1234_5678_9abc_u64, u64::MAX] {
                    let window = u64::from(reversed) | (noise << bits);
                    assert_eq!(
                        code.look_up(&tables, window),
                        (symbol as u32, u32::from(bits)),
                        "{lengths:?}"
                    );
                }
                word += 1;
            }
            word <<= 1;
        }
    }

    #[test]
    fn finds_every_word_of_short_and_long_codes() {
        check(&[1, 1]);
        check(&[0, 2, 1, 0, 2]);
        check(&[8; 256]);
        check(&[2, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15]);
        let mut lengths = vec![9; 128];
        lengths.extend([10; 256]);
        lengths.extend([1]);
        check(&lengths);
        let mut lengths = vec![1, 4, 4, 4, 5, 6, 7];
        lengths.extend(vec![11; 16]);
        lengths.extend(vec![4, 4, 4]);
        lengths.push(8);
        let open = (1 << 15) - lengths.iter().map(|&l| 1_usize << (15 - l)).sum::<usize>();
        lengths.extend(vec![15; open]);
        check(&lengths);
    }

    #[test]
    fn refuses_codes_that_are_too_full_or_not_full() {
        for lengths in [&[1, 1, 1][..], &[1, 2], &[2, 2, 2], &[0, 0], &[]] {
            assert!(build(lengths, &mut Vec::new()).is_err(), "{lengths:?}");
        }
    }

    #[test]
    fn one_symbol_costs_no_bits() {
        let mut tables = Vec::new();
        let code = build(&[0, 0, 5, 0], &mut tables).unwrap();
        assert_eq!(code.look_up(&tables, 0), (2, 0));
        assert_eq!(code.only_symbol(&tables), Some(2));
    }
}
