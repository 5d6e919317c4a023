//! The imaging component, as handlers use it. Its contract is `wit/imaging`; here is only the translation, and the timing
//! that it can't do itself, having no clock.

mod error;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::job::{Concession, Warning};
use thumbs_domain::limits::Limits;
use thumbs_domain::options::{Fit, Gravity, Options};

pub use error::{Bound, ImagingError};

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

/// Bytes in, pixels out.
pub trait Imaging {
    /// Reads headers only.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn probe(&self, image: &[u8], limits: &Limits) -> Result<SourceInfo, ImagingError>;

    /// Makes a thumbnail, and times it.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn thumbnail(
        &self,
        image: &[u8],
        options: &Options,
        limits: &Limits,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError>;
}

/// The imaging component that is composed in.
#[derive(Clone, Copy, Debug)]
pub struct HostImaging;

impl Imaging for HostImaging {
    fn probe(&self, image: &[u8], bounds: &Limits) -> Result<SourceInfo, ImagingError> {
        wit::probe(image, limits(bounds)).map(source_info).map_err(fault)
    }

    fn thumbnail(
        &self,
        image: &[u8],
        wanted: &Options,
        bounds: &Limits,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError> {
        let started = clock.elapsed();
        let task = wit::Task::open(image, options(wanted), limits(bounds)).map_err(fault)?;
        task.decode().map_err(fault)?;
        let decoded = clock.elapsed();
        task.finish().map_err(fault)?;
        let finished = clock.elapsed();
        let thumbnail = task.encode().map_err(fault)?;
        let encoded = clock.elapsed();
        Ok(Made {
            data: thumbnail.data,
            format: output_format(thumbnail.format),
            width: thumbnail.width,
            height: thumbnail.height,
            frames: thumbnail.frames,
            placeholder: STANDARD.encode(thumbnail.placeholder),
            warnings: thumbnail.warnings.into_iter().map(warning).collect(),
            concessions: thumbnail.concessions.into_iter().map(concession).collect(),
            peak_memory_bytes: thumbnail.cost.peak_memory_bytes,
            source_pixels: thumbnail.cost.pixels,
            source_frames: thumbnail.cost.frames,
            decode: decoded.saturating_sub(started),
            finish: finished.saturating_sub(decoded),
            encode: encoded.saturating_sub(finished),
        })
    }
}

fn limits(limits: &Limits) -> wit::Limits {
    wit::Limits {
        max_pixels: limits.max_pixels,
        max_side: limits.max_side,
        max_frames: limits.max_frames,
        max_total_pixels: limits.max_total_pixels,
        max_output_side: limits.max_output_side,
    }
}

fn options(options: &Options) -> wit::Options {
    wit::Options {
        width: options.width,
        height: options.height,
        fit: match options.fit {
            Fit::Cover => wit::Fit::Cover,
            Fit::Contain => wit::Fit::Contain,
            Fit::Fill => wit::Fit::Fill,
        },
        format: match options.format {
            OutputFormat::Png => wit::OutputFormat::Png,
            OutputFormat::Jpeg => wit::OutputFormat::Jpeg,
            OutputFormat::Webp => wit::OutputFormat::Webp,
            OutputFormat::Gif => wit::OutputFormat::Gif,
        },
        gravity: match options.gravity {
            Gravity::Center => wit::Gravity::Center,
            Gravity::North => wit::Gravity::North,
            Gravity::NorthEast => wit::Gravity::NorthEast,
            Gravity::East => wit::Gravity::East,
            Gravity::SouthEast => wit::Gravity::SouthEast,
            Gravity::South => wit::Gravity::South,
            Gravity::SouthWest => wit::Gravity::SouthWest,
            Gravity::West => wit::Gravity::West,
            Gravity::NorthWest => wit::Gravity::NorthWest,
            Gravity::Attention => wit::Gravity::Attention,
        },
        animated: options.animated,
        background: wit::Rgb {
            red: options.background.red,
            green: options.background.green,
            blue: options.background.blue,
        },
        quality: options.quality,
        max_bytes: options.max_bytes,
        max_output_frames: options.max_frames,
    }
}

fn source_info(info: wit::SourceInfo) -> SourceInfo {
    let format = match info.format {
        wit::SourceFormat::Jpeg => SourceFormat::Jpeg,
        wit::SourceFormat::Png => SourceFormat::Png,
        wit::SourceFormat::Gif => SourceFormat::Gif,
        wit::SourceFormat::Webp => SourceFormat::Webp,
    };
    SourceInfo { format, width: info.width, height: info.height, frames: info.frames }
}

fn output_format(format: wit::OutputFormat) -> OutputFormat {
    match format {
        wit::OutputFormat::Png => OutputFormat::Png,
        wit::OutputFormat::Jpeg => OutputFormat::Jpeg,
        wit::OutputFormat::Webp => OutputFormat::Webp,
        wit::OutputFormat::Gif => OutputFormat::Gif,
    }
}

fn warning(warning: wit::Warning) -> Warning {
    match warning {
        wit::Warning::Truncated => Warning::Truncated,
        wit::Warning::AnimationDropped => Warning::AnimationDropped,
        wit::Warning::ProfileIgnored => Warning::ProfileIgnored,
        wit::Warning::Enlarged => Warning::Enlarged,
    }
}

fn concession(concession: wit::Concession) -> Concession {
    match concession {
        wit::Concession::Quality(quality) => Concession::Quality(quality),
        wit::Concession::Colours(colours) => Concession::Colours(colours),
        wit::Concession::Frames(frames) => Concession::Frames(frames),
        wit::Concession::Width(width) => Concession::Width(width),
    }
}

fn fault(error: wit::Error) -> ImagingError {
    match error {
        wit::Error::UnsupportedFormat => ImagingError::UnsupportedFormat,
        wit::Error::UnsupportedFeature(what) => ImagingError::UnsupportedFeature(what),
        wit::Error::Malformed(how) => ImagingError::Malformed(how),
        wit::Error::LimitExceeded(limit) => ImagingError::OverLimit(match limit {
            wit::Limit::Pixels => Bound::Pixels,
            wit::Limit::Side => Bound::Side,
            wit::Limit::Frames => Bound::Frames,
            wit::Limit::TotalPixels => Bound::TotalPixels,
            wit::Limit::OutputSide => Bound::OutputSide,
        }),
        wit::Error::InvalidOptions(what) => ImagingError::InvalidOptions(what),
        wit::Error::BudgetUnreachable => ImagingError::BudgetUnreachable,
    }
}
