//! The contract of the job store on PostgreSQL: the SQL that ships, in a real server, without wasm. The same kit runs on SQLite
//! in the guest library.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use postgres::{Client, NoTls};
use thumbs_guest::job_store_contract;
use thumbs_guest::jobs::SqlJobStore;
use thumbs_guest::jobs::contract::{Kind, TestDatabase, Whole};
use thumbs_guest::sql::{Postgres, Sql};
use thumbs_tests::driver::Driver;
use thumbs_tests::servers::{self, Auth};

struct Database {
    url: String,
}

impl Database {
    fn client(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap()
    }
}

impl TestDatabase for Database {
    const KIND: Kind = Kind::Postgres;

    fn connect(&self) -> Box<dyn Whole + Send> {
        Box::new(SqlJobStore::<_, Postgres>::new(Driver::new(self.client())))
    }

    fn sql(&self) -> Box<dyn Sql> {
        Box::new(Driver::new(self.client()))
    }
}

/// A new database in the one server that all these tests share; the server goes with the test process.
fn database() -> Option<Database> {
    static SERVER: LazyLock<Mutex<Option<servers::Postgres>>> =
        LazyLock::new(|| Mutex::new(servers::available(servers::Postgres::start(Auth::Trust))));
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("job_store_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let server = SERVER.lock().unwrap();
    server.as_ref().map(|server| Database { url: server.create_database(&name) })
}

job_store_contract!(database);

#[test]
fn the_claim_and_the_lists_find_their_rows_by_an_index_among_many() {
    let Some(database) = database() else { return };
    let now = thumbs_domain::timestamp::Timestamp::from_unix_millis(0);
    assert_eq!(database.connect().has_due(now), Ok(false));
    let mut client = database.client();
    client
        .batch_execute(
            "INSERT INTO thumbs_jobs (id, status, options, source, attempts, due_at_ms, created_at_ms, updated_at_ms, correlation_id)
             SELECT md5(n::text), CASE WHEN n % 100 = 0 THEN 'processing' ELSE 'succeeded' END, '{}', '{}', 0,
                    CASE WHEN n % 100 = 0 THEN n END, n, n, 'c'
             FROM generate_series(1, 20000) n;
             ANALYZE thumbs_jobs",
        )
        .unwrap();
    for (query, index) in [
        (
            "SELECT id FROM thumbs_jobs WHERE due_at_ms <= 20000 ORDER BY due_at_ms LIMIT 1 FOR UPDATE SKIP LOCKED",
            "thumbs_jobs_due",
        ),
        ("SELECT * FROM thumbs_jobs ORDER BY id DESC LIMIT 21", "thumbs_jobs_pkey"),
        ("SELECT * FROM thumbs_jobs WHERE id < 'x' ORDER BY id DESC LIMIT 21", "thumbs_jobs_pkey"),
        ("SELECT * FROM thumbs_jobs WHERE status = 'failed' ORDER BY id DESC LIMIT 21", "thumbs_jobs_status"),
    ] {
        let rows = client.query(&format!("EXPLAIN {query}"), &[]).unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("Sort"), "{query}:\n{plan}");
    }
}
