//! Objects that are written and read in pieces.

use std::fmt;

use futures_util::{FutureExt as _, future::BoxFuture};
use thumbs_s3::{Download, Upload};

use super::S3Store;
use crate::capabilities::blob::{Reader, Writer, wit};

/// An object in the making.
pub(super) struct ObjectWriter {
    store: S3Store,
    /// None once it is over.
    upload: Option<Upload>,
}

impl ObjectWriter {
    pub(super) const fn new(store: S3Store, upload: Upload) -> Self {
        Self { store, upload: Some(upload) }
    }
}

fn is_over() -> wit::Error {
    wit::Error::Other("the object was given up after an error".to_owned())
}

impl Writer for ObjectWriter {
    fn write(&mut self, piece: Vec<u8>) -> BoxFuture<'_, Result<(), wit::Error>> {
        async move {
            let upload = self.upload.as_mut().ok_or_else(is_over)?;
            let settings = self.store.settings().await?;
            Ok(upload.write(&self.store.client(&settings), &piece).await?)
        }
        .boxed()
    }

    fn held_bytes(&self) -> usize {
        self.upload.as_ref().map_or(0, Upload::held_bytes)
    }

    fn finish(mut self: Box<Self>) -> BoxFuture<'static, Result<(), wit::Error>> {
        async move {
            let upload = self.upload.take().ok_or_else(is_over)?;
            let settings = self.store.settings().await?;
            Ok(upload.finish(&self.store.client(&settings)).await?)
        }
        .boxed()
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take().filter(Upload::has_sent) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let store = self.store.clone();
            runtime.spawn(async move {
                if let Ok(settings) = store.settings().await {
                    upload.abort(&store.client(&settings)).await;
                }
            });
        }
    }
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWriter").field("store", &self.store).finish_non_exhaustive()
    }
}

/// An object that is being read.
#[derive(Debug)]
pub(super) struct ObjectReader {
    pub(super) store: S3Store,
    pub(super) download: Download,
}

impl Reader for ObjectReader {
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, wit::Error>> {
        async move {
            let settings = self.store.settings().await?;
            Ok(self.download.read(&self.store.client(&settings)).await?)
        }
        .boxed()
    }
}
