//! PNG and APNG. The decoder gives rows at full size, which the resampler reduces as they come; those of an interlaced image come in
//! passes.

use std::ops::ControlFlow;

use thumbs_png::{Decoder, Depth, Limits};

use super::{Film, Job, Printer, check_rows, malformed};
use crate::error::Error;
use crate::resample::{self, Layout};

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let decoder = Decoder::new(job.image)?;
    if job.animated { animation(job, &decoder) } else { still(job, &decoder) }
}

fn still(job: &Job<'_>, decoder: &Decoder<'_>) -> Result<Film, Error> {
    let info = decoder.info();
    let mut printer = Printer::new(job, layout(decoder.layout()?), info.width, info.height, 1);
    let mut scatter = info.is_interlaced.then(|| printer.scatter());
    // Sides, pixels and frames were checked with the header.
    let outcome = decoder.decode_rows(&Limits::NONE, &mut |row| match &mut scatter {
        Some(scatter) => {
            scatter.add(row.pixels, row.y, row.x, row.step);
            ControlFlow::Continue(())
        }
        None => printer.push(row.pixels),
    })?;
    if outcome.truncated {
        check_rows(outcome.rows_decoded, outcome.rows)?;
    }
    let raster = match scatter {
        Some(scatter) => printer.finish_scattered(scatter)?,
        None => printer.finish()?,
    };
    Ok(Film::still(raster, outcome.truncated))
}

fn animation(job: &Job<'_>, decoder: &Decoder<'_>) -> Result<Film, Error> {
    let info = decoder.info();
    let mut printer = Printer::new(job, Layout::RGBA, info.width, info.height, 1);
    let mut film = Film::animation(info.loop_count, info.is_cut);
    let mut frames = decoder.frames(&Limits::NONE)?;
    while let Some(frame) = frames.next_frame() {
        if frame.outcome.truncated {
            film.truncated = true;
            match check_rows(frame.outcome.rows_decoded, frame.outcome.rows) {
                Err(error) if film.frames.is_empty() => return Err(error),
                // What was shown until here is worth keeping.
                Err(_) => break,
                Ok(()) => {}
            }
        }
        film.push(printer.print(frame.pixels)?, frame.duration_ms);
    }
    if film.frames.is_empty() { Err(malformed("there are no frames")) } else { Ok(film) }
}

/// The decoder's in our words.
const fn layout(layout: thumbs_png::Layout) -> Layout {
    let depth = match layout.depth {
        Depth::Eight => resample::Depth::Eight,
        Depth::Sixteen => resample::Depth::Sixteen,
    };
    Layout { channels: layout.channels, depth, alpha: layout.has_alpha }
}
