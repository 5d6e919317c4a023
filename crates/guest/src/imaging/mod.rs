//! The imaging component, as handlers use it. Its contract is `wit/imaging`; here is only the translation (`translation.rs`), and
//! the timing that it can't do itself, having no clock.

mod error;
mod parts;
mod translation;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thumbs_domain::format::{AcceptedFormats, OutputFormat, SourceFormat};
use thumbs_domain::job::{Concession, Warning};
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;

pub use error::{Bound, Excess, ImagingError};

use crate::bindings::thumbs::imaging::thumbnailer as wit;
use crate::clock::Clock;

/// What an image says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// By its first bytes.
    pub format: SourceFormat,
    /// Pixels, after EXIF orientation.
    pub width: u32,
    /// Pixels, after EXIF orientation.
    pub height: u32,
    /// 1 for a still image.
    pub frames: u32,
    /// 1 to 8, as in EXIF.
    pub orientation: u8,
    /// The file can hold transparency.
    pub has_alpha: bool,
    /// Pixels that frames code beyond the canvas.
    pub hidden_pixels: u64,
}

/// A thumbnail and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The encoded image.
    pub data: Vec<u8>,
    /// What it is encoded as.
    pub format: OutputFormat,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// 1 for a still image.
    pub frames: u32,
    /// ThumbHash in base64.
    pub placeholder: String,
    /// What a person should know of it.
    pub warnings: Vec<Warning>,
    /// What was given up to meet a bound.
    pub concessions: Vec<Concession>,
    /// Linear memory of the imaging component at its highest.
    pub peak_memory_bytes: u64,
    /// Source pixels over all frames decoded, at full scale.
    pub source_pixels: u64,
    /// Frames decoded.
    pub source_frames: u32,
    /// Reading headers, decoding, and resampling rows as they come.
    pub decode: Duration,
    /// Turning upright, cutting or padding to the box.
    pub finish: Duration,
    /// Encoding.
    pub encode: Duration,
}

/// Whether the operator takes images of this format.
///
/// # Errors
/// [`ImagingError::UnsupportedFormat`].
pub fn check_format(format: SourceFormat, accepted: AcceptedFormats) -> Result<(), ImagingError> {
    if accepted.contains(format) {
        Ok(())
    } else {
        Err(ImagingError::UnsupportedFormat(Some(format.title().to_owned())))
    }
}

/// What an image is, and what may be made of it. Apart from [`Imaging`], so that who only asks this needs no decoder composed in.
pub trait Probing {
    /// Reads headers only.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn probe(&self, image: &[u8], limits: &ImageLimits) -> Result<SourceInfo, ImagingError>;

    /// Whether a thumbnail may be made of the image that was probed, as far as that can be told without decoding it.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn check(&self, source: &SourceInfo, options: &Options, limits: &ImageLimits)
    -> Result<(), ImagingError>;
}

/// Bytes in, pixels out.
pub trait Imaging {
    /// Makes a thumbnail, and times it.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn thumbnail(
        &self,
        image: &[u8],
        options: &Options,
        limits: &ImageLimits,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError>;
}

/// The imaging component that is composed in.
#[derive(Clone, Copy, Debug)]
pub struct HostImaging;

impl Probing for HostImaging {
    fn probe(&self, image: &[u8], limits: &ImageLimits) -> Result<SourceInfo, ImagingError> {
        wit::probe(image, translation::limits(limits))
            .map(translation::source_info)
            .map_err(|error| translation::error(error, limits, None))
    }

    fn check(
        &self,
        source: &SourceInfo,
        options: &Options,
        limits: &ImageLimits,
    ) -> Result<(), ImagingError> {
        wit::check(translation::probed(source), translation::options(options), translation::limits(limits))
            .map_err(|error| translation::error(error, limits, Some(options)))
    }
}

impl Imaging for HostImaging {
    fn thumbnail(
        &self,
        image: &[u8],
        options: &Options,
        limits: &ImageLimits,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError> {
        let refused = |error| translation::error(error, limits, Some(options));
        let started = clock.elapsed();
        let task = wit::Task::open(image, translation::options(options), translation::limits(limits))
            .map_err(refused)?;
        parts::decode(translation::source_format(task.format()), &task).map_err(refused)?;
        task.decode().map_err(refused)?;
        let decoded = clock.elapsed();
        task.finish().map_err(refused)?;
        let finished = clock.elapsed();
        let thumbnail = task.encode().map_err(refused)?;
        let encoded = clock.elapsed();
        Ok(Made {
            data: thumbnail.data,
            format: translation::output_format(thumbnail.format),
            width: thumbnail.width,
            height: thumbnail.height,
            frames: thumbnail.frames,
            placeholder: STANDARD.encode(thumbnail.placeholder),
            warnings: thumbnail.warnings.into_iter().map(translation::warning).collect(),
            concessions: thumbnail.concessions.into_iter().map(translation::concession).collect(),
            peak_memory_bytes: thumbnail.cost.peak_memory_bytes,
            source_pixels: thumbnail.cost.pixels,
            source_frames: thumbnail.cost.frames,
            decode: decoded.saturating_sub(started),
            finish: finished.saturating_sub(decoded),
            encode: encoded.saturating_sub(finished),
        })
    }
}
