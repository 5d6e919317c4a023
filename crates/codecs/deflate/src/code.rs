//! Prefix codes: how long each symbol's code is, its bits, and how the lengths are told (RFC 1951, sections 3.2.2 and 3.2.7).

use crate::bits::BitWriter;
use crate::lengths::code_lengths;

/// The longest code there may be.
const MAX_LENGTH: u8 = 15;
/// The longest code for a code length.
const MAX_LENGTH_OF_LENGTH: u8 = 7;
/// The order in which the lengths of the codes for lengths are told.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Bits of a symbol, the first of them lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    pub(crate) bits: u16,
    /// 0 for what does not occur.
    pub(crate) length: u8,
}

/// A code for the symbols from 0 on.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) words: Vec<Word>,
}

impl Code {
    /// Short words for symbols that occur often.
    pub(crate) fn new(counts: &[u32]) -> Self {
        Self::with_longest(counts, MAX_LENGTH)
    }

    fn with_longest(counts: &[u32], longest: u8) -> Self {
        let lengths = code_lengths(counts, longest);
        let mut next = [0_u16; MAX_LENGTH as usize + 2];
        for length in 1..=usize::from(MAX_LENGTH) {
            let of_it = lengths.iter().filter(|&&other| usize::from(other) == length).count();
            next[length + 1] = (next[length] + of_it as u16) << 1;
        }
        let words = lengths.into_iter().map(|length| {
            if length == 0 {
                return Word::default();
            }
            let next = &mut next[usize::from(length)];
            let bits = next.reverse_bits() >> (16 - length);
            *next = next.wrapping_add(1);
            Word { bits, length }
        });
        Self { words: words.collect() }
    }

    pub(crate) fn put(&self, bits: &mut BitWriter, symbol: usize) {
        let word = self.words[symbol];
        bits.put(u32::from(word.bits), u32::from(word.length));
    }

    /// Bits that symbols with these counts take.
    pub(crate) fn cost(&self, counts: &[u32]) -> u64 {
        counts.iter().zip(&self.words).map(|(&count, word)| u64::from(count) * u64::from(word.length)).sum()
    }

    /// How many lengths are told: up to the last that is not 0, and `least` at least.
    fn told(&self, least: usize) -> usize {
        self.words.iter().rposition(|word| word.length > 0).map_or(0, |last| last + 1).max(least)
    }
}

/// The lengths of two codes, as a block begins with them.
pub(crate) struct Lengths {
    counts: [usize; 2],
    runs: Vec<Run>,
    code: Code,
    /// Of the lengths of `code`.
    told: usize,
}

/// A length, or several alike.
struct Run {
    /// 0 to 15: that length. 16: the last one again. 17, 18: zeros.
    symbol: usize,
    extra: u32,
    extra_bits: u32,
}

impl Lengths {
    pub(crate) fn of(literals: &Code, distances: &Code) -> Self {
        let counts = [literals.told(257), distances.told(1)];
        let told = |code: &Code, count: usize| -> Vec<u8> {
            code.words.iter().take(count).map(|word| word.length).collect()
        };
        let runs = runs(&[told(literals, counts[0]), told(distances, counts[1])].concat());
        let mut used = [0_u32; ORDER.len()];
        runs.iter().for_each(|run| used[run.symbol] += 1);
        let code = Code::with_longest(&used, MAX_LENGTH_OF_LENGTH);
        let last = ORDER.iter().rposition(|&symbol| code.words[symbol].length > 0);
        Self { counts, runs, code, told: last.map_or(4, |last| (last + 1).max(4)) }
    }

    /// In bits.
    pub(crate) fn cost(&self) -> u64 {
        let of = |run: &Run| u64::from(self.code.words[run.symbol].length) + u64::from(run.extra_bits);
        14 + 3 * self.told as u64 + self.runs.iter().map(of).sum::<u64>()
    }

    pub(crate) fn put(&self, bits: &mut BitWriter) {
        // 257 to 286, 1 to 30 and 4 to 19.
        bits.put(self.counts[0] as u32 - 257, 5);
        bits.put(self.counts[1] as u32 - 1, 5);
        bits.put(self.told as u32 - 4, 4);
        for &symbol in &ORDER[..self.told] {
            bits.put(u32::from(self.code.words[symbol].length), 3);
        }
        for run in &self.runs {
            self.code.put(bits, run.symbol);
            bits.put(run.extra, run.extra_bits);
        }
    }
}

fn runs(lengths: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    for group in lengths.chunk_by(|a, b| a == b) {
        let length = usize::from(group[0]);
        let mut left = group.len() as u32;
        let mut is_first = true;
        while left > 0 {
            let (symbol, least, extra_bits) = match (length, left) {
                (0, 11..) => (18, 11, 7),
                (0, 3..) => (17, 3, 3),
                (1.., 3..) if !is_first => (16, 3, 2),
                _ => (length, 1, 0),
            };
            let taken = left.min(least + (1 << extra_bits) - 1);
            runs.push(Run { symbol, extra: taken - least, extra_bits });
            left -= taken;
            is_first = false;
        }
    }
    runs
}
