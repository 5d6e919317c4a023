//! What a statement may take of time and memory.

use super::*;
use crate::{
    limits::Limits,
    memory::{CallMemory, OutOfMemory},
    permits::Caller,
};

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
    // On a busy machine the moment may come only once a walk is over.
    let mut walks = 0;
    let refused = loop {
        match guest.run(&c, "SELECT count(*) FROM t").await {
            Ok(_) if walks < 1_000 => walks += 1,
            walked => break io(walked),
        }
    };
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
