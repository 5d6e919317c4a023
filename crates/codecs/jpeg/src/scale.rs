//! The four sizes a picture can be decoded at.

/// How many samples become of each 8x8 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scale {
    /// One sample per block: the block's mean.
    Eighth,
    /// 2x2 samples per block.
    Quarter,
    /// 4x4 samples per block.
    Half,
    /// All 8x8.
    Full,
}

impl Scale {
    /// All scales, smallest picture first.
    pub const ALL: [Self; 4] = [Self::Eighth, Self::Quarter, Self::Half, Self::Full];

    /// Samples along a block's side: 1, 2, 4 or 8.
    #[must_use]
    pub const fn block_side(self) -> u32 {
        match self {
            Self::Eighth => 1,
            Self::Quarter => 2,
            Self::Half => 4,
            Self::Full => 8,
        }
    }

    /// The length, in pixels, that a side of `pixels` has at this scale, rounded up.
    #[must_use]
    pub const fn reduced(self, pixels: u32) -> u32 {
        (pixels as u64 * self.block_side() as u64).div_ceil(8) as u32
    }

    /// The smallest scale at which `width` x `height` is still at least `min_width` x `min_height`, or [`Scale::Full`].
    #[must_use]
    pub fn at_least(width: u32, height: u32, min_width: u32, min_height: u32) -> Self {
        Self::ALL
            .into_iter()
            .find(|scale| scale.reduced(width) >= min_width && scale.reduced(height) >= min_height)
            .unwrap_or(Self::Full)
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn sides_are_rounded_up() {
        assert_eq!(Scale::Eighth.reduced(1), 1);
        assert_eq!(Scale::Eighth.reduced(17), 3);
        assert_eq!(Scale::Quarter.reduced(17), 5);
        assert_eq!(Scale::Half.reduced(17), 9);
        assert_eq!(Scale::Full.reduced(65_535), 65_535);
    }

    #[test]
    fn the_smallest_scale_that_is_large_enough_is_chosen() {
        assert_eq!(Scale::at_least(1600, 1600, 200, 200), Scale::Eighth);
        assert_eq!(Scale::at_least(1592, 1600, 200, 200), Scale::Quarter);
        assert_eq!(Scale::at_least(399, 4000, 200, 200), Scale::Half);
        assert_eq!(Scale::at_least(100, 100, 200, 200), Scale::Full);
    }
}
