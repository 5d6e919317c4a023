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
        wit::Rows { luma: plane(&luma), cb: plane(&cb), cr: plane(&cr) }
    }
}

fn plane(bytes: &[u8]) -> wit::Plane {
    let (whole, rest) = bytes.as_chunks::<8>();
    let mut words = Vec::with_capacity(bytes.len().div_ceil(8));
    words.extend(whole.iter().map(|word| u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        words.push(u64::from_le_bytes(last));
    }
    // Of 64 rows, which is far from 4 GiB.
    wit::Plane { words, size_bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX) }
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
