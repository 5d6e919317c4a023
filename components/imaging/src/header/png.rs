//! PNG and APNG (PNG specification, third edition): what the decoder's own walk over the chunks says, in our words.

use thumbs_png::Decoder;

use super::{Colour, Header, Model};
use crate::error::Error;
use crate::exif;
use crate::options::SourceFormat;
use crate::orientation::Orientation;

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let decoder = Decoder::new(image)?;
    let info = decoder.info();
    Ok(Header {
        format: SourceFormat::Png,
        width: info.width,
        height: info.height,
        frames: info.frames,
        hidden_pixels: 0,
        orientation: Orientation::new(decoder.exif().and_then(exif::orientation).unwrap_or(1)),
        has_alpha: info.has_alpha,
        model: if info.is_grey { Model::Grey } else { Model::Rgb },
        colour: match decoder.colour() {
            thumbs_png::Colour::Srgb => Colour::Srgb,
            thumbs_png::Colour::DeflatedProfile(stream) => Colour::DeflatedIcc(stream),
            thumbs_png::Colour::Broken => Colour::Broken,
            thumbs_png::Colour::Gamma { exponent, chromaticities } => {
                Colour::Gamma { exponent, chromaticities }
            }
            thumbs_png::Colour::Codes { primaries, transfer } => Colour::Codes { primaries, transfer },
        },
    })
}

/// The decoder's limits are set no lower than ours, which were checked before.
impl From<thumbs_png::Error> for Error {
    fn from(error: thumbs_png::Error) -> Self {
        match error {
            thumbs_png::Error::NotPng => Self::UnsupportedFormat,
            thumbs_png::Error::Malformed(what) => Self::Malformed(what.to_owned()),
            thumbs_png::Error::LimitExceeded(_) => Self::Malformed("it is too large".to_owned()),
        }
    }
}
