//! What a caller allows. Nothing in proportion to the image is allocated before these are checked.

use crate::error::{Error, Limit};

/// Upper bounds, all inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the full-size picture.
    pub max_pixels: u64,
    /// Pixels of the full-size picture's longer side. The format itself ends at 65,535.
    pub max_side: u32,
    /// Bytes of all buffers that grow with the picture: the result, and for progressive or non-interleaved files the
    /// coefficients or planes kept until the last scan.
    pub max_alloc_bytes: u64,
    /// Scans of one file. Encoders write about ten; each costs up to one visit of every block for a few bytes of input, so
    /// thousands of them are an attack.
    pub max_scans: u32,
}

impl Default for Limits {
    /// 64 megapixels, 16,384 a side, 192 MiB, 100 scans.
    fn default() -> Self {
        Self { max_pixels: 64_000_000, max_side: 16_384, max_alloc_bytes: 192 << 20, max_scans: 100 }
    }
}

impl Limits {
    /// # Errors
    /// [`Error::LimitExceeded`] with the side or the pixels.
    pub(crate) fn check_size(&self, width: u32, height: u32) -> Result<(), Error> {
        if width.max(height) > self.max_side {
            return Err(Error::LimitExceeded(Limit::Side));
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(Error::LimitExceeded(Limit::Pixels));
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::LimitExceeded`] with the memory.
    pub(crate) fn check_alloc(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.max_alloc_bytes { Err(Error::LimitExceeded(Limit::Memory)) } else { Ok(()) }
    }
}
