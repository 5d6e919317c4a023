//! Connections, and the transactions of those that share a database.

use super::*;
use crate::{limits::Limits, memory::CallMemory, permits::Caller};

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
    let grants = || Arc::new([("default".to_owned(), in_memory(&limits).unwrap())].into());
    let guest = |databases: &Grants| Guest {
        state: SqliteState::new(Arc::clone(databases), &limits, Caller::Request),
        table: ResourceTable::new(),
        memory: CallMemory::of_test(1 << 30),
        trace: CallTrace::default(),
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
