//! The image formats that come in and go out, and their names in each place they are written.

use serde::{Deserialize, Serialize};

/// What an uploaded image is, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// ISO/IEC 10918-1.
    Jpeg,
    /// Still or animated (APNG).
    Png,
    /// 87a or 89a.
    Gif,
    /// Lossy, lossless or animated.
    Webp,
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

/// What a thumbnail is: the option `format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// An APNG where the thumbnail is animated.
    Png,
    /// Never animated, no transparency.
    Jpeg,
    /// Lossless or lossy, still or animated.
    Webp,
    /// Still or animated.
    Gif,
}

impl OutputFormat {
    /// All, in the order in which texts list them.
    pub const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::Webp, Self::Gif];

    /// As the option spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }

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
    fn the_option_and_the_row_spell_a_format_alike() {
        for format in OutputFormat::ALL {
            assert_eq!(serde_json::to_string(&format).unwrap(), format!("\"{}\"", format.name()));
        }
    }
}
