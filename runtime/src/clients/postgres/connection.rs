//! Connections to one server: making one, and telling the server to stop what one is doing.
//!
//! The socket is ours, so that a fault is named by the step it came from and every message is inspected before it is kept. The protocol is
//! the library's.

use std::{future::poll_fn, io, net::SocketAddr, sync::Arc, time::Instant};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{net::TcpStream, sync::Mutex};
use tokio_postgres::{
    Client, Config,
    config::SslMode,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Numbers,
    address::{Address, Encryption},
    bounds::Bounds,
    fault,
    messages::{Messages, Seen},
    statements::Statements,
    tls,
};
use crate::{
    clients::{Opened, ServerFault, inspect::Inspected},
    memory::Held,
};

/// A connection, with the task that moves its bytes. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) statements: Statements,
    /// Whom it was made for: nobody else may have it.
    pub(super) address: Arc<Address>,
    pub(super) born: Instant,
    seen: Arc<Seen>,
    peer: SocketAddr,
    /// The task's socket once more, to look at.
    socket: std::net::TcpStream,
    _task: AbortOnDropHandle<()>,
}

impl Connection {
    /// Whether a transaction is open, perhaps one that has failed, as of the last answer's end.
    pub(crate) fn in_transaction(&self) -> bool {
        self.seen.in_transaction()
    }

    /// Whether it was ended because a message was longer than is read.
    pub(crate) fn was_too_long(&self) -> bool {
        self.seen.too_long()
    }

    /// From now on a row is counted in the memory of whoever has this, before it is read.
    pub(crate) fn read_into(&self, memory: Held) -> Opened {
        self.seen.account().open(memory)
    }

    /// Whether it was ended because there was no memory for a message.
    pub(crate) fn was_refused_memory(&self) -> bool {
        self.seen.account().was_refused()
    }

    /// Whether nothing has come that nobody waits for, its end included. A look at the socket itself: the task may not have had its turn
    /// since the server went.
    pub(super) fn is_quiet(&self) -> bool {
        let looked = self.socket.peek(&mut [0]);
        !self.client.is_closed() && looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Makes connections to one server.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) bounds: Bounds,
    pub(super) numbers: Arc<Numbers>,
    /// As it was made last: most addresses of a server ask for the same.
    tls: Mutex<Option<(Encryption, Tls)>>,
}

impl Dialer {
    pub(super) fn new(bounds: Bounds, numbers: Arc<Numbers>) -> Self {
        Self { bounds, numbers, tls: Mutex::default() }
    }

    /// A new connection, ready for statements.
    ///
    /// # Errors
    /// A sentence about the step that failed.
    pub(super) async fn dial(&self, address: Arc<Address>) -> Result<Connection, ServerFault> {
        let timeout = self.bounds.connect_timeout;
        let dialed = tokio::time::timeout(timeout, self.connect(&address)).await.unwrap_or_else(|_| {
            let millis = timeout.as_millis();
            Err(address.unreachable(format_args!("can't be reached: no answer within {millis} ms")))
        });
        self.numbers.connects.count(dialed)
    }

    async fn connect(&self, address: &Arc<Address>) -> Result<Connection, ServerFault> {
        let (stream, socket, peer) = open_socket(address).await?;
        let (stream, seen) = self.inspected(stream, address);
        let tls = self.tls(address).await?;
        let (client, mut connection) = config(address)
            .connect_raw(stream, tls)
            .await
            .map_err(|error| fault::of_connecting(address, &error, &seen))?;
        // Notices and notifications are for nobody: a borrower can't hear them.
        let task = tokio::spawn(async move {
            while let Some(Ok(_)) = poll_fn(|context| connection.poll_message(context)).await {}
        });
        Ok(Connection {
            client,
            statements: Statements::default(),
            address: Arc::clone(address),
            born: Instant::now(),
            seen,
            peer,
            socket,
            _task: AbortOnDropHandle::new(task),
        })
    }

    /// Asks the server to stop the statement that a connection is busy with. It may not, and nobody is told.
    pub(super) async fn cancel(&self, connection: &Connection) {
        let asking = async {
            let stream = TcpStream::connect(connection.peer).await.ok()?;
            let (stream, _) = self.inspected(stream, &connection.address);
            let tls = self.tls(&connection.address).await.ok()?;
            connection.client.cancel_token().cancel_query_raw(stream, tls).await.ok()
        };
        let _nothing_to_be_done = tokio::time::timeout(self.bounds.connect_timeout, asking).await;
    }

    fn inspected(&self, stream: TcpStream, address: &Address) -> (Plain, Arc<Seen>) {
        let asks_for_tls = address.encryption != Encryption::Disable;
        let (messages, seen) = Messages::new(self.bounds.max_message_bytes, asks_for_tls);
        (Inspected::new(stream, messages), seen)
    }

    async fn tls(&self, address: &Address) -> Result<Session, ServerFault> {
        let mut made = self.tls.lock().await;
        let mut tls = match made.as_ref() {
            Some((encryption, tls)) if *encryption == address.encryption => tls.clone(),
            _ => {
                let tls = tls::connector(&address.encryption).await.map(Tls);
                let tls = tls.map_err(|clause| address.refused(clause))?;
                *made = Some((address.encryption.clone(), tls.clone()));
                tls
            }
        };
        match MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls.0, &address.host()) {
            Ok(session) => Ok(Session(session)),
            Err(never) => match never {},
        }
    }
}

/// A socket, twice, and where it leads.
async fn open_socket(address: &Address) -> Result<(TcpStream, std::net::TcpStream, SocketAddr), ServerFault> {
    let places = tokio::net::lookup_host((address.host(), address.port()))
        .await
        .map_err(|_| address.unreachable("can't be reached: the name of the host does not resolve"))?;
    let open = async |place: SocketAddr| {
        let stream = TcpStream::connect(place).await?;
        // Statements are small, and each is waited for.
        stream.set_nodelay(true)?;
        let socket = stream.into_std()?;
        Ok::<_, io::Error>((TcpStream::from_std(socket.try_clone()?)?, socket, place))
    };
    let mut last = io::ErrorKind::NotFound;
    for place in places {
        match open(place).await {
            Ok(opened) => return Ok(opened),
            Err(error) => last = error.kind(),
        }
    }
    let hint = if last == io::ErrorKind::ConnectionRefused { "; is PostgreSQL running there?" } else { "" };
    Err(address.unreachable(format_args!("can't be reached: {last}{hint}")))
}

fn config(address: &Address) -> Config {
    let mut config = Config::new();
    config
        .user(&address.user)
        // Without one the server is the first to miss it, and its refusal has a code.
        .password(address.password.as_ref().map_or("", |password| password.expose()))
        .dbname(&address.database)
        .application_name(&address.application_name)
        .channel_binding(address.channel_binding)
        .ssl_mode(match address.encryption {
            Encryption::Disable => SslMode::Disable,
            Encryption::Prefer => SslMode::Prefer,
            Encryption::Require | Encryption::VerifyCa(_) | Encryption::VerifyFull(_) => SslMode::Require,
        });
    if let Some(options) = &address.options {
        config.options(options);
    }
    config
}

type Plain = Inspected<TcpStream, Messages>;
type Encrypted = <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::Stream;

/// What makes TLS sessions.
#[derive(Clone)]
struct Tls(MakeRustlsConnect);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// A TLS session to be: what is inspected moves to its inner side.
struct Session(<MakeRustlsConnect as MakeTlsConnect<TcpStream>>::TlsConnect);

impl TlsConnect<Plain> for Session {
    type Stream = Inspected<Encrypted, Messages>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Stream>>;

    fn connect(self, stream: Plain) -> Self::Future {
        let (stream, messages) = stream.into_parts();
        let session = TlsConnect::<TcpStream>::connect(self.0, stream);
        async move { Ok(Inspected::new(session.await?, messages)) }.boxed()
    }
}

impl TlsStream for Inspected<Encrypted, Messages> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream().channel_binding()
    }
}
