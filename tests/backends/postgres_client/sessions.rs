//! What one borrower of a connection leaves to the next: prepared statements, and nothing else.

use super::*;

/// A client whose sessions share one connection, as long as that is kept.
async fn single(database: &Database) -> (Client, Box<dyn Session>) {
    database.open(Limits { pg_max_connections: 1, ..Limits::default() }).await
}

#[tokio::test]
async fn plain_statements_keep_their_connection() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    let process = backend(&mut session).await;
    for statement in ["SELECT count(*) FROM pg_class", "SELECT 1 / 0", "SELECT"] {
        let _refused_or_not = session.query(statement, Vec::new()).await;
        drop(session);
        session = client.open(&database.url).await.unwrap();
        assert_eq!(backend(&mut session).await, process, "{statement}");
    }
}

#[tokio::test]
async fn an_open_transaction_ends_with_its_session_and_keeps_the_connection() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    let process = backend(&mut session).await;
    run(&mut session, "CREATE TABLE t (a INT)").await;
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert_ne!(backend(&mut session).await, process, "CREATE costs the connection");
    let process = backend(&mut session).await;

    run(&mut session, "BEGIN").await;
    run(&mut session, "INSERT INTO t (a) VALUES (1)").await;
    run(&mut session, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await;
    drop(session);
    // The lock is gone although nobody borrows the connection, and the row with it.
    let mut outside = database.outside().await;
    assert_eq!(integer(&mut outside, "SELECT count(*) FROM t").await, 0);
    let mut session = client.open(&database.url).await.unwrap();
    run(&mut session, "INSERT INTO t (a) VALUES (2)").await;
    assert_eq!(integer(&mut outside, "SELECT count(*) FROM t").await, 1, "the next is in no transaction");
    assert_eq!(backend(&mut session).await, process);

    // Neither is one that was refused and never ended.
    run(&mut session, "BEGIN").await;
    query_failed(session.query("SELECT 1 / 0", Vec::new()).await);
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT count(*) FROM t").await, 1);
    assert_eq!(backend(&mut session).await, process);
}

#[tokio::test]
async fn a_transaction_spans_the_statements_of_a_session() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    run(&mut session, "CREATE TABLE t (a INT)").await;
    for statement in ["BEGIN", "INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a) VALUES (2)", "COMMIT"] {
        run(&mut session, statement).await;
    }
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT count(*) FROM t").await, 2);
}

#[tokio::test]
async fn nothing_of_a_session_reaches_the_next_borrower() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    run(&mut session, "CREATE FUNCTION hide() RETURNS TEXT LANGUAGE sql AS $$ SELECT set_config('work_mem', '77MB', false) $$").await;
    drop(session);
    let settings = "SELECT count(*) FROM pg_settings WHERE name IN ('work_mem', 'search_path', 'role') AND source = 'session'";
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE from_sql";
    let temporary = "SELECT count(*) FROM pg_class WHERE relname = 'leaked' AND relpersistence = 't'";
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = 77";
    for (leaves, look) in [
        ("SET work_mem = '77MB'", settings),
        ("SET SESSION search_path = 'pg_catalog'", settings),
        ("SELECT set_config('work_mem', '77MB', false)", settings),
        ("SELECT hide()", settings),
        ("DO $$ BEGIN PERFORM set_config('work_mem', '77MB', false); END $$", settings),
        ("PREPARE leaked AS SELECT 1", prepared),
        ("CREATE TEMP TABLE leaked (a INT)", temporary),
        ("SELECT 1 AS a INTO TEMP leaked", temporary),
        ("SELECT pg_advisory_lock(77)", locks),
        ("LISTEN leaked", "SELECT count(*) FROM pg_listening_channels()"),
        (
            "DECLARE leaked CURSOR WITH HOLD FOR SELECT 1",
            "SELECT count(*) FROM pg_cursors WHERE name = 'leaked'",
        ),
    ] {
        let mut session = client.open(&database.url).await.unwrap();
        run(&mut session, leaves).await;
        assert_eq!(integer(&mut session, look).await, 1, "{leaves} is seen in its own session");
        drop(session);
        let mut session = client.open(&database.url).await.unwrap();
        // What goes with a connection goes when the server has noticed its end.
        until(&mut session, look, 0).await;
    }
}

#[tokio::test]
async fn statements_are_prepared_once_and_only_so_many_are_kept() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    let prepared = "SELECT count(*) FROM pg_prepared_statements";
    let often = "SELECT 'often'";
    for number in 0..200 {
        run(&mut session, often).await;
        drop(session);
        session = client.open(&database.url).await.unwrap();
        run(&mut session, &format!("SELECT {number}")).await;
    }
    assert_eq!(integer(&mut session, prepared).await, 64);
    let of_often = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT ''often''' AND generic_plans + custom_plans = 200";
    assert_eq!(integer(&mut session, of_often).await, 1, "what is used often is prepared once");
    // A long one is not kept at all.
    let long = format!("SELECT '{}'", "x".repeat(5000));
    run(&mut session, &long).await;
    let of_long = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT ''xxxx%'";
    assert_eq!(integer(&mut session, of_long).await, 0);
}

/// Another instance migrates the schema while this one has statements prepared.
#[tokio::test]
async fn a_changed_table_does_not_spoil_prepared_statements() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    let mut outside = database.outside().await;
    run(&mut outside, "CREATE TABLE t (a INT)").await;
    run(&mut outside, "INSERT INTO t (a) VALUES (1)").await;
    assert_eq!(run(&mut session, "SELECT * FROM t").await.columns.len(), 1);
    run(&mut outside, "ALTER TABLE t ADD COLUMN b INT").await;
    assert_eq!(run(&mut session, "SELECT * FROM t").await.columns.len(), 2);
    drop(session);

    // Within a transaction it can't be run again, for the refusal has ended that; after it, it can.
    let mut session = client.open(&database.url).await.unwrap();
    run(&mut outside, "ALTER TABLE t ADD COLUMN c INT").await;
    run(&mut session, "BEGIN").await;
    assert!(query_failed(session.query("SELECT * FROM t", Vec::new()).await).contains("0A000"));
    run(&mut session, "ROLLBACK").await;
    assert_eq!(run(&mut session, "SELECT * FROM t").await.columns.len(), 3);
}

#[tokio::test]
async fn a_guest_that_deallocates_everything_harms_nobody() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    for statement in ["SELECT 1", "DEALLOCATE ALL", "SELECT 1", "DISCARD ALL", "SELECT 1"] {
        run(&mut session, statement).await;
    }
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_guest_that_goes_in_the_middle_of_a_statement_stops_it() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    let mut outside = database.outside().await;
    let sleepers = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND query = 'SELECT pg_sleep(3600)' AND state = 'active'",
        database.name
    );
    let sleeping = tokio::spawn(async move { session.query("SELECT pg_sleep(3600)", Vec::new()).await });
    until(&mut outside, &sleepers, 1).await;
    sleeping.abort();
    until(&mut outside, &sleepers, 0).await;
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT 7").await, 7);
}
