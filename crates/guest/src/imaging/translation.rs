//! Between the types of `wit/imaging` and ours, field by field. Nothing is decided here.

use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::framing::{Fit, Gravity};
use thumbs_domain::job::{Concession, Warning};
use thumbs_domain::limits::ImageLimits;
use thumbs_domain::options::Options;
use thumbs_domain::rgb::Rgb;

use super::SourceInfo;
use super::error::{Bound, Excess, ImagingError};
use crate::bindings::thumbs::imaging::thumbnailer as wit;

/// Functions from one enum to another that has the same variants. The compiler refuses a list that misses one.
macro_rules! same_variants {
    ($(fn $name:ident($from:ty) -> $to:ty { $($variant:ident $(($value:ident))?),+ })+) => {
        $(pub(super) fn $name(from: $from) -> $to {
            type From = $from;
            type To = $to;
            match from {
                $(From::$variant $(($value))? => To::$variant $(($value))?,)+
            }
        })+
    };
}

same_variants! {
    fn fit(Fit) -> wit::Fit { Cover, Contain, Fill }
    fn gravity(Gravity) -> wit::Gravity {
        Center, North, NorthEast, East, SouthEast, South, SouthWest, West, NorthWest, Attention
    }
    fn wanted_format(OutputFormat) -> wit::OutputFormat { Png, Jpeg, Webp, Gif }
    fn output_format(wit::OutputFormat) -> OutputFormat { Png, Jpeg, Webp, Gif }
    fn source_format(wit::SourceFormat) -> SourceFormat { Jpeg, Png, Gif, Webp, Heic, Avif }
    fn warning(wit::Warning) -> Warning { Truncated, AnimationDropped, ProfileIgnored, Enlarged, Damaged }
    fn concession(wit::Concession) -> Concession { Quality(value), Colours(value), Frames(value), Width(value) }
    fn bound(wit::Limit) -> Bound { Pixels, Side, Frames, TotalPixels, HeldPixels, OutputSide, OutputPixels }
    fn known_format(SourceFormat) -> wit::SourceFormat { Jpeg, Png, Gif, Webp, Heic, Avif }
}

/// Eight bytes to a word, the last one filled up with zeros.
pub(super) fn piece(bytes: &[u8]) -> wit::Piece {
    let mut words = vec![0_u64; bytes.len().div_ceil(8)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    // A piece of an image is far from 4 GiB; one that is not loses its end, and is no whole image then.
    wit::Piece { words, size_bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX) }
}

pub(super) fn limits(limits: &ImageLimits) -> wit::Limits {
    wit::Limits {
        max_pixels: limits.max_pixels,
        max_side: limits.max_side,
        max_frames: limits.max_frames,
        max_total_pixels: limits.max_total_pixels,
        max_output_side: limits.max_output_side,
        max_output_pixels: limits.max_output_pixels,
    }
}

/// In this format, whichever is asked for.
pub(super) fn options(options: &Options, format: OutputFormat) -> wit::Options {
    wit::Options {
        width: options.width,
        height: options.height,
        fit: fit(options.fit),
        format: wanted_format(format),
        gravity: gravity(options.gravity),
        animated: options.animated,
        background: options.background.colour().map(|Rgb { red, green, blue }| wit::Rgb { red, green, blue }),
        quality: options.quality,
        lossless: options.lossless,
        max_bytes: options.max_bytes,
        max_output_frames: options.max_frames,
    }
}

pub(super) fn source_info(info: wit::SourceInfo) -> SourceInfo {
    SourceInfo {
        format: source_format(info.format),
        width: info.width,
        height: info.height,
        frames: info.frames,
        orientation: info.orientation,
        has_alpha: info.has_alpha,
        hidden_pixels: info.hidden_pixels,
    }
}

pub(super) fn probed(info: &SourceInfo) -> wit::SourceInfo {
    wit::SourceInfo {
        format: known_format(info.format),
        width: info.width,
        height: info.height,
        frames: info.frames,
        orientation: info.orientation,
        has_alpha: info.has_alpha,
        hidden_pixels: info.hidden_pixels,
    }
}

/// `options` where they are known: without them no more was asked than what one frame is.
pub(super) fn error(error: wit::Error, limits: &ImageLimits, options: Option<&Options>) -> ImagingError {
    match error {
        wit::Error::UnsupportedFormat(kind) => ImagingError::UnsupportedFormat(kind),
        wit::Error::UnsupportedFeature(what) => ImagingError::UnsupportedFeature(what),
        wit::Error::Malformed(how) => ImagingError::Malformed(how),
        wit::Error::LimitExceeded(limit) => {
            ImagingError::OverLimit(Excess::new(bound(limit), limits, options))
        }
        wit::Error::InvalidOptions(what) => ImagingError::InvalidOptions(what),
        wit::Error::BudgetUnreachable => ImagingError::BudgetUnreachable,
    }
}
