//! From the bytes of a file to pictures of the planned sizes, one format a file. The formats are the business of codecs; here their rows go
//! into the resampler as they come, so that no image is ever held at full size but the canvas of an animation. JPEG and WebP decoders
//! even reduce by themselves before that. The pictures of HEIC and AVIF are decoded elsewhere and given here in parts.
//!
//! - `film`: what decoding gives; `printer`: the resampler with the colours behind it
//! - `mosaic`: a picture of parts that others decode; `strip`: rows of them; `stand_in`: a smaller copy in its place

mod film;
mod gif;
mod jpeg;
mod mosaic;
mod png;
mod printer;
mod stand_in;
mod strip;
mod webp;

use crate::colour::Converter;
use crate::error::Error;
use crate::header::Header;
use crate::options::SourceFormat;
use crate::plan::Plan;
use crate::selection::Selection;

pub(crate) use film::Film;
pub use mosaic::CodedPart;
pub(crate) use mosaic::Mosaic;
use printer::Printer;
pub use strip::{Chroma, Rows, Shape};

/// What is to be decoded, and into what.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) image: &'a [u8],
    /// Of `image`.
    pub(crate) header: &'a Header<'a>,
    /// One for each size; at least one.
    pub(crate) plans: &'a [Plan],
    /// Of the frames that the header counts.
    pub(crate) selection: Selection,
    /// All frames may be decoded for the sake of one.
    pub(crate) may_search: bool,
    pub(crate) converter: Converter,
}

impl Job<'_> {
    /// How far a decoder may reduce by itself: as far as the largest picture allows.
    fn reduction(&self) -> f64 {
        self.plans.iter().map(Plan::reduction).fold(f64::INFINITY, f64::min)
    }

    /// Whether an animation of which so many frames were looked at, and some shown or none, is to be decoded further.
    fn goes_on(&self, looked_at: u32, film: &Film) -> bool {
        looked_at < self.selection.decoded() || film.is_blank() && self.may_search
    }

    /// A still, or where that fails the first frame of the animation that can be shown.
    fn still_or(
        &self,
        still: impl FnOnce() -> Result<Film, Error>,
        animation: impl FnOnce() -> Result<Film, Error>,
    ) -> Result<Film, Error> {
        match still() {
            Err(Error::Malformed(how)) if self.header.frames > 1 && self.may_search => match animation() {
                Ok(film) => Ok(Film { damaged: true, ..film.stopped() }),
                Err(_) => Err(Error::Malformed(how)),
            },
            result => result,
        }
    }
}

/// At least one frame.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::UnsupportedFeature`].
pub(crate) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let film = match job.header.format {
        SourceFormat::Jpeg => jpeg::decode(job),
        SourceFormat::Png => png::decode(job),
        SourceFormat::Gif => gif::decode(job),
        SourceFormat::Webp => webp::decode(job),
        SourceFormat::Heic | SourceFormat::Avif => {
            Err(Error::UnsupportedFeature("a format that is decoded in parts".to_owned()))
        }
    }?;
    Ok(film.of_file(job.header.is_cut))
}

/// At least half of the rows are needed for a thumbnail that is worth showing.
///
/// # Errors
/// [`Error::Malformed`].
fn check_rows(decoded: u32, rows: u32) -> Result<(), Error> {
    if decoded > 0 && u64::from(decoded) * 2 >= u64::from(rows) {
        Ok(())
    } else {
        Err(malformed("less than half of it is there"))
    }
}

fn malformed(what: &str) -> Error {
    Error::Malformed(what.to_owned())
}
