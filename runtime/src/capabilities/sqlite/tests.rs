//! The capability through its host functions, on files in a temporary folder.

use std::sync::Arc;

use tempfile::TempDir;
use wasmtime::component::{Resource, ResourceTable};

use super::{
    super::error::Failure,
    OpenConnection, SqliteError, SqliteState, SqliteView, databases,
    statement::{self, Outcome},
    wit::{self, HostConnection as _},
};
use crate::{
    limits::Limits,
    memory::{CallMemory, OutOfMemory},
    permits::Caller,
};

struct Guest {
    state: SqliteState,
    table: ResourceTable,
    memory: CallMemory,
}

struct Host {
    folder: TempDir,
    limits: Limits,
    databases: super::Grants,
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
        }
    }
}

impl Guest {
    fn view(&mut self) -> SqliteView<'_> {
        SqliteView { state: &mut self.state, table: &mut self.table, memory: &mut self.memory }
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

#[tokio::test]
async fn what_one_connection_writes_another_reads() {
    let host = Host::new(Limits::default());
    let (mut writer, mut reader) = (host.guest(), host.guest());
    let (w, r) = (writer.open().await, reader.open().await);
    writer.run(&w, "CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB)").await.unwrap();
    let row = || {
        vec![
            wit::Value::Integer(i64::MIN),
            wit::Value::Real(0.5),
            wit::Value::Text("ä\0".into()),
            wit::Value::Blob(vec![0, 255]),
        ]
    };
    writer.run_with(&w, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)", row()).await.unwrap();
    let result = reader.run(&r, "SELECT i, r, s, b, NULL AS n FROM t").await.unwrap();
    assert_eq!(result.columns, ["i", "r", "s", "b", "n"]);
    let mut expected = row();
    expected.push(wit::Value::Null);
    assert_eq!(format!("{:?}", result.rows[0].values), format!("{expected:?}"));
    let returned = writer.run(&w, "UPDATE t SET i = 1 RETURNING i").await.unwrap();
    assert_eq!(returned.rows.len(), 1);
}

#[tokio::test]
async fn a_database_in_memory_is_shared_by_its_connections_and_confined_as_a_file_is() {
    let limits = Limits { sql_busy_timeout_ms: 0, ..Limits::default() };
    let grants = || Arc::new([("default".to_owned(), super::in_memory(&limits).unwrap())].into());
    let guest = |databases: &super::Grants| Guest {
        state: SqliteState::new(Arc::clone(databases), &limits, Caller::Request),
        table: ResourceTable::new(),
        memory: CallMemory::of_test(1 << 30),
    };
    let (one, another) = (grants(), grants());
    let mut writer = guest(&one);
    let w = writer.open().await;
    writer.run(&w, "CREATE TABLE t (n)").await.unwrap();
    writer.run(&w, "INSERT INTO t VALUES (1)").await.unwrap();
    writer.run(&w, "BEGIN").await.unwrap();
    writer.run(&w, "INSERT INTO t VALUES (2)").await.unwrap();
    drop(writer);

    let mut reader = guest(&one);
    let (r, second) = (reader.open().await, reader.open().await);
    for connection in [&r, &second] {
        let rows = reader.run(connection, "SELECT n FROM t").await.unwrap().rows;
        assert_eq!(rows.len(), 1, "what was not committed is gone, the rest is there");
    }
    let attached = reader.run(&r, "ATTACH 'file:/other?vfs=memdb' AS x").await;
    assert!(matches!(attached, Err(wit::Error::AccessDenied | wit::Error::Io(_))), "{attached:?}");

    let mut stranger = guest(&another);
    let s = stranger.open().await;
    assert!(io(stranger.run(&s, "SELECT n FROM t").await).contains("no such table"));
}

#[tokio::test]
async fn a_label_that_is_not_granted_is_denied() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    guest.state = SqliteState::new(Arc::default(), &host.limits, Caller::Request);
    let result = guest.view().open("default".into()).await;
    assert!(matches!(result, Err(SqliteError::Guest(wit::Error::AccessDenied))));
}

#[tokio::test]
async fn nothing_leads_out_of_the_database() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    let outside = host.folder.path().join("outside.db");
    for sql in [
        format!("ATTACH '{}' AS x", outside.display()),
        format!("VACUUM INTO '{}'", outside.display()),
        "PRAGMA journal_mode = delete".into(),
        "PRAGMA synchronous = off".into(),
        "PRAGMA max_page_count = 1000000000".into(),
        "PRAGMA writable_schema = on".into(),
        "SELECT load_extension('x')".into(),
        "CREATE VIRTUAL TABLE v USING dbstat".into(),
    ] {
        let result = guest.run(&connection, &sql).await;
        assert!(matches!(result, Err(wit::Error::AccessDenied | wit::Error::Io(_))), "{sql}: {result:?}");
    }
    assert!(!outside.exists());
    guest.run(&connection, "PRAGMA user_version = 3").await.unwrap();
    guest.run(&connection, "PRAGMA table_info(t)").await.unwrap();
}

#[tokio::test]
async fn a_transaction_left_open_is_rolled_back() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (i INTEGER)").await.unwrap();
    for begin in ["BEGIN", "BEGIN IMMEDIATE"] {
        guest.run(&connection, begin).await.unwrap();
        guest.run(&connection, "INSERT INTO t VALUES (1)").await.unwrap();
        let mut leaving = host.guest();
        std::mem::swap(&mut guest, &mut leaving);
        drop(leaving);
        let again = guest.open().await;
        let count = guest.run(&again, "SELECT i FROM t").await.unwrap();
        assert_eq!(count.rows.len(), 0, "{begin}");
        // The writer's turn was given back with it.
        guest.run(&again, "INSERT INTO t VALUES (2)").await.unwrap();
        guest.run(&again, "DELETE FROM t").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_take_turns() {
    let host = Arc::new(Host::new(Limits::default()));
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (i INTEGER)").await.unwrap();
    let writers = (0..20).map(|_| {
        let host = Arc::clone(&host);
        tokio::spawn(async move {
            let mut guest = host.guest();
            let connection = guest.open().await;
            for sql in ["BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "COMMIT"] {
                guest.run(&connection, sql).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(guest.run(&connection, "SELECT i FROM t").await.unwrap().rows.len(), 40);
}

#[tokio::test]
async fn a_writer_that_waits_too_long_is_told_so() {
    let host = Host::new(Limits { sql_busy_timeout_ms: 20, ..Limits::default() });
    let (mut first, mut second) = (host.guest(), host.guest());
    let (a, b) = (first.open().await, second.open().await);
    first.run(&a, "CREATE TABLE t (i INTEGER)").await.unwrap();
    first.run(&a, "BEGIN IMMEDIATE").await.unwrap();
    assert!(io(second.run(&b, "INSERT INTO t VALUES (1)").await).contains("busy"));
    second.run(&b, "SELECT i FROM t").await.unwrap();
}

#[tokio::test]
async fn handles_are_bounded_per_instance_and_connections_per_database() {
    let host = Host::new(Limits {
        sql_max_connections: 1,
        sql_max_connections_per_instance: 2,
        sql_busy_timeout_ms: 20,
        ..Limits::default()
    });
    let (mut first, mut second) = (host.guest(), host.guest());
    let (a, b) = (first.open().await, first.open().await);
    let third = first.view().open("default".into()).await;
    assert!(matches!(third, Err(Failure::Guest(wit::Error::Io(text))) if text.contains("too many")));
    first.view().drop(b).await.unwrap();
    first.open().await;

    // However many have one open, only who is in a statement or a transaction has a connection.
    let c = second.open().await;
    first.run(&a, "SELECT 1").await.unwrap();
    second.run(&c, "SELECT 1").await.unwrap();
    first.run(&a, "BEGIN").await.unwrap();
    assert!(io(second.run(&c, "SELECT 1").await).contains("in use"));
    first.run(&a, "COMMIT").await.unwrap();
    first.view().drop(a).await.unwrap();
    second.run(&c, "SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_guest_that_wrote_is_told_of_its_own_change_and_gives_the_connection_back() {
    let host = Host::new(Limits { sql_max_connections: 2, sql_max_idle_ms: 200, ..Limits::default() });
    let (mut first, mut second, mut third) = (host.guest(), host.guest(), host.guest());
    let (a, b, c) = (first.open().await, second.open().await, third.open().await);
    first.run(&a, "CREATE TABLE t (i INTEGER PRIMARY KEY)").await.unwrap();
    first.run(&a, "INSERT INTO t VALUES (7)").await.unwrap();
    second.run(&b, "INSERT INTO t VALUES (8), (9)").await.unwrap();
    for (guest, connection, expected) in [(&mut first, &a, (7, 1)), (&mut second, &b, (9, 2))] {
        let told = guest.run(connection, "SELECT last_insert_rowid(), changes()").await.unwrap();
        let [wit::Value::Integer(rowid), wit::Value::Integer(changes)] = told.rows[0].values[..] else {
            panic!("{told:?}")
        };
        assert_eq!((rowid, changes), expected);
    }
    // Both connections are kept, and it is waited for longer than they are.
    third.run(&c, "SELECT 1").await.unwrap();
}

/// A guest that waits for something else in the middle of a transaction holds up all writers.
#[tokio::test]
async fn a_transaction_in_which_nothing_happens_is_rolled_back() {
    let host = Host::new(Limits { sql_max_idle_ms: 20, ..Limits::default() });
    let (mut slow, mut other) = (host.guest(), host.guest());
    let (s, o) = (slow.open().await, other.open().await);
    other.run(&o, "CREATE TABLE t (i INTEGER)").await.unwrap();
    for begin in ["BEGIN", "BEGIN IMMEDIATE"] {
        slow.run(&s, begin).await.unwrap();
        slow.run(&s, "INSERT INTO t VALUES (1)").await.unwrap();
        // Waits for its turn, which comes long before its own patience has ended.
        other.run(&o, "INSERT INTO t VALUES (2)").await.unwrap();
        assert!(io(slow.run(&s, "COMMIT").await).contains("rolled back: nothing happened in it for 20 ms"));
        assert_eq!(slow.run(&s, "SELECT i FROM t WHERE i = 1").await.unwrap().rows.len(), 0, "{begin}");
    }
    // One in which something happens goes on for longer than that.
    let host = Host::new(Limits { sql_max_idle_ms: 1_000, ..Limits::default() });
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "BEGIN IMMEDIATE").await.unwrap();
    let begun = std::time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_millis(1_500) {
        guest.run(&connection, LONG).await.unwrap();
    }
    guest.run(&connection, "COMMIT").await.unwrap();
}

/// They would lie outside of the file and its bound, and stay with a connection that others have next.
#[tokio::test]
async fn there_are_no_temporary_objects() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (i INTEGER)").await.unwrap();
    for sql in [
        "CREATE TEMP TABLE x (i INTEGER)",
        "CREATE TABLE temp.x (i INTEGER)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "CREATE TEMP VIEW x AS SELECT 1",
        "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE VIEW temp.x AS SELECT 1",
        "CREATE TRIGGER temp.x AFTER INSERT ON main.t BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
    ] {
        let result = guest.run(&connection, sql).await;
        assert!(matches!(result, Err(wit::Error::AccessDenied)), "{sql}: {result:?}");
    }
}

#[tokio::test]
async fn what_a_virtual_table_keeps_is_not_written_by_hand() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE VIRTUAL TABLE words USING fts5(a)").await.unwrap();
    guest.run(&connection, "INSERT INTO words VALUES ('a word')").await.unwrap();
    let written = guest.run(&connection, "UPDATE words_data SET block = zeroblob(9)").await;
    assert!(io(written).contains("may not be modified"));
    let found = guest.run(&connection, "SELECT a FROM words WHERE words MATCH 'word'").await.unwrap();
    assert_eq!(found.rows.len(), 1);
}

#[tokio::test]
async fn a_reading_statement_that_takes_long_still_ends_and_one_that_takes_too_long_is_stopped() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    let result = guest.run(&connection, LONG).await.unwrap();
    assert!(matches!(result.rows[0].values[0], wit::Value::Integer(1_000_000)));

    let host = Host::new(Limits { sql_statement_timeout_ms: 1, ..Limits::default() });
    let mut guest = host.guest();
    let connection = guest.open().await;
    assert!(io(guest.run(&connection, LONG).await).contains("too long"));
    guest.run(&connection, "SELECT 1").await.unwrap();
}

#[tokio::test]
async fn results_statements_values_and_files_are_bounded() {
    let host = Host::new(Limits {
        sql_max_rows: 10,
        sql_max_result_bytes: 100_000,
        sql_max_statement_bytes: 300,
        sql_max_value_bytes: 2_000_000,
        sql_max_database_bytes: 1 << 20,
        ..Limits::default()
    });
    let mut guest = host.guest();
    let connection = guest.open().await;
    let rows = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT ?1";
    guest.run_with(&connection, rows, vec![wit::Value::Integer(10)]).await.unwrap();
    assert!(
        io(guest.run_with(&connection, rows, vec![wit::Value::Integer(11)]).await)
            .contains("more than 10 rows")
    );
    assert!(io(guest.run(&connection, "SELECT zeroblob(200000)").await).contains("more than 100000 bytes"));
    assert!(io(guest.run(&connection, "SELECT zeroblob(3000000)").await).contains("too big"));
    assert!(io(guest.run(&connection, &format!("SELECT '{}'", "a".repeat(300))).await).contains("too long"));
    guest.run(&connection, "CREATE TABLE t (b BLOB)").await.unwrap();
    let full = guest.run(&connection, "INSERT INTO t VALUES (zeroblob(1500000))").await;
    assert!(matches!(full, Err(wit::Error::DatabaseFull)), "{full:?}");
}

#[tokio::test]
async fn hostile_statements_are_errors_and_nothing_else() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    for sql in ["", ";", "-- nothing", "SELEC 1", "SELECT ?1", "\0", "SELECT 1; SELECT 2", "ROLLBACK"] {
        let _ = guest.run(&connection, sql).await;
    }
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    io(guest.run(&connection, &deep).await);
    guest.run(&connection, "SELECT 1").await.unwrap();
}

#[tokio::test]
async fn its_files_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (x)").await.unwrap();
    for name in ["default.db", "default.db-wal", "default.db-shm"] {
        let metadata = std::fs::metadata(host.folder.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_a_statement_takes_and_gives_is_memory_of_its_instance() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (x)").await.unwrap();
    guest.run(&connection, "INSERT INTO t VALUES (zeroblob(600000))").await.unwrap();
    guest.memory = CallMemory::of_test(1_000_000);
    for _ in 0..3 {
        assert_eq!(guest.run(&connection, "SELECT x FROM t").await.unwrap().rows.len(), 1);
    }
    for (sql, parameters) in [
        ("SELECT x, x FROM t", vec![]),
        ("SELECT hex(x) FROM t", vec![]),
        ("SELECT length(?)", vec![wit::Value::Blob(vec![0; 1_000_000])]),
    ] {
        let handle = Resource::new_borrow(connection.rep());
        let refused = guest.view().execute(handle, sql.into(), parameters).await;
        assert!(
            matches!(&refused, Err(Failure::Trap(trap)) if trap.is::<OutOfMemory>()),
            "{sql}: {refused:?}"
        );
    }
}

/// One step, which nothing can interrupt: a billion comparisons.
#[tokio::test]
async fn others_go_on_while_a_step_takes_long() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    let long = "SELECT instr(printf('%.*c', 60000, 'a'), printf('%.*c', 30000, 'a') || 'b')";
    let mut others = 0;
    let done = {
        let mut running = std::pin::pin!(guest.run(&connection, long));
        loop {
            tokio::select! {
                biased;
                done = &mut running => break done,
                () = tokio::task::yield_now() => others += 1,
            }
        }
    };
    assert_eq!(done.unwrap().rows.len(), 1);
    assert!(others > 100, "{others} polls of another task");
    let pattern = "a".repeat(257);
    let refused = io(guest.run(&connection, &format!("SELECT 'a' LIKE '{pattern}'")).await);
    assert!(refused.contains("too complex"), "{refused}");
}

/// With values of megabytes each of these would take minutes, in one step, on a connection that others wait for.
#[tokio::test]
async fn what_takes_long_with_long_values_has_short_ones() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let c = guest.open().await;
    guest.run(&c, "CREATE TABLE t (long, half)").await.unwrap();
    guest
        .run(&c, "INSERT INTO t SELECT printf('%.*c', 8000000, 'a'), printf('%.*c', 4000000, 'a') || 'b'")
        .await
        .unwrap();
    guest.run(&c, "CREATE VIEW v AS SELECT instr(long, half) AS place FROM t").await.unwrap();
    let begun = std::time::Instant::now();
    let pattern = format!("%{}b", "a".repeat(250));
    for statement in [
        "SELECT instr(long, half) FROM t",
        "SELECT replace(long, half, '') FROM t",
        "SELECT trim(long, half) FROM t",
        "SELECT place FROM v",
        "UPDATE t SET long = ltrim(long, half)",
        "SELECT json_patch(long, half) FROM t",
        &format!("SELECT long LIKE '{pattern}' FROM t"),
        &format!("SELECT long GLOB '{}' FROM t", pattern.replace('%', "*")),
    ] {
        let refused = io(guest.run(&c, statement).await);
        assert!(refused.contains("too big"), "{statement}: {refused}");
    }
    let short =
        "SELECT instr(substr('aab', 1, 9), 'b'), replace('aab', 'a', 'b'), trim('xax', 'x'), 'aab' LIKE '%B'";
    assert_eq!(guest.run(&c, short).await.unwrap().rows.len(), 1);
    for lasting in [
        "CREATE TABLE u (x, y AS (instr(x, 'a')))",
        "CREATE TABLE u (x CHECK (replace(x, 'a', 'b') <> 'b'))",
        "CREATE INDEX i ON t (trim(half, 'a'))",
    ] {
        let refused = io(guest.run(&c, lasting).await);
        assert!(refused.contains("can't be part of"), "{lasting}: {refused}");
    }
    guest.run(&c, "CREATE TABLE u (x CHECK (x LIKE '%@%'))").await.unwrap();
    assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// A walk through a whole table is one step as well, which looks whether it is to end, though not at the clock.
#[tokio::test]
async fn a_walk_through_a_table_ends_in_time() {
    let host = Host::new(Limits { sql_statement_timeout_ms: 1, ..Limits::default() });
    let mut guest = host.guest();
    let c = guest.open().await;
    {
        let mut checkout = host.databases["default"].checkout(Caller::Request).await.unwrap();
        let connection = checkout.connection().unwrap();
        connection.execute_batch("CREATE TABLE t (x); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO t SELECT zeroblob(500) FROM n").unwrap();
    }
    let refused = io(guest.run(&c, "SELECT count(*) FROM t").await);
    assert!(refused.contains("takes too long"), "{refused}");
}

#[tokio::test]
async fn what_may_take_long_in_one_step_runs_where_nobody_waits_for_it() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let c = guest.open().await;
    guest.run(&c, "CREATE TABLE t (x)").await.unwrap();
    guest.run(&c, "INSERT INTO t VALUES (zeroblob(70000))").await.unwrap();
    guest.run(&c, "CREATE TABLE pictures (about TEXT)").await.unwrap();
    let trigger = "CREATE TRIGGER sized AFTER INSERT ON pictures WHEN json_valid(NEW.about) BEGIN
        UPDATE t SET x = json_extract(NEW.about, '$.bytes') WHERE json_type(NEW.about) = 'object'; END";
    guest.run(&c, trigger).await.unwrap();
    let mut checkout = host.databases["default"].checkout(Caller::Request).await.unwrap();
    let connection = checkout.connection().unwrap();
    let bounds = guest.state.bounds;
    let mut outcome = |sql: &str| {
        let mut held = guest.memory.call(0).unwrap();
        match statement::try_reading(connection, sql, &[], &bounds, &mut held) {
            Outcome::Done(Ok(_)) => "done",
            Outcome::Done(Err(_)) => "failed",
            Outcome::TooMuch => "too much",
            Outcome::Costly => "costly",
            Outcome::Writes => "writes",
        }
    };
    assert_eq!(outcome("SELECT max(1, 2), rowid FROM t"), "done");
    assert_eq!(outcome("SELECT nothing FROM t"), "failed");
    assert_eq!(outcome("SELECT x FROM t"), "too much");
    assert_eq!(
        outcome("WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"),
        "too much"
    );
    assert_eq!(outcome("DELETE FROM t"), "writes");
    // Else it and its triggers were compiled anew each time, which takes longer than they do.
    assert_eq!(outcome("INSERT INTO pictures (about) VALUES ('{}')"), "writes");
    for costly in [
        "SELECT count(*) FROM t",
        "SELECT 1 WHERE 'a' LIKE 'b'",
        "SELECT instr('a', 'b')",
        "SELECT replace('a', 'b', 'c')",
    ] {
        assert_eq!(outcome(costly), "costly", "{costly}");
    }
    drop(checkout);
    for costly in
        ["SELECT count(*) FROM t", "INSERT INTO t SELECT replace('a', 'b', 'c')", "SELECT count(*) FROM t"]
    {
        guest.run(&c, costly).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_written_to_a_file_that_has_no_name_any_more() {
    let host = Host::new(Limits::default());
    let mut guest = host.guest();
    let connection = guest.open().await;
    guest.run(&connection, "CREATE TABLE t (x)").await.unwrap();
    let database = host.folder.path().join("default.db");
    let aside = host.folder.path().join("aside");
    for replace in [false, true] {
        std::fs::rename(&database, &aside).unwrap();
        if replace {
            std::fs::write(&database, "").unwrap();
        }
        let refused = io(guest.run(&connection, "INSERT INTO t VALUES (1)").await);
        assert!(refused.contains("was removed"), "{refused}");
        std::fs::rename(&aside, &database).unwrap();
        guest.run(&connection, "INSERT INTO t VALUES (1)").await.unwrap();
    }
}
