//! How decoders lay out a row of pixels: interleaved channels, no padding.

/// Bits of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Eight,
    /// Big-endian, as PNG stores it.
    Sixteen,
}

/// The channels of a pixel and the depth of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// 1 (grey), 2 (grey, alpha), 3 (RGB), or 4 (RGB and alpha, or any four inks).
    pub(crate) channels: usize,
    pub(crate) depth: Depth,
    /// The last channel is alpha, not multiplied in.
    pub(crate) alpha: bool,
}

impl Layout {
    pub(crate) const GREY: Self = Self { channels: 1, depth: Depth::Eight, alpha: false };
    pub(crate) const RGB: Self = Self { channels: 3, depth: Depth::Eight, alpha: false };
    pub(crate) const RGBA: Self = Self { channels: 4, depth: Depth::Eight, alpha: true };
    /// As `RGBA`, where alpha is 255 everywhere.
    pub(crate) const RGBX: Self = Self { channels: 4, depth: Depth::Eight, alpha: false };

    pub(crate) const fn bytes_per_pixel(self) -> usize {
        match self.depth {
            Depth::Eight => self.channels,
            Depth::Sixteen => 2 * self.channels,
        }
    }

    /// Of a row of `width` pixels.
    pub(crate) const fn row_bytes(self, width: u32) -> usize {
        self.bytes_per_pixel() * width as usize
    }
}
