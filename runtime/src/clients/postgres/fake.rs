//! A server in the place of PostgreSQL that says what a test tells it to: full, starting, silent, vanished. A real one makes these hard to
//! come by; what a real one does is in the end-to-end tests.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A message of the server.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

/// The end of an answer, outside a transaction.
pub(crate) fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// What answers the reset of a session: nothing is prepared.
pub(crate) fn reset() -> Vec<u8> {
    let column = |name: &[u8]| [name, &[0; 19]].concat();
    let columns = [&[0, 2][..], &column(b"a"), &column(b"b")].concat();
    let row = b"\0\x02\0\0\0\x010\0\0\0\x010";
    [message(b'T', &columns), message(b'D', row), message(b'C', b"SELECT 1\0"), ready()].concat()
}

/// Takes a client in without asking who it is.
pub(crate) async fn welcome(stream: &mut TcpStream) {
    read_startup(stream).await;
    stream.write_all(&[message(b'R', &[0; 4]), ready()].concat()).await.unwrap();
}

pub(crate) async fn read_startup(stream: &mut TcpStream) {
    let length = stream.read_u32().await.unwrap();
    stream.read_exact(&mut vec![0; length as usize - 4]).await.unwrap();
}

/// The kind and the text of the client's next message; none when it has gone.
pub(crate) async fn read_message(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await.ok()?;
    let length = stream.read_u32().await.ok()?;
    let mut body = vec![0; length as usize - 4];
    stream.read_exact(&mut body).await.ok()?;
    Some((kind, body))
}

/// Answers resets and questions whether it lives, until the client goes or says anything else.
pub(crate) async fn live(stream: &mut TcpStream) -> Option<u8> {
    loop {
        match read_message(stream).await? {
            (b'Q', text) if text == b"\0" => {
                stream.write_all(&[message(b'I', &[]), ready()].concat()).await.unwrap();
            }
            (b'Q', _) => stream.write_all(&reset()).await.unwrap(),
            (kind, _) => return Some(kind),
        }
    }
}

pub(crate) async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, format!("postgres://me:hunter2@127.0.0.1:{port}/db?sslmode=disable"))
}

/// A server that answers every client with the same bytes and then waits for it to go.
pub(crate) async fn answering(bytes: Vec<u8>) -> String {
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

/// A server that lets everybody in, and resets them.
pub(crate) async fn welcoming() -> String {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                welcome(&mut stream).await;
                live(&mut stream).await
            });
        }
    });
    url
}
