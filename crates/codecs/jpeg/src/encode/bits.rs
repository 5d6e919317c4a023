//! Bits of entropy-coded data: the first written is the highest of its byte, and a zero follows each FF (T.81, section F.1.2.3).

/// Growing bytes and the bits that do not fill one yet.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl BitWriter {
    /// The `count` low bits of `value`, at most 16; the others must be 0.
    pub(super) fn put(&mut self, value: u32, count: u32) {
        self.pending = (self.pending << count) | u64::from(value);
        self.pending_bits += count;
        while self.pending_bits >= 8 {
            self.pending_bits -= 8;
            let byte = (self.pending >> self.pending_bits) as u8;
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
        self.pending &= (1 << self.pending_bits) - 1;
    }

    /// Fills the last byte with ones.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let missing = (8 - self.pending_bits) % 8;
        self.put((1 << missing) - 1, missing);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bit_is_the_highest_and_ff_is_stuffed() {
        let mut bits = BitWriter::default();
        bits.put(1, 1);
        bits.put(0, 7);
        bits.put(0xff, 8);
        bits.put(0b10, 2);
        assert_eq!(bits.finish(), [0x80, 0xff, 0x00, 0b1011_1111]);
        assert!(BitWriter::default().finish().is_empty());
    }
}
