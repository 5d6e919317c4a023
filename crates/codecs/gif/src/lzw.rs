//! Undoes the LZW of GIF (GIF89a specification, appendix F), straight from the sub-blocks.
//!
//! Every string of the dictionary was put out at some time, together with the byte that follows in it. So a string is kept as
//! a place in the output and a length, and most are copied by a load and a store of 16 bytes: no chain of codes is followed
//! byte by byte.
//!
//! Memory: some rows, and the output since the dictionary was begun up to where it is full. Usually that is some tens of KiB; in a file
//! made for it 8 MiB, for a moment twice while the buffer grows.

const MAX_CODES: usize = 4096;
const MAX_CODE_BITS: u32 = 12;
/// A string has at most one byte for each code, and one more.
const MAX_LENGTH: usize = MAX_CODES + 1;
/// Strings are copied this many bytes at a time, so up to one less too many.
const CHUNK: usize = 16;
/// The output's buffer grows by at most this many bytes more than are needed.
const MAX_AHEAD: usize = 1 << 20;
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
    /// Of the next code.
    code_bits: u32,
    /// The next code to be given out. The phrases from here on are none.
    next_code: usize,
    /// The length of the string put out last, from which the next one is made; 0 where a dictionary begins.
    last_length: usize,
    /// Where the output ends.
    written: usize,
}

/// Why no more codes are read for now.
enum Pause {
    /// Enough was put out, or codes now mean something else: the dictionary has begun, or is full.
    Turn,
    /// The codes at hand are used up.
    Starved,
    /// A code that stands for no string.
    NoPhrase(usize),
}

/// The bytes of one frame.
#[derive(Debug)]
pub(crate) struct Lzw<'a> {
    codes: Codes<'a>,
    /// Of the literals.
    first_bits: u32,
    phrases: Box<[Phrase; MAX_CODES]>,
    /// All bytes, then the output; what is beyond [`State::written`] means nothing.
    output: Vec<u8>,
    state: State,
    /// What is put out after this is in no string of the dictionary, unless it grows.
    kept: usize,
    /// The output was handed over up to here.
    taken: usize,
    is_over: bool,
}

impl<'a> Lzw<'a> {
    /// `data`: the size of literals in bits, then sub-blocks. Nothing is put out where the size makes no sense.
    pub(crate) fn new(data: &'a [u8]) -> Self {
        let (first_bits, rest) =
            data.split_first().map_or((0, data), |(&size, rest)| (u32::from(size), rest));
        let makes_sense = (1..MAX_CODE_BITS).contains(&first_bits);
        let first_bits = if makes_sense { first_bits } else { 1 };
        let mut phrases = Box::new([Phrase::default(); MAX_CODES]);
        for (at, phrase) in phrases.iter_mut().enumerate().take(1 << first_bits) {
            // Literals of more than 8 bits stand for their lowest 8.
            *phrase = Phrase { at: (at % LITERALS) as u32, length: 1 };
        }
        Self {
            codes: Codes::new(rest),
            first_bits,
            phrases,
            output: (0..=u8::MAX).collect(),
            // Some files begin without a clear code.
            state: State::cleared(first_bits, LITERALS),
            kept: LITERALS,
            taken: LITERALS,
            is_over: !makes_sense,
        }
    }

    /// The next `length` bytes, if the file has all of them.
    pub(crate) fn next(&mut self, length: usize) -> Option<&[u8]> {
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
        let pending = self.state.written - self.taken;
        if self.taken >= self.kept + pending {
            self.output.copy_within(self.taken..self.state.written, self.kept);
            self.taken = self.kept;
            self.state.written = self.kept + pending;
        }
    }

    /// Puts out some of the bytes up to `until`.
    fn decode(&mut self, until: usize) {
        let needed = until + MAX_LENGTH + CHUNK;
        if self.output.len() < needed {
            // Some more, lest it be done again for every row.
            let enough = needed + needed.min(MAX_AHEAD);
            self.output.reserve_exact(enough - self.output.len());
            self.output.resize(enough, 0);
        }
        let pause = if self.state.grows() { self.run::<true>(until) } else { self.run::<false>(until) };
        match pause {
            Pause::Turn => {
                // The dictionary has just become full: all of its strings stand before this place.
                if self.state.next_code == MAX_CODES && self.kept == LITERALS {
                    self.kept = self.state.written;
                }
            }
            Pause::Starved => self.is_over = !self.codes.refill(),
            Pause::NoPhrase(code) if code == 1 << self.first_bits => {
                let first_free = (1 << self.first_bits) + 2;
                // One more may have been noted down when the code that ended it was met.
                let used = first_free..(self.state.next_code + 1).min(MAX_CODES);
                self.phrases.get_mut(used).unwrap_or_default().fill(Phrase::default());
                self.state = State::cleared(self.first_bits, self.state.written);
                self.kept = LITERALS;
                self.forget();
            }
            // The end code, or one that was not given out.
            Pause::NoPhrase(_) => self.is_over = true,
        }
    }

    /// Reads codes. A dictionary that `GROWS` takes in a new string with each; one that has just begun does not with the first.
    // On its own, and as little as can be: among other code, what changes from code to code doesn't stay in registers.
    #[inline(never)]
    fn run<const GROWS: bool>(&mut self, until: usize) -> Pause {
        let (phrases, output, at_hand) = (&mut *self.phrases, &mut self.output[..], &*self.codes.at_hand);
        let (mut bit, end_bit) = (self.codes.bit, self.codes.end_bit);
        let State { mut code_bits, mut next_code, mut last_length, mut written } = self.state;
        let mut pause = Pause::Turn;
        while written < until {
            if bit + code_bits as usize > end_bit {
                pause = Pause::Starved;
                break;
            }
            let code = code_at(at_hand, bit, code_bits);
            bit += code_bits as usize;
            if GROWS {
                // The last string and the first byte of this one.
                phrases[next_code % MAX_CODES] =
                    Phrase { at: (written - last_length) as u32, length: last_length as u32 + 1 };
            }
            let phrase = phrases[code % MAX_CODES];
            let (from, length) = (phrase.at as usize, phrase.length as usize);
            if length == 0 {
                pause = Pause::NoPhrase(code);
                break;
            }
            if GROWS && code == next_code {
                // The very string that it adds: what is copied ends with the byte that it begins with.
                output[written] = output[from];
            }
            copy(output, from, written, length);
            last_length = length;
            written += length;
            if GROWS {
                if next_code + 1 >= 1 << code_bits {
                    if code_bits == MAX_CODE_BITS {
                        next_code += 1;
                        break;
                    }
                    code_bits += 1;
                }
                next_code += 1;
            } else if next_code < MAX_CODES {
                break;
            }
        }
        self.state = State { code_bits, next_code, last_length, written };
        self.codes.bit = bit;
        pause
    }
}

impl State {
    /// A new dictionary.
    const fn cleared(first_bits: u32, written: usize) -> Self {
        Self { code_bits: first_bits + 1, next_code: (1 << first_bits) + 2, last_length: 0, written }
    }

    const fn grows(&self) -> bool {
        self.last_length > 0 && self.next_code < MAX_CODES
    }
}

/// Bytes of codes at hand, taken out of their sub-blocks.
const AT_HAND: usize = 4096;
/// A code is read as part of this many bytes.
const WORD: usize = 4;

/// The codes in the data.
#[derive(Debug)]
struct Codes<'a> {
    /// The sub-blocks that are not at hand.
    rest: &'a [u8],
    at_hand: Box<[u8; AT_HAND + WORD]>,
    /// Of the next code, in `at_hand`.
    bit: usize,
    /// After the last that is at hand.
    end_bit: usize,
}

impl<'a> Codes<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, at_hand: Box::new([0; AT_HAND + WORD]), bit: 0, end_bit: 0 }
    }

    /// Takes as many sub-blocks to hand as there is room for; says whether there were any.
    fn refill(&mut self) -> bool {
        let (begin, end) = (self.bit / 8, self.end_bit / 8);
        self.at_hand.copy_within(begin..end, 0);
        let mut filled = end - begin;
        let before = filled;
        while let Some((&length @ 1.., rest)) = self.rest.split_first() {
            let (block, rest) = rest.split_at(usize::from(length).min(rest.len()));
            let Some(room) = self.at_hand[..AT_HAND].get_mut(filled..filled + block.len()) else { break };
            room.copy_from_slice(block);
            filled += block.len();
            self.rest = rest;
        }
        (self.bit, self.end_bit) = (self.bit % 8, filled * 8);
        filled > before
    }
}

#[inline(always)]
fn code_at(at_hand: &[u8; AT_HAND + WORD], bit: usize, bits: u32) -> usize {
    let word = at_hand.get(bit / 8..).and_then(<[u8]>::first_chunk::<WORD>).copied().unwrap_or_default();
    (u32::from_le_bytes(word) >> (bit % 8) & ((1 << bits) - 1)) as usize
}

/// Copies `length` bytes forward, and up to [`CHUNK`] - 1 that mean nothing.
#[inline(always)]
fn copy(output: &mut [u8], from: usize, to: usize, length: usize) {
    copy_chunk(output, from, to);
    let mut done = CHUNK;
    while done < length {
        copy_chunk(output, from + done, to + done);
        done += CHUNK;
    }
}

#[inline(always)]
fn copy_chunk(output: &mut [u8], from: usize, to: usize) {
    let chunk = output.get(from..).and_then(<[u8]>::first_chunk::<CHUNK>).copied();
    let place = output.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<CHUNK>);
    if let (Some(chunk), Some(place)) = (chunk, place) {
        *place = chunk;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weezl::{BitOrder, encode::Encoder};

    /// As in a GIF: size, sub-blocks of `block` bytes, end.
    fn packed(bits: u8, bytes: &[u8], block: usize) -> Vec<u8> {
        in_blocks(bits, &Encoder::new(BitOrder::Lsb, bits).encode(bytes).unwrap(), block)
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
        assert!(lzw.output.capacity() < 10 << 20, "{} bytes", lzw.output.capacity());
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
        assert!(unpacked(&in_blocks(8, &codes, 255), 10) == expected);
    }

    #[test]
    fn sizes_without_sense_give_nothing() {
        for size in [0, 12, 255] {
            assert_eq!(unpacked(&[size, 2, 0x44, 0x01, 0], 1), []);
        }
        assert_eq!(unpacked(&[], 1), []);
    }

    /// What the other decoder makes of it, up to its end or its error.
    fn expected(bits: u8, codes: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Its answer is as good as its error: what came before counts.
        let _ = weezl::decode::Decoder::new(BitOrder::Lsb, bits).into_vec(&mut bytes).decode_all(codes);
        bytes
    }

    fn in_blocks(bits: u8, codes: &[u8], block: usize) -> Vec<u8> {
        let mut data = vec![bits];
        for block in codes.chunks(block) {
            data.push(block.len() as u8);
            data.extend_from_slice(block);
        }
        data.push(0);
        data
    }

    proptest! {
        #[test]
        fn decodes_noise_as_the_other_decoder_does(bits in 1u8..12, codes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(unpacked(&in_blocks(bits, &codes, 200), 1), expected(bits, &codes));
        }

        /// Dictionaries that grow and fill up, with a code here and there that was not meant.
        #[test]
        fn decodes_damaged_files_as_the_other_decoder_does(
            bits in 2u8..9,
            runs in prop::collection::vec((any::<u8>(), 1usize..200), 0..300),
            noise in prop::collection::vec(any::<u8>(), 0..6000),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            row in 1usize..300,
            block in 1usize..256,
        ) {
            let within = |byte: u8| byte & (u8::MAX >> (8 - bits));
            let mut bytes: Vec<u8> = runs.iter().flat_map(|&(byte, count)| std::iter::repeat_n(within(byte), count)).collect();
            bytes.extend(noise.iter().map(|&byte| within(byte)));
            let mut codes = Encoder::new(BitOrder::Lsb, bits).encode(&bytes).unwrap();
            for (place, byte) in &damage {
                let place = place.index(codes.len());
                codes[place] = *byte;
            }
            let mut expected = expected(bits, &codes);
            prop_assert!(!damage.is_empty() || expected == bytes);
            // Rows come whole or not at all.
            expected.truncate(expected.len() / row * row);
            prop_assert!(unpacked(&in_blocks(bits, &codes, block), row) == expected);
        }
    }
}
