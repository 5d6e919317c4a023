//! What an image says of itself before its pixels: sizes, frames, orientation, colours. Its codec walks over the structure of the file,
//! allocates next to nothing and never looks at pixels; each format has a file that says the same in our words, the codec's errors
//! included.

mod gif;
mod heif;
mod jpeg;
mod png;
mod webp;

use crate::error::Error;
use crate::options::SourceFormat;
use crate::orientation::Orientation;
use crate::sniff::{other_kind, sniff};

/// The header of an image, borrowed from its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) format: SourceFormat,
    /// As stored; of the canvas where there is one. Not 0.
    pub(crate) width: u32,
    /// See `width`.
    pub(crate) height: u32,
    /// Not 0.
    pub(crate) frames: u32,
    /// Pixels that the file codes beyond `width` x `height` of each frame: parts of a GIF's frames that nobody sees and that have
    /// to be decoded all the same.
    pub(crate) hidden_pixels: u64,
    pub(crate) orientation: Orientation,
    /// The file can hold transparency.
    pub(crate) has_alpha: bool,
    /// The file ends before its own end.
    pub(crate) is_cut: bool,
    pub(crate) model: Model,
    pub(crate) colour: Colour<'a>,
}

/// What the samples of a pixel stand for, alpha apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Grey,
    Rgb,
    /// Cyan, magenta, yellow, black.
    Inks,
}

/// What a file says of the colours its numbers mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Colour<'a> {
    /// Nothing, or that they are sRGB.
    Srgb,
    /// An ICC profile, in parts as they stand in the file.
    Icc(Vec<&'a [u8]>),
    /// An ICC profile, as a zlib stream.
    DeflatedIcc(&'a [u8]),
    /// Something is there that can't be read.
    Broken,
    /// PNG's gAMA, and cHRM where there is one.
    Gamma { exponent: u32, chromaticities: Option<[u32; 8]> },
    /// PNG's cICP, HEIF's nclx (ITU-T H.273): colour primaries, transfer function.
    Codes { primaries: u8, transfer: u8 },
}

/// Reads the header of any format.
///
/// # Errors
/// [`Error::UnsupportedFormat`], [`Error::Malformed`], and [`Error::UnsupportedFeature`] where the header alone shows one.
pub(crate) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    read_as(sniff(image).ok_or_else(|| Error::UnsupportedFormat(other_kind(image)))?, image)
}

/// Reads the header of an image that is known to begin as one of this format.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_as(format: SourceFormat, image: &[u8]) -> Result<Header<'_>, Error> {
    match format {
        SourceFormat::Jpeg => jpeg::read(image),
        SourceFormat::Png => png::read(image),
        SourceFormat::Gif => gif::read(image),
        SourceFormat::Webp => webp::read(image),
        SourceFormat::Heic | SourceFormat::Avif => heif::read(image),
    }
}
