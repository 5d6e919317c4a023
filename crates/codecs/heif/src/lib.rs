//! The container of HEIC and AVIF (HEIF, ISO/IEC 23008-12, on ISO base media files, ISO/IEC 14496-12): which coded pictures a file holds,
//! how they are put together to the image, and what is said of its colours.
//!
//! [`read`] looks at the boxes alone; everything it tells of the file's bytes is a range of them, so nothing is copied.
//!
//! Read: a picture of HEVC or AV1, a grid of such pictures, its alpha, its thumbnails, `ispe`, `colr`, `clap`, `irot`, `imir`; of a sequence without
//! such a picture the first sample. EXIF is not asked: what it says of orientation, the writer has to say by `irot` and `imir` as well.
//! Derived pictures other than grids (overlays, `iden`) are not supported.
//!
//! Work and memory are in proportion to the file's size, and no input panics.
//!
//! Not here: HEVC, AV1, pixels.

mod boxes;
mod error;
mod file;
mod image;
mod items;
mod properties;
mod sequence;
mod transform;

pub use boxes::brand;
pub use error::Error;
pub use file::{Heif, read};
pub use image::{Alpha, Coding, Nclx, Part, Picture};
pub use transform::Rect;
