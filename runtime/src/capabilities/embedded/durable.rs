//! What was committed is on the disk: one sync for all who wait for one.
//!
//! SQLite in WAL mode with `synchronous=NORMAL` writes a commit to the log and does not wait for the disk. Waiting is done here, after the
//! turn to write has gone to the next: a sync takes milliseconds, a commit microseconds, so many commits share one sync, where SQLite's
//! own (`FULL`) would be one for each, one after the other.
//!
//! Who waits: whoever wrote for a request, since its client is told that the work is done. What messages write is synced as well and not
//! waited for: the loss of a job's end has it done once more.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::private;

/// The log of one database.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Commits so far, and how many of them the disk has.
    committed: u64,
    synced: u64,
    syncing: bool,
    /// The file whose name the disk has.
    named: Option<u64>,
    /// After a sync that failed the system takes what it could not write for written: nothing is known any more.
    failed: bool,
}

impl Log {
    /// Of the database at `database`.
    pub(super) fn of(database: &Path) -> Self {
        let mut path = OsString::from(database);
        path.push("-wal");
        Self { path: path.into(), state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the disk has all that was committed before. Blocks.
    ///
    /// # Errors
    /// The disk did not take it, now or ever before.
    pub(super) fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.committed += 1;
        let mine = state.committed;
        loop {
            if state.failed {
                return Err(io::Error::other(
                    "the disk failed to write; restart the runtime once it is mended",
                ));
            }
            if state.synced >= mine {
                return Ok(());
            }
            if state.syncing {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.syncing = true;
            let (upto, named) = (state.committed, state.named);
            drop(state);
            let synced = self.sync_file(named);
            state = self.state();
            state.syncing = false;
            match &synced {
                Ok(named) => {
                    state.synced = upto;
                    state.named = *named;
                }
                Err(_) => state.failed = true,
            }
            self.changed.notify_all();
            synced?;
        }
    }

    /// Syncs the log, and its name where that is new. None of SQLite's locks is on this file, so it may be closed again.
    fn sync_file(&self, named: Option<u64>) -> io::Result<Option<u64>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            // All connections were closed, which writes the log into the database, syncs that and removes the log.
            Err(failure) if failure.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        };
        file.sync_data()?;
        let number = Some(file.metadata()?.ino());
        if number != named
            && let Some(folder) = self.path.parent()
        {
            private::sync_folder(folder)?;
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn many_share_a_sync_and_each_waits_for_one_that_began_after_its_commit() {
        let folder = tempfile::TempDir::new().unwrap();
        let log = Arc::new(Log::of(&folder.path().join("default.db")));
        std::fs::write(folder.path().join("default.db-wal"), "x").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| log.sync().unwrap());
            }
        });
        let state = log.state();
        assert_eq!((state.committed, state.synced, state.syncing), (16, 16, false));
    }

    #[test]
    fn after_a_sync_that_failed_nothing_is_durable() {
        let folder = tempfile::TempDir::new().unwrap();
        let log = Log::of(&folder.path().join("default.db"));
        log.sync().unwrap();
        log.state().failed = true;
        assert!(log.sync().unwrap_err().to_string().contains("restart"));
    }
}
