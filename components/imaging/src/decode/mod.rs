//! From the bytes of a file to pictures of the planned size, one format a file. Rows are resampled as they are decoded, so
//! that no image is ever held at full size but the canvas of an animation; JPEG and WebP decoders even reduce by themselves
//! before that.

mod canvas;
mod gif;
mod jpeg;
mod lzw;
mod png;
mod printer;
mod webp;

use crate::colour::Converter;
use crate::error::Error;
use crate::header::Header;
use crate::options::SourceFormat;
use crate::plan::Plan;
use crate::raster::{Frame, Loops, Raster};

pub(crate) use printer::Printer;

/// What is to be decoded, and into what.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) image: &'a [u8],
    /// Of `image`.
    pub(crate) header: &'a Header<'a>,
    pub(crate) plan: &'a Plan,
    /// All frames rather than the first.
    pub(crate) animated: bool,
    pub(crate) converter: Converter,
}

/// Pictures of the planned size, as stored: not turned yet.
#[derive(Debug)]
pub(crate) struct Film {
    pub(crate) frames: Vec<Frame>,
    pub(crate) loops: Loops,
    /// The file ends early; what is missing was filled.
    pub(crate) truncated: bool,
    /// A colour profile could not be used.
    pub(crate) profile_ignored: bool,
}

impl Film {
    fn still(raster: Raster, truncated: bool) -> Self {
        let frames = vec![Frame { raster, delay_ms: 0 }];
        Self { frames, loops: Loops::Times(1), truncated, profile_ignored: false }
    }
}

/// At least one frame.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::UnsupportedFeature`].
pub(crate) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    match job.header.format {
        SourceFormat::Jpeg => jpeg::decode(job),
        SourceFormat::Png => png::decode(job),
        SourceFormat::Gif => gif::decode(job),
        SourceFormat::Webp => webp::decode(job),
    }
}

/// So many full-size canvases are held at most while an animation is decoded: one, and what of it a frame restores afterwards.
pub(crate) const fn canvases(format: SourceFormat) -> u64 {
    match format {
        SourceFormat::Jpeg => 0,
        SourceFormat::Webp => 1,
        SourceFormat::Png | SourceFormat::Gif => 2,
    }
}

/// At least half of the rows are needed for a thumbnail that is worth showing.
const fn is_enough(rows: usize, height: usize) -> bool {
    rows > 0 && rows * 2 >= height
}

fn malformed(what: &str) -> Error {
    Error::Malformed(what.to_owned())
}
