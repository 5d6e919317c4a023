//! JPEG for thumbnails: a decoder, and an encoder that makes small files ([`encode`]).
//!
//! The decoder decodes at 1/8, 1/4, 1/2 or full size and does no work that the scale asked for does not
//! need. At 1/8 only the mean of each 8x8 block is wanted, so a baseline file is parsed but not transformed, and of a
//! progressive file only the DC scans are read at all.
//!
//! [`Decoder::new`] reads the header; [`Decoder::decode`] gives a whole picture, [`Decoder::decode_bands`] hands rows to a
//! closure as they come, so that no full-size picture exists for a baseline file.
//!
//! | scale | of each block | output size |
//! |---|---|---|
//! | [`Scale::Eighth`] | its mean: the DC term | `ceil(side / 8)` |
//! | [`Scale::Quarter`] | 2x2 inverse DCT of the 4 lowest terms | `ceil(side / 4)` |
//! | [`Scale::Half`] | 4x4 inverse DCT of the 16 lowest terms | `ceil(side / 2)` |
//! | [`Scale::Full`] | 8x8, the same integers as libjpeg's accurate inverse DCT | the image's |
//!
//! Chroma stored at a half or a quarter of the resolution is decoded at two or four times the scale, as far as its blocks hold so
//! many samples, so that it loses nothing below full size; what remains is interpolated with libjpeg's triangle filter.
//!
//! Decoded: baseline and extended sequential Huffman (interleaved or not), progressive, 8 bits a sample, 1, 3 or 4 components,
//! all sampling factors, restart markers with resynchronisation. [`Error::Unsupported`] is given for arithmetic coding,
//! lossless, hierarchical, 12-bit, two components, and a height that only follows the first scan (DNL).
//!
//! Deliberately not here: EXIF interpretation, ICC conversion, resampling. The segments are handed out as bytes.
//!
//! Damage is concealed, as far as the header is whole: see [`Outcome`].

mod bits;
mod block;
mod coefficients;
mod colour;
mod decoder;
mod encode;
mod error;
mod frame;
mod header;
mod huffman;
mod idct;
mod image;
mod limits;
mod markers;
mod output;
mod plane;
mod profile;
mod progressive;
mod scale;
mod scan;
mod sequential;
mod shape;
mod standard_tables;
mod upsample;
mod zigzag;

pub use decoder::{Decoder, Info};
pub use encode::{Chroma, EncodeError, Encoded, MAX_ENCODED_SIDE, MAX_STEPS_PER_SAMPLE, encode};
pub use error::{Error, Limit};
pub use frame::ColourModel;
pub use image::{Band, Image, Outcome, PixelFormat};
pub use limits::Limits;
pub use profile::IccProfile;
pub use scale::Scale;
