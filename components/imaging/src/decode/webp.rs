//! WebP. The decoder averages over whole pixels by itself, in the encoding where that is cheapest.

use std::num::NonZeroU32;

use thumbs_webp::{Decoder, Limits};

use super::{Film, Job, Printer, check_rows, malformed};
use crate::error::Error;
use crate::resample::{self, Layout};

/// Sides, pixels and frames were checked with the header.
const LIMITS: Limits = Limits {
    max_pixels: u64::MAX,
    max_side: u32::MAX,
    max_frames: u32::MAX,
    max_total_pixels: u64::MAX,
    max_table_bytes: 32 << 20,
};

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let decoder = Decoder::new(job.image)?;
    let shrink = NonZeroU32::MIN.max(resample::cell(job.reduction()));
    let from_frames = || animation(job, &decoder, shrink);
    if job.selection.kept() > 1 {
        return from_frames();
    }
    job.still_or(|| still(job, &decoder, shrink), from_frames)
}

fn still(job: &Job<'_>, decoder: &Decoder<'_>, shrink: NonZeroU32) -> Result<Film, Error> {
    let mut printer = None;
    let extent = decoder.decode_rows(shrink, &LIMITS, &mut |layout, row| {
        // The decoder gives all rows, wanted or not.
        let _ = printer.get_or_insert_with(|| self::printer(job, layout, shrink)).push(row);
    })?;
    check_rows(extent.decoded_rows, extent.rows)?;
    let mut printer: Printer = printer.ok_or_else(|| malformed("there are no rows"))?;
    let film = Film::still(printer.finish()?, !extent.is_complete());
    Ok(Film { damaged: decoder.begins_late(), ..film })
}

fn animation(job: &Job<'_>, decoder: &Decoder<'_>, shrink: NonZeroU32) -> Result<Film, Error> {
    let mut printer = printer(job, thumbs_webp::Layout::Rgba8, shrink);
    let mut film = Film::animation(decoder.loop_count().into(), decoder.is_cut());
    let mut broken = None;
    let mut frames = decoder.frames(shrink, &LIMITS)?;
    while job.goes_on(film.decoded_frames, &film) {
        let Some(frame) = frames.next() else {
            film.truncated |= film.decoded_frames < job.selection.decoded();
            break;
        };
        let index = film.decoded_frames;
        film.decoded_frames += 1;
        let is_first = film.is_blank();
        let whole_enough = |frame: thumbs_webp::Frame| {
            let extent = frame.image.extent;
            if is_first { check_rows(extent.decoded_rows, extent.rows).map(|()| frame) } else { Ok(frame) }
        };
        match frame.map_err(Error::from).and_then(whole_enough) {
            Ok(frame) => {
                film.truncated |= !frame.image.extent.is_complete();
                if is_first || job.selection.keeps(index) {
                    film.push(printer.print(&frame.image.pixels)?, frame.duration_ms);
                } else {
                    film.pass_over(frame.duration_ms);
                }
            }
            Err(error) if is_first => film.begin_late(&mut broken, error),
            // What was shown until here is worth keeping.
            Err(_) => {
                film.truncated = true;
                break;
            }
        }
    }
    while let Some(duration_ms) = frames.pass_over() {
        film.pass_over(duration_ms);
    }
    film.finished(broken)
}

fn printer(job: &Job<'_>, layout: thumbs_webp::Layout, shrink: NonZeroU32) -> Printer {
    let layout = match layout {
        thumbs_webp::Layout::Rgb8 => Layout::RGB,
        thumbs_webp::Layout::Rgba8 => Layout::RGBA,
    };
    let (width, height) = (job.header.width.div_ceil(shrink.get()), job.header.height.div_ceil(shrink.get()));
    Printer::new(job, layout, width, height, shrink.get())
}
