//! Commands: what they do, what is refused, and what a server that is away, silent or full of data costs.

use thumbs::capabilities::{
    allowed_hosts::AllowedHosts,
    error::{Failure, ServerFault},
    redis::{RedisGrants, RedisView, wit::HostConnection as _},
};
use wasmtime::component::{Resource, ResourceTable};

use super::*;

fn other(error: &Failure<wit::Error>) -> &str {
    match error {
        Failure::Guest(wit::Error::Other(text)) => text,
        error => panic!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_interface_does_what_it_says() {
    let Some(redis) = available(Redis::start()) else { return };
    let limits = Limits::default();
    let listener = Listener::start(&redis.url(), &limits);
    assert_eq!(listener.next().await, WAKE_UP);
    let grants = RedisGrants {
        hosts: Arc::new(AllowedHosts::parse([redis.outbound()]).unwrap()),
        connector: Some(Arc::new(Client::new(&limits))),
    };
    let mut table = ResourceTable::new();
    let mut view = RedisView { grants: &grants, table: &mut table };
    let refused = view.open("redis://127.0.0.1:1".into()).await;
    assert!(matches!(refused, Err(Failure::Guest(wit::Error::InvalidAddress))), "not granted: {refused:?}");
    let wrong = view.open(format!("{}/x", redis.url())).await;
    assert!(matches!(wrong, Err(Failure::Guest(wit::Error::InvalidAddress))), "no address: {wrong:?}");
    let connection = view.open(redis.url()).await.unwrap();
    let handle = || Resource::new_borrow(connection.rep());

    assert_eq!(view.get(handle(), "k".into()).await.unwrap(), None);
    let binary: Vec<u8> = (0..=255).collect();
    view.set(handle(), "k".into(), binary.clone()).await.unwrap();
    assert_eq!(view.get(handle(), "k".into()).await.unwrap(), Some(binary));
    view.set(handle(), "empty".into(), vec![]).await.unwrap();
    assert_eq!(view.get(handle(), "empty".into()).await.unwrap(), Some(vec![]));

    assert_eq!(view.incr(handle(), "n".into()).await.unwrap(), 1);
    assert_eq!(view.incr(handle(), "n".into()).await.unwrap(), 2);
    let not_a_number = view.incr(handle(), "k".into()).await.unwrap_err();
    assert!(other(&not_a_number).contains("not an integer"), "{not_a_number:?}");

    let members = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
    assert_eq!(view.sadd(handle(), "s".into(), members.to_vec()).await.unwrap(), 2);
    let mut found = view.smembers(handle(), "s".into()).await.unwrap();
    found.sort();
    assert_eq!(found, ["a", "b"]);
    assert_eq!(view.smembers(handle(), "none".into()).await.unwrap(), Vec::<String>::new());
    assert_eq!(view.srem(handle(), "s".into(), vec!["a".into(), "x".into()]).await.unwrap(), 1);
    let wrong_type = view.get(handle(), "s".into()).await.unwrap_err();
    assert!(other(&wrong_type).starts_with("WRONGTYPE "), "{wrong_type:?}");
    assert_eq!(view.del(handle(), vec!["k".into(), "s".into(), "none".into()]).await.unwrap(), 2);

    view.publish(handle(), CHANNEL.into(), b"to the others\xff".to_vec()).await.unwrap();
    assert_eq!(listener.next().await, b"to the others\xff");

    let script = "return {1, {'a', false, {}}, redis.status_reply('S'), 'b'}";
    let arguments = vec![RedisParameter::Binary(script.into()), RedisParameter::Int64(0)];
    let nested = view.execute(handle(), "eval".into(), arguments).await.unwrap();
    assert_eq!(text(&nested), ":1 a nil +S b");
    let arguments = vec![RedisParameter::Binary(b"n".into()), RedisParameter::Int64(-7)];
    assert_eq!(text(&view.execute(handle(), "INCRBY".into(), arguments).await.unwrap()), ":-5");
    let unknown = view.execute(handle(), "NOSUCH".into(), vec![]).await.unwrap_err();
    assert!(other(&unknown).starts_with("ERR unknown command"), "{unknown:?}");
    view.drop(connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_would_hang_or_change_the_shared_connection_is_refused_and_changes_nothing() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits::default());
    let mut session = open(&client, &redis.url()).await;
    for line in [
        "SUBSCRIBE wake",
        "psubscribe *",
        "MONITOR",
        "BLPOP list 0",
        "MULTI",
        "EXEC",
        "WATCH k",
        "SELECT 1",
        "AUTH x",
        "CLIENT REPLY OFF",
        "HELLO 3",
        "QUIT",
        "RESET",
        "WAIT 1 0",
        "XREAD BLOCK 0 STREAMS s $",
        "SHUTDOWN NOSAVE",
        "DEBUG SLEEP 60",
        "SCRIPT DEBUG YES",
    ] {
        let refused = run(&mut session, line).await.unwrap_err();
        assert!(
            refused.contains("all instances share") || refused.contains("holds it up"),
            "{line}: {refused}"
        );
        assert_eq!(text(&run(&mut session, "ECHO here").await.unwrap()), "here", "after {line}");
    }
    assert_eq!(text(&run(&mut session, "XREAD STREAMS s 0").await.unwrap()), "nil");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_server_is_said_in_a_sentence_without_its_password() {
    let Some(redis) = available(Redis::start_with_password("hunter2@/")) else { return };
    let Some(open_redis) = available(Redis::start()) else { return };
    let client = Client::new(&impatient());
    assert_eq!(client.check(&redis.url()).await, Ok(()));
    assert_eq!(client.check(&format!("{}/15", redis.url())).await, Ok(()));
    let mut admin = open(&client, &redis.url()).await;
    run(&mut admin, "ACL SETUSER reader on >hunter3 ~* +get").await.unwrap();

    let with = |login: &str| redis.outbound().replace("redis://", &format!("redis://{login}"));
    for (url, word) in [
        (redis.outbound(), "asks for a password"),
        (with(":wrong-hunter@"), "does not take the URL's user and password"),
        (with("nobody:hunter3@"), "does not take the URL's user and password"),
        (with("reader:hunter3@") + "/1", "does not let this user choose a database"),
        (redis.url() + "/4000", "has no database 4000"),
        (open_redis.outbound().replace("redis://", "redis://:hunter4@"), "has no password"),
        ("redis://:hunter5@127.0.0.1:6379/x".to_owned(), "not the number of a database"),
    ] {
        let Err(ServerFault::Refused(sentence)) = client.check(&url).await else { panic!("{word}") };
        assert!(sentence.contains(word) && !sentence.contains("hunter"), "{sentence}");
        if url.contains("/x") {
            continue;
        }
        assert!(sentence.starts_with("Redis at 127.0.0.1:"), "{sentence}");
        // A guest is told the same, and no more.
        let told = run(&mut open(&client, &url).await, "GET k").await.unwrap_err();
        assert_eq!(told, sentence);
    }
    // A user who may not PING is still one who may GET.
    assert_eq!(client.check(&with("reader:hunter3@")).await, Ok(()));
    let mut reader = open(&client, &with("reader:hunter3@")).await;
    assert_eq!(text(&run(&mut reader, "GET k").await.unwrap()), "nil");
    assert!(run(&mut reader, "SET k v").await.unwrap_err().starts_with("NOPERM "));

    let Err(ServerFault::Unreachable(sentence)) =
        client.check(&open_redis.url().replace("127.0.0.1", "no-such-host.invalid")).await
    else {
        panic!("a host that is none")
    };
    assert!(sentence.starts_with("Redis at no-such-host.invalid:"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_tls_is_not_believed_without_a_known_authority() {
    let Some(redis) = available(Redis::start_with_tls()) else { return };
    let client = Client::new(&Limits::default());
    let Err(ServerFault::Refused(sentence)) = client.check(&redis.url()).await else { panic!("believed") };
    assert!(sentence.starts_with("Redis at localhost:") && sentence.contains("is not trusted"), "{sentence}");
    let Err(ServerFault::Unreachable(sentence)) = client.check(&redis.url().replace("rediss", "redis")).await
    else {
        panic!("not TLS")
    };
    assert!(sentence.contains("write rediss://"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_fails_commands_and_serves_the_next_one_when_it_is_back() {
    let Some(mut redis) = available(Redis::start()) else { return };
    let client = Client::new(&impatient());
    let mut session = open(&client, &redis.url()).await;
    run(&mut session, "SET k v").await.unwrap();
    // Nobody notices a restart while nothing is sent.
    redis.kill();
    redis.restart();
    assert_eq!(text(&run(&mut session, "GET k").await.unwrap()), "v");
    // An outage that commands run into, for longer than one pause.
    redis.kill();
    for _ in 0..5 {
        let error = run(&mut session, "GET k").await.unwrap_err();
        assert!(error.contains("can't be reached") && error.contains("127.0.0.1"), "{error}");
    }
    assert!(matches!(client.check(&redis.url()).await, Err(ServerFault::Unreachable(_))));
    redis.restart();
    assert_eq!(text(&run(&mut session, "INCR n").await.unwrap()), ":1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_costs_a_command_its_limit_and_no_more() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&impatient());
    let mut session = open(&client, &redis.url()).await;
    run(&mut session, "SET k v").await.unwrap();
    redis.pause();
    let unanswered = run(&mut session, "GET k").await.unwrap_err();
    assert!(unanswered.contains("did not answer within 500 ms"), "{unanswered}");
    let not_connected = run(&mut session, "GET k").await.unwrap_err();
    assert!(not_connected.contains("did not answer within 500 ms"), "{not_connected}");
    let Err(ServerFault::Unreachable(checked)) = client.check(&redis.url()).await else { panic!("paused") };
    assert!(checked.contains("did not answer within 500 ms"), "{checked}");
    redis.resume();
    until("an answer", async || run(&mut session, "GET k").await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_answers_over_their_bound_fail_and_nothing_else_does() {
    let Some(redis) = available(Redis::start()) else { return };
    let limits = Limits { redis_max_exchange_bytes: 4_000, max_message_bytes: 100, ..impatient() };
    let client = Client::new(&limits);
    let mut session = open(&client, &redis.url()).await;
    let too_large = run(&mut session, &format!("SET k {}", "x".repeat(4_000))).await.unwrap_err();
    assert!(too_large.contains("at most 4000 bytes"), "{too_large}");

    run(&mut session, &format!("SET k {}", "x".repeat(3_000))).await.unwrap();
    run(&mut session, &format!("APPEND k {}", "x".repeat(3_000))).await.unwrap();
    let too_large = run(&mut session, "GET k").await.unwrap_err();
    assert!(too_large.contains("more than 4000 bytes"), "{too_large}");
    let script = RedisParameter::Binary(b"for i = 1, 100 do redis.call('rpush', 'l', '') end".into());
    session.command("EVAL", vec![script, RedisParameter::Int64(0)]).await.unwrap();
    let too_many = run(&mut session, "LRANGE l 0 -1").await.unwrap_err();
    assert!(too_many.contains("more than 4000 bytes"), "{too_many}");
    assert_eq!(text(&run(&mut session, "STRLEN k").await.unwrap()), ":6000");

    session.publish(CHANNEL, vec![0; 100]).await.unwrap();
    let refused = session.publish(CHANNEL, vec![0; 101]).await.unwrap_err();
    assert!(matches!(&refused, wit::Error::Other(text) if text.contains("at most 100 bytes")), "{refused:?}");
    assert!(
        run(&mut session, &format!("publish c {}", "x".repeat(101)))
            .await
            .unwrap_err()
            .contains("at most 100 bytes")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_bounded_and_the_one_that_nobody_has_open_makes_room() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits { redis_max_addresses: 2, ..impatient() });
    let mut first = open(&client, &redis.url()).await;
    let second = open(&client, &format!("{}/1", redis.url())).await;
    let third = format!("{}/2", redis.url());
    assert!(matches!(client.open(&third).await, Err(wit::Error::TooManyConnections)));
    drop(second);
    let mut third = open(&client, &third).await;
    run(&mut third, "SET k third").await.unwrap();
    assert_eq!(text(&run(&mut first, "GET k").await.unwrap()), "nil", "each has its own database");
    // However many have one open, there is one connection.
    let mut same = open(&client, &redis.url()).await;
    let clients = text(&run(&mut same, "INFO clients").await.unwrap());
    assert!(clients.contains("connected_clients:2\r\n"), "{clients}");
}
