//! A GIF decoder for thumbnails (GIF89a specification): a still image row by row, an animation frame by frame on its screen.
//!
//! [`Decoder::new`] walks over the blocks; [`Decoder::decode_rows`] hands the rows of the first frame to a closure as they come,
//! [`Decoder::frames`] gives all frames, each as it is shown.
//!
//! Decoded: both versions, local and global palettes, transparency, interlacing, disposal, Netscape's loops. All pixels are `R G B A`.
//! GIF has no smaller version of a picture in it, so rows come at full scale; who wants fewer pixels averages them as they come.
//!
//! Viewers disagree with the specification in places, and files are made for viewers: a frame that is disposed of to the background
//! leaves transparency, the screen grows to hold all of the first frame, the background colour is ignored.
//!
//! Memory: a row, the dictionary (up to 8 MiB in a file made for it), of an interlaced still its indices; of an animation one screen of 4
//! bytes a pixel, and what of it a frame restores afterwards. Input is hostile: sizes are checked against [`Limits`] before anything is
//! allocated, and no input panics.
//!
//! Not here: resampling, encoding.

mod animation;
mod blocks;
mod decoder;
mod error;
mod header;
mod lzw;
mod order;
mod palette;
mod still;

pub use animation::Frames;
pub use decoder::{Decoder, Info};
pub use error::Error;
pub use thumbs_canvas::{Frame, Limit, Limits, Outcome};
