//! What an operation on a bucket can fail with, by whose fault it is.
//!
//! The sentences go to the operator's log. They name a cause, hold no secret, and repeat nothing that a server wrote but codes and regions that
//! look like one.

use crate::settings::InvalidSetting;

/// Why an operation came to nothing. One for one the errors of `wit/blob-store`, without the key that breaks its rules: [`crate::Key`] is
/// asked before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bucket has no such object.
    #[error("no blob has this key")]
    NotFound,
    /// The object has more bytes than this, the bound of the call.
    #[error("the blob has more than {0} bytes")]
    TooLarge(u64),
    /// The server refuses the credentials, or a grant is missing. Trying again does not help.
    #[error("{0}")]
    AccessDenied(String),
    /// The server is away or at fault. It was tried again, and trying later may help.
    #[error("{0}")]
    Unavailable(String),
    /// A setting is wrong, or the answer makes no sense. Trying again does not help.
    #[error("{0}")]
    Other(String),
}

impl From<InvalidSetting> for Error {
    fn from(setting: InvalidSetting) -> Self {
        Self::Other(setting.to_string())
    }
}
