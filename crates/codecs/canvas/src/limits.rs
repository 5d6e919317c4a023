//! What a caller allows. Decoders allocate nothing in proportion to the image before these are checked.

/// Upper bounds, all inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the picture, or of the canvas of an animation.
    pub max_pixels: u64,
    /// Pixels of its longer side.
    pub max_side: u32,
    /// Frames of an animation.
    pub max_frames: u32,
    /// Pixels over all frames of an animation: of the canvas, or of a frame that is larger.
    pub max_total_pixels: u64,
}

/// Which bound was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::max_pixels`].
    Pixels,
    /// [`Limits::max_side`].
    Side,
    /// [`Limits::max_frames`].
    Frames,
    /// [`Limits::max_total_pixels`].
    TotalPixels,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pixels => "pixels",
            Self::Side => "side length",
            Self::Frames => "frames",
            Self::TotalPixels => "pixels over all frames",
        })
    }
}

impl Default for Limits {
    /// 64 megapixels, 16,384 a side, 200 frames, 100 megapixels over all frames.
    fn default() -> Self {
        Self { max_pixels: 64_000_000, max_side: 16_384, max_frames: 200, max_total_pixels: 100_000_000 }
    }
}

impl Limits {
    /// For a caller that has checked by itself.
    pub const NONE: Self =
        Self { max_pixels: u64::MAX, max_side: u32::MAX, max_frames: u32::MAX, max_total_pixels: u64::MAX };

    /// # Errors
    /// The side or the pixels.
    pub fn check_size(&self, width: u32, height: u32) -> Result<(), Limit> {
        if width.max(height) > self.max_side {
            return Err(Limit::Side);
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(Limit::Pixels);
        }
        Ok(())
    }

    /// `hidden_pixels`: those of frames that reach beyond the canvas.
    ///
    /// # Errors
    /// The frames or the pixels over all frames.
    pub fn check_frames(
        &self,
        width: u32,
        height: u32,
        frames: u32,
        hidden_pixels: u64,
    ) -> Result<(), Limit> {
        if frames > self.max_frames {
            return Err(Limit::Frames);
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels.saturating_mul(u64::from(frames)).saturating_add(hidden_pixels) > self.max_total_pixels {
            return Err(Limit::TotalPixels);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive_and_named() {
        let limits = Limits { max_pixels: 100, max_side: 20, max_frames: 3, max_total_pixels: 200 };
        assert_eq!(limits.check_size(10, 10), Ok(()));
        assert_eq!(limits.check_size(20, 5), Ok(()));
        assert_eq!(limits.check_size(21, 1), Err(Limit::Side));
        assert_eq!(limits.check_size(11, 10), Err(Limit::Pixels));
        assert_eq!(limits.check_frames(10, 10, 2, 0), Ok(()));
        assert_eq!(limits.check_frames(10, 10, 1, 101), Err(Limit::TotalPixels));
        assert_eq!(limits.check_frames(1, 1, 4, 0), Err(Limit::Frames));
        assert_eq!(Limits::NONE.check_frames(u32::MAX, u32::MAX, u32::MAX, u64::MAX), Ok(()));
    }
}
