//! Why there is no picture. One enum, by whose fault; no variant holds bytes of the image.

/// Repeating the call with the same arguments gives the same error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// JPEG allows it, this decoder does not do it. A general decoder may.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The file breaks the rules of the format so early that there is no picture at all.
    #[error("the JPEG image can't be decoded: {0}")]
    Malformed(&'static str),
    /// A bound of [`crate::Limits`] is exceeded.
    #[error("the JPEG image exceeds the limit on {0}")]
    LimitExceeded(Limit),
}

/// Which bound was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`crate::Limits::max_pixels`].
    Pixels,
    /// [`crate::Limits::max_side`].
    Side,
    /// [`crate::Limits::max_alloc_bytes`].
    Memory,
    /// [`crate::Limits::max_scans`].
    Scans,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pixels => "pixels",
            Self::Side => "side length",
            Self::Memory => "memory",
            Self::Scans => "scans",
        })
    }
}
