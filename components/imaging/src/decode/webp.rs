//! WebP. The decoder averages over whole pixels by itself, in the encoding where that is cheapest.

use std::num::NonZeroU32;

use thumbs_webp::{Decoder, Extent, Frames, Limits};

use super::canvas::shown_ms;
use super::{Film, Job, Printer, is_enough, malformed};
use crate::error::Error;
use crate::header::webp_error;
use crate::raster::{Frame, Loops};
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
    let decoder = Decoder::new(job.image).map_err(webp_error)?;
    let shrink = NonZeroU32::MIN.max(resample::cell(job.plan.reduction()));
    if job.animated {
        let loops = match decoder.loop_count() {
            0 => Loops::Forever,
            times => Loops::Times(times),
        };
        let frames = decoder.frames(shrink, &LIMITS).map_err(webp_error)?;
        let film = Film { frames: Vec::new(), loops, truncated: decoder.is_cut(), profile_ignored: false };
        animation(job, frames, shrink, film)
    } else {
        still(job, &decoder, shrink)
    }
}

fn still(job: &Job<'_>, decoder: &Decoder<'_>, shrink: NonZeroU32) -> Result<Film, Error> {
    let mut printer = None;
    let extent = decoder.decode_rows(shrink, &LIMITS, &mut |layout, row| {
        printer.get_or_insert_with(|| self::printer(job, layout, shrink)).push(row);
    });
    let extent = extent.map_err(webp_error)?;
    check(extent)?;
    let mut printer: Printer = printer.ok_or_else(|| malformed("there are no rows"))?;
    Ok(Film::still(printer.finish(&[])?, !extent.is_complete()))
}

fn animation(job: &Job<'_>, source: Frames<'_>, shrink: NonZeroU32, mut film: Film) -> Result<Film, Error> {
    let mut printer = printer(job, thumbs_webp::Layout::Rgba8, shrink);
    for frame in source {
        match frame {
            Ok(frame) => {
                let image = frame.image;
                if film.frames.is_empty() {
                    check(image.extent)?;
                }
                film.truncated |= !image.extent.is_complete();
                for row in image.pixels.chunks_exact(Layout::RGBA.row_bytes(image.width)) {
                    printer.push(row);
                }
                let delay_ms = shown_ms(frame.duration_ms);
                film.frames.push(Frame { raster: printer.finish(&[])?, delay_ms });
            }
            // What was shown until here is worth keeping.
            Err(_) if !film.frames.is_empty() => film.truncated = true,
            Err(error) => return Err(webp_error(error)),
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

fn check(extent: Extent) -> Result<(), Error> {
    if is_enough(extent.decoded_rows as usize, extent.rows as usize) {
        Ok(())
    } else {
        Err(malformed("less than half of it is there"))
    }
}
