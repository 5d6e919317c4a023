//! Bits of a VP8L stream, lowest first. Reading past the end gives zeros; [`BitReader::is_exhausted`] tells afterwards.

/// A cursor over the stream.
///
/// Small and `Copy`, so that hot loops work on a local copy whose fields stay in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    data: &'a [u8],
    /// The next byte to put into the window.
    position: usize,
    /// The unread bits, the next one lowest. Bits above `filled` are either 0 or what will be put there.
    window: u64,
    /// 0..=63.
    filled: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0, window: 0, filled: 0 }
    }

    /// Bits were used that the data do not have.
    pub(crate) const fn is_exhausted(&self) -> bool {
        // `position` runs on past the end; what of the window came from there may not be used.
        self.position.saturating_sub(self.data.len()) * 8 > self.filled as usize
    }

    /// Afterwards, at least 56 bits are in the window.
    #[inline(always)]
    pub(crate) fn fill(&mut self) {
        if let Some(bytes) = self.data.get(self.position..).and_then(<[u8]>::first_chunk::<8>) {
            self.window |= u64::from_le_bytes(*bytes) << self.filled;
            self.position += ((63 - self.filled) >> 3) as usize;
            self.filled |= 56;
        } else {
            *self = self.fill_slowly();
        }
    }

    /// Afterwards, at least `count` bits are in the window, up to 56. Cheaper than [`Self::fill`] where most symbols are short:
    /// what comes next then waits for no load.
    #[inline(always)]
    pub(crate) fn ensure(&mut self, count: u32) {
        if self.filled < count {
            self.fill();
        }
    }

    /// By value, so that the fast path's copy need not live in memory.
    #[cold]
    #[inline(never)]
    fn fill_slowly(mut self) -> Self {
        // Before the end, the window may already hold bits of the next byte above `filled`.
        self.window &= (1 << self.filled) - 1;
        while self.filled < 56 {
            let byte = self.data.get(self.position).copied().unwrap_or(0);
            self.window |= u64::from(byte) << self.filled;
            self.position += 1;
            self.filled += 8;
        }
        self
    }

    /// The window; the lowest bits are next. Only as many are valid as were filled and not consumed since.
    #[inline(always)]
    pub(crate) const fn peek(&self) -> u64 {
        self.window
    }

    /// `count` at most what is filled.
    #[inline(always)]
    pub(crate) fn consume(&mut self, count: u32) {
        debug_assert!(count <= self.filled, "{count} of {} bits", self.filled);
        self.window >>= count;
        self.filled -= count;
    }

    /// Up to 32 bits.
    #[inline(always)]
    pub(crate) fn bits(&mut self, count: u32) -> u32 {
        self.fill();
        let value = self.window & ((1 << count) - 1);
        self.consume(count);
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
