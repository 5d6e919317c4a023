//! Streams bit by bit.

/// Bits in the order of the stream, behind the two bytes that every stream begins with.
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
    /// Of the blocks.
    bits: u64,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0x78, 0x01], bits: 0 }
    }

    pub(crate) fn put(&mut self, value: u32, count: u32) -> &mut Self {
        for bit in 0..count {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (self.bits % 8);
            }
            self.bits += 1;
        }
        self
    }

    /// A word of a prefix code: its first bit is its highest.
    pub(crate) fn word(&mut self, word: u32, count: u32) -> &mut Self {
        self.put(word.reverse_bits() >> (32 - count), count)
    }

    /// Up to the next whole byte.
    pub(crate) fn align(&mut self) -> &mut Self {
        self.bits = self.bits.next_multiple_of(8);
        self
    }

    /// A block of the fixed code with nothing in it.
    pub(crate) fn empty_fixed_block(&mut self) -> &mut Self {
        self.put(0, 1).put(1, 2).word(0, 7)
    }

    /// A block with a code of its own, whose only word is the end of one bit, and nothing in it.
    pub(crate) fn empty_block(&mut self) -> &mut Self {
        self.put(0, 1).put(2, 2).put(0, 5).put(0, 5).put(14, 4);
        // Words for the lengths: 18 and 1 have one and two bits, 0 has two.
        for length in [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] {
            self.put(length, 3);
        }
        // 256 zeros, a one, a zero; then the end.
        self.word(0, 1).put(127, 7).word(0, 1).put(107, 7).word(3, 2).word(2, 2).put(0, 1)
    }
}
