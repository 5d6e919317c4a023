//! Bits in the order of deflate: the first written is the lowest of its byte.

/// Growing bytes and the bits that do not fill four yet.
#[derive(Debug)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl BitWriter {
    /// Goes on behind `bytes`.
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, pending: 0, pending_bits: 0 }
    }

    /// The `count` low bits of `value`, at most 32; the others must be 0.
    #[inline]
    pub(crate) fn put(&mut self, value: u32, count: u32) {
        self.pending |= u64::from(value) << self.pending_bits;
        self.pending_bits += count;
        if self.pending_bits >= 32 {
            self.bytes.extend_from_slice(&(self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.pending_bits -= 32;
        }
    }

    /// How many zeros [`Self::align`] would write after `more` bits.
    pub(crate) const fn to_align(&self, more: u32) -> u32 {
        (8 - (self.pending_bits + more) % 8) % 8
    }

    /// Zeros up to the next whole byte.
    pub(crate) fn align(&mut self) {
        let bytes = self.pending_bits.div_ceil(8) as usize;
        self.bytes.extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
        (self.pending, self.pending_bits) = (0, 0);
    }

    /// Whole bytes, from a whole byte on.
    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) {
        self.align();
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bit_is_the_lowest() {
        let mut bits = BitWriter::new(vec![9]);
        bits.put(1, 1);
        bits.put(0b10, 2);
        bits.put(0xFFFF_FFFF, 32);
        bits.put_bytes(&[7]);
        assert_eq!(bits.finish(), [9, 0b1111_1101, 0xFF, 0xFF, 0xFF, 0b0000_0111, 7]);
    }
}
