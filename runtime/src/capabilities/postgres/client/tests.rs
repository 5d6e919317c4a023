//! The client against servers that a real one makes hard to come by: full, starting, silent, vanished. What a real one does is in the
//! end-to-end tests.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);

/// A message of the server.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

fn fatal(code: &str, words: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0").as_bytes())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// Takes a client in without asking who it is.
async fn welcome(stream: &mut TcpStream) {
    read_startup(stream).await;
    stream.write_all(&[message(b'R', &[0; 4]), ready()].concat()).await.unwrap();
}

async fn read_startup(stream: &mut TcpStream) {
    let length = stream.read_u32().await.unwrap();
    stream.read_exact(&mut vec![0; length as usize - 4]).await.unwrap();
}

/// The next message of the client; none when it has gone.
async fn read_message(stream: &mut TcpStream) -> Option<u8> {
    let kind = stream.read_u8().await.ok()?;
    let length = stream.read_u32().await.ok()?;
    stream.read_exact(&mut vec![0; length as usize - 4]).await.ok()?;
    Some(kind)
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, format!("postgres://me:hunter2@127.0.0.1:{port}/db?sslmode=disable"))
}

/// A server that answers every client with the same bytes and then waits for it to go.
async fn answering(bytes: Vec<u8>) -> String {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let bytes = bytes.clone();
            tokio::spawn(async move {
                read_startup(&mut stream).await;
                stream.write_all(&bytes).await.unwrap();
                while stream.read_u8().await.is_ok() {}
            });
        }
    });
    url
}

fn client(change: impl FnOnce(&mut Bounds)) -> Client {
    let mut client = Client::new(&Limits::default());
    change(&mut client.bounds);
    client
}

async fn check(client: &Client, url: &str) -> ServerFault {
    let fault = tokio::time::timeout(DEADLINE, client.check(url)).await.unwrap().unwrap_err();
    let text = fault.to_string();
    assert!(text.starts_with("the PostgreSQL database \"db\" at ") && !text.contains("hunter2"), "{text}");
    fault
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
    let fault = check(&client(|_| {}), &url.replace("sslmode=disable", "sslmode=prefer")).await;
    assert!(
        matches!(fault, ServerFault::Refused(_)) && fault.to_string().contains("no PostgreSQL"),
        "{fault}"
    );
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
    let refused = client.open("postgres://me:hunter2@/db").await.unwrap_err();
    assert!(matches!(&refused, Error::ConnectionFailed(text) if !text.contains("hunter2")), "{refused:?}");
    assert!(Client::validate("postgres://me:hunter2@/db").is_err());
    assert_eq!(Client::validate("postgres://me:hunter2@host/db"), Ok(()));
}

#[tokio::test]
async fn an_idle_connection_that_vanished_without_a_word_is_not_lent() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        // Three that answer nothing after their welcome, and one that lives.
        let mut silent = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            welcome(&mut stream).await;
            silent.push(stream);
        }
        let (mut stream, _) = listener.accept().await.unwrap();
        welcome(&mut stream).await;
        while read_message(&mut stream).await == Some(b'Q') {
            stream.write_all(&[message(b'I', &[]), ready()].concat()).await.unwrap();
        }
        // Of the silent ones only the first was asked.
        let mut asked = 0;
        for mut stream in silent {
            asked += usize::from(read_message(&mut stream).await == Some(b'Q'));
        }
        asked
    });
    let client = client(|bounds| {
        bounds.ask_after_idle = Duration::ZERO;
        bounds.connect_timeout = Duration::from_secs(2);
    });
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(client.open(&url).await.unwrap());
    }
    drop(sessions);
    drop(client.open(&url).await.unwrap());
    // The one that answers stays.
    drop(client.open(&url).await.unwrap());
    drop(client);
    assert_eq!(tokio::time::timeout(DEADLINE, server).await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_first_statement_moves_from_a_dead_connection_to_a_new_one() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        welcome(&mut first).await;
        // Gone as soon as the statement is to be prepared.
        assert_eq!(read_message(&mut first).await, Some(b'P'));
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        welcome(&mut second).await;
        assert_eq!(read_message(&mut second).await, Some(b'P'));
        let refusal = b"SERROR\0VERROR\0C42601\0Mno such thing\0\0";
        second.write_all(&[message(b'E', refusal), ready()].concat()).await.unwrap();
        // The second statement meets the end, and that is not hidden: a transaction may have been open.
        while read_message(&mut second).await != Some(b'P') {}
    });
    let client = client(|_| {});
    let mut session = client.open(&url).await.unwrap();
    let refused = session.query("SELECT", Vec::new()).await.unwrap_err();
    assert!(matches!(&refused, Error::QueryFailed(text) if text.contains("no such thing")), "{refused:?}");
    let lost = session.query("SELECT 1", Vec::new()).await.unwrap_err();
    assert!(matches!(&lost, Error::ConnectionFailed(text) if text.contains("lost")), "{lost:?}");
    let still_lost = session.query("SELECT 1", Vec::new()).await.unwrap_err();
    assert!(matches!(&still_lost, Error::ConnectionFailed(_)), "{still_lost:?}");
    server.await.unwrap();
}

#[tokio::test]
async fn addresses_in_use_are_bounded_and_an_unused_one_gives_way() {
    let url = answering([message(b'R', &[0; 4]), ready()].concat()).await;
    let another = |name: &str| url.replace("/db?", &format!("/{name}?"));
    let client = client(|bounds| bounds.max_addresses = 2);
    let first = client.open(&another("a")).await.unwrap();
    let _second = client.open(&another("b")).await.unwrap();
    let third = client.open(&another("c")).await.unwrap_err();
    assert!(
        matches!(&third, Error::ConnectionFailed(text) if text.contains("2 addresses are in use")),
        "{third:?}"
    );
    drop(first);
    let _third = client.open(&another("c")).await.unwrap();
    let fourth = client.open(&another("a")).await.unwrap_err();
    assert!(matches!(&fourth, Error::ConnectionFailed(text) if text.contains("addresses")), "{fourth:?}");
}
