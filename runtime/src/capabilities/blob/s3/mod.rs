//! Blobs as objects of an S3 bucket.
//!
//! An object is named `[<prefix>/]<key>` and has the blob's content type as its own: the layout of the component `blob-store`, so the two
//! can take turns on one bucket. A put is one request, which is what makes it atomic; a blob has at most 64 MiB and S3 takes 5 GiB in one.
//! The payload is signed, so bytes that were damaged on the way are refused.
//!
//! Signing and retries are `object_store`'s. [`settings`] has what is configured, [`transport`] how requests travel, [`answer`] what a refusal
//! means.

mod answer;
mod settings;
mod transport;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, TryStreamExt as _, future::BoxFuture};
use object_store::{
    Attribute, Attributes, BackoffConfig, GetOptions, GetResult, ObjectStore, ObjectStoreExt as _,
    PutOptions, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};

use self::{answer::Fault, transport::Transport};
use super::{Backend, wit};
use crate::{
    capabilities::error::ServerFault,
    limits::{Limits, length, millis},
};

pub use settings::S3Settings;

/// What S3 calls an object that was put without a content type.
const NO_CONTENT_TYPE: &str = "binary/octet-stream";
/// Attempts after the first one. With the pauses between them, a server that refuses connections is given up after about a second.
const MAX_RETRIES: usize = 3;
/// The shortest pause before another attempt; the longest doubles from attempt to attempt, and chance picks between.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// An object that no put of ours can have made, since no key has a capital: to be asked for where only the answer's kind matters.
const NO_OBJECT: &str = "CHECK";

/// Blobs in one bucket.
pub struct S3Store {
    store: AmazonS3,
    /// The same without another attempt.
    once: AmazonS3,
    settings: Arc<S3Settings>,
    patience: Duration,
}

impl S3Store {
    /// Connects to nothing yet; a server that is away is seen by [`S3Store::check`] and by each operation. May read the system's certificates
    /// from disk.
    ///
    /// # Errors
    /// This host can't speak to such a server; one sentence.
    pub fn new(settings: &S3Settings, limits: &Limits) -> Result<Self, String> {
        let settings = Arc::new(settings.clone());
        // The caller cuts every call off at the limit. A little before that, this store says itself which server was too slow.
        let patience = millis(limits.blob_timeout_ms) * 9 / 10;
        let transport = Transport::new(Arc::clone(&settings), patience)?;
        let retries = |max_retries| RetryConfig {
            max_retries,
            retry_timeout: patience,
            backoff: BackoffConfig { init_backoff: FIRST_PAUSE, max_backoff: LONGEST_PAUSE, base: 2.0 },
        };
        Ok(Self {
            store: amazon(&settings, &transport, retries(MAX_RETRIES))?,
            once: amazon(&settings, &transport, retries(0))?,
            settings,
            patience,
        })
    }

    /// Asks the server for an object that is not there: whether it answers, knows the credentials, and has the bucket, in the region that
    /// is configured. Changes nothing.
    ///
    /// # Errors
    /// What is wrong, in one sentence that names bucket and server. It is not tried again here, only by the caller.
    pub async fn check(&self) -> Result<(), ServerFault> {
        let seen = self.in_time(self.get_result(&self.once, NO_OBJECT)).await;
        let named = |fault: &Fault| format!("{}: {fault}", self.settings.summary());
        match seen {
            Ok(_) | Err(Fault::NotFound | Fault::TooLarge(_)) => Ok(()),
            Err(fault @ (Fault::Unavailable(_) | Fault::Unexplained)) => {
                Err(ServerFault::Unreachable(named(&fault)))
            }
            Err(fault @ (Fault::Denied(_) | Fault::Other(_))) => Err(ServerFault::Refused(named(&fault))),
        }
    }

    async fn in_time<T>(&self, operation: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::time::timeout(self.patience, operation).await.unwrap_or_else(|_| {
            let endpoint = self.settings.endpoint();
            Err(Fault::Unavailable(format!("the store at {endpoint} did not answer in time")))
        })
    }

    fn object(&self, name: &str) -> Result<Path, Fault> {
        // Every key is a path of this kind, so this does not happen.
        Path::parse(self.settings.object(name))
            .map_err(|_| Fault::Other("the key names no object".to_owned()))
    }

    fn fault(&self, error: &object_store::Error) -> Fault {
        transport::fault(error, &self.settings)
    }

    async fn put_object(&self, key: &str, content_type: &str, data: Vec<u8>) -> Result<(), Fault> {
        let object = self.object(key)?;
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, content_type.to_owned().into());
        let options = PutOptions { attributes, ..PutOptions::default() };
        match self.store.put_opts(&object, PutPayload::from(data), options).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.fault(&error)),
        }
    }

    async fn get_object(&self, key: &str, max_bytes: u64) -> Result<wit::Object, Fault> {
        let result = self.get_result(&self.store, key).await?;
        let metadata = metadata(&result);
        if metadata.size_bytes > max_bytes {
            return Err(Fault::TooLarge(max_bytes));
        }
        let size = length(metadata.size_bytes);
        let mut data = Vec::with_capacity(size);
        let mut pieces = result.into_stream();
        while let Some(piece) = pieces.try_next().await.map_err(|error| self.fault(&error))? {
            // The declared length was within the bound, and nothing beyond it is kept.
            if data.len() + piece.len() > size {
                return Err(self.wrong_length());
            }
            data.extend_from_slice(&piece);
        }
        if data.len() < size {
            return Err(self.wrong_length());
        }
        Ok(wit::Object { metadata, data })
    }

    async fn head_object(&self, key: &str) -> Result<wit::Metadata, Fault> {
        let object = self.object(key)?;
        // Twice, because a put between the two requests makes them disagree.
        for _ in 0..2 {
            let options = GetOptions { head: true, ..GetOptions::default() };
            match self.store.get_opts(&object, options).await {
                Ok(result) => return Ok(metadata(&result)),
                Err(error) => match self.fault(&error) {
                    // The body of this answer is not read.
                    Fault::Unexplained => drop(self.get_result(&self.store, key).await?),
                    fault => return Err(fault),
                },
            }
        }
        Err(Fault::Unavailable("the store refuses HEAD and allows GET".to_owned()))
    }

    async fn delete_object(&self, key: &str) -> Result<(), Fault> {
        match self.store.delete(&self.object(key)?).await {
            Ok(()) => Ok(()),
            Err(error) => match self.fault(&error) {
                // S3 answers 204 here, but not every server does.
                Fault::NotFound => Ok(()),
                fault => Err(fault),
            },
        }
    }

    async fn get_result(&self, store: &AmazonS3, key: &str) -> Result<GetResult, Fault> {
        store.get_opts(&self.object(key)?, GetOptions::default()).await.map_err(|error| self.fault(&error))
    }

    fn wrong_length(&self) -> Fault {
        Fault::Unavailable(format!(
            "the store at {} gives another number of bytes than it says",
            self.settings.endpoint()
        ))
    }
}

fn amazon(settings: &S3Settings, transport: &Transport, retry: RetryConfig) -> Result<AmazonS3, String> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(settings.bucket())
        .with_region(settings.region())
        // With this flag the endpoint is taken as the bucket's own URL, as it is: the style is decided in the settings.
        .with_virtual_hosted_style_request(true)
        .with_endpoint(settings.bucket_url())
        .with_allow_http(true)
        // One object a request: not every server has the other way.
        .with_disable_bulk_delete(true)
        .with_retry(retry)
        .with_http_connector(transport.clone());
    builder = match settings.credentials() {
        Some(credentials) => builder
            .with_access_key_id(credentials.access_key_id.expose())
            .with_secret_access_key(credentials.secret_access_key.expose()),
        None => builder.with_skip_signature(true),
    };
    builder.build().map_err(|_| "bucket and endpoint make no S3 address".to_owned())
}

fn metadata(result: &GetResult) -> wit::Metadata {
    let content_type = result.attributes.get(&Attribute::ContentType);
    wit::Metadata {
        size_bytes: result.meta.size,
        content_type: content_type.map_or(NO_CONTENT_TYPE, AsRef::as_ref).to_owned(),
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Backend for S3Store {
    fn summary(&self) -> String {
        self.settings.summary()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move { Ok(self.in_time(self.put_object(key, content_type, data)).await?) }.boxed()
    }

    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        async move { Ok(self.in_time(self.get_object(key, max_bytes)).await?) }.boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        async move { Ok(self.in_time(self.head_object(key)).await?) }.boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move { Ok(self.in_time(self.delete_object(key)).await?) }.boxed()
    }
}
