//! The client against servers that a real one makes hard to come by.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use super::{
    fake::{answering, listener, live, message, read_message, ready, welcome, welcoming},
    *,
};

const DEADLINE: Duration = Duration::from_secs(30);

fn fatal(code: &str, words: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0").as_bytes())
}

fn client(change: impl FnOnce(&mut Bounds)) -> Client {
    let mut bounds = Bounds::new(&Limits::default());
    change(&mut bounds);
    Client::within(bounds)
}

async fn check(client: &Client, url: &str) -> ServerFault {
    let fault = within(client.check(url)).await.unwrap_err();
    let text = fault.to_string();
    assert!(text.starts_with("the PostgreSQL database \"db\" at ") && !text.contains("hunter2"), "{text}");
    fault
}

async fn lend(client: &Client, url: &str) -> Result<Lent, ServerFault> {
    within(client.lend(&parsed(url).unwrap())).await
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap()
}

/// Waits until as many of this client's connections are idle.
async fn until_idle(client: &Client, expected: usize) {
    within(async {
        while client.inner.servers().iter().map(|(_, pool)| pool.idle_len()).sum::<usize>() != expected {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_server_says_is_told_apart_by_who_mends_it() {
    for (code, is_unreachable, words) in [
        ("57P03", true, "is not ready"),
        ("53300", true, "has no connection left"),
        ("57P01", true, "can't be reached: whatever (SQLSTATE 57P01)"),
        ("28P01", false, "refuses this user with this password"),
        ("28000", false, "does not let this user in from here"),
        ("3D000", false, "does not exist"),
        ("42501", false, "does not let this user in"),
        ("0A000", false, "refuses: whatever (SQLSTATE 0A000)"),
    ] {
        let url = answering(fatal(code, "whatever")).await;
        let fault = check(&client(|_| {}), &url).await;
        assert_eq!(matches!(fault, ServerFault::Unreachable(_)), is_unreachable, "{code}: {fault}");
        assert!(fault.to_string().contains(words), "{code}: {fault}");
    }
}

#[tokio::test]
async fn a_missing_password_is_said_to_be_missing() {
    let url = answering(fatal("28P01", "whatever")).await.replace(":hunter2", "");
    let fault = check(&client(|_| {}), &url).await;
    assert!(fault.to_string().contains("asks for a password, and its address has none"), "{fault}");
}

#[tokio::test]
async fn what_is_no_postgresql_server_is_said_to_be_none() {
    let url = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    for mode in ["disable", "prefer", "require"] {
        let fault = check(&client(|_| {}), &url.replace("disable", mode)).await;
        assert!(
            matches!(fault, ServerFault::Refused(_)) && fault.to_string().contains("no PostgreSQL"),
            "{mode}: {fault}"
        );
    }
    let overloaded = answering(b"Ecould not fork new process for connection\n\0".to_vec()).await;
    let fault = check(&client(|_| {}), &overloaded.replace("disable", "prefer")).await;
    assert!(matches!(fault, ServerFault::Unreachable(_)), "{fault}");
}

#[tokio::test]
async fn a_server_without_tls_is_used_only_where_tls_may_be_missing() {
    let url = answering(b"N".to_vec()).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let fault = check(&client(|_| {}), &url.replace("disable", mode)).await;
        assert!(matches!(fault, ServerFault::Refused(_)), "{fault}");
        assert!(fault.to_string().contains("offers no TLS"), "{fault}");
    }
    // The server goes on waiting for the client, who has taken the "no" for an answer.
    let brief = client(|bounds| bounds.connect_timeout = Duration::from_millis(50));
    let fault = check(&brief, &url.replace("disable", "prefer")).await;
    assert!(fault.to_string().contains("no answer within 50 ms"), "{fault}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let url = answering(Vec::new()).await;
    let fault = check(&client(|bounds| bounds.connect_timeout = Duration::from_millis(50)), &url).await;
    assert!(matches!(fault, ServerFault::Unreachable(_)), "{fault}");
    assert!(fault.to_string().contains("no answer within 50 ms"), "{fault}");
}

#[tokio::test]
async fn a_place_where_nobody_listens_is_unreachable() {
    let (listener, url) = listener().await;
    drop(listener);
    let fault = check(&client(|_| {}), &url).await;
    assert!(matches!(fault, ServerFault::Unreachable(_)), "{fault}");
    assert!(fault.to_string().contains("connection refused; is PostgreSQL running there?"), "{fault}");
    let fault = check(&client(|_| {}), "postgres://me:hunter2@nowhere.invalid/db").await;
    assert!(matches!(fault, ServerFault::Unreachable(_)), "{fault}");
    assert!(fault.to_string().contains("does not resolve"), "{fault}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_words() {
    let client = client(|_| {});
    let fault = client.check("postgres://me:hunter2@/db").await.unwrap_err();
    assert!(matches!(&fault, ServerFault::Refused(text) if !text.contains("hunter2")), "{fault}");
    assert!(Client::validate("postgres://me:hunter2@/db").is_err());
    assert_eq!(Client::validate("postgres://me:hunter2@host/db"), Ok(()));
}

#[tokio::test]
async fn an_idle_connection_that_vanished_without_a_word_is_not_lent() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        // Three that answer their reset and nothing after it, and one that lives.
        let mut silent = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            welcome(&mut stream).await;
            silent.push(stream);
        }
        for stream in &mut silent {
            assert!(matches!(read_message(stream).await, Some((b'Q', text)) if text.starts_with(b"SET")));
            stream.write_all(&fake::reset()).await.unwrap();
        }
        let (mut stream, _) = listener.accept().await.unwrap();
        welcome(&mut stream).await;
        live(&mut stream).await;
        // Of the silent ones only the first was asked.
        let mut asked = 0;
        for mut stream in silent {
            asked += usize::from(matches!(read_message(&mut stream).await, Some((b'Q', _))));
        }
        asked
    });
    let client = client(|bounds| {
        bounds.trust = Duration::ZERO;
        bounds.connect_timeout = Duration::from_secs(2);
    });
    let mut lent = Vec::new();
    for _ in 0..3 {
        lent.push(lend(&client, &url).await.unwrap());
    }
    drop(lent);
    until_idle(&client, 3).await;
    drop(lend(&client, &url).await.unwrap());
    until_idle(&client, 1).await;
    // The one that answers stays.
    drop(lend(&client, &url).await.unwrap());
    until_idle(&client, 1).await;
    drop(client);
    assert_eq!(within(server).await.unwrap(), 1);
}

/// A server that counts who comes, lets all in, and answers a reset with this.
async fn answering_resets_with(bytes: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let (listener, url): (TcpListener, _) = listener().await;
    let clients = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&clients);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let bytes = bytes.clone();
            tokio::spawn(async move {
                welcome(&mut stream).await;
                while read_message(&mut stream).await.is_some() {
                    stream.write_all(&bytes).await.unwrap();
                }
            });
        }
    });
    (url, clients)
}

#[tokio::test]
async fn a_connection_whose_reset_fails_or_is_not_answered_is_not_lent_again() {
    let refusal = message(b'E', b"SERROR\0VERROR\0C57014\0Mtook too long\0\0");
    let in_transaction = [fake::reset().split_last().unwrap().1, b"T"].concat();
    for (answer, expected) in [
        (fake::reset(), 1),
        ([refusal, ready()].concat(), 3),
        (in_transaction, 3),
        (ready(), 3),
        (Vec::new(), 3),
    ] {
        let (url, clients) = answering_resets_with(answer.clone()).await;
        let client = client(|bounds| {
            // One at a time: the next borrower has to wait for the end of the reset.
            bounds.max_connections = 1;
            bounds.reset_timeout = Duration::from_millis(50);
        });
        for _ in 0..3 {
            drop(lend(&client, &url).await.unwrap());
        }
        assert_eq!(clients.load(Ordering::SeqCst), expected, "{answer:?}");
    }
}

#[tokio::test]
async fn connections_are_closed_when_they_are_old_or_nobody_uses_them() {
    let forever = Duration::from_secs(3600);
    let short = Duration::from_millis(300);
    for (max_age, max_idle) in [(short, forever), (forever, short)] {
        let (url, clients) = answering_resets_with(fake::reset()).await;
        let client = client(|bounds| (bounds.max_age, bounds.max_idle) = (max_age, max_idle));
        drop(lend(&client, &url).await.unwrap());
        until_idle(&client, 1).await;
        until_idle(&client, 0).await;
        assert!(client.inner.servers().is_empty(), "nothing is left of a server that nobody uses");
        drop(lend(&client, &url).await.unwrap());
        assert_eq!(clients.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn one_server_is_one_pool_whatever_an_address_says_besides() {
    let (url, clients) = answering_resets_with(fake::reset()).await;
    let client = client(|bounds| {
        bounds.max_connections = 2;
        bounds.acquire_timeout = Duration::from_millis(50);
    });
    let of = |name: &str| format!("{url}&application_name={name}");
    let (a, _b) = (lend(&client, &of("a")).await.unwrap(), lend(&client, &of("b")).await.unwrap());
    let third = lend(&client, &url.replace("/db?", "/other?")).await.unwrap_err();
    assert!(third.to_string().contains("all 2 connections of this runtime to its server"), "{third}");
    assert_eq!(client.inner.servers().len(), 1);
    // One that waits for another address gives way, and is never lent for this one.
    drop(a);
    until_idle(&client, 1).await;
    let c = lend(&client, &of("c")).await.unwrap();
    until_idle(&client, 0).await;
    assert_eq!(clients.load(Ordering::SeqCst), 3);
    // The same address gets the same connection.
    drop(c);
    until_idle(&client, 1).await;
    let _c = lend(&client, &of("c")).await.unwrap();
    assert_eq!(clients.load(Ordering::SeqCst), 3);
    let other_password = of("c").replace("hunter2", "hunter3");
    assert!(lend(&client, &other_password).await.is_err(), "all are in use");
}

#[tokio::test]
async fn servers_in_use_are_bounded_and_an_unused_one_gives_way() {
    let client = client(|bounds| bounds.max_servers = 2);
    let [a, b, c] = [welcoming().await, welcoming().await, welcoming().await];
    let first = lend(&client, &a).await.unwrap();
    let _second = lend(&client, &b).await.unwrap();
    let third = lend(&client, &c).await.unwrap_err();
    assert!(third.to_string().contains("2 servers are in use (pg_max_servers)"), "{third}");
    drop(first);
    until_idle(&client, 1).await;
    let _third = within(async {
        loop {
            // The reset holds the first for a moment longer.
            match client.lend(&parsed(&c).unwrap()).await {
                Ok(lent) => return lent,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    assert!(lend(&client, &a).await.is_err());
}

#[test]
fn connections_live_on_the_runtime_of_their_client() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (home, another) = (tokio::runtime::Runtime::new().unwrap(), runtime());
    let (client, url) = home.block_on(async { (client(|_| {}), welcoming().await) });
    drop(another.block_on(lend(&client, &url)).unwrap());
    drop(another);
    // Had the first been made there, it would have gone with it.
    home.block_on(async {
        until_idle(&client, 1).await;
        let mut lent = lend(&client, &url).await.unwrap();
        assert!(lent.connection().unwrap().client.simple_query("").await.is_ok());
    });
}
