//! Messages: each reaches every runtime, and a subscription that is lost is taken up again.

use super::*;

/// How many PINGs the server has refused.
async fn refused_pings(session: &mut Session) -> u32 {
    let stats = text(&run(session, "INFO commandstats").await.unwrap());
    let ping = stats.lines().find(|line| line.starts_with("cmdstat_ping:")).unwrap_or_default();
    let refused = ping.split(',').find_map(|field| field.strip_prefix("rejected_calls="));
    refused.map_or(0, |number| number.parse().unwrap())
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
    listener.logged("subscription-refused").await;
    assert!(listener.cause_of("subscription-refused").contains("subscribe to the channel"));
    assert_eq!(listener.log.lines()[0].level, Level::Error);
    run(&mut admin, "ACL SETUSER listener &wake").await.unwrap();
    assert_eq!(listener.next().await, WAKE_UP);
    // This user may not PING, so each time that it asks for a sign of life the server counts a refusal. That is one, too.
    let refused = refused_pings(&mut admin).await;
    until("two signs of life", async || refused_pings(&mut admin).await >= refused + 2).await;
    assert_eq!(listener.events(), ["subscription-refused", "subscription-back"]);
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
