//! Bits of a VP8L stream, lowest first. Reading past the end gives zeros; [`BitReader::is_exhausted`] tells afterwards.

/// A cursor over the stream.
///
/// Nothing but a place, so that it takes one register in hot loops, and what is read ahead never waits for how much was taken of
/// what was read before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    data: &'a [u8],
    /// The next bit.
    next: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self { data, next: 0 }
    }

    /// Bits were used that the data do not have.
    pub(crate) const fn is_exhausted(&self) -> bool {
        self.next > self.data.len() * 8
    }

    /// The next 57 bits, or up to 7 more; the next one is lowest.
    #[inline(always)]
    pub(crate) fn ahead(&self) -> u64 {
        match self.data.get(self.next / 8..).and_then(<[u8]>::first_chunk::<8>) {
            Some(bytes) => u64::from_le_bytes(*bytes) >> (self.next % 8),
            None => self.ahead_at_end(),
        }
    }

    #[cold]
    #[inline(never)]
    fn ahead_at_end(self) -> u64 {
        let mut bytes = [0; 8];
        let left = self.data.get(self.next / 8..).unwrap_or_default();
        for (byte, &left) in bytes.iter_mut().zip(left) {
            *byte = left;
        }
        u64::from_le_bytes(bytes) >> (self.next % 8)
    }

    #[inline(always)]
    pub(crate) fn skip(&mut self, count: u32) {
        self.next += count as usize;
    }

    /// Up to 32 bits.
    #[inline(always)]
    pub(crate) fn bits(&mut self, count: u32) -> u32 {
        let value = self.ahead() & ((1 << count) - 1);
        self.skip(count);
        value as u32
    }

    /// One bit.
    #[inline(always)]
    pub(crate) fn flag(&mut self) -> bool {
        self.bits(1) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_of_all_sizes_up_to_the_last_bit() {
        let data: Vec<u8> = (0..100_u8).map(|at| at.wrapping_mul(73) ^ 0x5a).collect();
        let mut reader = BitReader::new(&data);
        let (mut at, mut size) = (0, 1);
        while at + size <= data.len() * 8 {
            let expected = (0..size).fold(0_u64, |value, bit| {
                value | (u64::from(data[(at + bit) / 8] >> ((at + bit) % 8) & 1) << bit)
            });
            assert_eq!(u64::from(reader.bits(size as u32)), expected, "{size} bits at {at}");
            at += size;
            size = size % 32 + 1;
        }
        let left = data.len() * 8 - at;
        reader.bits(left as u32);
        assert!(!reader.is_exhausted());
        assert_eq!(reader.bits(1), 0);
        assert!(reader.is_exhausted());
    }
}
