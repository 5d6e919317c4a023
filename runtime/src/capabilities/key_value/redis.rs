//! A key-value store in a Redis database: a string per key, under the key's own name.
//!
//! That is the layout of Spin's own Redis store, so one server can serve components here and on Spin at the same time, and what one wrote
//! the other reads. Its price is Spin's as well: a store is a whole database. Two labels with one URL are one store, and whatever else lies
//! in the database is in it; the number in the URL's path (`redis://cache:6379/1`) keeps them apart.

use std::{collections::BTreeSet, fmt, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use redis::{FromRedisValue, Value};

use super::{Backend, BackendError};
use crate::{
    clients::redis::{Address, Client, Request, Server},
    limits::{Limits, length},
};

/// Keys that one step of a listing asks for: a step holds the server up for a millisecond at most.
const SCAN_COUNT: u32 = 1_000;

/// One label's database.
#[derive(Debug)]
pub struct RedisStore {
    server: Arc<Server>,
    label: String,
    max_key_bytes: usize,
}

impl RedisStore {
    /// In the database of this URL. Nothing is connected to yet.
    ///
    /// # Errors
    /// What is wrong with the URL, as [`crate::clients::redis::validate`] says it, or that the client has as many addresses as it takes.
    pub fn new(client: &Client, url: &str, label: &str, limits: &Limits) -> Result<Self, String> {
        let server = client
            .server(Address::parse(url)?)
            .map_err(|_| "is one address more than the client takes (redis_max_addresses)")?;
        Ok(Self { server, label: label.to_owned(), max_key_bytes: length(limits.kv_max_key_bytes) })
    }

    async fn run<T: FromRedisValue>(&self, request: Request, repeatable: bool) -> Result<T, BackendError> {
        let answer = self.server.run(&request, repeatable).await.map_err(|fault| self.failed(&fault))?;
        redis::from_redis_value(answer).map_err(|error| self.failed(&error))
    }

    fn failed(&self, reason: &dyn fmt::Display) -> BackendError {
        BackendError(format!("the key-value store {:?} failed: {reason}", self.label))
    }
}

impl Backend for RedisStore {
    fn summary(&self) -> String {
        self.server.address().to_string()
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BackendError>> {
        async move {
            // One byte more than is wanted tells a value over the bound without moving it. Together, because a part of what is not there is
            // as empty as a part of an empty value.
            let mut both = redis::pipe();
            both.atomic().cmd("EXISTS").arg(key).cmd("GETRANGE").arg(key).arg(0).arg(max_bytes);
            let (exists, value): (bool, Vec<u8>) = self.run(Request::Transaction(both), true).await?;
            if value.len() > max_bytes {
                return Err(BackendError(format!("the value has more than {max_bytes} bytes")));
            }
            Ok(exists.then_some(value))
        }
        .boxed()
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> BoxFuture<'a, Result<(), BackendError>> {
        // Not repeated: another's value that came in between would be lost.
        self.run(Request::One(redis::cmd("SET").arg(key).arg(value).take()), false).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BackendError>> {
        async move {
            let _was_there: i64 = self.run(Request::One(redis::cmd("DEL").arg(key).take()), false).await?;
            Ok(())
        }
        .boxed()
    }

    fn exists<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, BackendError>> {
        self.run(Request::One(redis::cmd("EXISTS").arg(key).take()), true).boxed()
    }

    fn keys(&self, max_keys: usize) -> BoxFuture<'_, Result<Vec<String>, BackendError>> {
        async move {
            // A listing may give a key twice.
            let mut keys = BTreeSet::new();
            let mut cursor = 0_u64;
            loop {
                let step = redis::cmd("SCAN")
                    .arg(cursor)
                    .arg("COUNT")
                    .arg(SCAN_COUNT)
                    .arg("TYPE")
                    .arg("string")
                    .take();
                let (next, found): (u64, Vec<Value>) = self.run(Request::One(step), true).await?;
                // What is no text, or longer than a key may be, was not written here and can't be asked for.
                keys.extend(found.into_iter().filter_map(|key| match key {
                    Value::BulkString(key) if key.len() <= self.max_key_bytes => String::from_utf8(key).ok(),
                    _ => None,
                }));
                if keys.len() > max_keys {
                    return Err(BackendError(format!("the store has more than {max_keys} keys")));
                }
                if next == 0 {
                    return Ok(keys.into_iter().collect());
                }
                cursor = next;
            }
        }
        .boxed()
    }
}
