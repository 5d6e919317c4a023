//! The runtime's own Redis client against a real server: every command of the interface, every limit, servers that go away and come back,
//! the subscription, and the key-value store. No wasm: what is called is what a component's imports call.

use std::{future::Future, sync::Arc, time::Duration};

use thumbs::{
    capabilities::{
        egress::AllowedHosts,
        error::{Failure, ServerFault},
        key_value::{Backend as _, EmbeddedStore, RedisStore, contract},
        redis::{
            Broker, Client, Connector as _, Forward, RedisGrants, RedisView, Session, Subscription,
            wit::{self, HostConnection as _, RedisParameter, RedisResult},
        },
    },
    limits::Limits,
    telemetry::{CaptureSink, Level, Logger},
};
use thumbs_e2e::servers::{Redis, available};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use wasmtime::component::{Resource, ResourceTable};

/// A bound on hangs, far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const WAKE_UP: &[u8] = b"{}";
const CHANNEL: &str = "wake";

/// Limits under which a server that is silent is noticed soon.
fn impatient() -> Limits {
    Limits {
        redis_connect_timeout_ms: 500,
        redis_response_timeout_ms: 500,
        max_reconnect_pause_ms: 100,
        ..Limits::default()
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// Asks again and again until the answer is yes.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

async fn open(client: &Client, url: &str) -> Box<dyn Session> {
    client.open(url).await.unwrap()
}

fn words(line: &str) -> (&str, Vec<RedisParameter>) {
    let mut words = line.split(' ');
    let command = words.next().unwrap();
    (command, words.map(|word| RedisParameter::Binary(word.into())).collect())
}

async fn run(session: &mut Box<dyn Session>, line: &str) -> Result<Vec<RedisResult>, String> {
    let (command, arguments) = words(line);
    within(line, session.command(command, arguments)).await.map_err(|error| match error {
        wit::Error::Other(text) => text,
        other => format!("{other:?}"),
    })
}

fn other(error: &Failure<wit::Error>) -> &str {
    match error {
        Failure::Guest(wit::Error::Other(text)) => text,
        error => panic!("{error:?}"),
    }
}

fn text(results: &[RedisResult]) -> String {
    let texts = results.iter().map(|result| match result {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Status(text) => format!("+{text}"),
        RedisResult::Int64(number) => format!(":{number}"),
        RedisResult::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// How many PINGs the server has refused.
async fn refused_pings(session: &mut Box<dyn Session>) -> u32 {
    let stats = text(&run(session, "INFO commandstats").await.unwrap());
    let ping = stats.lines().find(|line| line.starts_with("cmdstat_ping:")).unwrap_or_default();
    let refused = ping.split(',').find_map(|field| field.strip_prefix("rejected_calls="));
    refused.map_or(0, |number| number.parse().unwrap())
}

/// A runtime's end of the channel: its broker, its subscription, and what it logged.
struct Listener {
    subscription: Subscription,
    log: CaptureSink,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Listener {
    fn start(url: &str, limits: &Limits) -> Self {
        let broker = Arc::new(Broker::new(limits));
        let subscription = broker.subscribe(CHANNEL, 1);
        let log = CaptureSink::new();
        let logger = Logger::new(Arc::new(log.clone()), Level::Debug);
        let forward = Forward::new(&Client::new(limits), url, CHANNEL, &broker, WAKE_UP, &logger).unwrap();
        let stop = CancellationToken::new();
        let task = AbortOnDropHandle::new(tokio::spawn(forward.run(stop.clone())));
        Self { subscription, log, stop, task }
    }

    async fn next(&self) -> Vec<u8> {
        within("a message", self.subscription.next()).await.unwrap()
    }

    /// The next message that is not a wake-up.
    async fn next_other(&self) -> Vec<u8> {
        loop {
            let message = self.next().await;
            if message != WAKE_UP {
                return message;
            }
        }
    }

    fn events(&self) -> Vec<String> {
        self.log.lines().into_iter().map(|line| line.event).collect()
    }

    async fn logged(&self, event: &str) {
        until(event, async || self.events().iter().any(|logged| logged == event)).await;
    }

    fn cause_of(&self, event: &str) -> String {
        let lines = self.log.lines();
        let line = lines.iter().rfind(|line| line.event == event).unwrap();
        line.fields["cause"].as_str().unwrap().to_owned()
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
        in_process: None,
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

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_every_runtime_once() {
    let Some(redis) = available(Redis::start()) else { return };
    let limits = impatient();
    let listeners = [Listener::start(&redis.url(), &limits), Listener::start(&redis.url(), &limits)];
    for listener in &listeners {
        assert_eq!(listener.next().await, WAKE_UP, "a runtime looks as soon as it listens");
    }
    let mut session = open(&Client::new(&limits), &redis.url()).await;
    for message in ["one", "two"] {
        session.publish(CHANNEL, message.into()).await.unwrap();
        session.publish("another channel", b"not for us".to_vec()).await.unwrap();
        for listener in &listeners {
            assert_eq!(listener.next().await, message.as_bytes());
        }
    }
    for listener in listeners {
        listener.stop.cancel();
        within("the end", listener.task).await.unwrap();
        assert_eq!(
            listener.log.lines().iter().map(|line| line.event.as_str()).collect::<Vec<_>>(),
            ["subscribed"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_subscription_is_taken_up_again_and_makes_up_for_what_it_missed() {
    let Some(mut redis) = available(Redis::start_with_password("hunter2")) else { return };
    let listener = Listener::start(&redis.url(), &impatient());
    assert_eq!(listener.next().await, WAKE_UP);
    for outage in 1..=2 {
        redis.kill();
        until("the loss", async || {
            listener.events().iter().filter(|event| *event == "subscription-lost").count() == outage
        })
        .await;
        redis.restart();
        // Whether anybody listens yet or not, a runtime that looks after this finds what the message is about.
        let mut session = open(&Client::new(&impatient()), &redis.url()).await;
        session.publish(CHANNEL, b"perhaps missed".to_vec()).await.unwrap();
        until("a wake-up", async || listener.next().await == WAKE_UP).await;
        let message = format!("outage {outage} is over");
        session.publish(CHANNEL, message.clone().into_bytes()).await.unwrap();
        until("the message", async || listener.next_other().await == message.as_bytes()).await;
    }
    let once = ["subscription-lost", "subscription-back"];
    assert_eq!(
        listener.events(),
        [&["subscribed"], &once[..], &once[..]].concat(),
        "each outage is logged once"
    );
    for line in listener.log.lines() {
        let line = format!("{line:?}");
        assert!(line.contains("127.0.0.1") && !line.contains("hunter2"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_at_the_start_is_waited_for() {
    let Some(mut redis) = available(Redis::start()) else { return };
    redis.stop();
    let listener = Listener::start(&redis.url(), &impatient());
    listener.logged("subscription-lost").await;
    assert!(listener.cause_of("subscription-lost").contains("can't be reached"));
    redis.restart();
    assert_eq!(listener.next().await, WAKE_UP);
    assert_eq!(listener.events(), ["subscription-lost", "subscription-back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_whose_server_is_silent_is_lost() {
    let Some(redis) = available(Redis::start()) else { return };
    let listener = Listener::start(&redis.url(), &impatient());
    assert_eq!(listener.next().await, WAKE_UP);
    redis.pause();
    listener.logged("subscription-lost").await;
    assert!(listener.cause_of("subscription-lost").contains("no sign of life"));
    redis.resume();
    assert_eq!(listener.next().await, WAKE_UP);
    listener.logged("subscription-back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_is_asked_until_its_operator_relents() {
    let Some(redis) = available(Redis::start()) else { return };
    let mut admin = open(&Client::new(&Limits::default()), &redis.url()).await;
    run(&mut admin, "ACL SETUSER listener on >hunter2 ~* +@all -ping resetchannels").await.unwrap();
    let listener =
        Listener::start(&redis.url().replace("redis://", "redis://listener:hunter2@"), &impatient());
    listener.logged("subscription-lost").await;
    assert!(listener.cause_of("subscription-lost").contains("subscribe to the channel"));
    assert_eq!(listener.log.lines()[0].level, Level::Error);
    run(&mut admin, "ACL SETUSER listener &wake").await.unwrap();
    assert_eq!(listener.next().await, WAKE_UP);
    // This user may not PING, so each time that it asks for a sign of life the server counts a refusal. That is one, too.
    let refused = refused_pings(&mut admin).await;
    until("two signs of life", async || refused_pings(&mut admin).await >= refused + 2).await;
    assert_eq!(listener.events(), ["subscription-lost", "subscription-back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_the_bound_is_dropped_and_logged() {
    let Some(redis) = available(Redis::start()) else { return };
    let listener = Listener::start(&redis.url(), &Limits { max_message_bytes: 10, ..impatient() });
    assert_eq!(listener.next().await, WAKE_UP);
    let mut session = open(&Client::new(&Limits::default()), &redis.url()).await;
    for _ in 0..3 {
        session.publish(CHANNEL, vec![b'x'; 11]).await.unwrap();
    }
    session.publish(CHANNEL, vec![b'x'; 10]).await.unwrap();
    assert_eq!(listener.next().await, [b'x'; 10]);
    assert_eq!(listener.events(), ["subscribed", "message-dropped"], "a flood is logged once");
    assert!(listener.cause_of("message-dropped").contains("at most 10 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn key_value_stores_keep_their_contract() {
    let folder = tempfile::TempDir::new().unwrap();
    let embedded = || EmbeddedStore::new(folder.path(), "default", &Limits::default());
    contract::holds(&embedded()).await;
    contract::survives(&embedded(), &embedded()).await;

    let Some(redis) = available(Redis::start_with_password("hunter2")) else { return };
    let store = |database: u32| {
        RedisStore::new(&Client::new(&Limits::default()), &format!("{}/{database}", redis.url()), "default")
            .unwrap()
    };
    contract::holds(&store(1)).await;
    contract::survives(&store(1), &store(1)).await;
    assert_eq!(store(2).get("kept", 10).await.unwrap(), None, "databases do not share keys");
    assert_eq!(store(1).summary(), format!("{}/1", redis.outbound()), "no password in the banner");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_value_store_in_redis_is_laid_out_as_spins_and_lists_only_what_it_can_read() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits::default());
    let store = RedisStore::new(&client, &redis.url(), "default").unwrap();
    store.set("mine", b"value\0".to_vec()).await.unwrap();
    let mut session = open(&client, &redis.url()).await;
    assert_eq!(text(&run(&mut session, "GET mine").await.unwrap()), "value\0", "a plain key");
    run(&mut session, "SET theirs 7").await.unwrap();
    run(&mut session, "SADD a-set x").await.unwrap();
    let binary = vec![RedisParameter::Binary(vec![0xff]), RedisParameter::Binary(vec![1])];
    session.command("SET", binary).await.unwrap();
    run(&mut session, &format!("SET {} 1", "k".repeat(1_025))).await.unwrap();
    assert_eq!(store.get("theirs", 10).await.unwrap().as_deref(), Some(&b"7"[..]));
    assert_eq!(store.keys(10).await.unwrap(), ["mine", "theirs"]);
    let wrong_type = store.get("a-set", 10).await.unwrap_err().to_string();
    assert!(wrong_type.contains("\"default\"") && wrong_type.contains("WRONGTYPE"), "{wrong_type}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_takes_several_steps_and_stops_at_its_bound() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits::default());
    let store = RedisStore::new(&client, &redis.url(), "default").unwrap();
    let mut session = open(&client, &redis.url()).await;
    let script = "for i = 1, 5000 do redis.call('set', 'key-' .. i, 'x') end";
    let arguments = vec![RedisParameter::Binary(script.into()), RedisParameter::Int64(0)];
    session.command("EVAL", arguments).await.unwrap();
    assert_eq!(store.keys(5_000).await.unwrap().len(), 5_000);
    run(&mut session, "CONFIG RESETSTAT").await.unwrap();
    assert!(store.keys(4_999).await.unwrap_err().to_string().contains("more than 4999 keys"));
    run(&mut session, "CONFIG RESETSTAT").await.unwrap();
    assert!(store.keys(100).await.unwrap_err().to_string().contains("more than 100 keys"));
    let stats = text(&run(&mut session, "INFO commandstats").await.unwrap());
    assert!(stats.contains("cmdstat_scan:calls=1,"), "no further than the bound: {stats}");
    assert!(!stats.contains("cmdstat_keys"), "KEYS holds the server up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_over_the_bound_is_not_moved() {
    let Some(redis) = available(Redis::start()) else { return };
    let limits = Limits { redis_max_exchange_bytes: 100_000, ..Limits::default() };
    let store = RedisStore::new(&Client::new(&limits), &redis.url(), "default").unwrap();
    let mut session = open(&Client::new(&Limits::default()), &redis.url()).await;
    run(&mut session, "SETRANGE large 999999 x").await.unwrap();
    let too_large = store.get("large", 1_000).await.unwrap_err().to_string();
    assert!(too_large.contains("more than 1000 bytes"), "{too_large}");
    // Had it been moved, it would have ended the connection.
    assert!(store.exists("large").await.unwrap());
    let refused = store.set("k", vec![0; 100_001]).await.unwrap_err().to_string();
    assert!(refused.contains("at most 100000 bytes"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_value_store_fails_while_its_server_is_gone_and_goes_on_after() {
    let Some(mut redis) = available(Redis::start_with_password("hunter2")) else { return };
    let store = RedisStore::new(&Client::new(&impatient()), &redis.url(), "default").unwrap();
    store.set("k", b"v".to_vec()).await.unwrap();
    redis.kill();
    let gone = store.get("k", 10).await.unwrap_err().to_string();
    assert!(gone.contains("can't be reached") && !gone.contains("hunter2"), "{gone}");
    redis.restart();
    assert_eq!(store.get("k", 10).await.unwrap().as_deref(), Some(&b"v"[..]));
}
