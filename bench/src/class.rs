//! Kinds of work that are judged apart, each with its target.

use std::fmt;

/// A format as far as decoders do something else for it, or what a photo becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    BaselineJpeg,
    ProgressiveJpeg,
    Png,
    LossyWebp,
    LosslessWebp,
    GifStill,
    AnimatedGif,
    Heic,
    Avif,
    ToLossyWebp,
    ToJpeg,
}

impl Class {
    /// The time in the sandbox to that of the faster peer should be at most this, where there is such a target.
    pub(crate) const fn target_ratio(self) -> Option<f64> {
        Some(match self {
            // Beside decoders in assembler.
            Self::Heic | Self::Avif => return None,
            Self::ProgressiveJpeg => 0.5,
            Self::Png => 0.9,
            Self::LossyWebp => 1.5,
            // Encoders that look for the smallest file, beside such (libwebp at its highest effort), and beside one that does not (libjpeg).
            Self::ToLossyWebp | Self::ToJpeg => 2.0,
            Self::BaselineJpeg | Self::LosslessWebp | Self::GifStill | Self::AnimatedGif => 1.0,
        })
    }

    /// The component's linear memory at 48 megapixels should be at most so many MiB, where there is such a target.
    pub(crate) const fn target_mib(self) -> Option<u32> {
        match self {
            Self::BaselineJpeg => Some(64),
            Self::Png => Some(96),
            _ => None,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BaselineJpeg => "baseline JPEG",
            Self::ProgressiveJpeg => "progressive JPEG",
            Self::Png => "PNG",
            Self::LossyWebp => "lossy WebP",
            Self::LosslessWebp => "lossless WebP",
            Self::GifStill => "GIF still",
            Self::AnimatedGif => "animated GIF",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::ToLossyWebp => "to lossy WebP",
            Self::ToJpeg => "to JPEG",
        })
    }
}
