//! The capability through its host functions, on files in a temporary folder.

mod bounds;
mod confinement;
mod connections;

use std::sync::Arc;

use tempfile::TempDir;
use wasmtime::component::{Resource, ResourceTable};

use super::{
    super::error::Failure,
    Grants, OpenConnection, SqliteError, SqliteState, SqliteView, databases, in_memory,
    statement::{self, Outcome},
    wit::{self, HostConnection as _},
};
use crate::{limits::Limits, memory::CallMemory, permits::Caller, traces::CallTrace};

struct Guest {
    state: SqliteState,
    table: ResourceTable,
    memory: CallMemory,
    trace: CallTrace,
}

struct Host {
    folder: TempDir,
    limits: Limits,
    databases: Grants,
}

impl Host {
    fn new(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let databases = Arc::new(databases(folder.path(), &["default"], &limits));
        Self { folder, limits, databases }
    }

    fn guest(&self) -> Guest {
        Guest {
            state: SqliteState::new(Arc::clone(&self.databases), &self.limits, Caller::Request),
            table: ResourceTable::new(),
            memory: CallMemory::of_test(1 << 30),
            trace: CallTrace::default(),
        }
    }
}

impl Guest {
    fn view(&mut self) -> SqliteView<'_> {
        SqliteView {
            state: &mut self.state,
            table: &mut self.table,
            memory: &mut self.memory,
            trace: &self.trace,
        }
    }

    async fn open(&mut self) -> Resource<OpenConnection> {
        self.view().open("default".into()).await.unwrap()
    }

    async fn run(
        &mut self,
        connection: &Resource<OpenConnection>,
        sql: &str,
    ) -> Result<wit::QueryResult, wit::Error> {
        self.run_with(connection, sql, vec![]).await
    }

    async fn run_with(
        &mut self,
        connection: &Resource<OpenConnection>,
        sql: &str,
        parameters: Vec<wit::Value>,
    ) -> Result<wit::QueryResult, wit::Error> {
        let connection = Resource::new_borrow(connection.rep());
        match self.view().execute(connection, sql.into(), parameters).await {
            Ok(result) => Ok(result),
            Err(Failure::Guest(error)) => Err(error),
            Err(Failure::Trap(trap)) => panic!("{trap}"),
        }
    }
}

fn io(result: Result<wit::QueryResult, wit::Error>) -> String {
    match result {
        Err(wit::Error::Io(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// Counts to a million: some seconds of SQLite's time are bounded by this.
const LONG: &str = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n";
