//! JPEG (ITU-T T.81): what the decoder's own reading of the segments says, in our words.

use thumbs_jpeg::{Decoder, IccProfile, PixelFormat};

use super::{Colour, Header, Model};
use crate::error::Error;
use crate::options::SourceFormat;
use crate::orientation::Orientation;
use crate::{exif, xmp};

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let decoder = Decoder::new(image)?;
    let info = decoder.info();
    Ok(Header {
        format: SourceFormat::Jpeg,
        width: info.width,
        height: info.height,
        frames: 1,
        hidden_pixels: 0,
        orientation: Orientation::new(
            decoder
                .exif()
                .and_then(exif::orientation)
                .or_else(|| decoder.xmp().and_then(xmp::orientation))
                .unwrap_or(1),
        ),
        has_alpha: false,
        is_cut: decoder.is_cut(),
        model: match info.format {
            PixelFormat::Luma8 => Model::Grey,
            PixelFormat::Rgb8 => Model::Rgb,
            PixelFormat::Cmyk8 => Model::Inks,
        },
        colour: match decoder.icc_profile() {
            IccProfile::None => Colour::Srgb,
            IccProfile::Whole(parts) => Colour::Icc(parts),
            IccProfile::Broken => Colour::Broken,
        },
    })
}

/// The caller's bounds on size were checked before; what is left is the decoder's own bound on memory and scans.
impl From<thumbs_jpeg::Error> for Error {
    fn from(error: thumbs_jpeg::Error) -> Self {
        match error {
            thumbs_jpeg::Error::Unsupported(what) => Self::UnsupportedFeature(what.to_owned()),
            thumbs_jpeg::Error::Malformed(what) => Self::Malformed(what.to_owned()),
            thumbs_jpeg::Error::LimitExceeded(_) => {
                Self::Malformed("it takes too much memory or too many scans".to_owned())
            }
        }
    }
}
