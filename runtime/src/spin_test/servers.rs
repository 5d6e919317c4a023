//! What stands in for the servers of the component under test: a Redis that hears messages and keeps nothing. What a suite could not look
//! at fails and says so; a wake-up is sent and needs nobody to hear it. PostgreSQL there is none.

use futures_util::{FutureExt as _, future::BoxFuture};

use crate::{
    capabilities::redis::{self, RedisError, wit},
    memory::Held,
};

/// In the place of every Redis server that is granted.
#[derive(Debug)]
pub(super) struct DeafRedis;

impl redis::Connector for DeafRedis {
    fn open<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn redis::Session>, wit::Error>> {
        std::future::ready(Ok(Box::new(Self) as _)).boxed()
    }
}

impl redis::Session for DeafRedis {
    fn publish<'a>(
        &'a mut self,
        _: &'a str,
        _: Vec<u8>,
        _: &'a Held,
    ) -> BoxFuture<'a, Result<(), RedisError>> {
        std::future::ready(Ok(())).boxed()
    }

    fn command<'a>(
        &'a mut self,
        command: &'a str,
        _: Vec<wit::RedisParameter>,
        _: &'a Held,
    ) -> BoxFuture<'a, Result<Vec<wit::RedisResult>, RedisError>> {
        let text = format!("a test's Redis hears messages and knows no {command:?}");
        std::future::ready(Err(RedisError::Guest(wit::Error::Other(text)))).boxed()
    }
}
