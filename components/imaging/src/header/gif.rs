//! GIF (GIF89a specification): what the decoder's own walk over the blocks says, in our words.

use thumbs_gif::Decoder;

use super::{Colour, Header, Model};
use crate::error::Error;
use crate::options::SourceFormat;
use crate::orientation::Orientation;

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let info = Decoder::new(image)?.info();
    Ok(Header {
        format: SourceFormat::Gif,
        width: info.width,
        height: info.height,
        frames: info.frames,
        hidden_pixels: info.hidden_pixels,
        orientation: Orientation::UPRIGHT,
        has_alpha: info.has_alpha,
        is_cut: info.is_cut,
        model: Model::Rgb,
        colour: Colour::Srgb,
    })
}

/// The decoder's limits are set no lower than ours, which were checked before.
impl From<thumbs_gif::Error> for Error {
    fn from(error: thumbs_gif::Error) -> Self {
        match error {
            thumbs_gif::Error::NotGif => Self::UnsupportedFormat(None),
            thumbs_gif::Error::Malformed(what) => Self::Malformed(what.to_owned()),
            thumbs_gif::Error::LimitExceeded(_) => Self::Malformed("it is too large".to_owned()),
        }
    }
}
