//! What a caller allows. The decoder allocates nothing in proportion to the image before these are checked.

use crate::error::{Error, Limit};

/// Upper bounds, all inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the canvas.
    pub max_pixels: u64,
    /// Pixels of the canvas' longer side. The format itself ends at 16,383 for a frame and 16,777,216 for a canvas.
    pub max_side: u32,
    /// Frames of an animation.
    pub max_frames: u32,
    /// Canvas pixels times frames of an animation.
    pub max_total_pixels: u64,
    /// Bytes of decoding tables of one lossless image. A file of 200 KB can ask for 65,536 sets of five tables; real encoders
    /// write some hundreds of sets of about 10 KB.
    pub max_table_bytes: u32,
}

impl Default for Limits {
    /// 64 megapixels, 16,384 a side, 200 frames, 100 megapixels over all frames, 32 MiB of tables.
    fn default() -> Self {
        Self {
            max_pixels: 64_000_000,
            max_side: 16_384,
            max_frames: 200,
            max_total_pixels: 100_000_000,
            max_table_bytes: 32 << 20,
        }
    }
}

impl Limits {
    /// # Errors
    /// [`Error::LimitExceeded`] with the side or the pixels.
    pub(crate) fn check_canvas(&self, width: u32, height: u32) -> Result<(), Error> {
        if width.max(height) > self.max_side {
            return Err(Error::LimitExceeded(Limit::Side));
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(Error::LimitExceeded(Limit::Pixels));
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::LimitExceeded`] with the frames or the pixels over all frames.
    pub(crate) fn check_frames(&self, width: u32, height: u32, frames: u32) -> Result<(), Error> {
        if frames > self.max_frames {
            return Err(Error::LimitExceeded(Limit::Frames));
        }
        if u64::from(width) * u64::from(height) * u64::from(frames) > self.max_total_pixels {
            return Err(Error::LimitExceeded(Limit::TotalPixels));
        }
        Ok(())
    }
}
