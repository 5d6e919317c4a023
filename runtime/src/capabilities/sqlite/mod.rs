//! `fermyon:spin/sqlite`: SQL on files of this host, by label.
//!
//! A component opens the labels that its `sqlite_databases` grants and no file: what would lead out of the database (`ATTACH`, most
//! pragmas, extensions) is refused by `policy.rs`. A statement's text, rows and bytes are bounded (`statement.rs`). Connections are lent from a
//! pool while they are needed (`connection.rs`); a transaction left open is rolled back.
//!
//! Where a statement runs: reading outside a transaction takes microseconds in WAL mode and never waits for a writer, so it runs at once
//! on the async thread, with a budget of time, small values, and functions of which none takes long; what exceeds any of these starts again
//! on a thread that may block. Everything else runs there from the start, and waits for the database's one writer before.

mod connection;
mod policy;
mod statement;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

pub use self::connection::OpenConnection;
use self::statement::Bounds;
pub use super::bindings::fermyon::spin2_0_0::sqlite as wit;
use super::{
    embedded::{Database, OpenError, Settings},
    error::Failure,
    refusals::Refusals,
};
use crate::{
    limits::{Limits, length, millis},
    memory::CallMemory,
    permits::Caller,
    traces::{CallTrace, Operation},
};

/// As spans and the log call it.
const INTERFACE: &str = "sqlite";

/// The error type of this capability's host functions.
pub type SqliteError = Failure<wit::Error>;

/// What a component may open: label to database.
pub type Grants = Arc<BTreeMap<String, Arc<Database>>>;

/// The databases of a runtime, one file per label. Nothing is opened before a component asks.
#[must_use]
pub fn databases(folder: &Path, labels: &[&str], limits: &Limits) -> BTreeMap<String, Arc<Database>> {
    let settings = settings(limits);
    labels
        .iter()
        .map(|label| {
            let path = folder.join(format!("{label}.db"));
            ((*label).to_owned(), Arc::new(Database::new(path, settings.clone(), policy::confine)))
        })
        .collect()
}

/// An empty database in memory, gone when the last holder is.
///
/// # Errors
/// SQLite refuses to make one.
pub fn in_memory(limits: &Limits) -> Result<Arc<Database>, OpenError> {
    Database::in_memory(settings(limits), policy::confine).map(Arc::new)
}

fn settings(limits: &Limits) -> Settings {
    let small = |limit: u64| i32::try_from(limit).unwrap_or(i32::MAX);
    Settings {
        max_connections: length(limits.sql_max_connections),
        reserved_connections: length(limits.sql_reserved_connections),
        busy_timeout: millis(limits.sql_busy_timeout_ms),
        max_value_bytes: small(limits.sql_max_value_bytes),
        max_statement_bytes: small(limits.sql_max_statement_bytes),
        max_database_bytes: limits.sql_max_database_bytes,
        max_memory_bytes: limits.sql_max_memory_bytes,
    }
}

/// What one instance holds, besides what is in the resource table.
#[derive(Debug)]
pub struct SqliteState {
    grants: Grants,
    bounds: Bounds,
    max_connections: u64,
    open: u64,
    caller: Caller,
    refusals: Refusals,
}

impl SqliteState {
    /// With nothing open.
    #[must_use]
    pub fn new(grants: Grants, limits: &Limits, caller: Caller) -> Self {
        let bounds = Bounds {
            max_rows: length(limits.sql_max_rows),
            max_bytes: length(limits.sql_max_result_bytes),
            max_value_bytes: i32::try_from(limits.sql_max_value_bytes).unwrap_or(i32::MAX),
            timeout: millis(limits.sql_statement_timeout_ms),
            max_idle: millis(limits.sql_max_idle_ms),
        };
        let max_connections = limits.sql_max_connections_per_instance;
        Self { grants, bounds, max_connections, open: 0, caller, refusals: Refusals::default() }
    }

    /// What is refused is noted there.
    #[must_use]
    pub fn noting(self, refusals: &Refusals) -> Self {
        Self { refusals: refusals.clone(), ..self }
    }
}

/// A view for one call.
#[derive(Debug)]
pub struct SqliteView<'a> {
    /// What the instance holds.
    pub state: &'a mut SqliteState,
    /// Where its handles are.
    pub table: &'a mut ResourceTable,
    /// What its calls take.
    pub memory: &'a mut CallMemory,
    /// Where its calls leave spans.
    pub trace: &'a CallTrace,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasSqlite;

impl HasData for HasSqlite {
    type Data<'a> = SqliteView<'a>;
}

/// Gives the interface to components.
///
/// # Errors
/// The linker has it already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> SqliteView<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, HasSqlite>(linker, view)
}

impl wit::Host for SqliteView<'_> {
    fn convert_error(&mut self, error: SqliteError) -> wasmtime::Result<wit::Error> {
        error.into_wit()
    }
}

impl wit::HostConnection for SqliteView<'_> {
    async fn open(&mut self, label: String) -> Result<Resource<OpenConnection>, SqliteError> {
        let Some(database) = self.state.grants.get(&label) else {
            self.state.refusals.note(INTERFACE, &label);
            return Err(Failure::Guest(wit::Error::AccessDenied));
        };
        if self.state.open >= self.state.max_connections {
            return Err(Failure::Guest(wit::Error::Io("this instance has too many connections open".into())));
        }
        let (database, refusals) = (Arc::clone(database), self.state.refusals.clone());
        let handle = self.table.push(OpenConnection::new(database, self.state.caller, refusals))?;
        self.state.open += 1;
        Ok(handle)
    }

    async fn execute(
        &mut self,
        connection: Resource<OpenConnection>,
        statement: String,
        parameters: Vec<wit::Value>,
    ) -> Result<wit::QueryResult, SqliteError> {
        let bounds = self.state.bounds;
        let connection = self.table.get(&connection)?;
        let handed = statement.len() + parameters.iter().map(statement::parameter_bytes).sum::<usize>();
        let held = self.memory.call(handed)?;
        let parameters = parameters.into_iter().map(statement::parameter).collect();
        let span = self.trace.open(|| Operation::sql(INTERFACE, &statement));
        let result = connection.execute(statement, parameters, bounds, held).await;
        if let Some(span) = span {
            span.end(result.is_ok());
        }
        let (result, _held) = result?;
        Ok(result)
    }

    async fn drop(&mut self, connection: Resource<OpenConnection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.state.open = self.state.open.saturating_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
