//! What comes out: pictures, bands of rows, and how whole they are.

/// 8 bits a channel, channels interleaved, rows without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Grey, 0 is black.
    Luma8,
    /// `R G B`, in the colour space of the file's ICC profile (sRGB where there is none).
    Rgb8,
    /// `C M Y K`, 255 is full ink: Adobe's inversion has been undone. In the space of the file's ICC profile.
    Cmyk8,
}

impl PixelFormat {
    /// Bytes of a pixel.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Luma8 => 1,
            Self::Rgb8 => 3,
            Self::Cmyk8 => 4,
        }
    }
}

/// How much of the picture the file really held. Pixels that were not there are mid-grey (or hold an earlier, coarser state of a
/// progressive file).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Rows of the output, from the top, before the data ended for good. The picture's height where nothing is missing.
    pub rows_decoded: u32,
    /// The data ended before the last block that was needed. Data missing that this scale does not need is not noticed.
    pub truncated: bool,
    /// Something within was wrong and has been concealed.
    pub damaged: bool,
}

/// Some rows of the picture, in order from the top.
#[derive(Clone, Copy, Debug)]
pub struct Band<'a> {
    /// The output row that comes first here.
    pub first_row: u32,
    /// Whole rows, each `width * channels` bytes.
    pub pixels: &'a [u8],
}

/// A whole picture at the scale asked for.
#[derive(Clone, Debug)]
pub struct Image {
    /// In pixels, at least 1.
    pub width: u32,
    /// In pixels, at least 1.
    pub height: u32,
    /// What the bytes of a pixel are.
    pub format: PixelFormat,
    /// `width * height * format.channels()` bytes.
    pub pixels: Vec<u8>,
    /// How whole it is.
    pub outcome: Outcome,
}
