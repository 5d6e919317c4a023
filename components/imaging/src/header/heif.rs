//! HEIC and AVIF: what the boxes of the file say, in our words. Its pictures are decoded by other components.

use thumbs_heif::{Coding, Heif};

use super::{Colour, Header, Model};
use crate::error::Error;
use crate::options::SourceFormat;
use crate::orientation::Orientation;

/// What is cut out of a picture has at least one in so many of its pixels: limits are on what is shown, and the rest is decoded as well.
const MOST_CUT_OFF: u64 = 4;

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let Heif { coding, picture, alpha, frames, is_cut, .. } = thumbs_heif::read(image)?;
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let whole = area(picture.width, picture.height);
    if area(picture.crop.width, picture.crop.height).saturating_mul(MOST_CUT_OFF) < whole {
        return Err(Error::UnsupportedFeature("a picture of which little is shown".to_owned()));
    }
    if alpha.as_ref().is_some_and(|alpha| area(alpha.picture.width, alpha.picture.height) > whole) {
        return Err(Error::UnsupportedFeature("an alpha that is larger than its picture".to_owned()));
    }
    Ok(Header {
        format: match coding {
            Coding::Hevc => SourceFormat::Heic,
            Coding::Av1 => SourceFormat::Avif,
        },
        width: picture.crop.width,
        height: picture.crop.height,
        frames,
        hidden_pixels: 0,
        orientation: Orientation::new(picture.orientation),
        has_alpha: alpha.is_some(),
        is_cut,
        model: if picture.is_grey { Model::Grey } else { Model::Rgb },
        colour: match (&picture.profile, picture.nclx) {
            (Some(range), _) => {
                image.get(range.clone()).map_or(Colour::Broken, |bytes| Colour::Icc(vec![bytes]))
            }
            (None, Some(nclx)) => Colour::said(nclx.primaries, nclx.transfer),
            // Perhaps the coded picture says it.
            (None, None) => Colour::Srgb,
        },
    })
}

impl Colour<'_> {
    /// By the numbers of ITU-T H.273; what is unspecified is as in sRGB.
    pub(crate) fn said(primaries: u8, transfer: u8) -> Self {
        const UNSPECIFIED: u8 = thumbs_heif::Nclx::UNSPECIFIED;
        let (bt709, srgb) = (1, 13);
        match (primaries, transfer) {
            (UNSPECIFIED, UNSPECIFIED) => Self::Srgb,
            (UNSPECIFIED, transfer) => Self::Codes { primaries: bt709, transfer },
            (primaries, UNSPECIFIED) => Self::Codes { primaries, transfer: srgb },
            (primaries, transfer) => Self::Codes { primaries, transfer },
        }
    }
}

impl From<thumbs_heif::Error> for Error {
    fn from(error: thumbs_heif::Error) -> Self {
        match error {
            thumbs_heif::Error::NotHeif => Self::UnsupportedFormat(None),
            thumbs_heif::Error::Unsupported(what) => Self::UnsupportedFeature(what.to_owned()),
            thumbs_heif::Error::Malformed(how) => Self::Malformed(how.to_owned()),
        }
    }
}
