//! The component of `wit/heic`: translates between its types and ours, field by field. Nothing is decided here.

#[expect(unsafe_code, reason = "generated; documented in wit/heic")]
mod bindings {
    wit_bindgen::generate!({ world: "heic", path: "../../wit/heic", pub_export_macro: false });

    use super::Decoder;
    export!(Decoder with_types_in self);
}

use bindings::exports::thumbs::heic::decoder as wit;

use crate::picture::{Chroma, Colours, Error, Picture, Rows, Shape};

struct Decoder;

impl wit::Guest for Decoder {
    type Picture = Picture;
}

impl wit::GuestPicture for Picture {
    fn decode(config: Vec<u8>, data: Vec<u8>, max_pixels: u64) -> Result<wit::Picture, wit::Error> {
        Ok(wit::Picture::new(Picture::decode(&config, &data, max_pixels)?))
    }

    fn shape(&self) -> wit::Shape {
        let Shape { width, height, bit_depth, chroma, colours } = Picture::shape(self);
        let Colours { primaries, transfer, matrix, full_range } = colours;
        let chroma = match chroma {
            Chroma::Monochrome => wit::Chroma::Monochrome,
            Chroma::HalvedBothWays => wit::Chroma::HalvedBothWays,
            Chroma::HalvedAcross => wit::Chroma::HalvedAcross,
            Chroma::Full => wit::Chroma::Full,
        };
        wit::Shape { width, height, bit_depth, chroma, primaries, transfer, matrix, full_range }
    }

    fn rows(&self, first: u32, count: u32) -> wit::Rows {
        let Rows { luma, cb, cr } = Picture::rows(self, first, count);
        wit::Rows { luma, cb, cr }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unsupported(what) => Self::Unsupported(what.to_owned()),
            Error::Malformed(how) => Self::Malformed(how.to_owned()),
            Error::TooLarge => Self::TooLarge,
        }
    }
}
