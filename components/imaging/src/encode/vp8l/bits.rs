//! Bits in the order of VP8L: the first written is the lowest of its byte (RFC 9649, section 3.3).

/// Growing bytes and the bits that do not fill one yet.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl BitWriter {
    /// The `count` low bits of `value`, at most 32; the others must be 0.
    pub(super) fn put(&mut self, value: u32, count: u32) {
        self.pending |= u64::from(value) << self.pending_bits;
        self.pending_bits += count;
        while self.pending_bits >= 8 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
            self.pending >>= 8;
            self.pending_bits -= 8;
        }
    }

    /// A flag.
    pub(super) fn put_bit(&mut self, bit: bool) {
        self.put(u32::from(bit), 1);
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.pending_bits > 0 {
            self.put(0, 8 - self.pending_bits);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bit_is_the_lowest() {
        let mut bits = BitWriter::default();
        bits.put_bit(true);
        bits.put(0b10, 2);
        bits.put(0xFFFF_FFFF, 32);
        assert_eq!(bits.finish(), [0b1111_1101, 0xFF, 0xFF, 0xFF, 0b0000_0111]);
        assert!(BitWriter::default().finish().is_empty());
    }
}
