//! The boolean entropy encoder of VP8 (RFC 6386, section 7): what the decoder's `bool_decoder` reads back.

/// Writes one partition.
#[derive(Debug)]
pub(super) struct BoolEncoder {
    bytes: Vec<u8>,
    /// The lower end of the interval, in units of the range's last bit; what went to `bytes` is taken off.
    low: u64,
    /// 128..=255 between two bits.
    range: u32,
    /// Bits of `low` below the next byte to write; 0..=7 between two bits.
    pending: u32,
}

impl BoolEncoder {
    pub(super) const fn new() -> Self {
        Self { bytes: Vec::new(), low: 0, range: 255, pending: 0 }
    }

    /// One bit that is 0 with a probability of `prob / 256`.
    #[inline]
    pub(super) fn bit(&mut self, bit: bool, prob: u8) {
        let split = 1 + (((self.range - 1) * u32::from(prob)) >> 8);
        if bit {
            self.low += u64::from(split);
            self.range -= split;
        } else {
            self.range = split;
        }
        let shift = self.range.leading_zeros() - 24;
        self.range <<= shift;
        self.low <<= shift;
        self.pending += shift;
        if self.pending >= 8 {
            self.write_byte();
        }
    }

    /// Moves the topmost byte out.
    fn write_byte(&mut self) {
        let top = self.low >> self.pending;
        if top > 0xff {
            self.carry();
        }
        self.bytes.push(top as u8);
        self.low &= (1 << self.pending) - 1;
        self.pending -= 8;
    }

    /// Adds 1 to what was written as if it were one number.
    fn carry(&mut self) {
        for byte in self.bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// A bit with even odds.
    pub(super) fn flag(&mut self, bit: bool) {
        self.bit(bit, 128);
    }

    /// The low `bits` bits of a number, highest first.
    pub(super) fn number(&mut self, number: u32, bits: u32) {
        for at in (0..bits).rev() {
            self.flag((number >> at) & 1 == 1);
        }
    }

    /// A flag, and where the number is not 0 its magnitude of `bits` bits and its sign.
    pub(super) fn optional_signed(&mut self, number: i32, bits: u32) {
        self.flag(number != 0);
        if number != 0 {
            self.number(number.unsigned_abs(), bits);
            self.flag(number < 0);
        }
    }

    /// The partition. It holds 8 bits more than are needed, since there are decoders that take a partition for cut short when
    /// they look ahead past its end.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let missing = 16 - self.pending % 8;
        self.low <<= missing;
        self.pending += missing;
        while self.pending >= 8 {
            self.write_byte();
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vp8::bool_decoder::BoolDecoder;

    #[test]
    fn what_is_written_is_read_back() {
        for bias in [1, 16, 128, 240, 255] {
            let mut state = 7_u32;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 16
            };
            // Bits that are as likely as their probability says, rarer, and more frequent: carries reach far back.
            let bits: Vec<(bool, u8)> =
                (0..20_000).map(|_| (next() % 256 >= bias, (next() % 255 + 1) as u8)).collect();
            let mut encoder = BoolEncoder::new();
            for &(bit, prob) in &bits {
                encoder.bit(bit, prob);
            }
            let bytes = encoder.finish();
            let mut decoder = BoolDecoder::new(&bytes);
            for (at, &(bit, prob)) in bits.iter().enumerate() {
                assert_eq!(decoder.bit(prob), bit, "bit {at} of bias {bias}");
            }
            assert!(!decoder.is_exhausted());
        }
    }

    #[test]
    fn numbers_are_read_back() {
        let mut encoder = BoolEncoder::new();
        encoder.number(93, 7);
        encoder.optional_signed(0, 4);
        encoder.optional_signed(-13, 4);
        encoder.optional_signed(63, 6);
        let bytes = encoder.finish();
        let mut decoder = BoolDecoder::new(&bytes);
        assert_eq!(decoder.number(7), 93);
        assert_eq!(decoder.optional_signed(4), 0);
        assert_eq!(decoder.optional_signed(4), -13);
        assert_eq!(decoder.optional_signed(6), 63);
    }
}
