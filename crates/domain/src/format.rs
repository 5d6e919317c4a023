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
    }
}

words! {
    /// What a thumbnail is: the option `format`.
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

impl SourceFormat {
    /// The media type, RFC 2046 and the registry of IANA.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
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
