//! What can be wrong with a manifest. All of it is the author's to mend, so each text names the place and the fix.

use std::path::PathBuf;

use thiserror::Error;

/// Why a manifest is refused.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The file can't be read.
    #[error("{}: can't be read: {cause}; name another manifest with `-f`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A rule is broken, or the file is no TOML.
    #[error("{}:{line}: {place}{reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Which table, as `component "x": `; empty for the file itself.
        place: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
}
