//! JPEG (ITU-T T.81), baseline, from the first frame. Transparency is laid over a background colour: the format has none.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::Settings;
use super::clip::{Clip, pixels};
use super::sink::{Failure, Sink};

/// Up to this side the chroma planes keep full resolution. A thumbnail is looked at pixel by pixel and its fine colour
/// (lips, logos, emoji) is a few pixels wide; halving chroma there shows and saves some 20 % of very few bytes.
const MAX_FULL_CHROMA_SIDE: u32 = 256;

/// From this quality on chroma is kept at any size: who asks for it wants the detail.
const MIN_FULL_CHROMA_QUALITY: u8 = 90;

/// # Errors
/// See [`Failure`].
pub(crate) fn write(clip: &Clip<'_>, settings: &Settings, mut sink: Sink) -> Result<Vec<u8>, Failure> {
    let raster = clip.first();
    let (Ok(width), Ok(height)) = (u16::try_from(raster.width()), u16::try_from(raster.height())) else {
        return Err(Failure::Unencodable);
    };
    let background = settings.background.0;
    let full_chroma = raster.width().max(raster.height()) <= MAX_FULL_CHROMA_SIDE
        || settings.quality >= MIN_FULL_CHROMA_QUALITY;
    let rgb: Vec<[u8; 3]> = pixels(raster).iter().map(|&pixel| over(pixel, background)).collect();
    let grey = rgb.iter().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);

    let mut encoder = Encoder::new(&mut sink, settings.quality.clamp(1, 100));
    encoder.set_sampling_factor(if full_chroma { SamplingFactor::F_1_1 } else { SamplingFactor::F_2_2 });
    // A second pass over the coefficients for a tenth of the bytes.
    encoder.set_optimized_huffman_tables(true);
    let written = if grey {
        let luma: Vec<u8> = rgb.iter().map(|pixel| pixel[0]).collect();
        encoder.encode(&luma, width, height, ColorType::Luma)
    } else {
        encoder.encode(rgb.as_flattened(), width, height, ColorType::Rgb)
    };
    match written {
        Ok(()) => sink.finish(),
        Err(_) => Err(sink.blame()),
    }
}

/// Straight alpha over an opaque colour, rounded to nearest.
fn over(pixel: [u8; 4], background: [u8; 3]) -> [u8; 3] {
    let alpha = u32::from(pixel[3]);
    let mix = |channel: usize| {
        let sum = u32::from(pixel[channel]) * alpha + u32::from(background[channel]) * (255 - alpha);
        ((sum + 127) / 255) as u8
    };
    [mix(0), mix(1), mix(2)]
}
