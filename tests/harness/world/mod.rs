//! What a process of the tests has of the world: a clock that is wrong, a disk that is full. A library before the C library makes it so, and
//! needs no right that a user has not.

use std::{fs::File, os::unix::fs::FileExt as _, path::PathBuf, process::Command, sync::LazyLock};

use tempfile::TempDir;

/// Compiled once, here: whoever builds SQLite has a C compiler.
static LIBRARY: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = TempDir::new().expect("a temporary folder");
    let source = crate::repository_root().join("tests/harness/world/world.c");
    let library = folder.path().join("world.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(compiler.status().expect("a C compiler").success(), "world.c compiles");
    (folder, library)
});

/// A world, as it should be until the test changes it; the processes in it see that at once.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    file: File,
}

impl World {
    const FILE: &str = "world";

    /// Where all is as it is.
    ///
    /// # Panics
    /// When there is no place for it.
    #[must_use]
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = File::create(folder.path().join(Self::FILE)).expect("a file in it");
        file.set_len(16).expect("room for two numbers");
        Self { folder, file }
    }

    /// Sets the clock of the day so many seconds ahead of the real one, or behind.
    pub fn set_clock(&self, offset_secs: i64) {
        self.set(0, offset_secs);
    }

    /// Whether there is no room for another byte in any file.
    pub fn set_disk_full(&self, is_full: bool) {
        self.set(8, i64::from(is_full));
    }

    fn set(&self, at: u64, value: i64) {
        self.file.write_all_at(&value.to_ne_bytes(), at).expect("the file takes a number");
    }

    /// The process that this command starts is in it.
    pub(crate) fn hold(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &LIBRARY.1).env("WORLD", self.folder.path().join(Self::FILE));
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
