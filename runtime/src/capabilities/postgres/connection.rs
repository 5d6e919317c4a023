//! Connections to one address: making one, and telling the server to stop what one is doing.
//!
//! The socket and the question whether the server speaks TLS are ours, so that a fault is named by the step it came from, and so that
//! every message passes a gate. The rest of the protocol is `tokio-postgres`.

use std::{future::poll_fn, io, net::SocketAddr, time::Instant};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::OnceCell,
    task::AbortHandle,
};
use tokio_postgres::{
    CancelToken, Client, Config, NoTls,
    config::{SslMode, SslNegotiation},
    tls::{MakeTlsConnect, TlsConnect},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    address::{Address, Encryption},
    bounds::Bounds,
    fault,
    gate::{Gate, Tripped},
    statement::Statements,
    tls,
};
use crate::capabilities::error::ServerFault;

/// "Do you speak TLS?" (PostgreSQL's protocol, SSLRequest.)
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A connection, with the task that moves its bytes. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) statements: Statements,
    /// Whether the gate ended it.
    pub(super) tripped: Tripped,
    /// What the gate is told to hold, for the sentence about it.
    pub(super) max_result_bytes: usize,
    /// When it last came back from a borrower.
    pub(super) idle_since: Instant,
    peer: SocketAddr,
    is_encrypted: bool,
    /// The task's socket once more, to look at.
    socket: std::net::TcpStream,
    task: AbortHandle,
}

/// How an idle connection looks from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing has come from the server, as it should be.
    Quiet,
    /// Something has come that nobody asked for, or an answer that nobody waited for.
    Spoken,
    /// It has ended.
    Ended,
}

impl Connection {
    /// Looks at the socket itself: the task may not have had its turn since the server went.
    pub(super) fn look(&self) -> Look {
        if self.client.is_closed() {
            return Look::Ended;
        }
        match self.socket.peek(&mut [0]) {
            Ok(0) => Look::Ended,
            Ok(_) => Look::Spoken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Look::Quiet,
            Err(_) => Look::Ended,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes connections to one address.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) address: Address,
    pub(super) bounds: Bounds,
    tls: OnceCell<Tls>,
}

impl Dialer {
    pub(super) fn new(address: Address, bounds: Bounds) -> Self {
        Self { address, bounds, tls: OnceCell::new() }
    }

    /// A new connection, ready for statements.
    ///
    /// # Errors
    /// A sentence about the step that failed.
    pub(super) async fn dial(&self) -> Result<Connection, ServerFault> {
        let timeout = self.bounds.connect_timeout;
        tokio::time::timeout(timeout, self.connect()).await.unwrap_or_else(|_| {
            let millis = timeout.as_millis();
            Err(self.address.unreachable(format_args!("can't be reached: no answer within {millis} ms")))
        })
    }

    async fn connect(&self) -> Result<Connection, ServerFault> {
        let (mut stream, socket, peer) = self.open_socket().await?;
        let is_encrypted = self.negotiate(&mut stream).await?;
        let tripped = Tripped::default();
        let max = self.bounds.max_message_bytes();
        let config = self.config(is_encrypted);
        let failed = |error| fault::of_connecting(&self.address, &error);
        let (client, task) = if is_encrypted {
            let tls = Gated { tls: self.tls().await?.session(&self.address), max, tripped: tripped.clone() };
            let (client, connection) = config.connect_raw(stream, tls).await.map_err(failed)?;
            (client, drive(connection))
        } else {
            let stream = Gate::new(stream, max, tripped.clone());
            let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(failed)?;
            (client, drive(connection))
        };
        Ok(Connection {
            client,
            statements: Statements::default(),
            tripped,
            max_result_bytes: self.bounds.max_result_bytes,
            idle_since: Instant::now(),
            peer,
            is_encrypted,
            socket,
            task,
        })
    }

    /// A socket, twice, and where it leads.
    async fn open_socket(&self) -> Result<(TcpStream, std::net::TcpStream, SocketAddr), ServerFault> {
        let address = &self.address;
        let places = tokio::net::lookup_host((address.host(), address.port()))
            .await
            .map_err(|_| address.unreachable("can't be reached: the name of the host does not resolve"))?;
        let mut last = io::ErrorKind::NotFound;
        for place in places {
            match open_socket(place).await {
                Ok((stream, socket)) => return Ok((stream, socket, place)),
                Err(error) => last = error.kind(),
            }
        }
        let hint =
            if last == io::ErrorKind::ConnectionRefused { "; is PostgreSQL running there?" } else { "" };
        Err(address.unreachable(format_args!("can't be reached: {last}{hint}")))
    }

    /// Asks for TLS as the address wants it; whether the stream goes on with it.
    async fn negotiate(&self, stream: &mut TcpStream) -> Result<bool, ServerFault> {
        if self.address.encryption == Encryption::Disable {
            return Ok(false);
        }
        let mut answer = [0];
        let asked = async {
            stream.write_all(&TLS_REQUEST).await?;
            // Not a byte more: what follows belongs to the TLS session, or was put there by somebody in between.
            stream.read_exact(&mut answer).await
        };
        let lost =
            |error: io::Error| self.address.unreachable(format_args!("can't be reached: {}", error.kind()));
        asked.await.map_err(lost)?;
        match answer {
            [b'S'] => Ok(true),
            [b'N'] if self.address.encryption == Encryption::Prefer => Ok(false),
            [b'N'] => Err(self.address.refused("offers no TLS, which its sslmode asks for")),
            [b'E'] => Err(self.address.unreachable("takes no connection at the moment")),
            _ => Err(self.address.refused("is not there: what answers is no PostgreSQL server")),
        }
    }

    fn config(&self, is_encrypted: bool) -> Config {
        let address = &self.address;
        let mut config = Config::new();
        config
            .user(&address.user)
            // Without one the server is the first to miss it, and its refusal has a code.
            .password(address.password.as_ref().map_or("", |password| password.expose()))
            .dbname(&address.database)
            .application_name(&address.application_name)
            .channel_binding(address.channel_binding);
        if let Some(options) = &address.options {
            config.options(options);
        }
        if is_encrypted {
            // The server has said yes already.
            config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        } else {
            config.ssl_mode(SslMode::Disable);
        }
        config
    }

    async fn tls(&self) -> Result<&Tls, ServerFault> {
        self.tls
            .get_or_try_init(|| async { tls::connector(&self.address.encryption).await.map(Tls) })
            .await
            .map_err(|clause| self.address.refused(clause))
    }

    /// Asks the server to stop the statement that a connection is busy with. It may not, and nobody is told.
    pub(super) async fn cancel(&self, connection: &Connection) {
        let request =
            self.send_cancel(connection.peer, connection.is_encrypted, connection.client.cancel_token());
        let _nothing_to_be_done = tokio::time::timeout(self.bounds.connect_timeout, request).await;
    }

    async fn send_cancel(&self, peer: SocketAddr, is_encrypted: bool, token: CancelToken) -> Result<(), ()> {
        let mut stream = TcpStream::connect(peer).await.map_err(drop)?;
        if !is_encrypted {
            return token.cancel_query_raw(stream, NoTls).await.map_err(drop);
        }
        if !self.negotiate(&mut stream).await.map_err(drop)? {
            return Err(());
        }
        let tls = self.tls().await.map_err(drop)?.session(&self.address);
        token.cancel_query_raw(stream, tls).await.map_err(drop)
    }
}

type Session = <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::TlsConnect;
type Encrypted = <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::Stream;

/// What makes TLS sessions.
struct Tls(MakeRustlsConnect);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    fn session(&self, address: &Address) -> Session {
        let made = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut self.0.clone(), &address.host());
        match made {
            Ok(session) => session,
            Err(never) => match never {},
        }
    }
}

/// A TLS session with a gate on its inner side.
struct Gated {
    tls: Session,
    max: u64,
    tripped: Tripped,
}

impl TlsConnect<TcpStream> for Gated {
    type Stream = Gate<Encrypted>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Stream>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        let Self { tls, max, tripped } = self;
        let session = TlsConnect::<TcpStream>::connect(tls, stream);
        async move { session.await.map(|stream| Gate::new(stream, max, tripped)) }.boxed()
    }
}

async fn open_socket(place: SocketAddr) -> io::Result<(TcpStream, std::net::TcpStream)> {
    let stream = TcpStream::connect(place).await?;
    // Statements are small, and each is waited for.
    stream.set_nodelay(true)?;
    let socket = stream.into_std()?;
    Ok((TcpStream::from_std(socket.try_clone()?)?, socket))
}

/// Moves a connection's bytes until it ends. Notices and notifications are for nobody: a session's borrower can't hear them.
fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>) -> AbortHandle
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let task =
        async move { while let Some(Ok(_)) = poll_fn(|context| connection.poll_message(context)).await {} };
    tokio::spawn(task).abort_handle()
}
