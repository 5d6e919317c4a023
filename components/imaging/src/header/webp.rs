//! WebP (RFC 9649): what the decoder's own reading of the container says, in our words.

use thumbs_webp::Decoder;

use super::{Colour, Header, Model};
use crate::error::Error;
use crate::options::SourceFormat;
use crate::orientation::Orientation;
use crate::{exif, xmp};

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let decoder = Decoder::new(image)?;
    Ok(Header {
        format: SourceFormat::Webp,
        width: decoder.width(),
        height: decoder.height(),
        frames: decoder.frame_count(),
        hidden_pixels: 0,
        orientation: Orientation::new(
            decoder
                .exif()
                .and_then(exif::orientation)
                .or_else(|| decoder.xmp().and_then(xmp::orientation))
                .unwrap_or(1),
        ),
        has_alpha: decoder.has_alpha(),
        is_cut: decoder.is_cut(),
        model: Model::Rgb,
        colour: decoder.icc_profile().map_or(Colour::Srgb, |profile| Colour::Icc(vec![profile])),
    })
}

/// The decoder's limits are set no lower than ours, which were checked before; what is left is its bound on tables.
impl From<thumbs_webp::Error> for Error {
    fn from(error: thumbs_webp::Error) -> Self {
        match error {
            thumbs_webp::Error::NotWebp => Self::UnsupportedFormat(None),
            thumbs_webp::Error::Unsupported(what) => Self::UnsupportedFeature(what.to_owned()),
            thumbs_webp::Error::Malformed(what) => Self::Malformed(what.to_owned()),
            thumbs_webp::Error::LimitExceeded(_) => Self::Malformed("its tables are too large".to_owned()),
        }
    }
}
