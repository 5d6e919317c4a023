//! What comes out: pictures, frames, and how whole they are.

/// Bytes of a pixel in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Red, green, blue.
    Rgb8,
    /// Red, green, blue, and alpha that the others are not multiplied with.
    Rgba8,
}

impl Layout {
    /// 3 or 4.
    #[must_use]
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb8 => 3,
            Self::Rgba8 => 4,
        }
    }
}

/// How the image data are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// VP8, perhaps with an alpha plane.
    Lossy,
    /// VP8L.
    Lossless,
}

/// A decoded picture, row by row from the top, without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// In pixels: the source's width / `shrink`, rounded up.
    pub width: u32,
    /// In pixels: the source's height / `shrink`, rounded up.
    pub height: u32,
    /// How to read `pixels`.
    pub layout: Layout,
    /// `width * height * layout.bytes_per_pixel()` bytes.
    pub pixels: Vec<u8>,
    /// How much of the source is in it.
    pub extent: Extent,
}

/// How far the data reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Source rows that were decoded, at least 1.
    pub decoded_rows: u32,
    /// Source rows that the image has. Output rows that hold no decoded row are mid-grey (128), or transparent where the
    /// layout has alpha.
    pub rows: u32,
}

impl Extent {
    /// Every row is there.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.decoded_rows == self.rows
    }
}

/// A frame as it is shown: the whole canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// In [`Layout::Rgba8`]. Its extent is that of the frame's own image, not of the canvas.
    pub image: Image,
    /// How long it is shown, as the file has it: 0 is left to the viewer, which usually takes 100.
    pub duration_ms: u32,
}
