//! Commands: what they do, what is refused, and what a server that is away, silent or full of data costs.

use thumbs::capabilities::{
    allowed_hosts::AllowedHosts,
    error::Failure,
    redis::{RedisGrants, RedisState, RedisView, wit::HostConnection as _},
};
use thumbs::{
    clients::ServerFault,
    memory::{CallMemory, MemoryBudgets},
    permits::Caller,
    traces::CallTrace,
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
        connector: Some(Arc::new(Servers::new(Client::new(&limits), &limits))),
    };
    let (mut table, mut state) = (ResourceTable::new(), RedisState::new(&limits));
    let mut memory = CallMemory::new(&MemoryBudgets::split(usize::MAX, 0).share(Caller::Request, usize::MAX));
    let trace = CallTrace::default();
    let mut view = RedisView {
        grants: &grants,
        state: &mut state,
        table: &mut table,
        memory: &mut memory,
        trace: &trace,
    };
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

/// What would change the connection that all share, or make nonsense of its answers, happens on one of the guest's own.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_does_to_its_connection_nobody_else_sees() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&impatient());
    let mut other = open(&client, &redis.url()).await;
    run(&mut other, "SET k shared").await.unwrap();
    for line in [
        "SUBSCRIBE wake",
        "psubscribe *",
        "MONITOR",
        "MULTI",
        "WATCH k",
        "SELECT 1",
        "CLIENT REPLY OFF",
        "CLIENT NO-EVICT on",
        "HELLO 3",
        "QUIT",
        "RESET",
        "AUTH x",
        "SCRIPT DEBUG YES",
        "XREAD BLOCK 0 STREAMS s $",
        "BLPOP list 0",
    ] {
        let mut session = open(&client, &redis.url()).await;
        let _answered_or_not = run(&mut session, line).await;
        assert_eq!(text(&run(&mut other, "GET k").await.unwrap()), "shared", "after {line}");
        assert_eq!(text(&run(&mut other, "DEL none").await.unwrap()), ":0", "after {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_its_own_keeps_what_a_guest_sets_up_and_ends_with_its_handle() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&impatient());
    let (mut session, mut other) = (open(&client, &redis.url()).await, open(&client, &redis.url()).await);
    run(&mut session, "SELECT 1").await.unwrap();
    // What would go over the shared connection else, goes where the database was chosen.
    run(&mut session, "SET k mine").await.unwrap();
    assert_eq!(text(&run(&mut other, "GET k").await.unwrap()), "nil");
    assert_eq!(text(&run(&mut session, "MULTI").await.unwrap()), "+OK");
    assert_eq!(text(&run(&mut session, "INCR n").await.unwrap()), "+QUEUED");
    assert_eq!(text(&run(&mut session, "GET k").await.unwrap()), "+QUEUED");
    assert_eq!(text(&run(&mut session, "EXEC").await.unwrap()), ":1 mine");

    let connected = async |session: &mut Session| {
        let list = text(&run(session, "CLIENT LIST").await.unwrap());
        list.lines().filter(|line| line.contains("db=")).count()
    };
    // The shared one, and one for each of the two that asked for more.
    assert_eq!(connected(&mut other).await, 3);
    drop(session);
    until("the end of the first", async || connected(&mut other).await == 2).await;

    // Once it is lost, so is what was set up there: the handle is of no use any more.
    run(&mut other, "SELECT 1").await.unwrap();
    assert!(run(&mut other, "BLPOP list 0").await.unwrap_err().contains("did not answer within 500 ms"));
    for line in ["GET k", "ECHO x"] {
        assert!(run(&mut other, line).await.unwrap_err().contains("lost with an earlier command"), "{line}");
    }
    let mut again = open(&client, &redis.url()).await;
    assert_eq!(text(&run(&mut again, "GET k").await.unwrap()), "nil");
}

/// It holds the server up for longer than it is waited for, and others that were sent later for not as long.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_long_fails_nobody_elses() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits { redis_response_timeout_ms: 2_000, ..Limits::default() });
    let mut other = open(&client, &redis.url()).await;
    run(&mut other, "SET k v").await.unwrap();
    let mut slow = open(&client, &redis.url()).await;
    let script = "local t = redis.call('time'); local start = t[1] * 1000000 + t[2]; \
                  repeat t = redis.call('time') until t[1] * 1000000 + t[2] - start > 3000000";
    let arguments = vec![RedisParameter::Binary(script.into()), RedisParameter::Int64(0)];
    let begun = std::time::Instant::now();
    let late = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let answer = run(&mut other, "GET k").await;
        (answer, begun.elapsed())
    };
    let (failed, (answer, waited)) = tokio::join!(slow.command("EVAL", arguments), late);
    assert!(matches!(&failed, Err(wit::Error::Other(text)) if text.contains("did not answer")), "{failed:?}");
    assert_eq!(text(&answer.unwrap()), "v");
    assert!(
        waited > Duration::from_millis(2_500),
        "the script was running when the other was sent: {waited:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_guests_own_are_bounded() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits { redis_max_private_connections: 2, ..impatient() });
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(open(&client, &redis.url()).await);
    }
    let [first, second, third] = &mut sessions[..] else { unreachable!() };
    run(first, "ECHO 1").await.unwrap();
    run(second, "ECHO 2").await.unwrap();
    let refused = run(third, "ECHO 3").await.unwrap_err();
    assert!(refused.contains("TooManyConnections"), "{refused}");
    assert_eq!(text(&run(third, "GET k").await.unwrap()), "nil", "the shared one is there for all");
    sessions.remove(0);
    let third = &mut sessions[1];
    assert_eq!(text(&run(third, "ECHO 3").await.unwrap()), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_known_to_be_silent_keeps_nobody_waiting() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits { redis_connect_timeout_ms: 3_000, ..impatient() });
    let mut session = open(&client, &redis.url()).await;
    run(&mut session, "SET k v").await.unwrap();
    redis.pause();
    // The first finds it silent, the second that it was found so.
    run(&mut session, "GET k").await.unwrap_err();
    run(&mut session, "GET k").await.unwrap_err();
    let begun = std::time::Instant::now();
    for line in ["GET k", "SET k v", "ECHO x"] {
        let mut session = open(&client, &redis.url()).await;
        let silent = run(&mut session, line).await.unwrap_err();
        assert!(silent.contains("gave no answer within 500 ms"), "{line}: {silent}");
    }
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    redis.resume();
    until("an answer", async || run(&mut session, "GET k").await.is_ok()).await;
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
    assert!(not_connected.contains("gave no answer within 500 ms"), "{not_connected}");
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
    let open = async || Session::open(&client, &limits, &redis.url(), usize::MAX).await.unwrap();
    let mut session = open().await;
    let too_large = run(&mut session, &format!("SET k {}", "x".repeat(4_000))).await.unwrap_err();
    assert!(too_large.contains("at most 4000 bytes"), "{too_large}");

    run(&mut session, &format!("SET k {}", "x".repeat(3_000))).await.unwrap();
    let mut apart = open().await;
    run(&mut apart, &format!("APPEND k {}", "x".repeat(3_000))).await.unwrap();
    let too_large = run(&mut session, "GET k").await.unwrap_err();
    assert!(too_large.contains("more than 4000 bytes"), "{too_large}");
    // The connection that all share is replaced.
    assert_eq!(text(&run(&mut session, "GET none").await.unwrap()), "nil");
    let script = RedisParameter::Binary(b"for i = 1, 100 do redis.call('rpush', 'l', '') end".into());
    apart.command("EVAL", vec![script, RedisParameter::Int64(0)]).await.unwrap();
    let too_many = run(&mut apart, "LRANGE l 0 -1").await.unwrap_err();
    assert!(too_many.contains("more than 4000 bytes"), "{too_many}");
    // One of a guest's own is lost, with all that was set up there.
    let lost = run(&mut apart, "STRLEN k").await.unwrap_err();
    assert!(lost.contains("open another"), "{lost}");
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

/// The budget has room for each part of the answer and not for all of it: what is refused has not come.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_instance_has_no_room_for_is_not_read() {
    let Some(redis) = available(Redis::start()) else { return };
    let (limits, max_memory_bytes) = (Limits::default(), 1_000_000);
    let client = Client::new(&limits);
    let mut session = Session::open(&client, &limits, &redis.url(), max_memory_bytes).await.unwrap();
    let fill = "for i = 1, 20 do redis.call('rpush', 'l', string.rep('x', 100000)) end";
    let fill = vec![RedisParameter::Binary(fill.into()), RedisParameter::Int64(0)];
    session.command("EVAL", fill).await.unwrap();
    let range = async |session: &mut Session, last: &str| {
        let (command, arguments) = words("LRANGE l 0");
        let arguments = [arguments, vec![RedisParameter::Binary(last.into())]].concat();
        within("a range", session.try_command(command, arguments)).await
    };
    assert_eq!(range(&mut session, "8").await.unwrap().len(), 9);
    let refused = range(&mut session, "19").await;
    assert!(matches!(&refused, Err(RedisError::Trap(trap)) if trap.is::<OutOfMemory>()), "{refused:?}");
    assert_eq!(session.budget.used_bytes(), 0);
    let mut another = open(&client, &redis.url()).await;
    assert_eq!(range(&mut another, "19").await.unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_bounded_and_the_one_that_nobody_has_open_makes_room() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits { redis_max_addresses: 2, ..impatient() });
    let mut first = open(&client, &redis.url()).await;
    let second = open(&client, &format!("{}/1", redis.url())).await;
    let third = format!("{}/2", redis.url());
    assert!(matches!(try_open(&client, &third).await, Err(wit::Error::TooManyConnections)));
    drop(second);
    let mut third = open(&client, &third).await;
    run(&mut third, "SET k third").await.unwrap();
    assert_eq!(text(&run(&mut first, "GET k").await.unwrap()), "nil", "each has its own database");
    // However many have one open, there is one connection.
    let mut same = open(&client, &redis.url()).await;
    let clients = text(&run(&mut same, "INFO clients").await.unwrap());
    // INFO is for a connection of one's own.
    assert!(clients.contains("connected_clients:3\r\n"), "{clients}");
}
