//! The contract of the job store on SQLite: the SQL that ships, in a real database, without wasm.
//!
//! The same kit runs on PostgreSQL in the end-to-end crate, which can start a server.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use thumbs_guest::job_store_contract;
use thumbs_guest::jobs::contract::TestDatabase;
use thumbs_guest::jobs::{Dialect, JobStore, Migration, SqlJobStore, Sqlite};
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
    fn connect(&self) -> Box<dyn JobStore + Send> {
        Box::new(SqlJobStore::<_, Sqlite>::new(Driver::new(self.open())))
    }

    fn execute(&self, statement: &str) {
        self.open().execute_batch(statement).unwrap();
    }

    fn migrations(&self) -> &'static [Migration] {
        Sqlite::MIGRATIONS
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
