//! Blocks of codes that no encoder makes: words of all lengths, for all symbols, in no order of how often they are used.

use proptest::prelude::*;
use thumbs_inflate::Inflate;

use crate::expected;
use crate::writer::Writer;

/// Shortest values and numbers of extra bits: none for the first symbols, then one more with every `step` of them (RFC 1951, section
/// 3.2.5).
const fn values<const SYMBOLS: usize>(least: usize, step: usize) -> [(usize, u32); SYMBOLS] {
    let mut values = [(0, 0); SYMBOLS];
    let (mut shortest, mut symbol) = (least, 0);
    while symbol < SYMBOLS {
        let extra_bits = (symbol / step).saturating_sub(1) as u32;
        values[symbol] = (shortest, extra_bits);
        shortest += 1 << extra_bits;
        symbol += 1;
    }
    values
}

const LENGTHS: [(usize, u32); 29] = {
    let mut lengths = values(3, 4);
    // The last one breaks the rule.
    lengths[28] = (258, 0);
    lengths
};
const DISTANCES: [(usize, u32); 30] = values(1, 2);
const END: usize = 256;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound as u64) as usize
    }

    /// Lengths of the words of a complete code for `count` of the symbols, at least two, `END` among them where there is one.
    fn code(&mut self, symbols: usize, count: usize) -> Vec<u32> {
        let mut words = vec![1, 1];
        while words.len() < count {
            let place = self.below(words.len());
            if words[place] < 15 {
                words[place] += 1;
                words.push(words[place]);
            }
        }
        let mut lengths = vec![0; symbols];
        if symbols > END {
            lengths[END] = words.pop().unwrap_or(1);
        }
        while let Some(length) = words.pop() {
            let mut symbol = self.below(symbols);
            while lengths[symbol] > 0 {
                symbol = (symbol + 1) % symbols;
            }
            lengths[symbol] = length;
        }
        lengths
    }

    fn one_of(&mut self, lengths: &[u32]) -> usize {
        let used: Vec<usize> = (0..lengths.len()).filter(|&symbol| lengths[symbol] > 0).collect();
        used[self.below(used.len())]
    }
}

/// The words of a code (RFC 1951, section 3.2.2).
fn words(lengths: &[u32]) -> Vec<u32> {
    let mut next = 0;
    let mut words = vec![0; lengths.len()];
    for bits in 1..=15 {
        next <<= 1;
        for (word, _) in words.iter_mut().zip(lengths).filter(|&(_, &length)| length == bits) {
            *word = next;
            next += 1;
        }
    }
    words
}

/// The head of a block with these lengths of words, one by one.
fn head(writer: &mut Writer, symbols: &[u32], distances: &[u32]) {
    writer.put(0, 1).put(2, 2).put(29, 5).put(29, 5).put(15, 4);
    // Words of 4 bits for the lengths 0 to 15, none for the ways to repeat them.
    for length in [0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4] {
        writer.put(length, 3);
    }
    for &length in symbols.iter().chain(distances) {
        writer.word(length, 4);
    }
}

/// A stream of some blocks, and what is in it.
fn stream(seed: u64, blocks: usize, symbols_of_block: usize) -> (Vec<u8>, Vec<u8>) {
    let mut random = Random(seed);
    let mut writer = Writer::new();
    let mut bytes: Vec<u8> = (0..=u8::MAX).collect();
    // Something for matches to refer to.
    writer.put(0, 1).put(0, 2).align().put(256, 16).put(!256 & 0xFFFF, 16);
    for &byte in &bytes {
        writer.put(u32::from(byte), 8);
    }
    for _ in 0..blocks {
        let (symbol_count, distance_count) = (2 + random.below(285), 2 + random.below(29));
        let symbols = random.code(286, symbol_count);
        let distances = random.code(30, distance_count);
        head(&mut writer, &symbols, &distances);
        let (symbol_words, distance_words) = (words(&symbols), words(&distances));
        for _ in 0..random.below(symbols_of_block) {
            let symbol = random.one_of(&symbols);
            if symbol == END {
                continue;
            }
            if symbol < END {
                writer.word(symbol_words[symbol], symbols[symbol]);
                bytes.push(symbol as u8);
                continue;
            }
            let distance = random.one_of(&distances);
            let (shortest, extra_bits) = DISTANCES[distance];
            let further = random.below(1 << extra_bits);
            let back = shortest + further;
            if back > bytes.len() {
                continue;
            }
            let (shortest, length_extra_bits) = LENGTHS[symbol - END - 1];
            let longer = random.below(1 << length_extra_bits);
            writer.word(symbol_words[symbol], symbols[symbol]).put(longer as u32, length_extra_bits);
            writer.word(distance_words[distance], distances[distance]).put(further as u32, extra_bits);
            for _ in 0..shortest + longer {
                bytes.push(bytes[bytes.len() - back]);
            }
        }
        writer.word(symbol_words[END], symbols[END]);
    }
    // The last block is empty.
    writer.put(1, 1).put(1, 2).word(0, 7);
    (writer.bytes, bytes)
}

/// Each round takes as many bits as can be: a literal and a length at the full width of the index, the longest distance.
#[test]
fn the_longest_symbols_leave_enough_for_the_next() {
    let mut writer = Writer::new();
    let mut bytes: Vec<u8> = (0..32_768_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    writer.put(0, 1).put(0, 2).align().put(32_768, 16).put(!32_768 & 0xFFFF, 16);
    for &byte in &bytes {
        writer.put(u32::from(byte), 8);
    }
    // Words of 1 to 10 bits, and two of 11; of 1 to 14 bits, and two of 15.
    let (mut symbols, mut distances) = (vec![0; 286], vec![0; 30]);
    symbols[END] = 1;
    for bits in 2..=10 {
        symbols[bits as usize] = bits;
    }
    (symbols[97], symbols[257]) = (11, 11);
    for bits in 1..=14 {
        distances[bits as usize] = bits;
    }
    (distances[28], distances[29]) = (15, 15);
    head(&mut writer, &symbols, &distances);
    let (symbol_words, distance_words) = (words(&symbols), words(&distances));
    let mut random = Random(1);
    for round in 0..300_000 {
        let (distance, further) = if round % 2 == 0 { (29, 8191) } else { (28, random.below(8192)) };
        let back = DISTANCES[distance].0 + further;
        // Matches alone as well, some of them at the place from which the history is kept.
        if round % 4 > 0 {
            writer.word(symbol_words[97], 11);
            bytes.push(97);
        }
        writer.word(symbol_words[257], 11);
        writer.word(distance_words[distance], 15).put(further as u32, 13);
        for _ in 0..3 {
            bytes.push(bytes[bytes.len() - back]);
        }
    }
    writer.word(symbol_words[END], 1).put(1, 1).put(1, 2).word(0, 7);
    let mut inflate = Inflate::new(writer.bytes.chunks(1000));
    let mut ours = Vec::new();
    while ours.len() < bytes.len() {
        let part = inflate.take(999.min(bytes.len() - ours.len()));
        assert!(!part.is_empty(), "{} of {}", ours.len(), bytes.len());
        ours.extend_from_slice(part);
    }
    assert!(ours == bytes && inflate.take(1).is_empty());
}

proptest! {
    #[test]
    fn all_codes_and_symbols_are_read(seed in any::<u64>(), blocks in 1_usize..6, symbols in 1_usize..12_000, piece in 1_usize..9000) {
        let (stream, bytes) = stream(seed, blocks, symbols);
        let mut inflate = Inflate::new(stream.chunks(piece));
        let mut random = Random(seed);
        let mut ours = Vec::new();
        loop {
            // More and less by turns, as the passes of interlaced pictures want it.
            let most = [3, 1000, 70_000, 300_000][random.below(4)];
            let wanted = 1 + random.below(most);
            let part = inflate.take(wanted);
            ours.extend_from_slice(part);
            if part.len() < wanted {
                break;
            }
        }
        prop_assert!(ours == bytes, "{} of {}", ours.len(), bytes.len());
        if bytes.len() < crate::LIMIT {
            prop_assert!(expected(&stream) == bytes);
        }
    }
}
