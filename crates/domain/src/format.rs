//! The image formats that come in and go out, and their names in each place they are written.

use crate::words::words;

words! {
    /// What an uploaded image is, told by its first bytes.
    SourceFormat {
        /// ISO/IEC 10918-1.
        Jpeg = "jpeg",
        /// Still or animated (APNG).
        Png = "png",
        /// 87a or 89a.
        Gif = "gif",
        /// Lossy, lossless or animated.
        Webp = "webp",
        /// HEVC in HEIF (ISO/IEC 23008-12): a still, or the first frame.
        Heic = "heic",
        /// AV1 in HEIF: a still, or the first frame.
        Avif = "avif",
    }
}

words! {
    /// What a thumbnail is.
    OutputFormat {
        /// An APNG where the thumbnail is animated.
        Png = "png",
        /// Never animated, no transparency.
        Jpeg = "jpeg",
        /// Lossless or lossy, still or animated.
        Webp = "webp",
        /// Still or animated.
        Gif = "gif",
    }
}

words! {
    /// What a thumbnail is asked to be: the option `format`.
    AskedFormat {
        /// [`OutputFormat::Png`].
        Png = "png",
        /// [`OutputFormat::Jpeg`].
        Jpeg = "jpeg",
        /// [`OutputFormat::Webp`].
        Webp = "webp",
        /// [`OutputFormat::Gif`].
        Gif = "gif",
        /// The smaller of WebP, for clients that name it, and of PNG or JPEG, whichever holds the picture in less.
        Auto = "auto",
    }
}

impl AskedFormat {
    /// The one format; none where it is for each client to say.
    pub const fn one(self) -> Option<OutputFormat> {
        match self {
            Self::Png => Some(OutputFormat::Png),
            Self::Jpeg => Some(OutputFormat::Jpeg),
            Self::Webp => Some(OutputFormat::Webp),
            Self::Gif => Some(OutputFormat::Gif),
            Self::Auto => None,
        }
    }
}

/// Which formats are taken in: the variable `formats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedFormats([bool; SourceFormat::ALL.len()]);

impl AcceptedFormats {
    /// Whatever can be decoded.
    pub const ALL: Self = Self([true; SourceFormat::ALL.len()]);

    /// Names with commas between them, at least one; `None` where one is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        let mut accepted = Self([false; SourceFormat::ALL.len()]);
        for name in text.split(',').map(str::trim) {
            let index = SourceFormat::ALL.iter().position(|format| format.name() == name)?;
            *accepted.0.get_mut(index)? = true;
        }
        Some(accepted)
    }

    /// Whether it is one of these.
    pub fn contains(self, format: SourceFormat) -> bool {
        SourceFormat::ALL.iter().zip(self.0).any(|(&known, accepted)| known == format && accepted)
    }
}

impl SourceFormat {
    /// Whether thumbnails of an image with so many frames can be animations: of sequences in HEIF only the first frame is decoded.
    pub const fn may_animate(self, frames: u32) -> bool {
        frames > 1 && !matches!(self, Self::Heic | Self::Avif)
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
        }
    }

    /// The media type, RFC 2046 and the registry of IANA.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Avif => "image/avif",
        }
    }
}

impl OutputFormat {
    /// The media type. An APNG is served as PNG, so that clients which know only that show its first frame.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// The usual ending of a file's name, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            other => other.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_are_those_that_are_named() {
        let accepted = AcceptedFormats::parse("jpeg, avif").unwrap();
        let named: Vec<_> = SourceFormat::ALL.iter().filter(|format| accepted.contains(**format)).collect();
        assert_eq!(named, [&SourceFormat::Jpeg, &SourceFormat::Avif]);
        assert_eq!(AcceptedFormats::parse("jpeg,png,gif,webp,heic,avif"), Some(AcceptedFormats::ALL));
        for wrong in ["", "jpg", "jpeg,", "JPEG", "jpeg png"] {
            assert_eq!(AcceptedFormats::parse(wrong), None, "{wrong:?}");
        }
    }
}
