//! Undoes the LZW of GIF (GIF89a specification, appendix F), straight from the sub-blocks.
//!
//! Every string of the dictionary was put out at some time, together with the byte that follows in it. So a string is kept as
//! a place in the output and a length, and most are copied by a load and a store of 16 bytes: no chain of codes is followed
//! byte by byte.
//!
//! Memory: some rows, and the output since the dictionary was begun up to where it is full. That is 8 MiB at most, in a file made
//! for it, of which a buffer that grows by doubling makes 16; usually it is some tens of KiB.

const MAX_CODES: usize = 4096;
const MAX_CODE_BITS: u32 = 12;
/// A string has at most one byte for each code, and one more.
const MAX_LENGTH: usize = MAX_CODES + 1;
/// Strings are copied by so many bytes, so up to one less too many.
const CHUNK: usize = 16;
/// The output begins with all bytes: the strings of length 1.
const LITERALS: usize = 256;

/// A string of the dictionary; none where the length is 0.
#[derive(Clone, Copy, Debug, Default)]
struct Phrase {
    /// Where it stands in the output.
    at: u32,
    /// At most [`MAX_LENGTH`].
    length: u32,
}

/// What changes from code to code.
#[derive(Clone, Copy, Debug)]
struct State {
    /// The unread bits, the next one lowest. Bits above `filled` may be those that come next.
    window: u64,
    filled: u32,
    /// Of the next code.
    code_bits: u32,
    /// The next code to be given out.
    next_code: usize,
    /// The string put out last, from which the next one is made; none where a dictionary begins.
    last: Phrase,
    /// Where the output ends.
    written: usize,
    /// What is put out after this is in no string of the dictionary, if it does not grow.
    kept: usize,
}

/// The bytes of one frame.
#[derive(Debug)]
pub(super) struct Lzw<'a> {
    blocks: Blocks<'a>,
    /// Of the literals.
    first_bits: u32,
    phrases: Box<[Phrase; MAX_CODES]>,
    /// All bytes, then the output; what is beyond [`State::written`] means nothing.
    output: Vec<u8>,
    state: State,
    /// The output was handed over up to here.
    taken: usize,
    is_over: bool,
}

impl State {
    /// Begins a new dictionary.
    const fn clear(&mut self, first_bits: u32) {
        self.code_bits = first_bits + 1;
        self.next_code = (1 << first_bits) + 2;
        self.last = Phrase { at: 0, length: 0 };
        self.kept = LITERALS;
    }

    const fn grows(&self) -> bool {
        self.last.length > 0 && self.next_code < MAX_CODES
    }
}

impl<'a> Lzw<'a> {
    /// `data`: the size of literals in bits, then sub-blocks. Nothing is put out where the size makes no sense.
    pub(super) fn new(data: &'a [u8]) -> Self {
        let (first_bits, rest) =
            data.split_first().map_or((0, data), |(&size, rest)| (u32::from(size), rest));
        let makes_sense = (1..MAX_CODE_BITS).contains(&first_bits);
        let first_bits = if makes_sense { first_bits } else { 1 };
        let mut phrases = Box::new([Phrase::default(); MAX_CODES]);
        for (at, phrase) in phrases.iter_mut().enumerate().take(1 << first_bits) {
            // Literals of more than 8 bits stand for their lowest 8.
            *phrase = Phrase { at: (at % LITERALS) as u32, length: 1 };
        }
        let mut state = State {
            window: 0,
            filled: 0,
            code_bits: 0,
            next_code: 0,
            last: Phrase::default(),
            written: LITERALS,
            kept: LITERALS,
        };
        // Some files begin without a clear code.
        state.clear(first_bits);
        Self {
            blocks: Blocks { block: &[], rest },
            first_bits,
            phrases,
            output: (0..=u8::MAX).collect(),
            state,
            taken: LITERALS,
            is_over: !makes_sense,
        }
    }

    /// The next `length` bytes, if the file has all of them.
    pub(super) fn next(&mut self, length: usize) -> Option<&[u8]> {
        if !self.state.grows() {
            self.forget();
        }
        while !self.is_over && self.state.written < self.taken + length {
            self.decode(self.taken + length);
        }
        let bytes = self.output.get(self.taken..self.state.written)?.get(..length)?;
        self.taken += length;
        Some(bytes)
    }

    /// Moves what was not handed over to where the dictionary ends, where enough was for that to pay.
    fn forget(&mut self) {
        let State { written, kept, .. } = self.state;
        let pending = written - self.taken;
        if self.taken >= kept + pending {
            self.output.copy_within(self.taken..written, kept);
            self.taken = kept;
            self.state.written = kept + pending;
        }
    }

    /// Puts out until there are bytes up to `until`; stops early where a dictionary ends, where the data end, and where they
    /// make no sense.
    fn decode(&mut self, until: usize) {
        let needed = until + MAX_LENGTH + CHUNK;
        if self.output.len() < needed {
            // Twice, lest it be done again for every row.
            self.output.resize(2 * needed, 0);
        }
        let (clear_code, output) = (1 << self.first_bits, &mut self.output[..]);
        let mut state = self.state;
        while state.written < until {
            if state.filled < state.code_bits {
                (state.window, state.filled) = self.blocks.fill(state.window, state.filled);
                if state.filled < state.code_bits {
                    self.is_over = true;
                    break;
                }
            }
            let mask = (1_usize << state.code_bits) - 1;
            let code = state.window as usize & mask;
            state.window >>= state.code_bits;
            state.filled -= state.code_bits;

            // The last string and the first byte of this one are the dictionary's next.
            let grows = state.grows();
            if grows {
                self.phrases[state.next_code % MAX_CODES] =
                    Phrase { at: state.last.at, length: state.last.length + 1 };
            }
            let phrase = self.phrases[code % MAX_CODES];
            let is_known = code < state.next_code || (grows && code == state.next_code);
            if phrase.length == 0 || !is_known {
                if code == clear_code {
                    state.clear(self.first_bits);
                } else {
                    // The end code, or one that was not given out.
                    self.is_over = true;
                }
                break;
            }
            let (from, to, length) = (phrase.at as usize, state.written, phrase.length as usize);
            // Where it is the very string that it adds, this is its last byte.
            output[to] = output[from];
            copy(output, from, to, length);
            state.last = Phrase { at: to as u32, length: phrase.length };
            state.written += length;
            if grows {
                if state.next_code >= mask && state.code_bits < MAX_CODE_BITS {
                    state.code_bits += 1;
                }
                state.next_code += 1;
                state.kept = state.written;
            }
        }
        self.state = state;
        if state.last.length == 0 {
            self.forget();
        }
    }
}

/// The compressed data, a sub-block at a time.
#[derive(Debug)]
struct Blocks<'a> {
    /// What is left of the sub-block being read.
    block: &'a [u8],
    /// The sub-blocks after it.
    rest: &'a [u8],
}

impl Blocks<'_> {
    /// Fills a window with at least 56 bits, as far as there are data.
    #[inline(always)]
    fn fill(&mut self, window: u64, filled: u32) -> (u64, u32) {
        if let Some(bytes) = self.block.first_chunk::<8>() {
            let window = window | (u64::from_le_bytes(*bytes) << filled);
            self.block = &self.block[(63 - filled as usize) / 8..];
            return (window, filled | 56);
        }
        self.fill_slowly(window, filled)
    }

    /// Byte by byte, and on to the next sub-blocks.
    #[inline(never)]
    fn fill_slowly(&mut self, mut window: u64, mut filled: u32) -> (u64, u32) {
        // What is above may be the beginning of the bytes that are read now.
        window &= (1 << filled) - 1;
        while filled < 56 {
            if let Some((&byte, rest)) = self.block.split_first() {
                window |= u64::from(byte) << filled;
                filled += 8;
                self.block = rest;
            } else if let Some((&length @ 1.., rest)) = self.rest.split_first() {
                (self.block, self.rest) = rest.split_at(usize::from(length).min(rest.len()));
            } else {
                break;
            }
        }
        (window, filled)
    }
}

/// Copies `length` bytes forward, and up to [`CHUNK`] - 1 that mean nothing.
#[inline(always)]
fn copy(output: &mut [u8], from: usize, to: usize, length: usize) {
    let mut done = 0;
    while done < length {
        let chunk = output.get(from + done..).and_then(<[u8]>::first_chunk::<CHUNK>).copied();
        let place = output.get_mut(to + done..).and_then(<[u8]>::first_chunk_mut::<CHUNK>);
        if let (Some(chunk), Some(place)) = (chunk, place) {
            *place = chunk;
        }
        done += CHUNK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weezl::{BitOrder, encode::Encoder};

    /// As in a GIF: size, sub-blocks of `block` bytes, end.
    fn packed(bits: u8, bytes: &[u8], block: usize) -> Vec<u8> {
        let codes = Encoder::new(BitOrder::Lsb, bits).encode(bytes).unwrap();
        let mut data = vec![bits];
        for block in codes.chunks(block) {
            data.push(block.len() as u8);
            data.extend_from_slice(block);
        }
        data.push(0);
        data
    }

    fn unpacked(data: &[u8], row: usize) -> Vec<u8> {
        let mut lzw = Lzw::new(data);
        let mut bytes = Vec::new();
        while let Some(row) = lzw.next(row) {
            bytes.extend_from_slice(row);
        }
        bytes
    }

    /// Runs and noise by turns: long strings, and dictionaries that fill up.
    fn mixture(length: usize, colours: u32) -> Vec<u8> {
        let mut state = 1_u32;
        (0..length)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if at / 5000 % 2 == 0 { 1 } else { ((state >> 16) % colours) as u8 }
            })
            .collect()
    }

    #[test]
    fn gives_back_what_an_encoder_was_given() {
        for (bits, colours) in [(2, 4), (5, 32), (8, 256)] {
            let bytes = mixture(120_000, colours);
            for (row, block) in [(1, 255), (100, 1), (3000, 255), (60_000, 77)] {
                assert!(unpacked(&packed(bits, &bytes, block), row) == bytes, "{bits} bits, rows of {row}");
            }
        }
    }

    #[test]
    fn one_string_may_be_as_long_as_there_are_codes() {
        let bytes = vec![3; 9_000_000];
        let data = packed(2, &bytes, 255);
        assert!(unpacked(&data, 30_000) == bytes);
        let mut lzw = Lzw::new(&data);
        while lzw.next(30_000).is_some() {}
        assert!(lzw.output.len() < 17 << 20, "{} bytes", lzw.output.len());
    }

    /// A dictionary that stays full: no clear code comes after it.
    #[test]
    fn a_full_dictionary_serves_on() {
        // 2^12 codes of noise, then literals only, in codes of 12 bits.
        let noise = mixture(10_000, 256);
        let (mut bits, mut expected) = (Vec::new(), Vec::new());
        let mut push = |code: u32, count: u32| bits.extend((0..count).map(|bit| (code >> bit) & 1 == 1));
        push(256, 9);
        for (at, &byte) in noise.iter().enumerate() {
            // A code is given out with each literal but the first.
            let next = (258 + at.saturating_sub(1)).min(4096);
            push(u32::from(byte), (usize::BITS - next.leading_zeros()).clamp(9, 12));
            expected.push(byte);
        }
        let codes: Vec<u8> = bits
            .chunks(8)
            .map(|bits| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit)))
            .collect();
        let mut data = vec![8];
        for block in codes.chunks(255) {
            data.push(block.len() as u8);
            data.extend_from_slice(block);
        }
        assert!(unpacked(&data, 10) == expected);
    }

    #[test]
    fn sizes_without_sense_give_nothing() {
        for size in [0, 12, 255] {
            assert_eq!(unpacked(&[size, 2, 0x44, 0x01, 0], 1), []);
        }
        assert_eq!(unpacked(&[], 1), []);
    }

    proptest! {
        #[test]
        fn decodes_what_the_other_decoder_does(bits in 1u8..12, codes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let mut data = vec![bits];
            for block in codes.chunks(200) {
                data.push(block.len() as u8);
                data.extend_from_slice(block);
            }
            let mut expected = Vec::new();
            // Its answer is as good as its error: what came before counts.
            let _ = weezl::decode::Decoder::new(BitOrder::Lsb, bits).into_vec(&mut expected).decode_all(&codes);
            let found = unpacked(&data, 1);
            prop_assert_eq!(found, expected);
        }
    }
}
