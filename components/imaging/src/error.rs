//! Why there is no thumbnail. One enum, by whose fault; the Rust twin of `error` in `wit/imaging`.

/// Repeating the call with the same arguments gives the same error. Texts never hold bytes of the image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first bytes are of no format we decode; with what they are of instead, where that is known.
    #[error("not a JPEG, PNG, GIF, WebP, HEIC or AVIF image")]
    UnsupportedFormat(Option<&'static str>),
    /// A known format with a feature we do not decode.
    #[error("{0} is not supported")]
    UnsupportedFeature(String),
    /// The image breaks its format's rules, or less than half of it is there.
    #[error("the image can't be decoded: {0}")]
    Malformed(String),
    /// A bound of [`crate::options::Limits`] is exceeded.
    #[error("the image exceeds the limit on {0}")]
    LimitExceeded(Limit),
    /// An option is out of its range.
    #[error("invalid option: {0}")]
    InvalidOptions(String),
    /// Not even the smallest thumbnail is small enough.
    #[error("no thumbnail fits the byte budget")]
    BudgetUnreachable,
}

/// Which bound of [`crate::options::Limits`] was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the limits")]
pub enum Limit {
    Pixels,
    Side,
    Frames,
    TotalPixels,
    HeldPixels,
    OutputSide,
    OutputPixels,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pixels => "pixels",
            Self::Side => "side length",
            Self::Frames => "frames",
            Self::TotalPixels => "pixels over all frames",
            Self::HeldPixels => "pixels that are held at once of an animation",
            Self::OutputSide => "the thumbnail's side length",
            Self::OutputPixels => "the thumbnail's pixels",
        })
    }
}
