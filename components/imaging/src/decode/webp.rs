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
    let shrink = NonZeroU32::MIN.max(resample::cell(job.plan.reduction()));
    if job.animated { animation(job, &decoder, shrink) } else { still(job, &decoder, shrink) }
}

fn still(job: &Job<'_>, decoder: &Decoder<'_>, shrink: NonZeroU32) -> Result<Film, Error> {
    let mut printer = None;
    let extent = decoder.decode_rows(shrink, &LIMITS, &mut |layout, row| {
        // The decoder gives all rows, wanted or not.
        let _ = printer.get_or_insert_with(|| self::printer(job, layout, shrink)).push(row);
    })?;
    check_rows(extent.decoded_rows, extent.rows)?;
    let mut printer: Printer = printer.ok_or_else(|| malformed("there are no rows"))?;
    Ok(Film::still(printer.finish()?, !extent.is_complete()))
}

fn animation(job: &Job<'_>, decoder: &Decoder<'_>, shrink: NonZeroU32) -> Result<Film, Error> {
    let mut printer = printer(job, thumbs_webp::Layout::Rgba8, shrink);
    let mut film = Film::animation(decoder.loop_count().into(), decoder.is_cut());
    for frame in decoder.frames(shrink, &LIMITS)? {
        match frame {
            Ok(frame) => {
                let extent = frame.image.extent;
                if film.frames.is_empty() {
                    check_rows(extent.decoded_rows, extent.rows)?;
                }
                film.truncated |= !extent.is_complete();
                film.push(printer.print(&frame.image.pixels)?, frame.duration_ms);
            }
            // What was shown until here is worth keeping.
            Err(_) if !film.frames.is_empty() => film.truncated = true,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(film)
}

fn printer(job: &Job<'_>, layout: thumbs_webp::Layout, shrink: NonZeroU32) -> Printer {
    let layout = match layout {
        thumbs_webp::Layout::Rgb8 => Layout::RGB,
        thumbs_webp::Layout::Rgba8 => Layout::RGBA,
    };
    let (width, height) = (job.header.width.div_ceil(shrink.get()), job.header.height.div_ceil(shrink.get()));
    Printer::new(job, layout, width, height, shrink.get())
}
