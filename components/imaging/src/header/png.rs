//! PNG and APNG (PNG specification, third edition): what the decoder's own walk over the chunks says, in our words.

use std::borrow::Cow;

use thumbs_png::{Decoder, Text};

use super::{Colour, Header, Model};
use crate::error::Error;
use crate::options::SourceFormat;
use crate::orientation::Orientation;
use crate::{exif, xmp};

/// What of a compressed text is read: more than EXIF or XMP ever take before the orientation.
const MAX_TEXT_BYTES: usize = 256 << 10;

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let decoder = Decoder::new(image)?;
    let info = decoder.info();
    Ok(Header {
        format: SourceFormat::Png,
        width: info.width,
        height: info.height,
        frames: info.frames,
        hidden_pixels: 0,
        orientation: Orientation::new(orientation(&decoder).unwrap_or(1)),
        has_alpha: info.has_alpha,
        is_cut: info.is_cut,
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

fn orientation(decoder: &Decoder<'_>) -> Option<u8> {
    let in_chunk = || decoder.exif().and_then(exif::orientation);
    let in_text = || exif::orientation(&exif::from_text(&inflated(decoder.raw_exif()?))?);
    let in_xmp = || xmp::orientation(&inflated(decoder.xmp()?));
    in_chunk().or_else(in_text).or_else(in_xmp)
}

/// As far as it goes and is looked at.
fn inflated(text: Text<'_>) -> Cow<'_, [u8]> {
    match text {
        Text::Plain(text) => Cow::Borrowed(text),
        Text::Deflated(stream) => {
            let inflated = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(stream, MAX_TEXT_BYTES);
            Cow::Owned(inflated.unwrap_or_else(|error| error.output))
        }
    }
}

/// The decoder's limits are set no lower than ours, which were checked before.
impl From<thumbs_png::Error> for Error {
    fn from(error: thumbs_png::Error) -> Self {
        match error {
            thumbs_png::Error::NotPng => Self::UnsupportedFormat(None),
            thumbs_png::Error::CgBi => Self::UnsupportedFormat(Some("a PNG for iOS alone (CgBI)")),
            thumbs_png::Error::Malformed(what) => Self::Malformed(what.to_owned()),
            thumbs_png::Error::LimitExceeded(_) => Self::Malformed("it is too large".to_owned()),
        }
    }
}
