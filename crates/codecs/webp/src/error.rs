//! Why there is no picture. One enum, by whose fault; no variant holds bytes of the image.

/// Repeating the call with the same arguments gives the same error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not begin like a WebP file.
    #[error("not a WebP image")]
    NotWebp,
    /// The format allows it, this decoder does not do it.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The file breaks the rules of its format, or ends before the first row is whole.
    #[error("the WebP image can't be decoded: {0}")]
    Malformed(&'static str),
    /// A bound of [`crate::Limits`] is exceeded.
    #[error("the WebP image exceeds the limit on {0}")]
    LimitExceeded(Limit),
}

/// Which bound was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`crate::Limits::max_pixels`].
    Pixels,
    /// [`crate::Limits::max_side`].
    Side,
    /// [`crate::Limits::max_frames`].
    Frames,
    /// [`crate::Limits::max_total_pixels`].
    TotalPixels,
    /// [`crate::Limits::max_table_bytes`].
    Tables,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pixels => "pixels",
            Self::Side => "side length",
            Self::Frames => "frames",
            Self::TotalPixels => "pixels over all frames",
            Self::Tables => "memory for prefix code tables",
        })
    }
}
