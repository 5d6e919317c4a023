//! `fermyon:spin/postgres`: SQL on a PostgreSQL server, by address.
//!
//! An address must be within the component's `allowed_outbound_hosts`, and an instance may hold only so many connections. Who speaks to the
//! server is behind [`Connector`], which is [`Client`]; a runtime without one answers every `open` with `connection-failed`, which guests
//! treat as a server that is down.
//!
//! | file | subject |
//! |---|---|
//! | `client.rs` | the runtime's client: a pool for each address, a look at a server |
//! | `address.rs` | what a URL says |
//! | `pool.rs` | connections that wait for a borrower |
//! | `connection.rs`, `tls.rs`, `gate.rs`, `fault.rs` | making one, by which trust, with which bound, and why there is none |
//! | `session.rs` | a borrower's statements, and what becomes of the connection after them |
//! | `statement.rs`, `value.rs`, `trace.rs` | one statement: running it, its values, what it may leave behind |
//! | `bounds.rs` | the limits of all this |

mod address;
mod bounds;
mod client;
mod connection;
mod fault;
mod gate;
mod pool;
mod session;
mod statement;
mod tls;
mod trace;
mod value;

pub use client::Client;

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

pub use super::bindings::fermyon::spin2_0_0::{
    postgres as wit,
    rdbms_types::{Column, DbDataType, DbValue, Error, ParameterValue, RowSet},
};
use super::{allowed_hosts::AllowedHosts, bindings::fermyon::spin2_0_0::rdbms_types, error::Failure};
use crate::limits::Limits;

/// The error type of this capability's host functions.
pub type PostgresError = Failure<Error>;

/// Makes connections. One per runtime; pools are its own business.
pub trait Connector: fmt::Debug + Send + Sync {
    /// A connection to this address, which is granted.
    fn open<'a>(&'a self, address: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, Error>>;
}

/// What a guest has open. Dropping it gives it back.
pub trait Session: fmt::Debug + Send + Sync {
    /// Runs a statement for its rows.
    fn query<'a>(
        &'a mut self,
        statement: &'a str,
        parameters: Vec<ParameterValue>,
    ) -> BoxFuture<'a, Result<RowSet, Error>>;
    /// Runs a statement for the number of rows it changed.
    fn execute<'a>(
        &'a mut self,
        statement: &'a str,
        parameters: Vec<ParameterValue>,
    ) -> BoxFuture<'a, Result<u64, Error>>;
}

/// What one component may do.
#[derive(Clone, Debug)]
pub struct PostgresGrants {
    /// Where it may connect to.
    pub hosts: Arc<AllowedHosts>,
    /// Who connects; none where this runtime has no client.
    pub connector: Option<Arc<dyn Connector>>,
}

/// What one instance holds, besides what is in the resource table.
#[derive(Debug)]
pub struct PostgresState {
    max_connections: u64,
    open: u64,
}

impl PostgresState {
    /// With nothing open.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { max_connections: limits.sql_max_connections_per_instance, open: 0 }
    }
}

/// A view for one call.
#[derive(Debug)]
pub struct PostgresView<'a> {
    /// Of the component.
    pub grants: &'a PostgresGrants,
    /// What the instance holds.
    pub state: &'a mut PostgresState,
    /// Where its handles are.
    pub table: &'a mut ResourceTable,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasPostgres;

impl HasData for HasPostgres {
    type Data<'a> = PostgresView<'a>;
}

/// Gives the interface, and its types, to components.
///
/// # Errors
/// The linker has it already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> PostgresView<'_>,
) -> wasmtime::Result<()> {
    rdbms_types::add_to_linker::<T, HasPostgres>(linker, view)?;
    wit::add_to_linker::<T, HasPostgres>(linker, view)
}

/// A connection that a guest has open.
#[derive(Debug)]
pub struct OpenConnection(Box<dyn Session>);

impl rdbms_types::Host for PostgresView<'_> {
    fn convert_error(&mut self, error: PostgresError) -> wasmtime::Result<Error> {
        error.into_wit()
    }
}

impl wit::Host for PostgresView<'_> {}

impl wit::HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> Result<Resource<OpenConnection>, PostgresError> {
        let failed = |reason: &str| Failure::Guest(Error::ConnectionFailed(reason.to_owned()));
        if !self.grants.hosts.allows_url(&address) {
            return Err(failed("the address is not in allowed_outbound_hosts"));
        }
        let connector =
            self.grants.connector.as_ref().ok_or_else(|| failed("this runtime has no PostgreSQL client"))?;
        if self.state.open >= self.state.max_connections {
            return Err(failed("this instance has too many connections open"));
        }
        let session = connector.open(&address).await.map_err(Failure::Guest)?;
        let handle = self.table.push(OpenConnection(session))?;
        self.state.open += 1;
        Ok(handle)
    }

    async fn query(
        &mut self,
        connection: Resource<OpenConnection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, PostgresError> {
        let session = &mut self.table.get_mut(&connection)?.0;
        session.query(&statement, parameters).await.map_err(Failure::Guest)
    }

    async fn execute(
        &mut self,
        connection: Resource<OpenConnection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, PostgresError> {
        let session = &mut self.table.get_mut(&connection)?.0;
        session.execute(&statement, parameters).await.map_err(Failure::Guest)
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

    #[tokio::test]
    async fn an_address_needs_a_grant_and_a_client() {
        let hosts = Arc::new(AllowedHosts::parse(["postgres://db:5432"]).unwrap());
        let grants = PostgresGrants { hosts, connector: None };
        let (mut table, mut state) = (ResourceTable::new(), PostgresState::new(&Limits::default()));
        let mut view = PostgresView { grants: &grants, state: &mut state, table: &mut table };
        for (address, reason) in [
            ("postgres://u:hunter2@elsewhere/x", "not in allowed_outbound_hosts"),
            ("host=db", "not in allowed_outbound_hosts"),
            ("postgres://u:hunter2@db/x", "no PostgreSQL client"),
        ] {
            match view.open(address.into()).await {
                Err(Failure::Guest(Error::ConnectionFailed(text))) => {
                    assert!(text.contains(reason) && !text.contains("hunter2"), "{text}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[derive(Debug)]
    struct Nobody;

    impl Connector for Nobody {
        fn open<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Session>, Error>> {
            Box::pin(async { Ok(Box::new(Nobody) as Box<dyn Session>) })
        }
    }

    impl Session for Nobody {
        fn query<'a>(
            &'a mut self,
            _: &'a str,
            _: Vec<ParameterValue>,
        ) -> BoxFuture<'a, Result<RowSet, Error>> {
            Box::pin(async { Err(Error::Other("nobody".into())) })
        }
        fn execute<'a>(
            &'a mut self,
            _: &'a str,
            _: Vec<ParameterValue>,
        ) -> BoxFuture<'a, Result<u64, Error>> {
            Box::pin(async { Err(Error::Other("nobody".into())) })
        }
    }

    #[tokio::test]
    async fn an_instance_holds_so_many_connections_and_no_more() {
        let hosts = Arc::new(AllowedHosts::parse(["postgres://db:5432"]).unwrap());
        let grants = PostgresGrants { hosts, connector: Some(Arc::new(Nobody)) };
        let limits = Limits { sql_max_connections_per_instance: 2, ..Limits::default() };
        let (mut table, mut state) = (ResourceTable::new(), PostgresState::new(&limits));
        let mut view = PostgresView { grants: &grants, state: &mut state, table: &mut table };
        let first = view.open("postgres://u@db/x".into()).await.unwrap();
        view.open("postgres://u@db/y".into()).await.unwrap();
        let third = view.open("postgres://u@db/x".into()).await;
        assert!(
            matches!(&third, Err(Failure::Guest(Error::ConnectionFailed(text))) if text.contains("too many")),
            "{third:?}"
        );
        view.drop(first).await.unwrap();
        view.open("postgres://u@db/x".into()).await.unwrap();
    }
}
