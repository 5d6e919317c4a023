//! Blobs as files below a directory of this host.
//!
//! A file is the blob's bytes and then its content type, so that both appear at once by one rename, and so that an image viewer, which
//! reads from the front, shows it as it is: `data · content type · its length (one byte) · "thb1"`. A file that does not end like that
//! was not written here.
//!
//! A put writes a file of its own in `~staging` (`staged.rs`), waits until the disk has it, renames it to its place, and waits until the disk
//! has the name. So once a put has returned, its blob outlasts a power cut: the row that names it, written after it, never names a blob that is
//! not there. What comes in pieces goes the same way (`pieces.rs`).
//!
//! The last blob of a folder takes the folder with it, but for the first on its way: a job's thumbnails have a folder of their own, and there would be
//! one for each job that ever was.
//!
//! A key is a path, so where `a` is a blob, `a/b` can't be one, nor the other way round: putting the second is refused.

mod list;
mod pieces;
mod staged;

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};

use self::{
    pieces::{FileReader, FileWriter},
    staged::Staged,
};
use super::{Backend, MAX_PIECE_BYTES, Reader, Writer, wit};
use crate::{blocking::blocking, limits::length, private};

/// Marks the end of a file of ours, with the version of its layout.
const MAGIC: &[u8; 4] = b"thb1";
/// Magic and length byte.
const FIXED_BYTES: u64 = 5;
/// The longest end: any content type, its length and the magic.
const MAX_END_BYTES: u64 = 255 + FIXED_BYTES;
/// Where files are until they are whole. No key has a `~`.
pub(crate) const STAGING_FOLDER: &str = "~staging";
/// A put makes its blob's folder this often at most, where others that delete take it away in between.
const MAX_FOLDER_ATTEMPTS: u32 = 10;
/// No put takes this long, so a staged file that is older was left by a crash.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    root: Arc<Path>,
    listed: Arc<list::Memory>,
}

impl DirectoryStore {
    /// At this place, which is made where it is missing. Removes what puts of processes that crashed have left. Blocks.
    ///
    /// # Errors
    /// The directory can't be made or read.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let staging = directory.join(STAGING_FOLDER);
        private::make_folders(&staging)?;
        private::sync_way_to(&staging)?;
        for entry in fs::read_dir(staging)? {
            let entry = entry?;
            let age = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok()
                .and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > STALE) {
                // Another process may be faster.
                let _gone = fs::remove_file(entry.path());
            }
        }
        Ok(Self { root: directory.into(), listed: Arc::default() })
    }

    /// Runs what waits for the disk off the async threads.
    fn with<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&Self, &str) -> Result<T, wit::Error> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, wit::Error>> {
        let (store, key) = (self.clone(), key.to_owned());
        blocking(move || work(&store, &key)).boxed()
    }

    fn open_file(&self, key: &str) -> Result<(File, u64), wit::Error> {
        let file = File::open(self.root.join(key)).map_err(|failure| error(&failure))?;
        let metadata = file.metadata().map_err(|failure| error(&failure))?;
        // A folder of other blobs can be opened, and is none itself.
        if metadata.is_dir() { Err(wit::Error::NotFound) } else { Ok((file, metadata.len())) }
    }

    fn staging(&self) -> PathBuf {
        self.root.join(STAGING_FOLDER)
    }

    /// Ends the file, and gives it the name of its key.
    fn put_in_place(&self, mut staged: Staged, key: &str, content_type: &str) -> io::Result<()> {
        let length = u8::try_from(content_type.len()).map_err(io::Error::other)?;
        staged.write(&[content_type.as_bytes(), &[length], MAGIC].concat())?;
        let place = self.root.join(key);
        let folder = place.parent().unwrap_or(&self.root);
        staged.sync()?;
        let mut attempts = 1;
        while let Err(failure) = self.make_folders(folder).and_then(|()| staged.rename(&place)) {
            if failure.kind() != ErrorKind::NotFound || attempts == MAX_FOLDER_ATTEMPTS {
                return Err(failure);
            }
            attempts += 1;
        }
        match private::sync_folder(folder) {
            // The blob was deleted already, and its folder with it.
            Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(()),
            synced => synced,
        }
    }

    /// Takes away the folders of a blob that is gone, as far as nothing else is in them.
    fn remove_folders(&self, place: &Path) {
        let above = place.ancestors().skip(1);
        for folder in above.take_while(|folder| folder.parent().is_some_and(|above| above != &*self.root)) {
            if *folder == *self.root || fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }

    /// Makes `folder` below the root and those on the way to it, where they are missing.
    fn make_folders(&self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> =
            folder.ancestors().take_while(|folder| *folder != &*self.root && !folder.is_dir()).collect();
        for folder in missing.into_iter().rev() {
            match private::make_folder(folder) {
                Err(failure) if failure.kind() != ErrorKind::AlreadyExists => return Err(failure),
                // Somebody else's too: that it is there does not say that the disk knows.
                _ => private::sync_folder(folder.parent().unwrap_or(&self.root))?,
            }
        }
        Ok(())
    }
}

fn error(failure: &io::Error) -> wit::Error {
    match failure.kind() {
        // What would be a folder on the way there is a blob.
        ErrorKind::NotFound | ErrorKind::NotADirectory => wit::Error::NotFound,
        ErrorKind::PermissionDenied => wit::Error::AccessDenied("the directory is not accessible".into()),
        _ => wit::Error::Unavailable(format!("the directory of blobs failed: {failure}")),
    }
}

fn put_error(failure: &io::Error) -> wit::Error {
    match failure.kind() {
        ErrorKind::AlreadyExists | ErrorKind::IsADirectory | ErrorKind::NotADirectory => wit::Error::Other(
            "the key is a folder of another blob's key, or lies below one as if that were a folder".into(),
        ),
        // A folder was taken away under the running process.
        ErrorKind::NotFound => wit::Error::Unavailable(format!("the directory of blobs failed: {failure}")),
        _ => error(failure),
    }
}

/// The content type in the end of a file.
fn content_type(end: &[u8]) -> Result<&str, wit::Error> {
    let foreign = || wit::Error::Other("the file was not written by this store".into());
    let rest = end.strip_suffix(MAGIC).ok_or_else(foreign)?;
    let (length, rest) = rest.split_last().ok_or_else(foreign)?;
    let start = rest.len().checked_sub(usize::from(*length)).ok_or_else(foreign)?;
    rest.get(start..).and_then(|text| str::from_utf8(text).ok()).ok_or_else(foreign)
}

fn metadata(end: &[u8], file_bytes: u64) -> Result<wit::Metadata, wit::Error> {
    let content_type = content_type(end)?.to_owned();
    let size_bytes = file_bytes.saturating_sub(FIXED_BYTES + content_type.len() as u64);
    Ok(wit::Metadata { size_bytes, content_type })
}

/// What is left of a file, `bytes` of it.
fn read(file: &mut File, bytes: u64) -> Result<Vec<u8>, wit::Error> {
    let mut left = Vec::with_capacity(length(bytes));
    file.read_to_end(&mut left).map_err(|failure| error(&failure))?;
    Ok(left)
}

impl Backend for DirectoryStore {
    fn summary(&self) -> String {
        format!("directory {}", self.root.display())
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        let content_type = content_type.to_owned();
        self.with(key, move |store, key| {
            let put = Staged::make(&store.staging()).and_then(|mut staged| {
                staged.write(&data)?;
                store.put_in_place(staged, key, &content_type)
            });
            put.map_err(|failure| put_error(&failure))
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
        let writer = FileWriter::new(self, key, content_type);
        std::future::ready(Ok(Box::new(writer) as Box<dyn Writer>)).boxed()
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        max_bytes: u64,
    ) -> BoxFuture<'a, Result<(wit::Metadata, Box<dyn Reader>), wit::Error>> {
        self.with(key, move |store, key| {
            let (mut file, file_bytes) = store.open_file(key)?;
            // What is one piece anyway is read with its end.
            let is_small = file_bytes <= MAX_PIECE_BYTES as u64;
            let end_at = if is_small { 0 } else { file_bytes.saturating_sub(MAX_END_BYTES) };
            file.seek(SeekFrom::Start(end_at)).map_err(|failure| error(&failure))?;
            let mut end = read(&mut file, file_bytes - end_at)?;
            let metadata = metadata(&end, file_bytes)?;
            if metadata.size_bytes > max_bytes {
                return Err(wit::Error::TooLarge(max_bytes));
            }
            let size = length(metadata.size_bytes);
            let reader = if is_small {
                end.truncate(size);
                FileReader::new(file, 0, Some(end))
            } else {
                file.rewind().map_err(|failure| error(&failure))?;
                FileReader::new(file, size, None)
            };
            Ok((metadata, Box::new(reader) as Box<dyn Reader>))
        })
    }

    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        self.with(key, move |store, key| {
            let (mut file, file_bytes) = store.open_file(key)?;
            // Nothing is read before the size is known to be within the bound; what the end takes is not counted yet.
            if file_bytes > max_bytes.saturating_add(MAX_END_BYTES) {
                return Err(wit::Error::TooLarge(max_bytes));
            }
            let mut data = read(&mut file, file_bytes)?;
            let metadata = metadata(&data, data.len() as u64)?;
            if metadata.size_bytes > max_bytes {
                return Err(wit::Error::TooLarge(max_bytes));
            }
            data.truncate(length(metadata.size_bytes));
            Ok(wit::Object { metadata, data })
        })
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        self.with(key, |store, key| {
            let (mut file, file_bytes) = store.open_file(key)?;
            file.seek(SeekFrom::Start(file_bytes.saturating_sub(MAX_END_BYTES)))
                .map_err(|failure| error(&failure))?;
            metadata(&read(&mut file, MAX_END_BYTES)?, file_bytes)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        self.with(key, |store, key| {
            let place = store.root.join(key);
            match fs::remove_file(&place) {
                Ok(()) => {}
                // Where a folder is, there is no blob.
                Err(_) if place.is_dir() => return Ok(()),
                Err(failure) => match error(&failure) {
                    wit::Error::NotFound => {}
                    error => return Err(error),
                },
            }
            store.remove_folders(&place);
            Ok(())
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
        let after = after.to_owned();
        self.with(prefix, move |store, prefix| {
            list::keys(&store.root, prefix, &after, limit, &store.listed)
                .map_err(|failure| put_error(&failure))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{self, Abilities, Store};
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let folder = tempfile::TempDir::new().unwrap();
        let open = || DirectoryStore::open(&folder.path().join("not/there/yet")).unwrap();
        let store: Store = Arc::new(open());
        contract::is_kept(&store, Abilities::default()).await;
        contract::is_shared(&store, &(Arc::new(open()) as Store)).await;
    }

    #[tokio::test]
    async fn the_file_begins_with_the_bytes_of_the_blob() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = DirectoryStore::open(folder.path()).unwrap();
        store.put("a/b.png", "image/png", b"pixels".to_vec()).await.unwrap();
        let path = folder.path().join("a/b.png");
        let mode = |path: &Path| {
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
        };
        assert_eq!((mode(&path), mode(&folder.path().join("a"))), (0o600, 0o700), "nobody else's to read");
        let file = std::fs::read(path).unwrap();
        assert!(file.starts_with(b"pixelsimage/png"));
    }

    #[tokio::test]
    async fn a_put_leaves_nothing_in_the_staging_folder_whether_it_succeeds_or_fails() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = DirectoryStore::open(folder.path()).unwrap();
        store.put("a/b", "image/png", b"pixels".to_vec()).await.unwrap();
        assert!(matches!(store.put("a", "image/png", vec![]).await, Err(wit::Error::Other(_))));
        assert!(matches!(store.put("a/b/c", "image/png", vec![]).await, Err(wit::Error::Other(_))));
        assert_eq!(staged(folder.path()), 0);
    }

    #[tokio::test]
    async fn the_last_blob_takes_its_folders_with_it_but_for_the_first() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = DirectoryStore::open(folder.path()).unwrap();
        let exists = |folders: [&str; 3]| folders.map(|name| folder.path().join(name).exists());
        let folders = ["a", "a/b", "a/b/c"];
        for key in ["a/b/c/d", "a/b/e", "f"] {
            store.put(key, "image/png", b"pixels".to_vec()).await.unwrap();
        }
        store.delete("a/b/c/d").await.unwrap();
        assert_eq!(exists(folders), [true, true, false]);
        store.delete("a/b/c/d").await.unwrap();
        assert_eq!(exists(folders), [true, true, false], "another blob is in there");
        store.delete("a/b/e").await.unwrap();
        assert_eq!(exists(folders), [true, false, false]);
        store.delete("f").await.unwrap();
        assert!(folder.path().join(STAGING_FOLDER).exists());
        // A delete that a crash cut short left it, and is done once more.
        fs::create_dir(folder.path().join("a/b")).unwrap();
        store.delete("a/b/e").await.unwrap();
        assert_eq!(exists(folders), [true, false, false]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_put_succeeds_whose_folder_is_taken_away_by_a_delete() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = DirectoryStore::open(folder.path()).unwrap();
        for _ in 0..100 {
            store.put("a/b/old", "image/png", b"pixels".to_vec()).await.unwrap();
            let (put, deleted) =
                tokio::join!(store.put("a/b/new", "image/png", b"pixels".to_vec()), store.delete("a/b/old"));
            put.unwrap();
            deleted.unwrap();
            assert_eq!(store.get("a/b/new", 100).await.unwrap().data, b"pixels");
            store.delete("a/b/new").await.unwrap();
        }
    }

    fn staged(root: &Path) -> usize {
        fs::read_dir(root.join(STAGING_FOLDER)).unwrap().count()
    }

    #[tokio::test]
    async fn a_large_blob_is_on_the_disk_while_it_is_written_and_gone_where_it_is_not_finished() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = DirectoryStore::open(folder.path()).unwrap();
        let mut writer = store.write("a/b", "image/png").await.unwrap();
        for _ in 0..100 {
            writer.write(vec![7; 100_000]).await.unwrap();
            assert!(writer.held_bytes() <= 256 << 10, "{}", writer.held_bytes());
        }
        assert_eq!(staged(folder.path()), 1);
        drop(writer);
        while staged(folder.path()) > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!folder.path().join("a").exists());
        let mut writer = store.write("a", "image/png").await.unwrap();
        writer.write(vec![7; 10]).await.unwrap();
        assert_eq!(staged(folder.path()), 0, "a small one is written at the end");
    }

    #[test]
    fn what_a_crash_left_is_removed_at_the_start_and_what_is_being_written_is_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let staging = folder.path().join(STAGING_FOLDER);
        fs::create_dir(&staging).unwrap();
        for (name, age) in [("left", 2 * STALE), ("written", Duration::ZERO)] {
            let at = std::time::SystemTime::now() - age;
            File::create(staging.join(name)).unwrap().set_modified(at).unwrap();
        }
        DirectoryStore::open(folder.path()).unwrap();
        let names: Vec<_> = fs::read_dir(staging).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["written"]);
    }

    #[tokio::test]
    async fn a_foreign_file_is_an_error_and_no_blob() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = DirectoryStore::open(folder.path()).unwrap();
        for (name, bytes) in
            [("empty", &b""[..]), ("short", b"thb1"), ("text", b"hello"), ("lies", b"x\xffthb1")]
        {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            assert!(matches!(store.head(name).await, Err(wit::Error::Other(_))), "{name}");
            assert!(matches!(store.get(name, 100).await, Err(wit::Error::Other(_))), "{name}");
        }
    }
}
