//! JPEG, at the smallest scale that leaves the resampler enough for the largest picture. The decoder is our own (`thumbs-jpeg`); its rows go straight into
//! the resampler.

use thumbs_jpeg::{Decoder, Limits, PixelFormat, Scale};

use super::{Film, Job, Printer, check_rows};
use crate::colour::Inks;
use crate::error::Error;
use crate::resample::{self, Layout};

/// The caller's bounds on size were checked before; what is left is the decoder's own bound on memory and scans.
const NO_BOUND_ON_SIZE: u32 = u32::MAX;

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let (scale, factor) = scale(job.reduction());
    let decoder = Decoder::new(job.image)?;
    let info = decoder.info();
    let (width, height) = (scale.reduced(info.width), scale.reduced(info.height));
    let inks = (info.format == PixelFormat::Cmyk8).then(|| Inks::new(&job.header.colour));
    let layout = if info.format == PixelFormat::Luma8 { Layout::GREY } else { Layout::RGB };
    let mut printer = Printer::new(job, layout, width, height, factor);
    let limits = Limits { max_pixels: u64::MAX, max_side: NO_BOUND_ON_SIZE, ..Limits::default() };
    let outcome = decoder.decode_bands(scale, &limits, &mut |band| {
        for row in band.pixels.chunks_exact(width as usize * info.format.channels()) {
            let next = match &inks {
                Some(inks) => printer.push(&inks.to_rgb(row)),
                None => printer.push(row),
            };
            if next.is_break() {
                return;
            }
        }
    })?;
    if outcome.truncated {
        check_rows(outcome.rows_decoded, height)?;
    }
    let rasters = printer.finish()?;
    let profile_ignored = inks.is_some_and(|inks| inks.profile_ignored());
    // What is cut off is no damage beyond that.
    let damaged = outcome.damaged && !outcome.truncated;
    Ok(Film { profile_ignored, damaged, ..Film::still(rasters, outcome.truncated) })
}

/// With how many pixels of the image become one on each axis.
fn scale(reduction: f64) -> (Scale, u32) {
    let cell = resample::cell(reduction).get();
    [(Scale::Eighth, 8), (Scale::Quarter, 4), (Scale::Half, 2)]
        .into_iter()
        .find(|&(_, factor)| cell >= factor)
        .unwrap_or((Scale::Full, 1))
}
