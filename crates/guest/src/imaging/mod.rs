//! The imaging component, as handlers use it. Its contract is `wit/imaging`; here is only the translation (`translation.rs`), and
//! the timing that it can't do itself, having no clock.

mod error;
mod output;
mod parts;
mod translation;

use std::time::Duration;

use thumbs_domain::format::{AcceptedFormats, OutputFormat, SourceFormat};
use thumbs_domain::job::{Concession, Warning};
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;

pub use error::{Bound, Excess, ImagingError};

use crate::bindings::thumbs::imaging::thumbnailer as wit;
use crate::clock::Clock;
use output::Output;

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

/// The thumbnails of a job, and what they took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// As [`Options::outputs`] asks for them, in that order.
    pub outputs: Vec<Encoded>,
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

/// One thumbnail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
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
    /// The same picture as WebP, where the format is for each client to say.
    pub webp: Option<Box<Self>>,
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
    /// Begins to read the header of an image that comes in pieces.
    fn header<'a>(&'a self, limits: &ImageLimits) -> Box<dyn Header + 'a>;

    /// Whether the thumbnails may be made of the image that was taken in, as far as that can be told without decoding it.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn check(&self, source: &SourceInfo, options: &Options, limits: &ImageLimits)
    -> Result<(), ImagingError>;
}

/// The header of an image that comes in pieces. What it is read from is kept, and nothing else.
pub trait Header {
    /// Takes the next bytes; says what the image is once that is known.
    ///
    /// # Errors
    /// [`ImagingError`], where it is certain that this is no image to make a thumbnail of.
    fn feed(&mut self, piece: &[u8]) -> Result<Option<SourceFormat>, ImagingError>;

    /// What it says, when all is fed.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn source(&mut self) -> Result<SourceInfo, ImagingError>;
}

/// Bytes in, pixels out.
pub trait Imaging {
    /// Begins to take in an image, of `size_bytes` as far as that is known.
    fn intake<'a>(&'a self, size_bytes: Option<u64>, limits: &ImageLimits) -> Box<dyn Intake + 'a>;
}

/// An image that comes in pieces, all of which are kept.
pub trait Intake {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`ImagingError`].
    fn feed(&mut self, piece: &[u8]) -> Result<(), ImagingError>;

    /// Makes all thumbnails that are asked for of what was fed, or none, and times it. The image is let go as soon as it is decoded.
    /// `is_animated`: what is known of it before, [`thumbs_domain::job::Source::is_animated`].
    ///
    /// # Errors
    /// [`ImagingError`].
    fn thumbnails(
        self: Box<Self>,
        options: &Options,
        is_animated: bool,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError>;
}

/// The imaging component that is composed in.
#[derive(Clone, Copy, Debug)]
pub struct HostImaging;

impl Probing for HostImaging {
    fn header<'a>(&'a self, limits: &ImageLimits) -> Box<dyn Header + 'a> {
        Box::new(HostHeader(HostIntake::new(wit::Keep::Header, None, limits)))
    }

    fn check(
        &self,
        source: &SourceInfo,
        options: &Options,
        limits: &ImageLimits,
    ) -> Result<(), ImagingError> {
        let is_animated = source.format.may_animate(source.frames);
        let outputs: Vec<_> =
            options.outputs().into_iter().map(|output| Output::new(output, is_animated)).collect();
        let check = |outputs: &[Output<'_>]| {
            let asked: Vec<_> = outputs.iter().flat_map(Output::asked).collect();
            wit::check(translation::probed(source), &asked, translation::limits(limits))
        };
        if outputs.len() > 1 {
            for output in &outputs {
                check(std::slice::from_ref(output)).map_err(|error| output.refusal(error, limits))?;
            }
        }
        check(&outputs).map_err(|error| translation::error(error, limits, Some(options)))
    }
}

impl Imaging for HostImaging {
    fn intake<'a>(&'a self, size_bytes: Option<u64>, limits: &ImageLimits) -> Box<dyn Intake + 'a> {
        Box::new(HostIntake::new(wit::Keep::Image, size_bytes, limits))
    }
}

struct HostHeader(HostIntake);

impl Header for HostHeader {
    fn feed(&mut self, piece: &[u8]) -> Result<Option<SourceFormat>, ImagingError> {
        self.0.take(piece)
    }

    fn source(&mut self) -> Result<SourceInfo, ImagingError> {
        let HostIntake { intake, limits } = &self.0;
        let source = intake.source().map_err(|error| translation::error(error, limits, None))?;
        Ok(translation::source_info(source))
    }
}

struct HostIntake {
    intake: wit::Intake,
    limits: ImageLimits,
}

impl HostIntake {
    fn new(keep: wit::Keep, size_bytes: Option<u64>, limits: &ImageLimits) -> Self {
        Self { intake: wit::Intake::new(keep, size_bytes, translation::limits(limits)), limits: *limits }
    }

    fn take(&self, piece: &[u8]) -> Result<Option<SourceFormat>, ImagingError> {
        let piece = translation::piece(piece);
        let format =
            self.intake.feed(&piece).map_err(|error| translation::error(error, &self.limits, None))?;
        Ok(format.map(translation::source_format))
    }
}

impl Intake for HostIntake {
    fn feed(&mut self, piece: &[u8]) -> Result<(), ImagingError> {
        self.take(piece).map(drop)
    }

    fn thumbnails(
        self: Box<Self>,
        options: &Options,
        is_animated: bool,
        clock: &dyn Clock,
    ) -> Result<Made, ImagingError> {
        let Self { intake, limits } = *self;
        let refused = |error| translation::error(error, &limits, Some(options));
        let outputs: Vec<_> =
            options.outputs().into_iter().map(|output| Output::new(output, is_animated)).collect();
        let asked: Vec<_> = outputs.iter().flat_map(Output::asked).collect();
        let started = clock.elapsed();
        let task = intake.thumbnails(&asked).map_err(refused)?;
        drop(intake);
        parts::decode(translation::source_format(task.format()), &task).map_err(refused)?;
        task.decode().map_err(refused)?;
        let decoded = clock.elapsed();
        task.finish().map_err(refused)?;
        let finished = clock.elapsed();
        let (mut made, mut first) = (Vec::with_capacity(outputs.len()), 0);
        let mut cost = wit::Cost { peak_memory_bytes: 0, pixels: 0, frames: 0 };
        for output in &outputs {
            let (encoded, so_far) =
                output.encode(&task, first).map_err(|error| output.refusal(error, &limits))?;
            made.push(encoded);
            cost = so_far;
            first += output.count();
        }
        let encoded = clock.elapsed();
        Ok(Made {
            outputs: made,
            peak_memory_bytes: cost.peak_memory_bytes,
            source_pixels: cost.pixels,
            source_frames: cost.frames,
            decode: decoded.saturating_sub(started),
            finish: finished.saturating_sub(decoded),
            encode: encoded.saturating_sub(finished),
        })
    }
}
