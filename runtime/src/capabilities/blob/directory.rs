//! Blobs as files below a directory of this host.
//!
//! A file is the blob's bytes and then its content type, so that both appear at once by one rename, and so that an image viewer, which
//! reads from the front, shows it as it is: `data · content type · its length (one byte) · "thb1"`. A file that does not end like that
//! was not written here.
//!
//! A key is a path, so where `a` is a blob, `a/b` can't be one, nor the other way round: putting the second is refused.

use std::{error::Error as StdError, io, path::Path, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem,
    path::Path as StorePath,
};

use super::{Backend, wit};

/// Marks the end of a file of ours, with the version of its layout.
const MAGIC: &[u8; 4] = b"thb1";
/// Magic and length byte.
const FIXED_BYTES: u64 = 5;
/// The longest end: any content type, its length and the magic.
const MAX_END_BYTES: u64 = 255 + FIXED_BYTES;
/// A file is written under its name and `#` with a number, and then renamed. Where the name is longer than this, that would be longer than
/// file systems allow (255 bytes), so it is written elsewhere.
const MAX_STAGED_NAME_BYTES: usize = 240;
/// Where that is. No key has a `~`.
const STAGING_FOLDER: &str = "~staging";

/// A directory.
#[derive(Debug)]
pub struct DirectoryStore {
    store: Arc<dyn ObjectStore>,
    shown: String,
}

impl DirectoryStore {
    /// At this place, which is made where it is missing. Blocks.
    ///
    /// # Errors
    /// The directory can't be made or read.
    pub fn open(directory: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let store = LocalFileSystem::new_with_prefix(directory).map_err(std::io::Error::other)?;
        Ok(Self { store: Arc::new(store), shown: directory.display().to_string() })
    }
}

fn error(error: &object_store::Error) -> wit::Error {
    match error {
        object_store::Error::NotFound { .. } => wit::Error::NotFound,
        _ => match io_kind(error) {
            // What would be a folder on the way there is a blob.
            Some(io::ErrorKind::NotADirectory) => wit::Error::NotFound,
            Some(io::ErrorKind::PermissionDenied) => {
                wit::Error::AccessDenied("the directory is not accessible".into())
            }
            _ => wit::Error::Unavailable(error.to_string()),
        },
    }
}

fn put_error(failure: &object_store::Error) -> wit::Error {
    use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory};
    match io_kind(failure) {
        Some(AlreadyExists | IsADirectory | NotADirectory) => wit::Error::Other(
            "the key is a folder of another blob's key, or lies below one as if that were a folder".into(),
        ),
        _ => error(failure),
    }
}

/// The system's reason for a failure.
fn io_kind(error: &object_store::Error) -> Option<io::ErrorKind> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        cause = error.source();
    }
    None
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

impl DirectoryStore {
    async fn read_end(&self, key: &str) -> Result<wit::Metadata, wit::Error> {
        let options = GetOptions { range: Some(GetRange::Suffix(MAX_END_BYTES)), ..GetOptions::default() };
        let result = self.store.get_opts(&StorePath::from(key), options).await.map_err(|e| error(&e))?;
        let file_bytes = result.meta.size;
        metadata(&result.bytes().await.map_err(|e| error(&e))?, file_bytes)
    }

    async fn write(&self, key: &str, file: PutPayload) -> object_store::Result<()> {
        let place = StorePath::from(key);
        if place.filename().is_none_or(|name| name.len() <= MAX_STAGED_NAME_BYTES) {
            return self.store.put(&place, file).await.map(drop);
        }
        let staged = StorePath::from_iter([STAGING_FOLDER, &uuid::Uuid::now_v7().to_string()]);
        self.store.put(&staged, file).await?;
        let renamed = self.store.rename(&staged, &place).await;
        if renamed.is_err() {
            // The rename's failure is the one to tell of; one here leaves a file that nobody names.
            let _garbage_may_stay = self.store.delete(&staged).await;
        }
        renamed
    }
}

impl Backend for DirectoryStore {
    fn summary(&self) -> String {
        format!("directory {}", self.shown)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        mut data: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move {
            let length = u8::try_from(content_type.len())
                .map_err(|_| wit::Error::Other("the content type is too long".into()))?;
            data.extend_from_slice(content_type.as_bytes());
            data.push(length);
            data.extend_from_slice(MAGIC);
            self.write(key, PutPayload::from(data)).await.map_err(|failure| put_error(&failure))
        }
        .boxed()
    }

    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        async move {
            let result = self.store.get(&StorePath::from(key)).await.map_err(|e| error(&e))?;
            let file_bytes = result.meta.size;
            // Nothing is read before the size is known to be within the bound; what the end takes is not counted yet.
            if file_bytes > max_bytes.saturating_add(MAX_END_BYTES) {
                return Err(wit::Error::TooLarge(max_bytes));
            }
            let mut data = Vec::from(result.bytes().await.map_err(|e| error(&e))?);
            let metadata = metadata(&data, file_bytes)?;
            if metadata.size_bytes > max_bytes {
                return Err(wit::Error::TooLarge(max_bytes));
            }
            data.truncate(usize::try_from(metadata.size_bytes).unwrap_or(usize::MAX));
            Ok(wit::Object { metadata, data })
        }
        .boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        self.read_end(key).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move {
            match self.store.delete(&StorePath::from(key)).await {
                Ok(()) => Ok(()),
                // What is there is a folder.
                Err(failure) if io_kind(&failure) == Some(io::ErrorKind::IsADirectory) => Ok(()),
                Err(failure) => match error(&failure) {
                    wit::Error::NotFound => Ok(()),
                    other => Err(other),
                },
            }
        }
        .boxed()
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
        let file = std::fs::read(folder.path().join("a/b.png")).unwrap();
        assert!(file.starts_with(b"pixelsimage/png"));
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
