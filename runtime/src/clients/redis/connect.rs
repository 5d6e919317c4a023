//! From an address to a connection that is ready: resolve, connect, TLS, log in, choose the database, ask whether it answers.
//!
//! The `redis` crate could do most of this. It is done here so that every way to fail keeps its name, which the crate's log-in folds into
//! one, and so that the bytes that come back are bounded (`answers.rs`).
//!
//! A server's own words are not repeated: one that does not know AUTH answers with the password in its sentence.

use std::{io, sync::Arc, time::Duration};

use redis::Cmd;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::OnceCell,
};
use tokio_rustls::TlsConnector;

use super::{address::Address, answers::Answers};
use crate::{
    blocking::blocking,
    clients::{ServerFault, account::Account, inspect::Inspected, tls},
};

/// When a connection on which nothing happens is asked whether the other end is still there, and how often after that.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
/// The longest line that a server answers while a connection is made ready.
const MAX_LINE_BYTES: usize = 1024;
/// How a TLS server begins its answer to something that is not TLS: an alert, or a handshake.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];

/// What both a TCP and a TLS connection are.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A connection that is ready.
pub(super) type Wire = Inspected<Box<dyn Duplex>, Answers>;

/// What connections are verified with: the system's certificates, read when the first TLS connection is made.
#[derive(Debug, Default)]
pub(super) struct Tls(OnceCell<Arc<ClientConfig>>);

impl Tls {
    /// With these certificates instead of the system's.
    #[cfg(test)]
    pub(super) fn trusting(roots: RootCertStore) -> Self {
        Self(OnceCell::new_with(config(roots).ok()))
    }

    async fn connector(&self) -> Result<TlsConnector, String> {
        let made = self.0.get_or_try_init(|| blocking(|| config(tls::system_roots())));
        made.await.cloned().map(TlsConnector::from)
    }
}

fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let config = tls::configure().map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Makes a connection ready within `patience`, whose answers have at most `max_answer_bytes`, and no more than there is on `account`.
///
/// # Errors
/// The server can't be reached or is not ready, or it refuses; each in a sentence with its host and port.
pub(super) async fn connect(
    address: &Address,
    tls: &Tls,
    patience: Duration,
    max_answer_bytes: u64,
    account: &Arc<Account>,
) -> Result<Wire, ServerFault> {
    let connecting = async {
        let mut stream = open(address, tls).await?;
        make_ready(&mut stream, address).await?;
        Ok(Inspected::new(stream, Answers::new(max_answer_bytes, Arc::clone(account))))
    };
    tokio::time::timeout(patience, connecting).await.unwrap_or_else(|_| {
        Err(out_of_reach(address, &format!("did not answer within {} ms", patience.as_millis())))
    })
}

/// A sentence about a server that may answer yet.
pub(crate) fn out_of_reach(address: &Address, what: &str) -> ServerFault {
    ServerFault::Unreachable(format!("Redis at {} {what}", address.place()))
}

/// A sentence about a server that answers and refuses.
pub(crate) fn refuses(address: &Address, what: &str) -> ServerFault {
    ServerFault::Refused(format!("Redis at {} {what}", address.place()))
}

async fn open(address: &Address, tls: &Tls) -> Result<Box<dyn Duplex>, ServerFault> {
    let host = address.host_name();
    let lost = |error: io::Error| out_of_reach(address, &format!("can't be reached: {error}"));
    let stream = TcpStream::connect((host.as_str(), address.port)).await.map_err(lost)?;
    stream.set_nodelay(true).map_err(lost)?;
    SockRef::from(&stream).set_tcp_keepalive(&KEEPALIVE).map_err(lost)?;
    if !address.tls {
        return Ok(Box::new(stream));
    }
    let unusable = |reason: String| refuses(address, &format!("can't be reached by TLS: {reason}"));
    let connector = tls.connector().await.map_err(unusable)?;
    let name = ServerName::try_from(host).map_err(|error| unusable(error.to_string()))?;
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidMessage(_)) => {
                refuses(address, "does not speak TLS; write redis:// if that is meant")
            }
            Some(reason) => refuses(address, &format!("is not trusted: {reason}")),
            None => lost(error),
        }),
    }
}

/// One thing that a fresh connection is told, and what a refusal of it means.
enum Step {
    LogIn,
    Choose,
    Ask,
}

async fn make_ready(stream: &mut (impl Duplex + ?Sized), address: &Address) -> Result<(), ServerFault> {
    let mut steps = Vec::new();
    let mut commands = Vec::new();
    if let Some(login) = &address.login {
        let mut command = redis::cmd("AUTH");
        command.arg(login.user.as_deref()).arg(login.password.expose());
        commands.push(command);
        steps.push(Step::LogIn);
    }
    if address.database != 0 {
        commands.push(redis::cmd("SELECT").arg(address.database).take());
        steps.push(Step::Choose);
    }
    commands.push(redis::cmd("PING"));
    steps.push(Step::Ask);

    let lost = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            // Redis does so with who does not begin a TLS handshake, but so does one that is stopping.
            let hint = if address.tls { "" } else { "; one that speaks TLS does that: write rediss:// then" };
            out_of_reach(address, &format!("closed the connection before it answered{hint}"))
        }
        _ => out_of_reach(address, &format!("was lost before it answered: {error}")),
    };
    let request: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
    stream.write_all(&request).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    for step in &steps {
        let line = read_line(stream).await.map_err(lost)?;
        judge(step, &line, address)?;
    }
    Ok(())
}

/// Reads as far as a line end and no byte further: what comes after that is not ours.
async fn read_line(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") && line.len() < MAX_LINE_BYTES {
        match stream.read_u8().await {
            Ok(byte) => line.push(byte),
            // What does not speak RESP may end without a line; its first bytes say what it is.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !line.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(line)
}

/// What an answer means for the connection. Only the codes of errors are looked at, and words that no password can be in.
fn judge(step: &Step, line: &[u8], address: &Address) -> Result<(), ServerFault> {
    let error = match line {
        [b'+', ..] => return Ok(()),
        [b'-', error @ ..] => String::from_utf8_lossy(error),
        [first, ..] if TLS_RECORDS.contains(first) => {
            return Err(refuses(address, "speaks TLS; write rediss://"));
        }
        _ => return Err(refuses(address, "is not a Redis server: it answers in another protocol")),
    };
    let error = error.trim_end();
    let (code, words) = error.split_once(' ').unwrap_or((error, ""));
    match (step, code) {
        (_, "LOADING") => Err(out_of_reach(address, "is still loading its data")),
        (_, "BUSY") => Err(out_of_reach(address, "is busy with a script")),
        (_, "MASTERDOWN") => Err(out_of_reach(address, "has lost the server that it copies")),
        (_, "ERR") if words.starts_with("max number of clients") => {
            Err(out_of_reach(address, "has as many clients as it takes"))
        }
        (_, "DENIED") => {
            Err(refuses(address, "takes connections from its own machine only (protected mode)"))
        }
        (_, "NOAUTH") => Err(refuses(address, "asks for a password, and the URL has none")),
        (Step::LogIn, "ERR") if words.contains("without any password configured") => {
            Err(refuses(address, "has no password, and the URL has one"))
        }
        (Step::LogIn, _) => Err(refuses(address, "does not take the URL's user and password")),
        (Step::Choose, "NOPERM") => Err(refuses(address, "does not let this user choose a database")),
        (Step::Choose, _) => Err(refuses(address, &format!("has no database {}", address.database))),
        // It answered: a user who may not PING may still do what it is for.
        (Step::Ask, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    fn judged(step: Step, line: &str) -> Result<(), ServerFault> {
        judge(&step, line.as_bytes(), &Address::parse("redis://me:hunter2@cache/7").unwrap())
    }

    #[test]
    fn what_may_pass_by_itself_is_unreachable_and_what_the_operator_mends_is_refused() {
        for (step, line, fault) in [
            (Step::LogIn, "-WRONGPASS invalid username-password pair\r\n", "does not take"),
            (Step::LogIn, "-ERR invalid password\r\n", "does not take"),
            (
                Step::LogIn,
                "-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n",
                "does not take",
            ),
            (
                Step::LogIn,
                "-ERR AUTH <password> called without any password configured for x\r\n",
                "has no password",
            ),
            (Step::Choose, "-NOAUTH Authentication required.\r\n", "asks for a password"),
            (Step::Choose, "-ERR DB index is out of range\r\n", "has no database 7"),
            (Step::Choose, "-NOPERM this user has no permissions\r\n", "does not let"),
            (Step::Ask, "-NOAUTH Authentication required.\r\n", "asks for a password"),
            (Step::Ask, "-DENIED Redis is running in protected mode\r\n", "protected mode"),
            (Step::Ask, "HTTP/1.1 400 Bad Request\r\n", "another protocol"),
            (Step::Ask, "\u{15}\u{3}\u{1}", "write rediss://"),
            (Step::Ask, "", "another protocol"),
        ] {
            let Err(ServerFault::Refused(text)) = judged(step, line) else { panic!("{line}") };
            assert!(text.starts_with("Redis at cache:6379 ") && text.contains(fault), "{text}");
            assert!(!text.contains("hunter2") && !text.contains("me "), "{text}");
        }
        for (step, line) in [
            (Step::Ask, "-LOADING\r\n"),
            (Step::LogIn, "-LOADING Redis is loading the dataset in memory\r\n"),
            (Step::Ask, "-BUSY Redis is busy running a script\r\n"),
            (Step::Ask, "-MASTERDOWN Link with MASTER is down\r\n"),
            (Step::LogIn, "-ERR max number of clients reached\r\n"),
        ] {
            assert!(matches!(judged(step, line), Err(ServerFault::Unreachable(_))), "{line}");
        }
        for (step, line) in [
            (Step::LogIn, "+OK\r\n"),
            (Step::Ask, "+PONG\r\n"),
            (Step::Ask, "-NOPERM this user has no permissions to run the 'ping' command\r\n"),
        ] {
            assert_eq!(judged(step, line), Ok(()), "{line}");
        }
    }

    #[tokio::test]
    async fn a_line_is_read_to_its_end_and_no_further() {
        let mut bytes = &b"+OK\r\n+PONG\r\n"[..];
        assert_eq!(read_line(&mut bytes).await.unwrap(), b"+OK\r\n");
        assert_eq!(bytes, b"+PONG\r\n");
        let endless = vec![b'x'; 2 * MAX_LINE_BYTES];
        assert_eq!(read_line(&mut endless.as_slice()).await.unwrap().len(), MAX_LINE_BYTES);
        assert_eq!(read_line(&mut &b"\x15\x03"[..]).await.unwrap(), b"\x15\x03");
        assert_eq!(read_line(&mut &b""[..]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    const AUTHORITY: &str = include_str!("../../../tests/fixtures/tls/authority.pem");
    const LOCALHOST: &str = include_str!("../../../tests/fixtures/tls/localhost.pem");
    const LOCALHOST_KEY: &str = include_str!("../../../tests/fixtures/tls/localhost.key");

    async fn connect_to(url: &str, tls: Tls) -> Result<Wire, ServerFault> {
        connect(&Address::parse(url).unwrap(), &tls, Duration::from_secs(20), 1 << 20, &Arc::default()).await
    }

    fn trusted(authority: &str) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(authority.as_bytes()).map(Result::unwrap),
        );
        Tls::trusting(roots)
    }

    /// A server that speaks TLS and says PONG; its port.
    async fn tls_server() -> u16 {
        let chain = CertificateDer::pem_slice_iter(LOCALHOST.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(LOCALHOST_KEY.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    stream.write_all(b"+PONG\r\n").await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn a_certificate_is_verified_for_its_authority_and_its_name() {
        let port = tls_server().await;
        assert!(connect_to(&format!("rediss://localhost:{port}"), trusted(AUTHORITY)).await.is_ok());
        for (url, tls) in [
            (format!("rediss://localhost:{port}"), trusted("")),
            (format!("rediss://127.0.0.1:{port}"), trusted(AUTHORITY)),
        ] {
            let Err(ServerFault::Refused(text)) = connect_to(&url, tls).await else { panic!("{url}") };
            assert!(text.contains("is not trusted: "), "{text}");
        }
    }

    #[tokio::test]
    async fn a_url_with_the_other_scheme_is_told_from_a_server_that_is_down() {
        let port = tls_server().await;
        let Err(ServerFault::Refused(text)) =
            connect_to(&format!("redis://localhost:{port}"), Tls::default()).await
        else {
            panic!("TLS")
        };
        assert!(text.contains("speaks TLS; write rediss://"), "{text}");

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(b"-ERR Protocol error\r\n").await.unwrap();
            }
        });
        let Err(ServerFault::Refused(text)) =
            connect_to(&format!("rediss://{url}"), trusted(AUTHORITY)).await
        else {
            panic!("no TLS")
        };
        assert!(text.contains("does not speak TLS; write redis://"), "{text}");
    }

    #[tokio::test]
    async fn a_server_that_hangs_up_or_says_nothing_is_out_of_reach() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address =
            Address::parse(&format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
        let patience = Duration::from_millis(50);
        let Err(ServerFault::Unreachable(text)) =
            connect(&address, &Tls::default(), patience, 1, &Arc::default()).await
        else {
            panic!("silent")
        };
        assert!(text.contains("did not answer within 50 ms"), "{text}");

        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let Err(ServerFault::Unreachable(text)) = connect_to(&address.to_string(), Tls::default()).await
        else {
            panic!("hung up")
        };
        assert!(text.contains("before it answered"), "{text}");
    }
}
