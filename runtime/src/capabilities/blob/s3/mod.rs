//! Blobs as objects of an S3 bucket, the same that the component `blob-store` finds there on hosts that have no blobs.
//!
//! What a request is, what an answer means and when there is another attempt is in the crate `thumbs-s3`, which the component has as well; here
//! is only how requests travel, [`network`], and what a blob store of this host is made of; [`pieces`] has the objects that come in pieces.

mod network;
mod pieces;
mod role;

pub use role::RoleSource;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use thumbs_s3::{Client, ContentType, Download, Error, Key, Metadata, Settings, Upload, retry::Policy};

use self::{
    network::Network,
    pieces::{ObjectReader, ObjectWriter},
    role::Role,
};
use super::{Backend, Reader, Writer, wit};
use crate::{
    clients::ServerFault,
    limits::{Limits, millis},
};

/// Blobs in one bucket.
#[derive(Clone)]
pub struct S3Store {
    settings: Arc<Settings>,
    /// Who lends the credentials, where those of the settings are not meant.
    role: Option<Arc<Role>>,
    network: Arc<Network>,
    patience: Duration,
}

impl S3Store {
    /// Connects to nothing yet; a server that is away is seen by [`S3Store::check`] and by each operation. May read the system's certificates
    /// from disk.
    ///
    /// # Errors
    /// This host can't speak to such a server; one sentence.
    pub fn new(settings: &Settings, role: Option<RoleSource>, limits: &Limits) -> Result<Self, String> {
        // The caller cuts every call off at the limit. A little before that, this store says itself which server was too slow.
        let patience = millis(limits.blob_timeout_ms) * 9 / 10;
        let network = Network::new(settings, patience)?;
        // A loan and the request that it is for have to fit into one call.
        let role = role.map(|source| Role::new(source, settings, patience / 2)).transpose()?.map(Arc::new);
        Ok(Self { settings: Arc::new(settings.clone()), role, network: Arc::new(network), patience })
    }

    /// Asks the server for an object that is not there: whether it answers, knows the credentials, and has the bucket, in the region that
    /// is configured. Changes nothing.
    ///
    /// # Errors
    /// What is wrong, in one sentence that names bucket and server. It is not tried again here, only by the caller.
    pub async fn check(&self) -> Result<(), ServerFault> {
        let checked = async {
            let settings = self.settings().await?;
            Client::new(&settings, &*self.network, Policy::once(self.patience)).check().await
        };
        checked.await.map_err(|error| {
            let text = format!("{}: {error}", self.settings.summary());
            match error {
                Error::Unavailable(_) => ServerFault::Unreachable(text),
                _ => ServerFault::Refused(text),
            }
        })
    }

    /// The bucket, and who asks it now.
    async fn settings(&self) -> Result<Arc<Settings>, Error> {
        match &self.role {
            Some(role) => role.settings().await,
            None => Ok(Arc::clone(&self.settings)),
        }
    }

    fn client<'a>(&'a self, settings: &'a Settings) -> Client<'a, Network> {
        Client::new(settings, &*self.network, Policy::within(self.patience))
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn checked(key: &str) -> Result<Key<'_>, wit::Error> {
    Key::parse(key).ok_or(wit::Error::InvalidKey)
}

fn checked_type(content_type: &str) -> Result<ContentType<'_>, wit::Error> {
    ContentType::parse(content_type).ok_or_else(|| wit::Error::Other(ContentType::RULE.to_owned()))
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
        async move {
            let (key, content_type) = (checked(key)?, checked_type(content_type)?);
            let settings = self.settings().await?;
            Ok(self.client(&settings).put(key, content_type, data.into()).await?)
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
        async move {
            let upload = Upload::new(checked(key)?, checked_type(content_type)?);
            Ok(Box::new(ObjectWriter::new(self.clone(), upload)) as Box<dyn Writer>)
        }
        .boxed()
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        max_bytes: u64,
    ) -> BoxFuture<'a, Result<(wit::Metadata, Box<dyn Reader>), wit::Error>> {
        async move {
            let (key, settings) = (checked(key)?, self.settings().await?);
            let download = Download::open(&self.client(&settings), key, max_bytes).await?;
            let metadata = download.metadata().clone().into();
            Ok((metadata, Box::new(ObjectReader { store: self.clone(), download }) as Box<dyn Reader>))
        }
        .boxed()
    }

    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        async move {
            let (key, settings) = (checked(key)?, self.settings().await?);
            let (metadata, data) = self.client(&settings).get(key, max_bytes).await?;
            Ok(wit::Object { metadata: metadata.into(), data })
        }
        .boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        async move {
            let (key, settings) = (checked(key)?, self.settings().await?);
            Ok(self.client(&settings).head(key).await?.into())
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move {
            let (key, settings) = (checked(key)?, self.settings().await?);
            Ok(self.client(&settings).delete(key).await?)
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
        async move {
            let settings = self.settings().await?;
            Ok(self.client(&settings).list(prefix, after, limit).await?)
        }
        .boxed()
    }
}

impl From<Metadata> for wit::Metadata {
    fn from(metadata: Metadata) -> Self {
        Self { size_bytes: metadata.size_bytes, content_type: metadata.content_type }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::TooLarge(max_bytes) => Self::TooLarge(max_bytes),
            Error::AccessDenied(text) => Self::AccessDenied(text),
            Error::Unavailable(text) => Self::Unavailable(text),
            Error::Other(text) => Self::Other(text),
        }
    }
}
