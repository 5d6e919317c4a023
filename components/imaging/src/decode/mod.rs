//! From the bytes of a file to pixels, one format a file. PNG and GIF are resampled row by row as they are decoded;
//! JPEG and WebP decoders reduce by themselves and hand over a small image.

mod canvas;
mod gif;
mod jpeg;
mod png;
mod printer;
mod webp;

use crate::error::Error;
use crate::header::Header;
use crate::options::SourceFormat;
use crate::plan::Plan;
use crate::raster::{Frame, Loops, Raster};
use crate::resample::Layout;

pub(crate) use printer::Printer;

/// What came out of a file.
#[derive(Debug)]
pub(crate) enum Decoded {
    Still(Still),
    Film(Film),
}

/// A picture that is still to be resampled.
#[derive(Debug)]
pub(crate) struct Still {
    pub(crate) layout: Layout,
    /// Of `pixels`.
    pub(crate) width: u32,
    /// See `width`.
    pub(crate) height: u32,
    /// How many pixels of the image, on either axis, one of these stands for.
    pub(crate) scale: u32,
    pub(crate) pixels: Vec<u8>,
    pub(crate) truncated: bool,
}

/// Pictures that were resampled while they were decoded, as stored.
#[derive(Debug)]
pub(crate) struct Film {
    pub(crate) frames: Vec<Frame>,
    pub(crate) loops: Loops,
    pub(crate) truncated: bool,
}

impl Film {
    fn still(raster: Raster, truncated: bool) -> Self {
        Self { frames: vec![Frame { raster, delay_ms: 0 }], loops: Loops::Times(1), truncated }
    }
}

/// Decodes the first frame, or all of them where `animated` says so.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::UnsupportedFeature`].
pub(crate) fn decode(
    image: &[u8],
    header: &Header<'_>,
    plan: &Plan,
    animated: bool,
) -> Result<Decoded, Error> {
    match header.format {
        SourceFormat::Jpeg => jpeg::decode(image, plan).map(Decoded::Still),
        SourceFormat::Png => png::decode(image, plan).map(Decoded::Film),
        SourceFormat::Gif => gif::decode(image, header, plan, animated).map(Decoded::Film),
        SourceFormat::Webp => webp::decode(image, plan).map(Decoded::Still),
    }
}

/// At least half of the rows are needed for a thumbnail that is worth showing.
const fn is_enough(rows: usize, height: usize) -> bool {
    rows > 0 && rows * 2 >= height
}

fn malformed(what: &str) -> Error {
    Error::Malformed(what.to_owned())
}
