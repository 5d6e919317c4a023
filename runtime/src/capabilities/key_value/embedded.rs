//! A key-value store in a SQLite file of this host.

use std::{path::Path, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use rusqlite::{Connection, OptionalExtension as _, limits::Limit};

use super::{
    super::embedded::{Database, OpenError, Settings},
    Backend, BackendError,
};
use crate::{
    blocking::blocking,
    limits::{Limits, length, millis},
    permits::Caller,
};

/// One label's file.
#[derive(Debug)]
pub struct EmbeddedStore {
    database: Arc<Database>,
}

impl EmbeddedStore {
    /// For the file `<folder>/<label>.db`, made when first used.
    #[must_use]
    pub fn new(folder: &Path, label: &str, limits: &Limits) -> Self {
        let small = |limit: u64| i32::try_from(limit).unwrap_or(i32::MAX);
        let settings = Settings {
            max_connections: length(limits.sql_max_connections),
            reserved_connections: 0,
            busy_timeout: millis(limits.sql_busy_timeout_ms),
            // A row is its key and its value.
            max_value_bytes: small(limits.kv_max_value_bytes.saturating_add(2 * limits.kv_max_key_bytes)),
            max_statement_bytes: small(limits.sql_max_statement_bytes),
            max_database_bytes: limits.sql_max_database_bytes,
            max_memory_bytes: limits.sql_max_memory_bytes,
        };
        Self { database: Arc::new(Database::new(folder.join(format!("{label}.db")), settings, prepare)) }
    }

    async fn with<R: Send + 'static>(
        &self,
        writes: bool,
        work: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, BackendError> {
        let failed =
            |error: &dyn std::fmt::Display| BackendError(format!("the key-value store failed: {error}"));
        let mut checkout = self.database.checkout(Caller::Message).await.map_err(|error| failed(&error))?;
        let turn =
            if writes { Some(self.database.writer().await.map_err(|error| failed(&error))?) } else { None };
        let database = Arc::clone(&self.database);
        blocking(move || {
            if writes {
                database.is_in_place()?;
            }
            let result = match checkout.connection() {
                Some(connection) => work(connection),
                None => Err(rusqlite::Error::InvalidQuery),
            }?;
            drop(turn);
            if writes {
                database.sync()?;
            }
            Ok::<R, OpenError>(result)
        })
        .await
        .map_err(|error| failed(&error))
    }
}

fn prepare(connection: &mut Connection, settings: &Settings) -> rusqlite::Result<()> {
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, settings.max_value_bytes)?;
    // With rowids, so that large values lie apart from the index that is searched.
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS pairs (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT",
    )
}

impl Backend for EmbeddedStore {
    fn summary(&self) -> String {
        self.database.summary()
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BackendError>> {
        let key = key.to_owned();
        async move {
            let found = self.with(false, move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT length(value), CASE WHEN length(value) <= ?2 THEN value END FROM pairs WHERE key = ?1",
                )?;
                let max = i64::try_from(max_bytes).unwrap_or(i64::MAX);
                statement
                    .query_row((key, max), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?)))
                    .optional()
            });
            match found.await? {
                None => Ok(None),
                Some((_, Some(value))) => Ok(Some(value)),
                Some((size, None)) => Err(BackendError(format!("the value has {size} bytes, more than {max_bytes}"))),
            }
        }
        .boxed()
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> BoxFuture<'a, Result<(), BackendError>> {
        let key = key.to_owned();
        self.with(true, move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO pairs (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
                )?
                .execute((key, value))
                .map(drop)
        })
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BackendError>> {
        let key = key.to_owned();
        self.with(true, move |connection| {
            connection.prepare_cached("DELETE FROM pairs WHERE key = ?1")?.execute([key]).map(drop)
        })
        .boxed()
    }

    fn exists<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, BackendError>> {
        let key = key.to_owned();
        self.with(false, move |connection| {
            connection.prepare_cached("SELECT 1 FROM pairs WHERE key = ?1")?.exists([key])
        })
        .boxed()
    }

    fn keys(&self, max_keys: usize) -> BoxFuture<'_, Result<Vec<String>, BackendError>> {
        async move {
            let limit = i64::try_from(max_keys).unwrap_or(i64::MAX).saturating_add(1);
            let keys = self.with(false, move |connection| {
                let mut statement = connection.prepare_cached("SELECT key FROM pairs LIMIT ?1")?;
                statement.query_map([limit], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
            });
            match keys.await? {
                keys if keys.len() > max_keys => {
                    Err(BackendError(format!("the store has more than {max_keys} keys")))
                }
                keys => Ok(keys),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = || EmbeddedStore::new(folder.path(), "default", &Limits::default());
        contract::holds(&store()).await;
        contract::survives(&store(), &store()).await;
    }

    #[tokio::test]
    async fn labels_do_not_share_keys() {
        let folder = tempfile::TempDir::new().unwrap();
        let (a, b) =
            ["a", "b"].map(|label| EmbeddedStore::new(folder.path(), label, &Limits::default())).into();
        a.set("k", vec![1]).await.unwrap();
        assert_eq!(b.get("k", 10).await.unwrap(), None);
    }
}
