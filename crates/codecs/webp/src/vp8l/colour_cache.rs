//! The colour cache of VP8L (RFC 9649, section 3.6.2.3).

/// Recently seen colours by their hash.
#[derive(Clone, Debug)]
pub(crate) struct ColourCache {
    pub(crate) is_used: bool,
    /// 32 less the bits of an index.
    shift: u32,
    colours: Vec<u32>,
}

impl ColourCache {
    /// `bits`: of an index, 0 where there is no cache.
    pub(crate) fn new(bits: u32) -> Self {
        // With 0 bits the shift would be 32, which no u32 allows.
        Self { is_used: bits > 0, shift: 32 - bits.max(1), colours: vec![0; 1 << bits.max(1)] }
    }

    #[inline(always)]
    pub(crate) fn insert(&mut self, colour: u32) {
        let at = colour.wrapping_mul(0x1e35_a7bd) >> self.shift;
        if let Some(slot) = self.colours.get_mut(at as usize) {
            *slot = colour;
        }
    }

    /// The colour at `index`, which stays where it is. `None` beyond the cache's end, or where there is no cache.
    #[inline(always)]
    pub(crate) fn look_up(&mut self, index: u32) -> Option<u32> {
        let colour = *self.colours.get(index as usize).filter(|_| self.is_used)?;
        // A colour taken from the cache is put into it again, which changes nothing, except for the 0 that every place
        // begins with.
        if colour == 0 {
            self.insert(0);
        }
        Some(colour)
    }
}
