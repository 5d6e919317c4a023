//! A folder for as long as a command takes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::private;

/// A folder for this user alone, gone when this is.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// In the system's place for what may be removed.
    ///
    /// # Errors
    /// It can't be made there.
    pub(super) fn new(command: &str) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("{command}-{}", uuid::Uuid::new_v4()));
        private::make_folder(&folder)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed lies where the system looks after it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
