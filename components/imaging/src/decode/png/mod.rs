//! PNG and APNG (PNG specification, third edition), a few rows at a time. Checksums are not verified: a slightly damaged
//! picture is worth more than none, and damage to the pixels shows as an error of the zlib stream or not at all.
//!
//! - `pieces`: the bytes of the zlib stream, chunk by chunk
//! - `unfilter`, `lanes`: raw rows as rows of samples
//! - `scanlines`: the zlib stream, inflated by `thumbs-inflate`, as rows of samples
//! - `expand`: samples as pixels the resampler knows
//! - `interlace`: the seven passes of Adam7
//! - `animation`: APNG's frames on their canvas

mod animation;
mod expand;
mod interlace;
mod lanes;
mod pieces;
mod scanlines;
mod unfilter;

use super::{Film, Job, Printer, is_enough, malformed};
use crate::error::Error;
use crate::header::{PngChunk, PngChunks, PngFormat};

use expand::Expander;
use pieces::Pieces;
use scanlines::Scanlines;

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let format = PngFormat::read(job.image)?;
    let expander = Expander::new(&format, &Palette::read(job.image))?;
    if job.animated {
        return animation::decode(job, &format, &expander);
    }
    let pieces = Pieces::of_still(job.image).ok_or_else(|| malformed("there are no pixels"))?;
    if format.interlaced {
        interlace::decode(job, &format, &expander, pieces)
    } else {
        still(job, &format, &expander, pieces)
    }
}

/// The chunks that pixels need: a palette, and what of it or which colour is transparent.
#[derive(Debug, Default)]
struct Palette<'a> {
    colours: &'a [u8],
    transparency: Option<&'a [u8]>,
}

impl<'a> Palette<'a> {
    fn read(image: &'a [u8]) -> Self {
        let mut palette = Self::default();
        for PngChunk { kind, body, .. } in PngChunks::new(image) {
            match &kind {
                b"PLTE" => palette.colours = body,
                b"tRNS" => palette.transparency = Some(body),
                b"IDAT" => break,
                _ => {}
            }
        }
        palette
    }
}

fn still(job: &Job<'_>, format: &PngFormat, expander: &Expander, pieces: Pieces<'_>) -> Result<Film, Error> {
    let mut printer = Printer::new(job, expander.layout(), format.width, format.height, 1);
    let mut scanlines = Scanlines::new(pieces, format, format.width);
    let height = format.height as usize;
    let mut pixels = Vec::new();
    let mut rows = 0;
    while rows < height && !printer.is_done() {
        let count = scanlines.next(height - rows);
        if count == 0 {
            break;
        }
        for index in 0..count {
            printer.push(expander.expand(scanlines.row(index), &mut pixels));
        }
        rows += count;
    }
    let truncated = !printer.is_done();
    if truncated && !is_enough(rows, height) {
        return Err(malformed("less than half of it is there"));
    }
    let last = expander.expand(scanlines.last_row(), &mut pixels);
    Ok(Film::still(printer.finish(last)?, truncated))
}
