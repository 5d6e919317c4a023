//! Thumbnails as a pure function: bytes in, bytes out. No clock, no files, no randomness, no I/O of any kind, so that the
//! same input gives the same output on every host.
//!
//! The crate builds twice: natively (tests, benches) and as the component of `wit/imaging` (see `component.rs`), whose world
//! imports nothing. Which image goes through which stage: README.md.

pub mod attention;
mod bounds;
mod bytes;
mod colour;
#[cfg(target_arch = "wasm32")]
mod component;
mod decode;
pub mod encode;
pub mod error;
mod exif;
mod header;
mod intake;
mod look;
pub mod options;
mod orientation;
pub mod placeholder;
mod plan;
pub mod raster;
mod resample;
mod selection;
mod sniff;
mod task;
mod xmp;

pub use decode::{Chroma, CodedPart, Rows, Shape};
pub use intake::{Intake, Keep};
pub use sniff::sniff;
pub use task::{Cost, Image, SourceInfo, Task, Thumbnail};

use error::Error;
use options::{Limits, Options};

/// Reads headers only: O(size of the file) at most, and next to no memory. Checked is what no thumbnail gets around, the size of a frame:
/// how many frames are too many depends on what is made of them, see [`check`].
///
/// # Errors
/// [`Error::UnsupportedFormat`], [`Error::UnsupportedFeature`], [`Error::Malformed`]; [`Error::LimitExceeded`] for side and pixels.
pub fn probe(image: &[u8], limits: &Limits) -> Result<SourceInfo, Error> {
    let header = header::read(image)?;
    let source = SourceInfo::new(&header);
    bounds::check_frame(&source, limits)?;
    Ok(source)
}

/// Whether the image of which a probe said this may be made into such thumbnails, all of them at once.
///
/// # Errors
/// [`Error::InvalidOptions`], [`Error::LimitExceeded`].
pub fn check(source: &SourceInfo, outputs: &[Options], limits: &Limits) -> Result<(), Error> {
    bounds::check(source, outputs, limits).map(drop)
}

/// Decodes, finishes and encodes in one call.
///
/// # Errors
/// Any; see [`Error`].
pub fn thumbnail(image: &[u8], options: &Options, limits: &Limits) -> Result<Thumbnail, Error> {
    let mut task = Task::open(image, std::slice::from_ref(options), limits)?;
    task.decode()?;
    task.finish()?;
    task.encode(0)
}
