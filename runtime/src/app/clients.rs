//! The backends that were chosen, made: one client per server and runtime, shared by all components.

use std::sync::Arc;

use super::{StartError, servers::Server};
use crate::{
    backends::{Backends, Blobs, KeyValue},
    capabilities::{
        blob::{self, DirectoryStore, KeptBlobs, MemoryStore, S3Store},
        key_value::{self, EmbeddedStore, RedisStore},
    },
    clients::{postgres, redis},
    limits::{Limits, length},
};

/// What speaks to servers and files. Nothing is connected before it is needed.
pub(super) struct Clients {
    key_value: KeyValue,
    limits: Arc<Limits>,
    postgres: postgres::Client,
    redis: redis::Client,
    blobs: Arc<dyn blob::Backend>,
    kept_blobs: Option<Arc<KeptBlobs>>,
    servers: Vec<Server>,
}

impl Clients {
    /// Of these backends. Blobs whose keys begin with one of `constant_blobs` never change.
    ///
    /// # Errors
    /// The directory of blobs can't be used, or the settings of a bucket make no client.
    pub(super) fn new(
        backends: &Backends,
        constant_blobs: &[String],
        limits: &Arc<Limits>,
    ) -> Result<Self, StartError> {
        let mut clients = Self {
            key_value: backends.key_value.clone(),
            limits: Arc::clone(limits),
            postgres: postgres::Client::new(limits),
            redis: redis::Client::new(limits),
            // Replaced below, unless the component that is composed in keeps the blobs: then nothing is linked to this.
            blobs: Arc::new(MemoryStore::default()),
            kept_blobs: None,
            servers: Vec::new(),
        };
        match &backends.blobs {
            Blobs::Memory | Blobs::Component(_) => {}
            Blobs::Directory(path) => {
                let store = DirectoryStore::open(path)
                    .map_err(|cause| StartError::Directory { path: path.clone(), cause })?;
                clients.blobs = Arc::new(store);
            }
            Blobs::S3(settings, role) => {
                let store = S3Store::new(settings, role.clone(), limits).map_err(|reason| {
                    StartError::Server { setting: backends.blobs_setting.clone(), reason }
                })?;
                let store = Arc::new(store);
                clients.blobs = Arc::clone(&store) as _;
                clients.servers.push(Server::new(&backends.blobs_setting, move || {
                    let store = Arc::clone(&store);
                    async move { store.check().await }
                }));
            }
        }
        let is_elsewhere = matches!(&backends.blobs, Blobs::Directory(_) | Blobs::S3(..));
        if is_elsewhere && limits.blob_cache_bytes > 0 && !constant_blobs.is_empty() {
            let kept =
                KeptBlobs::new(clients.blobs, constant_blobs.to_vec(), length(limits.blob_cache_bytes));
            let kept = Arc::new(kept);
            clients.blobs = Arc::clone(&kept) as _;
            clients.kept_blobs = Some(kept);
        }
        if let Some((setting, url)) = &backends.database {
            let (client, url) = (clients.postgres.clone(), url.clone());
            clients.servers.push(Server::new(setting, move || {
                let (client, url) = (client.clone(), url.clone());
                async move { client.check(url.expose()).await }
            }));
        }
        let messages = backends.message_servers.iter().map(|(setting, url)| (setting.as_str(), url));
        let key_value = match &backends.key_value {
            KeyValue::Redis(url) => Some(("--key-value", url)),
            KeyValue::Directory(_) => None,
        };
        for (setting, url) in messages.chain(key_value) {
            let (client, url) = (clients.redis.clone(), url.clone());
            clients.servers.push(Server::new(setting, move || {
                let (client, url) = (client.clone(), url.clone());
                async move { client.check(url.expose()).await }
            }));
        }
        Ok(clients)
    }

    /// The servers behind the clients; given once.
    pub(super) fn take_servers(&mut self) -> Vec<Server> {
        std::mem::take(&mut self.servers)
    }

    pub(super) fn postgres(&self) -> &postgres::Client {
        &self.postgres
    }

    pub(super) fn redis(&self) -> &redis::Client {
        &self.redis
    }

    pub(super) fn blobs(&self) -> Arc<dyn blob::Backend> {
        Arc::clone(&self.blobs)
    }

    /// What is kept in memory of blobs that never change; none where nothing is.
    pub(super) fn kept_blobs(&self) -> Option<&Arc<KeptBlobs>> {
        self.kept_blobs.as_ref()
    }

    /// The store of this label.
    ///
    /// # Errors
    /// Its server can't be one.
    pub(super) fn key_value(&self, label: &str) -> Result<Arc<dyn key_value::Backend>, StartError> {
        Ok(match &self.key_value {
            KeyValue::Directory(folder) => Arc::new(EmbeddedStore::new(folder, label, &self.limits)),
            KeyValue::Redis(url) => Arc::new(
                RedisStore::new(&self.redis, url.expose(), label, &self.limits)
                    .map_err(|reason| StartError::Server { setting: "--key-value".to_owned(), reason })?,
            ),
        })
    }
}
