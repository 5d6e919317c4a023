//! `thumbs:blob-store/store`: blobs by key, natively, so that no provider component has to be composed in.
//!
//! Keys, sizes and content types are checked here, once, for every backend. What keeps the blobs is behind [`Backend`]; `directory/` is a
//! directory of this host, `s3/` a bucket, `memory.rs` is for tests, `kept.rs` stands before another. What all of them must do is in `contract/`. `pieces.rs` has the blobs that
//! a guest writes and reads in pieces.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod directory;
mod kept;
mod memory;
mod pieces;
mod s3;
#[cfg(test)]
mod tests;

pub use directory::DirectoryStore;
pub(crate) use directory::STAGING_FOLDER;
pub use kept::KeptBlobs;
pub use memory::MemoryStore;
pub use pieces::{OpenReader, OpenWriter};
pub use s3::{RoleSource, S3Store};
pub use thumbs_s3::Settings as S3Settings;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use thumbs_s3::{ContentType, Key, key};
use wasmtime::component::{HasData, Linker, ResourceTable};

pub use super::bindings::thumbs::blob_store::store as wit;
use super::error::Failure;
use crate::{
    limits::{Limits, length, millis},
    memory::CallMemory,
    telemetry::{Event, Logger},
    traces::{CallTrace, Operation},
};

/// The error type of this capability's host functions.
pub type BlobError = Failure<wit::Error>;

/// No piece of a blob is larger, by the interface.
pub const MAX_PIECE_BYTES: usize = 1 << 20;
/// No list has more keys, by the interface.
pub const MAX_LISTED_KEYS: usize = 1000;

/// A blob that is open to be read in pieces.
pub type Opened = (wit::Metadata, Box<dyn Reader>);

/// What keeps blobs. Keys are checked before they get here.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Where it lies, for the banner. No secret.
    fn summary(&self) -> String;
    /// Creates or replaces the blob as a whole.
    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>>;
    /// Begins a blob that comes in pieces. May do nothing yet.
    fn write<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>>;
    /// Opens a blob to be read in pieces, or `too-large`.
    fn read<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<Opened, wit::Error>>;
    /// The whole blob, or `too-large` without reading it.
    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>>;
    /// Whether `get` and `head` of this key may answer without a question to what keeps the blobs in the end.
    fn may_know(&self, _key: &str) -> bool {
        false
    }
    /// What `get` would say of it.
    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>>;
    /// Removes it; nothing happens where there is none.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>>;
    /// The first `limit` keys, at most [`MAX_LISTED_KEYS`], that begin with `prefix` and come after `after`, in the order of their bytes.
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>>;
}

/// A blob in the making. Dropped, or with a call of it broken off, it leaves nothing.
pub trait Writer: fmt::Debug + Send {
    /// The next bytes, at most [`MAX_PIECE_BYTES`]. After an error there are no further calls.
    fn write(&mut self, piece: Vec<u8>) -> BoxFuture<'_, Result<(), wit::Error>>;
    /// What it holds in memory between calls.
    fn held_bytes(&self) -> usize;
    /// Puts the blob in its place as a whole.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<(), wit::Error>>;
}

/// A blob that is read from its beginning on, all of one put.
pub trait Reader: fmt::Debug + Send {
    /// The next bytes, at most [`MAX_PIECE_BYTES`]; none at the end.
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, wit::Error>>;
}

/// The blobs of a runtime, as its components see them.
#[derive(Clone, Debug)]
pub struct BlobStore {
    backend: Arc<dyn Backend>,
    max_blob_bytes: u64,
    timeout: Duration,
    refusals: Option<Arc<Refusals>>,
}

/// Whether the backend refuses us, for the log: its operator hears of it once, and once more when it is mended.
#[derive(Debug)]
struct Refusals {
    setting: String,
    log: Logger,
    lasting: AtomicBool,
}

impl Refusals {
    fn see<T>(&self, result: &Result<T, wit::Error>) {
        match result {
            Err(wit::Error::AccessDenied(reason)) if !self.lasting.swap(true, Ordering::Relaxed) => {
                self.log.event(&Event::ServerRefuses { setting: &self.setting, reason });
            }
            // That there is no such blob, or a large one, is an answer as well.
            Ok(_) | Err(wit::Error::NotFound | wit::Error::TooLarge(_))
                if self.lasting.swap(false, Ordering::Relaxed) =>
            {
                self.log.event(&Event::ServerAnswers { setting: &self.setting });
            }
            _ => {}
        }
    }
}

impl BlobStore {
    /// Over a backend.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>, limits: &Limits) -> Self {
        Self {
            backend,
            max_blob_bytes: limits.max_blob_bytes,
            timeout: millis(limits.blob_timeout_ms),
            refusals: None,
        }
    }

    /// Logs when the backend begins to refuse us, and when that is over. `setting` is what the operator would change.
    #[must_use]
    pub fn log_refusals(self, setting: &str, log: &Logger) -> Self {
        let lasting = AtomicBool::new(false);
        let refusals = Refusals { setting: setting.to_owned(), log: log.clone(), lasting };
        Self { refusals: Some(Arc::new(refusals)), ..self }
    }

    /// Where the blobs lie, for the banner.
    #[must_use]
    pub fn summary(&self) -> String {
        self.backend.summary()
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, wit::Error>>) -> Result<T, BlobError> {
        let result = self.awaited(call).await;
        self.see(&result);
        result.map_err(Failure::Guest)
    }

    /// The same of a call that may not ask the backend anything: whatever it gives but a refusal does not say that the backend does not refuse us.
    async fn perhaps_asked_in_time<T>(
        &self,
        call: impl Future<Output = Result<T, wit::Error>>,
    ) -> Result<T, BlobError> {
        let result = self.awaited(call).await;
        if let Err(wit::Error::AccessDenied(_)) = &result {
            self.see(&result);
        }
        result.map_err(Failure::Guest)
    }

    /// A call that reads what is behind a key.
    async fn known_in_time<T>(
        &self,
        key: Key<'_>,
        call: impl Future<Output = Result<T, wit::Error>>,
    ) -> Result<T, BlobError> {
        if self.backend.may_know(key.as_str()) {
            self.perhaps_asked_in_time(call).await
        } else {
            self.in_time(call).await
        }
    }

    async fn awaited<T>(&self, call: impl Future<Output = Result<T, wit::Error>>) -> Result<T, wit::Error> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(result) => result,
            Err(_) => Err(wit::Error::Unavailable("the store did not answer in time".into())),
        }
    }

    fn see<T>(&self, result: &Result<T, wit::Error>) {
        if let Some(refusals) = &self.refusals {
            refusals.see(result);
        }
    }
}

/// A view for one call.
#[derive(Debug)]
pub struct BlobView<'a> {
    /// The blobs.
    pub store: &'a BlobStore,
    /// Where the instance's handles are.
    pub table: &'a mut ResourceTable,
    /// What the instance's calls take.
    pub memory: &'a mut CallMemory,
    /// Where its calls leave spans.
    pub trace: &'a CallTrace,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasBlob;

impl HasData for HasBlob {
    type Data<'a> = BlobView<'a>;
}

/// Gives the interface to components.
///
/// # Errors
/// The linker has it already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> BlobView<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, HasBlob>(linker, view)
}

fn checked(key: &str) -> Result<Key<'_>, BlobError> {
    Key::parse(key).ok_or(Failure::Guest(wit::Error::InvalidKey))
}

fn checked_type(content_type: &str) -> Result<ContentType<'_>, BlobError> {
    let refused = || Failure::Guest(wit::Error::Other(ContentType::RULE.to_owned()));
    ContentType::parse(content_type).ok_or_else(refused)
}

impl wit::Host for BlobView<'_> {
    async fn put(&mut self, key: String, content_type: String, data: Vec<u8>) -> Result<(), BlobError> {
        let (key, content_type) = (checked(&key)?, checked_type(&content_type)?);
        if data.len() > length(self.store.max_blob_bytes) {
            return Err(Failure::Guest(wit::Error::TooLarge(self.store.max_blob_bytes)));
        }
        let _held = self.memory.call(data.len())?;
        let putting = self.store.in_time(self.store.backend.put(key.as_str(), content_type.as_str(), data));
        self.trace.around(|| Operation::blob("put"), putting).await
    }

    async fn get(&mut self, key: String, max_bytes: u64) -> Result<wit::Object, BlobError> {
        let key = checked(&key)?;
        let mut max_bytes = max_bytes.min(self.store.max_blob_bytes);
        let mut held = self.memory.call(0)?;
        // Taken before it is read. Where there is no room for the largest that the guest asks for, there may be for the one that is there.
        if !held.grow_if_there(length(max_bytes)) {
            let looking = self.store.backend.head(key.as_str());
            let size_bytes = self.store.known_in_time(key, looking).await?.size_bytes;
            if size_bytes > max_bytes {
                return Err(Failure::Guest(wit::Error::TooLarge(max_bytes)));
            }
            held.grow(length(size_bytes))?;
            max_bytes = size_bytes;
        }
        let getting = self.store.known_in_time(key, self.store.backend.get(key.as_str(), max_bytes));
        self.trace.around(|| Operation::blob("get"), getting).await
    }

    async fn head(&mut self, key: String) -> Result<wit::Metadata, BlobError> {
        let key = checked(&key)?;
        let looking = self.store.known_in_time(key, self.store.backend.head(key.as_str()));
        self.trace.around(|| Operation::blob("head"), looking).await
    }

    async fn delete(&mut self, key: String) -> Result<(), BlobError> {
        let key = checked(&key)?;
        let deleting = self.store.in_time(self.store.backend.delete(key.as_str()));
        self.trace.around(|| Operation::blob("delete"), deleting).await
    }

    async fn list_keys(
        &mut self,
        prefix: String,
        after: String,
        limit: u32,
    ) -> Result<Vec<String>, BlobError> {
        if !(key::is_start(&prefix) && key::is_start(&after)) {
            return Err(Failure::Guest(wit::Error::InvalidKey));
        }
        let limit = usize::try_from(limit).unwrap_or(MAX_LISTED_KEYS).min(MAX_LISTED_KEYS);
        let _held = self.memory.call(limit * (key::MAX_KEY_BYTES + size_of::<String>()))?;
        let listing = self.store.in_time(self.store.backend.list(&prefix, &after, limit));
        self.trace.around(|| Operation::blob("list"), listing).await
    }

    fn convert_error(&mut self, error: BlobError) -> wasmtime::Result<wit::Error> {
        error.into_wit()
    }
}
