//! How rows of pixels come out.

/// Bits of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One byte.
    Eight,
    /// Two bytes, the higher one first.
    Sixteen,
}

/// How the pixels of a row lie: interleaved channels, no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha).
    pub channels: usize,
    /// Of each channel.
    pub depth: Depth,
    /// The last channel is alpha, which the others are not multiplied with. Four channels without are RGB and a byte of 255.
    pub has_alpha: bool,
}

impl Layout {
    pub(crate) const RGBA: Self = Self { channels: 4, depth: Depth::Eight, has_alpha: true };
    pub(crate) const RGBX: Self = Self { channels: 4, depth: Depth::Eight, has_alpha: false };

    /// 1 to 8.
    #[must_use]
    pub const fn bytes_per_pixel(self) -> usize {
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

/// Pixels of one row of the picture: all of them, or of an interlaced picture those of one pass.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    /// Which row of the picture, 0 at the top.
    pub y: u32,
    /// The column of the first pixel: 0 unless interlaced.
    pub x: u32,
    /// From column to column: 1 unless interlaced.
    pub step: u32,
    /// In the decoder's layout.
    pub pixels: &'r [u8],
}
