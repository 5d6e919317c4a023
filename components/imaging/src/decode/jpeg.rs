//! JPEG, at the smallest scale that leaves the resampler enough.

use jpeg_decoder::{Decoder, PixelFormat};

use super::{Still, malformed};
use crate::error::Error;
use crate::plan::Plan;
use crate::resample::Layout;

/// The resampler gets at least so many pixels for one of the thumbnail, where the image has them.
const MIN_REDUCTION: f64 = 2.0;

pub(super) fn decode(image: &[u8], plan: &Plan) -> Result<Still, Error> {
    let scale = scale(plan.reduction());
    let mut decoder = Decoder::new(image);
    decoder.read_info().map_err(error)?;
    let info = decoder.info().ok_or_else(|| malformed("there is no frame header"))?;
    let wanted = |side: u16| side.div_ceil(scale);
    let (width, height) = decoder.scale(wanted(info.width), wanted(info.height)).map_err(error)?;
    let pixels = decoder.decode().map_err(error)?;
    let (layout, pixels) = match info.pixel_format {
        PixelFormat::L8 => (Layout::GREY, pixels),
        PixelFormat::RGB24 => (Layout::RGB, pixels),
        PixelFormat::CMYK32 => (Layout::RGB, without_black(&pixels)),
        PixelFormat::L16 => return Err(Error::UnsupportedFeature("JPEG with 16 bits a sample".to_owned())),
    };
    Ok(Still {
        layout,
        width: u32::from(width),
        height: u32::from(height),
        scale: u32::from(scale),
        pixels,
        truncated: false,
    })
}

/// 8, 4, 2 or 1.
fn scale(reduction: f64) -> u16 {
    [8, 4, 2].into_iter().find(|&scale| reduction >= MIN_REDUCTION * f64::from(scale)).unwrap_or(1)
}

/// Inks on white paper, each taking away its share.
fn without_black(cmyk: &[u8]) -> Vec<u8> {
    cmyk.as_chunks::<4>()
        .0
        .iter()
        .flat_map(|&[cyan, magenta, yellow, black]| {
            [cyan, magenta, yellow].map(|ink| {
                let light = u32::from(255 - ink) * u32::from(255 - black);
                ((light + 127) / 255) as u8
            })
        })
        .collect()
}

fn error(error: jpeg_decoder::Error) -> Error {
    match error {
        jpeg_decoder::Error::Unsupported(_) => Error::UnsupportedFeature("a feature of this JPEG".to_owned()),
        _ => malformed("its JPEG data is damaged"),
    }
}
