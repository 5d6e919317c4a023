//! What a caller asks for and what a caller allows: the Rust twin of `wit/imaging`, field by field. Units and meaning stand
//! there.

/// What an image is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the formats")]
pub enum SourceFormat {
    Jpeg,
    Png,
    Gif,
    Webp,
    Heic,
    Avif,
}

/// What a thumbnail can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the formats")]
pub enum OutputFormat {
    Png,
    Jpeg,
    Webp,
    Gif,
}

/// How the image meets the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Fills it; what stands over is cut off where [`Gravity`] says.
    Cover,
    /// Fits inside; the rest is padded.
    Contain,
    /// Fills it by stretching.
    Fill,
}

/// Which part of the image [`Fit::Cover`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the places")]
pub enum Gravity {
    Center,
    North,
    NorthEast,
    East,
    SouthEast,
    South,
    SouthWest,
    West,
    NorthWest,
    /// Where the eye goes: edges, saturated colours, skin.
    Attention,
}

/// An sRGB colour, 8 bits a channel: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub [u8; 3]);

impl Rgb {
    /// What transparency lies over where a format has none and no other colour is asked for.
    pub const WHITE: Self = Self([255; 3]);
}

/// What the thumbnail shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/imaging")]
pub struct Options {
    pub width: u32,
    pub height: u32,
    pub fit: Fit,
    pub format: OutputFormat,
    pub gravity: Gravity,
    pub animated: bool,
    pub background: Option<Rgb>,
    pub quality: Option<u8>,
    pub lossless: bool,
    pub max_bytes: Option<u64>,
    pub max_output_frames: Option<u32>,
}

impl Options {
    /// A 100x100 PNG that covers the box from the centre.
    pub const DEFAULT: Self = Self {
        width: 100,
        height: 100,
        fit: Fit::Cover,
        format: OutputFormat::Png,
        gravity: Gravity::Center,
        animated: true,
        background: None,
        quality: None,
        lossless: false,
        max_bytes: None,
        max_output_frames: None,
    };
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Upper bounds on an image, all inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/imaging")]
pub struct Limits {
    pub max_pixels: u64,
    pub max_side: u32,
    pub max_frames: u32,
    pub max_total_pixels: u64,
    pub max_output_side: u32,
    pub max_output_pixels: u64,
}

impl Default for Limits {
    /// The service's defaults, as in spin.toml.
    fn default() -> Self {
        Self {
            max_pixels: 64_000_000,
            max_side: 16_384,
            max_frames: 200,
            max_total_pixels: 100_000_000,
            max_output_side: 2_048,
            max_output_pixels: 4_194_304,
        }
    }
}

/// What was given up to meet a bound, in the order it was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concession {
    /// Lossy quality, down to this.
    Quality(u8),
    /// A palette of this many colours.
    Colours(u16),
    /// This many frames are left.
    Frames(u32),
    /// This many pixels wide, high in proportion.
    Width(u32),
}

/// What a person should know of a thumbnail that was made all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The file ends early; less than half its rows are missing.
    Truncated,
    /// Only the first frame of an animation was kept.
    AnimationDropped,
    /// The colour profile could not be used.
    ProfileIgnored,
    /// The source is smaller than the thumbnail.
    Enlarged,
    /// Something within the image is broken and was covered up.
    Damaged,
}
