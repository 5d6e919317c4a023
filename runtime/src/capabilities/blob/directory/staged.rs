//! A file that is not in its place yet. What is dropped before it is there is removed, however it came to that.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::private;

/// Made in the folder of those that are on their way. All of it blocks.
#[derive(Debug)]
pub(super) struct Staged {
    path: PathBuf,
    file: File,
}

impl Staged {
    /// Empty, under a name that nobody else has.
    pub(super) fn make(folder: &Path) -> io::Result<Self> {
        let path = folder.join(uuid::Uuid::now_v7().to_string());
        let file = private::make_file(&path)?;
        Ok(Self { path, file })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Waits until the disk has it.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Gives it the name. That it has the name the disk may not know yet.
    pub(super) fn rename(&self, place: &Path) -> io::Result<()> {
        fs::rename(&self.path, place)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After the rename it is not there; what stays for another reason is removed at a later start.
        let _gone = fs::remove_file(&self.path);
    }
}
