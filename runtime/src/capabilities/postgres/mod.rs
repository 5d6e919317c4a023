//! `fermyon:spin/postgres`: SQL on a PostgreSQL server, by address.
//!
//! An address must be within the component's `allowed_outbound_hosts`, and an instance may hold only so many connections. Connections
//! themselves are the client's (`clients/postgres`); a runtime without one answers every `open` with `connection-failed`, which guests treat
//! as a server that is down.
//!
//! | file | subject |
//! |---|---|
//! | `session.rs` | what a guest has open |
//! | `statement.rs`, `value.rs` | one statement: running it, its values |

mod session;
mod statement;
mod value;

pub use self::{session::Session, statement::Bounds};

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

pub use super::bindings::fermyon::spin2_0_0::{
    postgres as wit,
    rdbms_types::{Column, DbDataType, DbValue, Error, ParameterValue, RowSet},
};
use super::{
    allowed_hosts::AllowedHosts, bindings::fermyon::spin2_0_0::rdbms_types, error::Failure,
    refusals::Refusals,
};
use crate::{
    clients::postgres::Client,
    limits::Limits,
    memory::CallMemory,
    permits::Caller,
    traces::{CallTrace, Operation},
};

/// The error type of this capability's host functions.
pub type PostgresError = Failure<Error>;

/// What one component may do.
#[derive(Clone, Debug)]
pub struct PostgresGrants {
    /// Where it may connect to.
    pub hosts: Arc<AllowedHosts>,
    /// Who connects; none where this runtime has no client.
    pub client: Option<Client>,
}

/// What one instance holds, besides what is in the resource table.
#[derive(Debug)]
pub struct PostgresState {
    bounds: Bounds,
    max_connections: u64,
    open: u64,
    caller: Caller,
    refusals: Refusals,
}

impl PostgresState {
    /// With nothing open.
    #[must_use]
    pub fn new(limits: &Limits, caller: Caller) -> Self {
        let max_connections = limits.sql_max_connections_per_instance;
        let bounds = Bounds::new(limits);
        Self { bounds, max_connections, open: 0, caller, refusals: Refusals::default() }
    }

    /// What is refused is noted there.
    #[must_use]
    pub fn noting(self, refusals: &Refusals) -> Self {
        Self { refusals: refusals.clone(), ..self }
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
    /// What its calls take.
    pub memory: &'a mut CallMemory,
    /// Where its calls leave spans.
    pub trace: &'a CallTrace,
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

/// As spans call it.
const SYSTEM: &str = "postgresql";

/// A connection that a guest has open.
#[derive(Debug)]
pub struct OpenConnection(Session);

fn handed_bytes(statement: &str, parameters: &[ParameterValue]) -> usize {
    statement.len() + parameters.iter().map(value::parameter_bytes).sum::<usize>()
}

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
            self.state.refusals.note_address("postgres", &address);
            return Err(failed("the address is not in allowed_outbound_hosts"));
        }
        let client =
            self.grants.client.as_ref().ok_or_else(|| failed("this runtime has no PostgreSQL client"))?;
        if self.state.open >= self.state.max_connections {
            return Err(failed("this instance has too many connections open"));
        }
        let client = client.on_behalf_of(self.state.caller);
        let opening = Session::open(&client, &address, self.state.bounds);
        let opened = self.trace.around(|| Operation::sql(SYSTEM, "connect"), opening).await;
        let session = opened.map_err(Failure::Guest)?;
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
        let mut held = self.memory.call(handed_bytes(&statement, &parameters))?;
        let session = &mut self.table.get_mut(&connection)?.0;
        let querying = session.query(&statement, parameters, &mut held);
        self.trace.around(|| Operation::sql(SYSTEM, &statement), querying).await
    }

    async fn execute(
        &mut self,
        connection: Resource<OpenConnection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, PostgresError> {
        let mut held = self.memory.call(handed_bytes(&statement, &parameters))?;
        let session = &mut self.table.get_mut(&connection)?.0;
        let executing = session.execute(&statement, parameters, &mut held);
        self.trace.around(|| Operation::sql(SYSTEM, &statement), executing).await
    }

    async fn drop(&mut self, connection: Resource<OpenConnection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.state.open = self.state.open.saturating_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
