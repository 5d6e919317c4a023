//! `fermyon:spin/redis`: a Redis server by address.
//!
//! An address must be within the component's `allowed_outbound_hosts`. Who answers there is behind [`Connector`]: [`Servers`], over the client
//! that also serves the key-value store (`clients/redis`), or what stands in for them (`messages/stand_in.rs`). A guest's connection to a
//! server is in `session.rs`.

mod session;

pub use session::Servers;

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

pub use super::bindings::fermyon::spin2_0_0::redis as wit;
use super::{allowed_hosts::AllowedHosts, error::Failure, refusals::Refusals};
use crate::{
    limits::Limits,
    memory::{CallMemory, Held},
    traces::{CallTrace, Operation},
};

/// The error type of this capability's host functions.
pub type RedisError = Failure<wit::Error>;

/// Makes connections to servers. One per runtime; pools are its own business.
pub trait Connector: fmt::Debug + Send + Sync {
    /// A connection to this address, which is granted.
    fn open<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, wit::Error>>;
}

/// What a guest has open. Every command of the interface comes down to these two. Dropping it gives it back.
pub trait Session: fmt::Debug + Send + Sync {
    /// Sends a message to whoever subscribes to the channel.
    fn publish<'a>(
        &'a mut self,
        channel: &'a str,
        payload: Vec<u8>,
        memory: &'a Held,
    ) -> BoxFuture<'a, Result<(), RedisError>>;
    /// Runs a command; nested results come flat. What comes over a connection that nobody shares is counted in this memory before it is read.
    fn command<'a>(
        &'a mut self,
        command: &'a str,
        arguments: Vec<wit::RedisParameter>,
        memory: &'a Held,
    ) -> BoxFuture<'a, Result<Vec<wit::RedisResult>, RedisError>>;
}

/// What one component may do.
#[derive(Clone, Debug)]
pub struct RedisGrants {
    /// Where it may connect to.
    pub hosts: Arc<AllowedHosts>,
    /// Who connects to it; none where this runtime has no client.
    pub connector: Option<Arc<dyn Connector>>,
}

/// What one instance holds, besides what is in the resource table.
#[derive(Debug)]
pub struct RedisState {
    max_connections: u64,
    open: u64,
    refusals: Refusals,
}

impl RedisState {
    /// With nothing open.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let max_connections = limits.redis_max_connections_per_instance;
        Self { max_connections, open: 0, refusals: Refusals::default() }
    }

    /// What is refused is noted there.
    #[must_use]
    pub fn noting(self, refusals: &Refusals) -> Self {
        Self { refusals: refusals.clone(), ..self }
    }
}

/// A view for one call.
#[derive(Debug)]
pub struct RedisView<'a> {
    /// Of the component.
    pub grants: &'a RedisGrants,
    /// What the instance holds.
    pub state: &'a mut RedisState,
    /// Where the instance's handles are.
    pub table: &'a mut ResourceTable,
    /// What its calls take.
    pub memory: &'a mut CallMemory,
    /// Where its calls leave spans.
    pub trace: &'a CallTrace,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasRedis;

impl HasData for HasRedis {
    type Data<'a> = RedisView<'a>;
}

/// Gives the interface to components.
///
/// # Errors
/// The linker has it already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> RedisView<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, HasRedis>(linker, view)
}

/// A message that is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message has at most {max_bytes} bytes")]
pub struct MessageTooLarge {
    pub(crate) max_bytes: usize,
}

/// A connection that a guest has open.
#[derive(Debug)]
pub struct OpenConnection(Box<dyn Session>);

fn other(text: impl Into<String>) -> wit::Error {
    wit::Error::Other(text.into())
}

fn binary(text: impl Into<Vec<u8>>) -> wit::RedisParameter {
    wit::RedisParameter::Binary(text.into())
}

fn integer(results: &[wit::RedisResult]) -> Result<i64, wit::Error> {
    match results {
        [wit::RedisResult::Int64(value)] => Ok(*value),
        _ => Err(wit::Error::TypeError),
    }
}

fn count(results: &[wit::RedisResult]) -> Result<u32, wit::Error> {
    u32::try_from(integer(results)?).map_err(|_| wit::Error::TypeError)
}

fn argument_bytes(argument: &wit::RedisParameter) -> usize {
    match argument {
        wit::RedisParameter::Binary(bytes) => bytes.len(),
        wit::RedisParameter::Int64(_) => 0,
    }
}

fn result_bytes(result: &wit::RedisResult) -> usize {
    size_of::<wit::RedisResult>()
        + match result {
            wit::RedisResult::Binary(bytes) => bytes.len(),
            wit::RedisResult::Status(text) => text.len(),
            wit::RedisResult::Nil | wit::RedisResult::Int64(_) => 0,
        }
}

impl RedisView<'_> {
    async fn command(
        &mut self,
        connection: &Resource<OpenConnection>,
        command: &str,
        arguments: Vec<wit::RedisParameter>,
    ) -> Result<Vec<wit::RedisResult>, RedisError> {
        let handed = arguments.iter().map(argument_bytes).sum();
        let mut held = self.memory.call(handed)?;
        let session = &mut self.table.get_mut(connection)?.0;
        let commanding = session.command(command, arguments, &held);
        let results = self.trace.around(|| Operation::redis(command), commanding).await?;
        held.grow(results.iter().map(result_bytes).sum())?;
        Ok(results)
    }
}

impl wit::Host for RedisView<'_> {
    fn convert_error(&mut self, error: RedisError) -> wasmtime::Result<wit::Error> {
        error.into_wit()
    }
}

impl wit::HostConnection for RedisView<'_> {
    async fn open(&mut self, address: String) -> Result<Resource<OpenConnection>, RedisError> {
        // As on Spin: what is not granted is an address that is none.
        if !self.grants.hosts.allows_url(&address) {
            self.state.refusals.note_address("redis", &address);
            return Err(Failure::Guest(wit::Error::InvalidAddress));
        }
        if self.state.open >= self.state.max_connections {
            return Err(Failure::Guest(wit::Error::TooManyConnections));
        }
        let Some(connector) = &self.grants.connector else {
            return Err(Failure::Guest(other("this runtime has no Redis client")));
        };
        let opened = self.trace.around(|| Operation::redis("connect"), connector.open(&address)).await;
        let session = opened.map_err(Failure::Guest)?;
        let handle = self.table.push(OpenConnection(session))?;
        self.state.open += 1;
        Ok(handle)
    }

    async fn publish(
        &mut self,
        connection: Resource<OpenConnection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<(), RedisError> {
        let held = self.memory.call(channel.len() + payload.len())?;
        let publishing = self.table.get_mut(&connection)?.0.publish(&channel, payload, &held);
        self.trace.around(|| Operation::redis("publish"), publishing).await
    }

    async fn get(
        &mut self,
        connection: Resource<OpenConnection>,
        key: String,
    ) -> Result<Option<Vec<u8>>, RedisError> {
        match self.command(&connection, "GET", vec![binary(key)]).await?.pop() {
            Some(wit::RedisResult::Binary(value)) => Ok(Some(value)),
            Some(wit::RedisResult::Nil) | None => Ok(None),
            Some(_) => Err(Failure::Guest(wit::Error::TypeError)),
        }
    }

    async fn set(
        &mut self,
        connection: Resource<OpenConnection>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), RedisError> {
        self.command(&connection, "SET", vec![binary(key), binary(value)]).await.map(drop)
    }

    async fn incr(&mut self, connection: Resource<OpenConnection>, key: String) -> Result<i64, RedisError> {
        integer(&self.command(&connection, "INCR", vec![binary(key)]).await?).map_err(Failure::Guest)
    }

    async fn del(
        &mut self,
        connection: Resource<OpenConnection>,
        keys: Vec<String>,
    ) -> Result<u32, RedisError> {
        let keys = keys.into_iter().map(binary).collect();
        count(&self.command(&connection, "DEL", keys).await?).map_err(Failure::Guest)
    }

    async fn sadd(
        &mut self,
        connection: Resource<OpenConnection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, RedisError> {
        let arguments = std::iter::once(key).chain(values).map(binary).collect();
        count(&self.command(&connection, "SADD", arguments).await?).map_err(Failure::Guest)
    }

    async fn smembers(
        &mut self,
        connection: Resource<OpenConnection>,
        key: String,
    ) -> Result<Vec<String>, RedisError> {
        let members = self.command(&connection, "SMEMBERS", vec![binary(key)]).await?;
        let text = |member| match member {
            wit::RedisResult::Binary(bytes) => String::from_utf8(bytes).map_err(|_| wit::Error::TypeError),
            wit::RedisResult::Status(text) => Ok(text),
            _ => Err(wit::Error::TypeError),
        };
        members.into_iter().map(text).collect::<Result<_, _>>().map_err(Failure::Guest)
    }

    async fn srem(
        &mut self,
        connection: Resource<OpenConnection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, RedisError> {
        let arguments = std::iter::once(key).chain(values).map(binary).collect();
        count(&self.command(&connection, "SREM", arguments).await?).map_err(Failure::Guest)
    }

    async fn execute(
        &mut self,
        connection: Resource<OpenConnection>,
        command: String,
        arguments: Vec<wit::RedisParameter>,
    ) -> Result<Vec<wit::RedisResult>, RedisError> {
        self.command(&connection, &command, arguments).await
    }

    async fn drop(&mut self, connection: Resource<OpenConnection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.state.open = self.state.open.saturating_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::wit::HostConnection as _;
    use super::*;

    /// Opens sessions that do nothing.
    #[derive(Debug)]
    struct Idle;

    impl Connector for Idle {
        fn open<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, wit::Error>> {
            Box::pin(std::future::ready(Ok(Box::new(Self) as _)))
        }
    }

    impl Session for Idle {
        fn publish<'a>(
            &'a mut self,
            _: &'a str,
            _: Vec<u8>,
            _: &'a Held,
        ) -> BoxFuture<'a, Result<(), RedisError>> {
            Box::pin(std::future::ready(Ok(())))
        }

        fn command<'a>(
            &'a mut self,
            _: &'a str,
            _: Vec<wit::RedisParameter>,
            _: &'a Held,
        ) -> BoxFuture<'a, Result<Vec<wit::RedisResult>, RedisError>> {
            Box::pin(std::future::ready(Ok(vec![])))
        }
    }

    fn grants(connector: Option<Arc<dyn Connector>>) -> RedisGrants {
        RedisGrants { hosts: Arc::new(AllowedHosts::parse(["redis://localhost:6379"]).unwrap()), connector }
    }

    #[tokio::test]
    async fn an_address_needs_a_grant_and_a_client() {
        let grants = grants(None);
        let (mut table, mut state) = (ResourceTable::new(), RedisState::new(&Limits::default()));
        let mut memory = CallMemory::of_test(1_000);
        let mut view = RedisView {
            grants: &grants,
            state: &mut state,
            table: &mut table,
            memory: &mut memory,
            trace: &CallTrace::default(),
        };
        let elsewhere = view.open("redis://elsewhere:6379".into()).await;
        assert!(matches!(elsewhere, Err(Failure::Guest(wit::Error::InvalidAddress))), "{elsewhere:?}");
        let granted = view.open("redis://localhost:6379/3".into()).await;
        assert!(matches!(granted, Err(Failure::Guest(wit::Error::Other(_)))), "{granted:?}");
    }

    #[tokio::test]
    async fn an_instance_holds_so_many_connections_and_no_more() {
        let limits = Limits { redis_max_connections_per_instance: 2, ..Limits::default() };
        let grants = grants(Some(Arc::new(Idle)));
        let (mut table, mut state) = (ResourceTable::new(), RedisState::new(&limits));
        let mut memory = CallMemory::of_test(1_000);
        let mut view = RedisView {
            grants: &grants,
            state: &mut state,
            table: &mut table,
            memory: &mut memory,
            trace: &CallTrace::default(),
        };
        let first = view.open("redis://localhost:6379".into()).await.unwrap();
        view.open("redis://localhost:6379".into()).await.unwrap();
        let third = view.open("redis://localhost:6379".into()).await;
        assert!(matches!(third, Err(Failure::Guest(wit::Error::TooManyConnections))), "{third:?}");
        view.drop(first).await.unwrap();
        view.open("redis://localhost:6379".into()).await.unwrap();
    }
}
