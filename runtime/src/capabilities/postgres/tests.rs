//! What is asked before a server is, and sessions on servers that a real one makes hard to come by.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::{wit::HostConnection as _, *};
use crate::clients::postgres::fake::{listener, live, message, ready, welcome, welcoming};

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_address_needs_a_grant_and_a_client() {
    let hosts = Arc::new(AllowedHosts::parse(["postgres://db:5432"]).unwrap());
    let grants = PostgresGrants { hosts, client: None };
    let (mut table, mut state) =
        (ResourceTable::new(), PostgresState::new(&Limits::default(), Caller::Request));
    let mut memory = CallMemory::of_test(1_000);
    let mut view = PostgresView {
        grants: &grants,
        state: &mut state,
        table: &mut table,
        memory: &mut memory,
        trace: &CallTrace::default(),
    };
    for (address, reason) in [
        ("postgres://u:hunter2@elsewhere/x", "not in allowed_outbound_hosts"),
        ("host=db", "not in allowed_outbound_hosts"),
        ("postgres://u:hunter2@db/x", "no PostgreSQL client"),
    ] {
        match view.open(address.into()).await {
            Err(Failure::Guest(Error::ConnectionFailed(text))) => {
                assert!(text.contains(reason) && !text.contains("hunter2"), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_instance_holds_so_many_connections_and_no_more() {
    let url = welcoming().await;
    let place = url.split(['@', '/']).find(|part| part.starts_with("127.0.0.1:")).unwrap();
    let hosts = Arc::new(AllowedHosts::parse([format!("postgres://{place}")]).unwrap());
    let limits = Limits { sql_max_connections_per_instance: 2, ..Limits::default() };
    let grants = PostgresGrants { hosts, client: Some(Client::new(&limits)) };
    let (mut table, mut state) = (ResourceTable::new(), PostgresState::new(&limits, Caller::Request));
    let mut memory = CallMemory::of_test(1_000);
    let mut view = PostgresView {
        grants: &grants,
        state: &mut state,
        table: &mut table,
        memory: &mut memory,
        trace: &CallTrace::default(),
    };
    let first = view.open(url.clone()).await.unwrap();
    view.open(url.clone()).await.unwrap();
    let third = view.open(url.clone()).await;
    assert!(
        matches!(&third, Err(Failure::Guest(Error::ConnectionFailed(text))) if text.contains("too many")),
        "{third:?}"
    );
    view.drop(first).await.unwrap();
    view.open(url).await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_words() {
    let client = Client::new(&Limits::default());
    let refused = Session::open(&client, "postgres://me:hunter2@/db", Bounds::new(&Limits::default())).await;
    assert!(
        matches!(&refused, Err(Error::ConnectionFailed(text)) if !text.contains("hunter2")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_first_statement_moves_from_a_dead_connection_to_a_new_one() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        welcome(&mut first).await;
        // Gone as soon as the statement is to be prepared.
        assert_eq!(live(&mut first).await, Some(b'P'));
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        welcome(&mut second).await;
        assert_eq!(live(&mut second).await, Some(b'P'));
        let refusal = b"SERROR\0VERROR\0C42601\0Mno such thing\0\0";
        second.write_all(&[message(b'E', refusal), ready()].concat()).await.unwrap();
        // The second statement meets the end, and that is not hidden: a transaction may have been open.
        while live(&mut second).await != Some(b'P') {}
    });
    let client = Client::new(&Limits::default());
    let mut session = Session::open(&client, &url, Bounds::new(&Limits::default())).await.unwrap();
    let memory = CallMemory::of_test(1_000);
    let mut refusal =
        async |statement| match session.query(statement, Vec::new(), &mut memory.call(0).unwrap()).await {
            Err(Failure::Guest(error)) => error,
            other => panic!("{other:?}"),
        };
    let refused = refusal("SELECT").await;
    assert!(matches!(&refused, Error::QueryFailed(text) if text.contains("no such thing")), "{refused:?}");
    let lost = refusal("SELECT 1").await;
    assert!(matches!(&lost, Error::ConnectionFailed(text) if text.contains("lost")), "{lost:?}");
    let still_lost = refusal("SELECT 1").await;
    assert!(matches!(&still_lost, Error::ConnectionFailed(_)), "{still_lost:?}");
    tokio::time::timeout(DEADLINE, server).await.unwrap().unwrap();
}
