//! WebP for thumbnails: a decoder of lossy (VP8, RFC 6386) and lossless images (VP8L), alpha and animation (RFC 9649), and an
//! encoder of lossy frames ([`encode_lossy`]).
//!
//! An image is averaged over boxes of `shrink` x `shrink` pixels while it is decoded, so that neither its RGB nor its YUV
//! ever exists at full size. `shrink` = 1 gives every pixel, to the last bit what other WebP decoders give.
//!
//! | `shrink` | lossy images |
//! |---|---|
//! | 1 | loop filter; chroma interpolated (weights 9, 3, 3, 1); then RGB |
//! | 2, 3 | loop filter; averaged in Y'CbCr; then RGB |
//! | 4 and more | no loop filter, which smooths what the boxes average anyway; averaged in Y'CbCr; then RGB |
//!
//! Leaving the loop filter out costs, on photos and against averages of the full-size picture, at `shrink` = 4 (its blocks
//! and the boxes share their borders: the worst case) luma of 46 to 57 dB PSNR at qualities 30 to 80, and 41 dB at 10.
//!
//! Alpha is straight in all results. Where a box is averaged, its pixels count as much as they are opaque, so nothing
//! bleeds from transparent pixels, and what is fully transparent comes out as four zeros.
//!
//! Memory: a few rows, for lossless images also the 2^20 pixels that references can reach, for animations one canvas of 4
//! bytes a pixel. Input is hostile: sizes are checked against [`Limits`] before anything is allocated, and no input panics.
//!
//! Not here: an encoder of lossless images and a writer of the container, which stand where thumbnails are made; resampling to an
//! exact size, orientation, colour profiles; the caller gets the chunks for the latter two. No file, clock or thread either.

mod alpha;
mod animation;
mod container;
mod decoder;
mod encode;
mod error;
mod image;
mod limits;
mod output;
mod picture;
mod vp8;
mod vp8l;

pub use animation::Frames;
pub use decoder::Decoder;
pub use encode::{EncodeError, MAX_LOSSY_SIDE, encode_lossy, encode_lossy_restored, encode_lossy_within};
pub use error::{Error, Limit};
pub use image::{Codec, Extent, Frame, Image, Layout};
pub use limits::Limits;
