//! Why there is no picture. One enum, by whose fault; no variant holds bytes of the image.

use thumbs_canvas::Limit;

/// Repeating the call with the same arguments gives the same error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not begin like a PNG file.
    #[error("not a PNG image")]
    NotPng,
    /// What Xcode makes of the pictures of an app for iOS: it begins like a PNG, and is no file that anything but iOS reads.
    #[error("an iOS app's PNG (CgBI), which is not a PNG image")]
    CgBi,
    /// The file breaks the rules of the format so early that there is no picture at all.
    #[error("the PNG image can't be decoded: {0}")]
    Malformed(&'static str),
    /// A bound of [`crate::Limits`] is exceeded.
    #[error("the PNG image exceeds the limit on {0}")]
    LimitExceeded(Limit),
}

impl From<Limit> for Error {
    fn from(limit: Limit) -> Self {
        Self::LimitExceeded(limit)
    }
}
