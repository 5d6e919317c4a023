//! Files and folders that are for this user alone: uploads are private, and so is what is known of them.
//!
//! What the runtime makes is private from the beginning (folders 0700, files 0600), whatever the umask says; what an older version or
//! another hand has left more open is tightened at the start. The folder of compiled components is among it: what lies there is run.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// What others may do, by group or as anybody.
const OF_OTHERS: u32 = 0o077;
/// Of a folder in which many keep their own, such as /tmp.
const STICKY: u32 = 0o1000;

/// Makes a folder and those on the way to it, where they are missing. Blocks.
///
/// # Errors
/// The system's.
pub(crate) fn make_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Makes one folder. Blocks.
///
/// # Errors
/// The system's; it is there already.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(path)
}

/// Makes a file that is not there yet, for writing. One that is there is not even opened: closing it would end the locks that this process
/// has on it. Blocks.
///
/// # Errors
/// The system's; it is there already.
pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)
}

/// Waits until the disk has the names in a folder. Blocks.
///
/// # Errors
/// The system's.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Waits until the disk has the names on the way to a folder that may be new: three, as the runtime makes no more at once. Blocks.
///
/// # Errors
/// The system's.
pub(crate) fn sync_way_to(folder: &Path) -> io::Result<()> {
    folder.ancestors().skip(1).take(3).filter(|folder| folder.is_dir()).try_for_each(sync_folder)
}

/// Takes from others what they may do with the folder where all state lies, unless it belongs to somebody else or is one that many share:
/// what is in it is private all the same. Blocks.
pub(crate) fn tighten_root(folder: &Path) {
    let shared = |metadata: &fs::Metadata| metadata.mode() & STICKY != 0;
    if fs::metadata(folder).is_ok_and(|metadata| !shared(&metadata)) {
        // Somebody else's.
        let _not_ours = tighten(folder);
    }
}

/// Takes from others what they may do with a folder and the files in it, not with those in folders below it, which nobody else reaches
/// then. Nothing happens where there is none. Blocks.
///
/// # Errors
/// The system's, mostly because it belongs to another user.
pub(crate) fn tighten_folder(folder: &Path) -> io::Result<()> {
    match tighten(folder) {
        Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(()),
        result => result?,
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            tighten(&entry.path())?;
        }
    }
    Ok(())
}

fn tighten(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OF_OTHERS == 0 {
        Ok(())
    } else {
        fs::set_permissions(path, Permissions::from_mode(mode & !OF_OTHERS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn open_to(mode: u32, path: &Path) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_private_and_what_is_there_is_left_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let (inner, file) = (folder.path().join("a/b"), folder.path().join("a/b/file"));
        make_folders(&inner).unwrap();
        make_file(&file).unwrap();
        assert_eq!((mode(&folder.path().join("a")), mode(&inner), mode(&file)), (0o700, 0o700, 0o600));
        open_to(0o644, &file);
        assert_eq!(make_file(&file).unwrap_err().kind(), ErrorKind::AlreadyExists);
        make_folders(&inner).unwrap();
    }

    #[test]
    fn a_folder_is_tightened_with_its_files() {
        let folder = tempfile::TempDir::new().unwrap();
        let (inner, file) = (folder.path().join("sqlite"), folder.path().join("sqlite/default.db"));
        tighten_folder(&inner).unwrap();
        fs::create_dir(&inner).unwrap();
        fs::write(&file, "").unwrap();
        open_to(0o755, &inner);
        open_to(0o640, &file);
        tighten_folder(&inner).unwrap();
        assert_eq!((mode(&inner), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn a_folder_that_many_share_stays_theirs() {
        let folder = tempfile::TempDir::new().unwrap();
        open_to(0o1777, folder.path());
        tighten_root(folder.path());
        assert_eq!(mode(folder.path()), 0o1777);
        open_to(0o755, folder.path());
        tighten_root(folder.path());
        assert_eq!(mode(folder.path()), 0o700);
    }
}
