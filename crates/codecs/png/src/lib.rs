//! A PNG and APNG decoder for thumbnails (PNG specification, third edition): a few rows at a time, so that no picture exists at full
//! size but the canvas of an animation, and no further than rows are wanted. And of an encoder the part that makes files small: [`image_data`].
//!
//! [`Decoder::new`] reads what the chunks say; [`Decoder::decode_rows`] hands rows to a closure as they come, [`Decoder::frames`] gives
//! an animation's frames on their canvas.
//!
//! Decoded: every colour type and depth, interlaced or not, palettes and colours that are declared transparent spelt out, and APNG with
//! disposal and blending. PNG has no smaller version of a picture in it, so rows come at full scale; who wants fewer pixels averages
//! them as they come.
//!
//! Checksums are not verified: a slightly damaged picture is worth more than none, and damage to the pixels shows as an error of the
//! zlib stream or not at all. Damage is told by the [`Outcome`].
//!
//! Memory: some rows and the 32 KiB that a zlib stream refers to; for an animation one canvas of 4 bytes a pixel, and what of it a
//! frame restores afterwards. Input is hostile: sizes are checked against [`Limits`] before anything is allocated, and no input panics.
//!
//! Not here: colour management and EXIF (what the file says is handed out), resampling, chunks written (the crate `png` does that well).

mod animation;
mod chunks;
mod colour;
mod decoder;
mod error;
mod expand;
mod filter;
mod format;
mod header;
mod image_data;
mod interlace;
mod pieces;
mod row;
mod rows;
mod scanlines;
mod stairs;
mod text;
mod unfilter;

pub use animation::Frames;
pub use colour::Colour;
pub use decoder::{Decoder, Info};
pub use error::Error;
pub use image_data::image_data;
pub use row::{Depth, Layout, Row};
pub use text::Text;
pub use thumbs_canvas::{Frame, Limit, Limits, Outcome};
