//! Prefix codes: the bits of each symbol, and how the lengths of these are told to the decoder (RFC 9649, sections 3.7.2 and
//! 6.2).

use thumbs_deflate::code_lengths;

use super::bits::BitWriter;

/// The longest code there may be.
const MAX_LENGTH: u8 = 15;
/// The longest code for a code length.
const MAX_LENGTH_OF_LENGTH: u8 = 7;
/// The order in which the lengths of the codes for lengths are told.
const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A code for the symbols 0 to `lengths.len() - 1`.
#[derive(Clone, Debug)]
pub(super) struct PrefixCode {
    /// 0 for symbols that do not occur.
    lengths: Vec<u8>,
    /// The bits, first bit lowest.
    codes: Vec<u16>,
    /// With one symbol only nothing needs to be written for it.
    is_single: bool,
}

impl PrefixCode {
    /// Short codes for symbols that occur often.
    pub(super) fn new(counts: &[u32]) -> Self {
        Self::with_lengths(code_lengths(counts, MAX_LENGTH))
    }

    fn with_lengths(lengths: Vec<u8>) -> Self {
        let mut next = [0u16; MAX_LENGTH as usize + 2];
        for length in 1..=usize::from(MAX_LENGTH) {
            let shorter = lengths.iter().filter(|&&other| usize::from(other) == length).count();
            next[length + 1] = (next[length] + u16::try_from(shorter).unwrap_or(0)) << 1;
        }
        let codes = lengths
            .iter()
            .map(|&length| {
                if length == 0 {
                    return 0;
                }
                let next = &mut next[usize::from(length)];
                let code = *next;
                *next = next.wrapping_add(1);
                code.reverse_bits() >> (16 - u32::from(length))
            })
            .collect();
        let is_single = lengths.iter().filter(|&&length| length > 0).count() <= 1;
        Self { lengths, codes, is_single }
    }

    pub(super) fn put(&self, bits: &mut BitWriter, symbol: usize) {
        if let (false, Some(&code), Some(&length)) =
            (self.is_single, self.codes.get(symbol), self.lengths.get(symbol))
        {
            bits.put(u32::from(code), u32::from(length));
        }
    }

    /// Bits that symbols with these counts take.
    pub(super) fn cost(&self, counts: &[u32]) -> u64 {
        if self.is_single {
            return 0;
        }
        counts.iter().zip(&self.lengths).map(|(&count, &length)| u64::from(count) * u64::from(length)).sum()
    }

    /// The code itself.
    pub(super) fn describe(&self, bits: &mut BitWriter) {
        let mut used =
            self.lengths.iter().enumerate().filter(|&(_, &length)| length > 0).map(|(symbol, _)| symbol);
        match (used.next(), used.next(), used.next()) {
            (first, second, None) if first.max(second).unwrap_or(0) < 256 => {
                bits.put_bit(true);
                bits.put_bit(second.is_some());
                // At most 255, as just seen.
                let first = first.unwrap_or(0) as u32;
                bits.put_bit(first > 1);
                bits.put(first, if first > 1 { 8 } else { 1 });
                if let Some(second) = second {
                    bits.put(second as u32, 8);
                }
            }
            _ => self.describe_lengths(bits),
        }
    }

    fn describe_lengths(&self, bits: &mut BitWriter) {
        let runs = runs(&self.lengths);
        let mut counts = [0u32; ORDER.len()];
        for run in &runs {
            counts[run.symbol] += 1;
        }
        let code = Self::with_lengths(code_lengths(&counts, MAX_LENGTH_OF_LENGTH));
        let told =
            ORDER.iter().rposition(|&symbol| code.lengths[symbol] > 0).map_or(0, |last| last + 1).max(4);
        bits.put_bit(false);
        // 4 to 19.
        bits.put(told as u32 - 4, 4);
        for &symbol in ORDER.iter().take(told) {
            bits.put(u32::from(code.lengths[symbol]), 3);
        }
        // As many lengths as there are symbols.
        bits.put_bit(false);
        for run in runs {
            code.put(bits, run.symbol);
            bits.put(run.extra, run.extra_bits);
        }
    }
}

/// Code lengths as they are told: one, or several alike.
struct Run {
    /// 0 to 15: that length. 16: the last one again. 17, 18: zeros.
    symbol: usize,
    extra: u32,
    extra_bits: u32,
}

fn runs(lengths: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut last = 8;
    for group in lengths.chunk_by(|a, b| a == b) {
        let Some(&length) = group.first() else { continue };
        let mut left = u32::try_from(group.len()).unwrap_or(0);
        while left > 0 {
            let (symbol, base, extra_bits) = match (length, left) {
                (0, 11..) => (18, 11, 7),
                (0, 3..) => (17, 3, 3),
                (1.., 3..) if length == last => (16, 3, 2),
                _ => (usize::from(length), 1, 0),
            };
            let taken = left.min(base + (1 << extra_bits) - 1);
            runs.push(Run { symbol, extra: taken - base, extra_bits });
            left -= taken;
            if length > 0 {
                last = length;
            }
        }
    }
    runs
}
