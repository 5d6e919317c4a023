//! The contract of the job store on SQLite: the SQL that ships, in a real database, without wasm.
//!
//! The same kit runs on PostgreSQL in the end-to-end crate, which can start a server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use thumbs_guest::job_store_contract;
use thumbs_guest::jobs::contract::TestDatabase;
use thumbs_guest::jobs::{JobStore, Sql, SqlError, SqlJobStore, SqlRow, SqlValue, Sqlite};

struct Driver(Connection);

impl Sql for Driver {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let parameters = params_from_iter(parameters.iter().map(|value| match value {
            SqlValue::Null => Value::Null,
            SqlValue::Integer(integer) => Value::Integer(*integer),
            SqlValue::Text(text) => Value::Text(text.clone()),
        }));
        let refused = |error: rusqlite::Error| SqlError::Refused(error.to_string());
        let mut statement = self.0.prepare(statement).map_err(refused)?;
        let columns = statement.column_count();
        let mut rows = statement.query(parameters).map_err(refused)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(refused)? {
            let values = (0..columns).map(|column| match row.get_ref(column).unwrap() {
                ValueRef::Null => SqlValue::Null,
                ValueRef::Integer(integer) => SqlValue::Integer(integer),
                ValueRef::Text(text) => SqlValue::Text(String::from_utf8(text.to_vec()).unwrap()),
                other => panic!("a column of type {:?}", other.data_type()),
            });
            all.push(values.collect());
        }
        Ok(all)
    }
}

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn open(&self) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        connection.busy_timeout(Duration::from_secs(30)).unwrap();
        connection
    }
}

impl TestDatabase for File {
    fn connect(&self) -> Box<dyn JobStore + Send> {
        Box::new(SqlJobStore::<_, Sqlite>::new(Driver(self.open())))
    }

    fn execute(&self, statement: &str) {
        self.open().execute_batch(statement).unwrap();
    }
}

fn file() -> Option<File> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let file = File { _folder: folder, path };
    file.execute("PRAGMA journal_mode = WAL");
    Some(file)
}

job_store_contract!(file);
