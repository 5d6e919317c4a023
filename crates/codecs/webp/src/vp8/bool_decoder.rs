//! The boolean entropy decoder of VP8 (RFC 6386, section 7). Reading past the end gives zeros, as the RFC has it;
//! [`BoolDecoder::is_exhausted`] tells afterwards.

/// A cursor over one partition.
///
/// It is small and `Copy` on purpose: hot loops work on a local copy, so that the compiler keeps its fields in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoolDecoder<'a> {
    /// Not yet in the window.
    rest: &'a [u8],
    /// The unread bits, the next one at the top.
    window: u64,
    /// 128..=255 between two reads.
    range: u32,
    /// How many bits of the window are filled, zeros past the end included.
    filled: i32,
    /// How many zeros past the end were put into the window.
    padding: i32,
}

impl<'a> BoolDecoder<'a> {
    /// At the start of a partition, which may be empty.
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, window: 0, range: 255, filled: 0, padding: 0 }
    }

    /// Bits were used that the data do not have.
    pub(crate) const fn is_exhausted(&self) -> bool {
        self.padding > self.filled
    }

    /// Afterwards at least 8 bits are filled, 56 where the data last.
    #[inline(always)]
    fn fill(&mut self) {
        if let Some(bytes) = self.rest.first_chunk::<8>() {
            // 7 of the 8 bytes: with fewer than 8 bits in the window, all 56 bits have room.
            self.window |= (u64::from_be_bytes(*bytes) & !0xff) >> self.filled;
            self.filled += 56;
            self.rest = &self.rest[7..];
        } else {
            *self = self.fill_slowly();
        }
    }

    /// By value, so that the fast path's copy need not live in memory.
    #[cold]
    #[inline(never)]
    fn fill_slowly(mut self) -> Self {
        while self.filled <= 48 {
            if let Some((&byte, rest)) = self.rest.split_first() {
                self.window |= u64::from(byte) << (56 - self.filled);
                self.rest = rest;
            } else {
                // More than the window holds at once says nothing new, and the sum must not overflow.
                self.padding = (self.padding + 8).min(1 << 20);
            }
            self.filled += 8;
        }
        self
    }

    /// One bit that is 0 with a probability of `prob / 256`.
    #[inline(always)]
    pub(crate) fn bit(&mut self, prob: u8) -> bool {
        if self.filled < 8 {
            self.fill();
        }
        let split = 1 + (((self.range - 1) * u32::from(prob)) >> 8);
        let split_window = u64::from(split) << 56;
        let bit = self.window >= split_window;
        if bit {
            self.range -= split;
            self.window -= split_window;
        } else {
            self.range = split;
        }
        let shift = self.range.leading_zeros() - 24;
        self.range <<= shift;
        self.window <<= shift;
        self.filled -= shift as i32;
        bit
    }

    /// A bit with even odds.
    #[inline(always)]
    pub(crate) fn flag(&mut self) -> bool {
        self.bit(128)
    }

    /// An unsigned number of up to 8 bits, highest first.
    pub(crate) fn number(&mut self, bits: u32) -> u8 {
        (0..bits).fold(0, |number, _| (number << 1) | u8::from(self.flag()))
    }

    /// A flag and, where it is set, a number of `bits` bits and its sign. 0 where it is not set.
    pub(crate) fn optional_signed(&mut self, bits: u32) -> i32 {
        if !self.flag() {
            return 0;
        }
        let magnitude = i32::from(self.number(bits));
        if self.flag() { -magnitude } else { magnitude }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The encoder of RFC 6386, section 7.3, in exact arithmetic: the code is one long binary fraction.
    fn encode(bits: &[(bool, u8)]) -> Vec<u8> {
        let (mut code, mut position, mut range) = (vec![0_u8; bits.len() + 4], 0_usize, 255_u32);
        for &(bit, prob) in bits {
            let split = 1 + (((range - 1) * u32::from(prob)) >> 8);
            if bit {
                let mut sum = split << (8 - position % 8);
                let mut at = position / 8 + 1;
                loop {
                    sum += u32::from(code[at]);
                    code[at] = sum as u8;
                    sum >>= 8;
                    if sum == 0 {
                        break;
                    }
                    at -= 1;
                }
                range -= split;
            } else {
                range = split;
            }
            while range < 128 {
                range <<= 1;
                position += 1;
            }
        }
        code.truncate(position / 8 + 2);
        code
    }

    /// Bits and probabilities without a pattern.
    fn noise(count: usize) -> Vec<(bool, u8)> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        (0..count)
            .map(|_| {
                let prob = (next() % 255 + 1) as u8;
                (next() % 256 >= u32::from(prob), prob)
            })
            .collect()
    }

    #[test]
    fn reads_back_what_was_encoded() {
        let bits = noise(10_000);
        let code = encode(&bits);
        let mut decoder = BoolDecoder::new(&code);
        for (at, &(bit, prob)) in bits.iter().enumerate() {
            assert_eq!(decoder.bit(prob), bit, "bit {at}");
        }
        assert!(!decoder.is_exhausted());
    }

    #[test]
    fn tells_when_the_data_were_too_short() {
        let bits = noise(10_000);
        let code = encode(&bits);
        let mut decoder = BoolDecoder::new(&code[..code.len() / 2]);
        for &(_, prob) in &bits[..4_000] {
            decoder.bit(prob);
        }
        assert!(!decoder.is_exhausted());
        for _ in 0..1_000_000 {
            decoder.flag();
        }
        assert!(decoder.is_exhausted());
    }
}
