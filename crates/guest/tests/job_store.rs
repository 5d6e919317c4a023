//! The contract of the job store on SQLite: the SQL that ships, in a real database, without wasm.
//!
//! The same kit runs on PostgreSQL in the end-to-end crate, which can start a server.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use thumbs_guest::job_store_contract;
use thumbs_guest::jobs::SqlJobStore;
use thumbs_guest::jobs::contract::{Kind, TestDatabase, Whole};
use thumbs_guest::sql::{Sql, Sqlite};
use thumbs_guest::testing::Driver;

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
    const KIND: Kind = Kind::Sqlite;

    fn connect(&self) -> Box<dyn Whole + Send> {
        Box::new(SqlJobStore::<_, Sqlite>::new(Driver::new(self.open())))
    }

    fn sql(&self) -> Box<dyn Sql> {
        Box::new(Driver::new(self.open()))
    }
}

fn file() -> Option<File> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let file = File { _folder: folder, path };
    file.open().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    Some(file)
}

job_store_contract!(file);
