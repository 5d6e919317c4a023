//! A copy of what a state directory holds, made while a runtime serves from it, and the way back.
//!
//! A backup is a folder that looks as the state directory does: `sqlite/*.db`, `key-value/*.db`, `blobs/`, and beside them a file that
//! says it is one. It has its name once it is whole; until then `.part` stands behind it. What is elsewhere (PostgreSQL, Redis, S3, a
//! directory of blobs with a place of its own) is backed up there.
//!
//! Who stores a blob does that before the row that names it, and who removes both takes the row first. So blobs are copied before the
//! databases, and once more after them: what a row of the copy names was there when the databases were copied, and is in one of the two
//! passes. (One that is stored, named and removed again while a backup runs may be missing.)
//!
//! A database is copied by SQLite's `VACUUM INTO`, which sees one moment of it and holds up no writer. Not here: compiled components and
//! unpacked applications, which are made anew.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use crate::{capabilities::blob::STAGING_FOLDER, private};

/// Folders of databases in a state directory.
const DATABASES: [&str; 2] = ["sqlite", "key-value"];
/// The folder of blobs in a state directory.
const BLOBS: &str = "blobs";
/// The file that tells a backup from other folders, and what is in it: the version of the layout.
const MARK: &str = "thumbs-backup";
const VERSION: &str = "1\n";
/// How long SQLite waits for a lock of another process: such locks are held for moments.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// For writing, because only so the last to close a database tidies up behind it; never to make one.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Why there is no backup, or nothing was restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The system does not let a file be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// SQLite does not copy a database.
    #[error("{}: {cause}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// SQLite's reason.
        cause: rusqlite::Error,
    },
    /// A copied database is not sound, so the one that it was copied from is not either.
    #[error("the database {} is damaged: {said}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What SQLite found first.
        said: String,
    },
    /// There is nothing in the state directory that could be backed up.
    #[error(
        "{} holds no databases and no blobs; name the right one with --state-dir, and back servers up where they are",
        path.display()
    )]
    Nothing {
        /// The state directory.
        path: PathBuf,
    },
    /// A backup does not write into what is there.
    #[error("{} is there already; name a folder that is not, for example by the date", path.display())]
    Taken {
        /// Where the backup was to be.
        path: PathBuf,
    },
    /// What should be restored is no backup, or one that was broken off.
    #[error("{} is no backup that `thumbs backup` finished", path.display())]
    NoBackup {
        /// What was named.
        path: PathBuf,
    },
    /// A backup of another version.
    #[error("{} was made by another version of thumbs, with the layout {version}", path.display())]
    Version {
        /// What was named.
        path: PathBuf,
        /// What stands in it.
        version: String,
    },
    /// Data are where they would be restored to.
    #[error("{} is there already: stop what serves from it, move it away, and restore again", path.display())]
    Occupied {
        /// A folder of the state directory.
        path: PathBuf,
    },
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// SQLite files.
    pub databases: u64,
    /// Blobs.
    pub blobs: u64,
    /// Bytes of their files.
    pub blob_bytes: u64,
}

/// Copies what is in `state_dir` to `target`, which is made. Others may go on using it. Blocks.
///
/// # Errors
/// [`BackupError`]; what was copied until then stays beside `target`, in a folder that ends with `.part`, until the next try.
pub fn back_up(state_dir: &Path, target: &Path) -> Result<Copied, BackupError> {
    if !DATABASES.iter().chain([&BLOBS]).any(|folder| state_dir.join(folder).is_dir()) {
        return Err(BackupError::Nothing { path: state_dir.to_owned() });
    }
    if fs::symlink_metadata(target).is_ok() {
        return Err(BackupError::Taken { path: target.to_owned() });
    }
    let mut part = target.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    match fs::remove_dir_all(&part) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(file(&part)(cause)),
        _ => private::make_folders(&part).map_err(file(&part))?,
    }
    let mut copied = Copied::default();
    copy_blobs(state_dir, &part, &mut copied)?;
    for folder in DATABASES {
        for database in databases(&state_dir.join(folder))? {
            let into = part.join(folder);
            private::make_folders(&into).map_err(file(&into))?;
            snapshot(&database, &into.join(database.file_name().unwrap_or_default()))?;
            copied.databases += 1;
        }
        sync_if_there(&part.join(folder))?;
    }
    copy_blobs(state_dir, &part, &mut copied)?;
    mark(&part).map_err(file(&part))?;
    fs::rename(&part, target).map_err(file(target))?;
    private::sync_way_to(target).map_err(file(target))?;
    Ok(copied)
}

/// Puts what is in a backup into `state_dir`, which may have none of it. Blocks.
///
/// # Errors
/// [`BackupError`]. What was there before is unchanged; what was put there until then has to be moved away before the next try.
pub fn restore(backup: &Path, state_dir: &Path) -> Result<Copied, BackupError> {
    match fs::read_to_string(backup.join(MARK)) {
        Ok(version) if version == VERSION => {}
        Ok(version) => {
            return Err(BackupError::Version {
                path: backup.to_owned(),
                version: version.trim_end().to_owned(),
            });
        }
        Err(_) => return Err(BackupError::NoBackup { path: backup.to_owned() }),
    }
    for folder in DATABASES.iter().chain([&BLOBS]) {
        let path = state_dir.join(folder);
        if fs::symlink_metadata(&path).is_ok() {
            return Err(BackupError::Occupied { path });
        }
    }
    let mut copied = Copied::default();
    copy_blobs(backup, state_dir, &mut copied)?;
    for folder in DATABASES {
        for database in databases(&backup.join(folder))? {
            let into = state_dir.join(folder);
            private::make_folders(&into).map_err(file(&into))?;
            let to = into.join(database.file_name().unwrap_or_default());
            copy_file(&database, &to)?;
            // What is damaged in the backup is told now, and not by the first request.
            check(&to, &database)?;
            copied.databases += 1;
        }
        sync_if_there(&state_dir.join(folder))?;
    }
    private::sync_way_to(&state_dir.join(BLOBS)).map_err(file(state_dir))?;
    Ok(copied)
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    |cause| BackupError::File { path, cause }
}

fn mark(folder: &Path) -> io::Result<()> {
    let mut mark = private::make_file(&folder.join(MARK))?;
    mark.write_all(VERSION.as_bytes())?;
    mark.sync_data()?;
    private::sync_folder(folder)
}

fn sync_if_there(folder: &Path) -> Result<(), BackupError> {
    if folder.is_dir() { private::sync_folder(folder).map_err(file(folder)) } else { Ok(()) }
}

/// What is in a folder, none where there is no folder.
fn listed(folder: &Path) -> Result<Vec<fs::DirEntry>, BackupError> {
    match fs::read_dir(folder).and_then(Iterator::collect) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(file(folder)),
    }
}

fn databases(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let paths = listed(folder)?.into_iter().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension() == Some(OsStr::new("db"))).collect())
}

/// Copies one moment of a database to a file that is not there yet.
fn snapshot(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |cause| BackupError::Database { path: from.to_owned(), cause };
    // SQLite would give the file the rights that the umask leaves.
    private::make_file(to).map_err(file(to))?;
    let source = Connection::open_with_flags(from, FLAGS).map_err(failed)?;
    source.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    let into = to.to_str().ok_or(ErrorKind::InvalidFilename.into()).map_err(file(to))?;
    source.execute("VACUUM INTO ?1", [into]).map_err(failed)?;
    drop(source);
    check(to, from)?;
    File::open(to).and_then(|copy| copy.sync_all()).map_err(file(to))
}

/// Whether the copy of a database is sound.
fn check(copy: &Path, of: &Path) -> Result<(), BackupError> {
    let failed = |cause| BackupError::Database { path: of.to_owned(), cause };
    let copy = Connection::open_with_flags(copy, FLAGS).map_err(failed)?;
    let said: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if said == "ok" { Ok(()) } else { Err(BackupError::Damaged { path: of.to_owned(), said }) }
}

/// Copies the blobs below `from` that `to` does not have, or has from before they were replaced.
fn copy_blobs(from: &Path, to: &Path, copied: &mut Copied) -> Result<(), BackupError> {
    let mut folders = vec![PathBuf::from(BLOBS)];
    while let Some(folder) = folders.pop() {
        let into = to.join(&folder);
        let mut is_new = false;
        for entry in listed(&from.join(&folder))? {
            let (name, path) = (folder.join(entry.file_name()), entry.path());
            let kind = entry.file_type().map_err(file(&path))?;
            if kind.is_dir() && entry.file_name() != STAGING_FOLDER {
                folders.push(name);
            } else if kind.is_file() {
                let target = to.join(name);
                private::make_folders(&into).map_err(file(&into))?;
                let had_bytes = match fs::metadata(&target) {
                    Ok(had) if !is_replaced(&path, &had) => continue,
                    Ok(had) => {
                        fs::remove_file(&target).map_err(file(&target))?;
                        Some(had.len())
                    }
                    Err(_) => None,
                };
                if let Some(bytes) = copy_file(&path, &target)? {
                    copied.blobs += u64::from(had_bytes.is_none());
                    copied.blob_bytes += bytes;
                    copied.blob_bytes -= had_bytes.unwrap_or(0);
                    is_new = true;
                }
            }
        }
        if is_new {
            private::sync_folder(&into).map_err(file(&into))?;
        }
    }
    Ok(())
}

/// Whether there is another file now at the place that a copy was made of. A rename, by which blobs come to their place, sets the time of
/// the change, which each copy has from what it was made of.
fn is_replaced(path: &Path, copy: &fs::Metadata) -> bool {
    fs::metadata(path).is_ok_and(|now| (now.ctime(), now.ctime_nsec()) != (copy.mtime(), copy.mtime_nsec()))
}

/// Copies a file to a place where none is. None where it is gone from where it was.
fn copy_file(from: &Path, to: &Path) -> Result<Option<u64>, BackupError> {
    let mut source = match File::open(from) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(file(from))?,
    };
    let changed = source.metadata().map_err(file(from))?;
    let mut target = private::make_file(to).map_err(file(to))?;
    let bytes = io::copy(&mut source, &mut target).map_err(file(to))?;
    let nanoseconds = u32::try_from(changed.ctime_nsec()).unwrap_or(0);
    let since_epoch = Duration::new(u64::try_from(changed.ctime()).unwrap_or(0), nanoseconds);
    target.set_modified(SystemTime::UNIX_EPOCH + since_epoch).map_err(file(to))?;
    target.sync_all().map_err(file(to))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
