//! PNG and APNG. The decoder gives rows at full size, which the resampler reduces as they come; those of an interlaced image come in
//! passes.

use std::ops::ControlFlow;

use thumbs_png::{Decoder, Depth, Limits};

use super::{Film, Job, Printer, check_rows};
use crate::error::Error;
use crate::resample::{self, Layout};

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let decoder = Decoder::new(job.image)?;
    let from_frames = || animation(job, &decoder);
    if job.selection.kept() > 1 {
        return from_frames();
    }
    let still = || still(job, &decoder);
    if decoder.info().hides_still && job.may_search {
        // The still was meant for viewers that show no animations; better than nothing it is.
        return from_frames().map(Film::stopped).or_else(|_| still());
    }
    job.still_or(still, from_frames)
}

fn still(job: &Job<'_>, decoder: &Decoder<'_>) -> Result<Film, Error> {
    let info = decoder.info();
    let mut printer = Printer::new(job, layout(decoder.layout()?), info.width, info.height, 1);
    let mut scatters = info.is_interlaced.then(|| printer.scatters());
    // Sides, pixels and frames were checked with the header.
    let outcome = decoder.decode_rows(&Limits::NONE, &mut |row| match &mut scatters {
        Some(scatters) => {
            scatters.iter_mut().for_each(|scatter| scatter.add(row.pixels, row.y, row.x, row.step));
            ControlFlow::Continue(())
        }
        None => printer.push(row.pixels),
    })?;
    if outcome.truncated {
        check_rows(outcome.rows_decoded, outcome.rows)?;
    }
    let rasters = match scatters {
        Some(scatters) => printer.finish_scattered(scatters)?,
        None => printer.finish()?,
    };
    Ok(Film::still(rasters, outcome.truncated))
}

fn animation(job: &Job<'_>, decoder: &Decoder<'_>) -> Result<Film, Error> {
    let info = decoder.info();
    let mut printer = Printer::new(job, Layout::RGBA, info.width, info.height, 1);
    let mut film = Film::animation(info.loop_count, info.is_cut);
    let mut broken = None;
    let mut frames = decoder.frames(&Limits::NONE)?;
    while job.goes_on(film.decoded_frames, &film) {
        let Some(frame) = frames.next_frame() else {
            film.truncated |= film.decoded_frames < job.selection.decoded();
            break;
        };
        let index = film.decoded_frames;
        film.decoded_frames += 1;
        if let Err(error) = check_rows(frame.outcome.rows_decoded, frame.outcome.rows) {
            if film.is_blank() {
                film.begin_late(&mut broken, error);
                continue;
            }
            // What was shown until here is worth keeping.
            film.truncated = true;
            break;
        }
        film.truncated |= frame.outcome.truncated;
        if film.is_blank() || job.selection.keeps(index) {
            film.push(printer.print(frame.pixels)?, frame.duration_ms);
        } else {
            film.pass_over(frame.duration_ms);
        }
    }
    while let Some(duration_ms) = frames.pass_over() {
        film.pass_over(duration_ms);
    }
    film.finished(broken)
}

/// The decoder's in our words.
const fn layout(layout: thumbs_png::Layout) -> Layout {
    let depth = match layout.depth {
        Depth::Eight => resample::Depth::Eight,
        Depth::Sixteen => resample::Depth::Sixteen,
    };
    Layout { channels: layout.channels, depth, alpha: layout.has_alpha }
}
