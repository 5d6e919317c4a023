//! What one borrower of a connection leaves to the next: prepared statements, and nothing else.

use super::*;

/// A client whose sessions share one connection, as long as that is kept.
async fn single(database: &Database) -> (Client, Session) {
    database.open(Limits { pg_max_connections: 1, ..Limits::default() }).await
}

#[tokio::test]
async fn whatever_a_statement_does_its_connection_is_kept() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    let process = backend(&mut session).await;
    for statement in [
        "SELECT count(*) FROM pg_class",
        "SELECT 1 / 0",
        "SELECT",
        "CREATE TABLE t (a SERIAL)",
        "INSERT INTO t DEFAULT VALUES",
        "SELECT nextval('t_a_seq')",
        "CREATE FUNCTION f() RETURNS INT LANGUAGE sql AS $$ SELECT 7 $$",
        "SELECT f()",
        "SET work_mem = '77MB'",
        "CREATE TEMP TABLE x (a INT)",
        "DO $$ BEGIN PERFORM pg_advisory_lock(77); END $$",
        "CREATE TYPE mood AS ENUM ('sad', 'happy')",
        "SELECT CAST('happy' AS mood)",
    ] {
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

/// What a standby says to who writes in a transaction.
#[tokio::test]
async fn a_connection_whose_transaction_could_not_write_is_lent_to_nobody_else() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    let process = backend(&mut session).await;
    run(&mut session, "CREATE TABLE t (a INT)").await;
    run(&mut session, "BEGIN READ ONLY").await;
    let refused = query_failed(session.query("INSERT INTO t (a) VALUES (1)", Vec::new()).await);
    assert!(refused.contains("25006"), "{refused}");
    run(&mut session, "ROLLBACK").await;
    assert_eq!(backend(&mut session).await, process, "who has it goes on with it");
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert_ne!(backend(&mut session).await, process);
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

/// What is left, how it shows, and whether the connection is kept all the same.
#[tokio::test]
async fn nothing_of_a_session_reaches_the_next_borrower() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    for prepares in [
        "CREATE FUNCTION hide() RETURNS TEXT LANGUAGE sql AS $$ SELECT set_config('work_mem', '77MB', false) $$".to_owned(),
        "CREATE SEQUENCE s".to_owned(),
        "CREATE TABLE t (a INT)".to_owned(),
        format!("CREATE ROLE {}_other", database.name),
    ] {
        run(&mut session, &prepares).await;
    }
    drop(session);
    let settings =
        "SELECT count(*) FROM pg_settings WHERE name IN ('work_mem', 'search_path') AND source = 'session'";
    let read_only =
        "SELECT count(*) FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on'";
    let role = "SELECT count(*) WHERE current_user <> 'thumbs' OR session_user <> 'thumbs' OR current_setting('role') <> 'none'";
    let made_up = "SELECT count(*) WHERE current_setting('my.own', true) = 'x'";
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE from_sql";
    let temporary = "SELECT count(*) FROM pg_class WHERE relname = 'leaked' AND relpersistence = 't'";
    let function = "SELECT count(*) FROM pg_proc WHERE proname = 'leaked'";
    let advisory = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77";
    let locks = "SELECT count(*) FROM pg_locks WHERE relation = to_regclass('public.t')";
    let listens = "SELECT count(*) FROM pg_listening_channels()";
    let cursors = "SELECT count(*) FROM pg_cursors WHERE name = 'leaked'";
    let other_role = format!("SET ROLE {}_other", database.name);
    let other_user = format!("SET SESSION AUTHORIZATION {}_other", database.name);
    let kept = true;
    for (leaves, look, expected) in [
        (&["SET work_mem = '77MB'"][..], settings, kept),
        (&["SET SESSION search_path = 'pg_catalog'"], settings, kept),
        (&["SELECT set_config('work_mem', '77MB', false)"], settings, kept),
        (&["SELECT hide()"], settings, kept),
        (&["DO $$ BEGIN PERFORM set_config('work_mem', '77MB', false); END $$"], settings, kept),
        (&["UPDATE pg_settings SET setting = 'pg_temp, public' WHERE name = 'search_path'"], settings, kept),
        (
            &["UPDATE pg_settings SET setting = 'on' WHERE name = 'default_transaction_read_only'"],
            read_only,
            kept,
        ),
        (&["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"], read_only, kept),
        (&["SET my.own = 'x'"], made_up, kept),
        (&[&other_role], role, kept),
        (&[&other_user], role, kept),
        (&[&other_user, "CREATE TEMP TABLE leaked (a INT)"], temporary, kept),
        (&["CREATE TEMP TABLE leaked (a INT)"], temporary, kept),
        (&["SELECT 1 AS a INTO TEMP leaked"], temporary, kept),
        (&["CREATE FUNCTION pg_temp.leaked() RETURNS INT LANGUAGE sql AS $$ SELECT 1 $$"], function, kept),
        (&["SELECT pg_advisory_lock(77)"], advisory, kept),
        (&["LISTEN leaked"], listens, kept),
        (&["DECLARE leaked CURSOR WITH HOLD FOR SELECT 1"], cursors, kept),
        (&["BEGIN", "LOCK TABLE t"], locks, kept),
        (&["BEGIN", "CREATE TEMP TABLE leaked (a INT)", "SAVEPOINT s"], temporary, kept),
        (&["PREPARE leaked AS SELECT 1"], prepared, !kept),
        (&["DO $$ BEGIN EXECUTE 'PREPARE leaked AS SELECT 1'; END $$"], prepared, !kept),
    ] {
        let mut session = client.open(&database.url).await.unwrap();
        let process = backend(&mut session).await;
        for statement in leaves {
            run(&mut session, statement).await;
        }
        assert_eq!(integer(&mut session, look).await, 1, "{leaves:?} is seen in its own session");
        drop(session);
        let mut session = client.open(&database.url).await.unwrap();
        assert_eq!(integer(&mut session, look).await, 0, "{leaves:?}");
        assert_eq!(backend(&mut session).await == process, expected, "{leaves:?}");
    }
}

#[tokio::test]
async fn what_a_sequence_gave_and_the_seed_of_chance_stay_with_their_session() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    run(&mut session, "CREATE SEQUENCE s").await;
    assert_eq!(integer(&mut session, "SELECT nextval('s')").await, 1);
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert!(query_failed(session.query("SELECT currval('s')", Vec::new()).await).contains("55000"));

    let random = "SELECT CAST(random() * 1e15 AS INT8)";
    run(&mut session, "SELECT setseed(0.5)").await;
    let expected = integer(&mut session, random).await;
    run(&mut session, "SELECT setseed(0.5)").await;
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert_ne!(integer(&mut session, random).await, expected);
}

/// Settings that are made to keep the reset from happening, or to change what its words mean.
#[tokio::test]
async fn a_guest_can_not_keep_its_session_from_being_reset() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    run(&mut session, "CREATE SCHEMA mine").await;
    for name in ["count", "pg_advisory_unlock_all", "setseed", "clock_timestamp"] {
        run(
            &mut session,
            &format!("CREATE FUNCTION mine.{name}() RETURNS INT LANGUAGE sql AS $$ SELECT 1 / 0 $$"),
        )
        .await;
    }
    drop(session);
    let look = "SELECT count(*) FROM pg_settings WHERE source = 'session'";
    for leaves in [
        &["SET statement_timeout = 1", "SET lock_timeout = 1", "SET work_mem = '77MB'"][..],
        &["SET default_transaction_read_only = on", "CREATE TEMP TABLE x (a INT)"],
        &["SET search_path = mine, pg_catalog", "SET standard_conforming_strings = off"],
        &["SET client_encoding = 'LATIN1'", "SET client_min_messages = 'debug5'"],
        &["SET default_transaction_isolation = 'serializable'", "BEGIN"],
    ] {
        let mut session = client.open(&database.url).await.unwrap();
        for statement in leaves {
            let _refused_or_not = session.query(statement, Vec::new()).await;
        }
        drop(session);
        let mut session = client.open(&database.url).await.unwrap();
        assert_eq!(
            integer(&mut session, look).await,
            integer(&mut database.outside().await, look).await,
            "{leaves:?}"
        );
    }
}

/// A reset that takes too long, here because of a lock that another holds.
#[tokio::test]
async fn a_session_that_can_not_be_reset_in_time_is_closed() {
    let Some(database) = database() else { return };
    let limits = Limits { pg_max_connections: 1, pg_reset_timeout_ms: 100, ..Limits::default() };
    let (client, mut session) = database.open(limits).await;
    let process = backend(&mut session).await;
    run(&mut session, "CREATE TEMP TABLE held (a INT)").await;
    let held = "SELECT CAST(oid::regclass AS TEXT) FROM pg_class WHERE relname = 'held'";
    let mut outside = database.outside().await;
    let DbValue::Str(table) = value(&mut outside, held).await else { panic!("a name") };
    run(&mut outside, "BEGIN").await;
    run(&mut outside, &format!("LOCK TABLE {table}")).await;
    drop(session);
    let mut session = client.open(&database.url).await.unwrap();
    assert_ne!(backend(&mut session).await, process);
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
async fn a_guest_that_deallocates_statements_harms_nobody() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    for statement in ["SELECT 1", "DEALLOCATE ALL", "SELECT 1", "DISCARD ALL", "SELECT 1"] {
        run(&mut session, statement).await;
    }
    drop(session);
    let one = "SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT 1'";
    for harm in ["DEALLOCATE {}", "DO $$ BEGIN EXECUTE 'DEALLOCATE {}'; END $$"] {
        let mut session = client.open(&database.url).await.unwrap();
        let process = backend(&mut session).await;
        assert_eq!(integer(&mut session, "SELECT 1").await, 1);
        let DbValue::Str(name) = value(&mut session, one).await else { panic!("a name") };
        run(&mut session, &harm.replace("{}", &name)).await;
        drop(session);
        // Within a transaction a statement that is gone can't be prepared again.
        let mut session = client.open(&database.url).await.unwrap();
        run(&mut session, "BEGIN").await;
        assert_eq!(integer(&mut session, "SELECT 1").await, 1, "{harm}");
        assert_ne!(backend(&mut session).await, process, "{harm}");
    }
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

#[tokio::test]
async fn a_guest_that_leaves_in_the_middle_of_a_copy_leaves_nobody_there() {
    let Some(database) = database() else { return };
    let (client, mut session) = single(&database).await;
    run(&mut session, "CREATE TABLE t (a INT)").await;
    drop(session);
    for copy in
        ["COPY t FROM STDIN", "COPY t TO STDOUT", "COPY (SELECT generate_series(1, 100000)) TO STDOUT"]
    {
        let mut session = client.open(&database.url).await.unwrap();
        let process = backend(&mut session).await;
        let said = query_failed(session.query(copy, Vec::new()).await);
        assert!(said.contains("can't be run through this interface"), "{copy}: {said}");
        assert!(connection_failed(session.query("SELECT 1", Vec::new()).await).contains("lost"), "{copy}");
        let mut session = client.open(&database.url).await.unwrap();
        assert_ne!(backend(&mut session).await, process, "{copy}");
        let mut outside = database.outside().await;
        until(&mut outside, &format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process}"), 0).await;
    }
}
