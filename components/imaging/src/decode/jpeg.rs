//! JPEG, at the smallest scale that leaves the resampler enough.

use jpeg_decoder::{Decoder, PixelFormat};

use super::{Film, Job, Printer, malformed};
use crate::colour::Inks;
use crate::error::Error;
use crate::resample::{self, Layout};

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let scale = scale(job.plan.reduction());
    let mut decoder = Decoder::new(job.image);
    decoder.read_info().map_err(error)?;
    let info = decoder.info().ok_or_else(|| malformed("there is no frame header"))?;
    let wanted = |side: u16| side.div_ceil(scale);
    let (width, height) = decoder.scale(wanted(info.width), wanted(info.height)).map_err(error)?;
    let mut pixels = decoder.decode().map_err(error)?;
    let mut profile_ignored = false;
    let layout = match info.pixel_format {
        PixelFormat::L8 => Layout::GREY,
        PixelFormat::RGB24 => Layout::RGB,
        PixelFormat::CMYK32 => {
            let inks = Inks::new(&job.header.colour);
            profile_ignored = inks.profile_ignored();
            pixels = inks.to_rgb(&pixels);
            Layout::RGB
        }
        PixelFormat::L16 => return Err(Error::UnsupportedFeature("JPEG with 16 bits a sample".to_owned())),
    };
    let (width, height) = (u32::from(width), u32::from(height));
    let mut printer = Printer::new(job, layout, width, height, u32::from(scale));
    for row in pixels.chunks_exact(layout.row_bytes(width)) {
        printer.push(row);
    }
    Ok(Film { profile_ignored, ..Film::still(printer.finish(&[])?, false) })
}

/// 8, 4, 2 or 1.
fn scale(reduction: f64) -> u16 {
    let cell = resample::cell(reduction).get();
    [8, 4, 2].into_iter().find(|&scale| cell >= u32::from(scale)).unwrap_or(1)
}

fn error(error: jpeg_decoder::Error) -> Error {
    match error {
        jpeg_decoder::Error::Unsupported(_) => Error::UnsupportedFeature("a feature of this JPEG".to_owned()),
        _ => malformed("its JPEG data is damaged"),
    }
}
