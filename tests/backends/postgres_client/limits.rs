//! Each bound that holds for PostgreSQL, hit.

use super::*;

#[tokio::test]
async fn rows_and_bytes_of_a_result_are_bounded_and_the_server_is_told_to_stop() {
    let Some(database) = database() else { return };
    let limits = Limits { sql_max_rows: 10, sql_max_result_bytes: 100_000, ..Limits::default() };
    let client = Client::new(&limits);
    let mut outside = database.outside().await;
    let busy = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND query LIKE '%generate_series(1%' AND pid <> pg_backend_pid()",
        database.name
    );
    for (statement, said) in [
        ("SELECT generate_series(1, 11)", "more than 10 rows"),
        ("SELECT generate_series(1, 2000000000)", "more than 10 rows"),
        ("SELECT repeat('x', 60000) FROM generate_series(1, 2)", "more than 100000 bytes"),
    ] {
        let mut session = client.open(&database.url).await.unwrap();
        assert_eq!(run(&mut session, "SELECT generate_series(1, 10)").await.rows.len(), 10);
        let text = query_failed(session.query(statement, Vec::new()).await);
        assert!(text.contains(said), "{statement}: {text}");
        assert!(connection_failed(session.query("SELECT 1", Vec::new()).await).contains("lost"));
    }
    until(&mut outside, &busy, 0).await;
    // Counting needs no room.
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(session.execute("SELECT generate_series(1, 1000)", Vec::new()).await.unwrap(), 1000);
}

/// The row is longer than all that may be read at once: it is refused by the length that it declares, not after it has come.
#[tokio::test]
async fn one_row_that_is_too_long_is_not_read() {
    let Some(database) = database() else { return };
    let limits = Limits { sql_max_result_bytes: 100_000, ..Limits::default() };
    let (client, mut session) = database.open(limits).await;
    let said = query_failed(session.query("SELECT repeat('x', 200000000)", Vec::new()).await);
    assert!(said.contains("more than 100000 bytes"), "{said}");
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT 7").await, 7);
}

#[tokio::test]
async fn rows_that_the_instance_has_no_room_for_are_not_read() {
    let Some(database) = database() else { return };
    let (client, mut outside) = database.open(Limits::default()).await;
    for statement in ["SELECT repeat('x', 2000000)", "SELECT repeat('x', 100000) FROM generate_series(1, 20)"]
    {
        let mut session = client.open_with(&database.url, 1_000_000).await.unwrap();
        assert_eq!(run(&mut session, "SELECT repeat('x', 400000)").await.rows.len(), 1, "twice for a moment");
        let refused = session.try_query(statement, Vec::new()).await;
        assert!(
            matches!(&refused, Err(PostgresError::Trap(trap)) if trap.is::<OutOfMemory>()),
            "{refused:?}"
        );
        assert_eq!(session.budget.used_bytes(), 0);
        assert!(!run(&mut outside, statement).await.rows.is_empty(), "who has room gets it");
    }
}

#[tokio::test]
async fn one_value_is_bounded_in_a_row_and_as_a_parameter() {
    let Some(database) = database() else { return };
    let (client, mut session) =
        database.open(Limits { sql_max_value_bytes: 2000, ..Limits::default() }).await;
    let length = "SELECT length(CAST($1 AS TEXT))";
    session.query(length, vec![text(&"x".repeat(2000))]).await.unwrap();
    match session.query(length, vec![text(&"x".repeat(2001))]).await {
        Err(Error::BadParameter(said)) => assert!(said.contains("$1 has more than 2000 bytes"), "{said}"),
        other => panic!("{other:?}"),
    }
    run(&mut session, "SELECT repeat('x', 2000), decode(repeat('00', 2000), 'hex')").await;
    for statement in ["SELECT repeat('x', 2001)", "SELECT decode(repeat('00', 2001), 'hex') AS repeat"] {
        let mut session = client.open(&database.url).await.unwrap();
        let said = query_failed(session.query(statement, Vec::new()).await);
        assert!(said.contains("has more than 2000 bytes"), "{statement}: {said}");
    }
}

#[tokio::test]
async fn the_text_of_a_statement_is_bounded() {
    let Some(database) = database() else { return };
    let (_, mut session) = database.open(Limits { sql_max_statement_bytes: 64, ..Limits::default() }).await;
    let statement = |bytes: usize| format!("SELECT '{}'", "x".repeat(bytes - "SELECT ''".len()));
    run(&mut session, &statement(64)).await;
    let said = query_failed(session.query(&statement(65), Vec::new()).await);
    assert!(said.contains("longer than 64 bytes"), "{said}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_in_the_server_too() {
    let Some(database) = database() else { return };
    let (client, mut session) =
        database.open(Limits { sql_statement_timeout_ms: 2000, ..Limits::default() }).await;
    let mut outside = database.outside().await;
    let said = query_failed(session.query("SELECT pg_sleep(3600)", Vec::new()).await);
    assert!(said.contains("took longer than 2000 ms"), "{said}");
    let sleepers = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND query = 'SELECT pg_sleep(3600)'",
        database.name
    );
    until(&mut outside, &sleepers, 0).await;
    let mut session = client.open(&database.url).await.unwrap();
    assert_eq!(integer(&mut session, "SELECT 7").await, 7);
}

#[tokio::test]
async fn connections_to_one_server_are_bounded_and_waited_for() {
    let Some(database) = database() else { return };
    let limits = Limits { pg_max_connections: 2, pg_acquire_timeout_ms: 500, ..Limits::default() };
    let (client, mut first) = database.open(limits).await;
    let _second = client.open(&database.url).await.unwrap();
    let said = connection_failed(client.open(&database.url).await);
    assert!(
        said.contains("all 2 connections of this runtime to its server were in use for 500 ms"),
        "{said}"
    );
    let fault = client.check(&database.url).await.unwrap_err();
    assert!(fault.to_string().contains("were in use"), "{fault}");
    let process = backend(&mut first).await;
    drop(first);
    assert_eq!(backend(&mut client.open(&database.url).await.unwrap()).await, process);

    // One that waits gets what comes back.
    let patient = Client::new(&Limits { pg_max_connections: 1, ..Limits::default() });
    let mut held = patient.open(&database.url).await.unwrap();
    let process = backend(&mut held).await;
    let waiting = {
        let (patient, url) = (patient.clone(), database.url.clone());
        tokio::spawn(async move { backend(&mut patient.open(&url).await.unwrap()).await })
    };
    drop(held);
    assert_eq!(tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap(), process);
}
