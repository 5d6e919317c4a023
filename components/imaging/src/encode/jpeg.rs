//! JPEG (ITU-T T.81) from the first frame, by the encoder of `thumbs_jpeg`. Transparency is laid over a background colour: the format
//! has none. How small it gets, docs/decisions/0040-jpeg-is-written-by-code-of-our-own.md says.

use thumbs_jpeg::Chroma;

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
    let (width, height) = (raster.width(), raster.height());
    let is_full = width.max(height) <= MAX_FULL_CHROMA_SIDE || settings.quality >= MIN_FULL_CHROMA_QUALITY;
    let chroma = if is_full { Chroma::Full } else { Chroma::Halved };
    let background = settings.background.0;
    let rgb: Vec<[u8; 3]> = pixels(raster).iter().map(|&pixel| over(pixel, background)).collect();
    let encoded = thumbs_jpeg::encode(&rgb, width, height, settings.quality, chroma);
    sink.put(&encoded.map_err(|_| Failure::Unencodable)?.data)?;
    sink.finish()
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
