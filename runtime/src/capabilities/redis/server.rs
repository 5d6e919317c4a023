//! One server by address: the connection that all instances share, and a new one when it is lost.
//!
//! - There is at most one attempt to connect at a time; whoever needs the connection meanwhile waits for that one and shares its failure.
//! - After a failure the next attempt waits for a pause. A command waits with it, so that the first one after an outage
//!   works; that is why these pauses are short.
//! - A connection that ended is noticed by the task that reads it, mostly before anybody sends a command on it. One that gives no answer in
//!   time is given up: nobody can tell it from one whose other end is gone.
//! - A command whose connection is lost before its answer may have run. It is repeated once where that does no harm, else it fails.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Cmd, Pipeline, RedisConnectionInfo, RedisError, Value, aio::MultiplexedConnection,
};
use tokio::{runtime::Handle, sync::Mutex as AsyncMutex, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use super::{
    address::Address,
    connect::{Tls, connect, out_of_reach, refuses},
    reply::sentence,
};
use crate::{
    backoff::Backoff,
    capabilities::error::ServerFault,
    limits::{Limits, millis},
};

/// The pause after the first failed attempt to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Why a command gave nothing. The texts name no secret but what the guest itself sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandFault {
    /// It is too large, and was not sent.
    #[error("a command to Redis has at most {0} bytes")]
    TooLarge(u64),
    /// There is no connection, so it was not sent.
    #[error(transparent)]
    NotConnected(#[from] ServerFault),
    /// The server did not do it; its own words.
    #[error("{0}")]
    Rejected(String),
    /// It was sent and the connection lost. It may have run.
    #[error("the connection to Redis at {place} was lost before the answer; the command may have run")]
    Lost {
        /// Host and port.
        place: String,
    },
    /// It was sent and not answered in time. It may have run, or run yet.
    #[error("Redis at {place} did not answer within {patience_ms} ms")]
    Silent {
        /// Host and port.
        place: String,
        /// How long it was waited for.
        patience_ms: u128,
    },
    /// It ran, and its answer is too large or none of the protocol's.
    #[error("the answer of Redis at {place} can't be read: {reason}")]
    Unreadable {
        /// Host and port.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// How long things may take, and how large they may be: the rows of the table that are Redis' own.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) connect: Duration,
    pub(crate) response: Duration,
    pub(crate) max_pause: Duration,
    pub(crate) max_exchange_bytes: u64,
}

impl Bounds {
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            connect: millis(limits.redis_connect_timeout_ms),
            response: millis(limits.redis_response_timeout_ms),
            max_pause: millis(limits.max_reconnect_pause_ms),
            max_exchange_bytes: limits.redis_max_exchange_bytes,
        }
    }
}

/// What is sent and answered as one.
pub(crate) enum Request {
    One(Cmd),
    /// Commands between which no other runs; the answer is the list of theirs.
    Transaction(Pipeline),
}

/// A server, and the connection to it if there is one.
#[derive(Debug)]
pub(crate) struct Server {
    address: Address,
    tls: Arc<Tls>,
    bounds: Bounds,
    /// Where connections are made and live. A command may come from a thread that decodes images, where all of that would wait.
    home: Handle,
    current: Mutex<Option<Connection>>,
    attempts: AsyncMutex<Attempts>,
}

/// Held by whoever tries to connect.
#[derive(Debug)]
struct Attempts {
    backoff: Backoff,
    failed: Option<Failed>,
}

#[derive(Debug)]
struct Failed {
    fault: ServerFault,
    begun: Instant,
    next: Instant,
}

/// A connection that was made, whatever became of it.
#[derive(Clone, Debug)]
struct Connection {
    commands: MultiplexedConnection,
    /// Reads and writes; ends with the connection, and the connection with the last clone of this.
    driver: Arc<AbortOnDropHandle<()>>,
    given_up: Arc<AtomicBool>,
}

impl Connection {
    fn is_usable(&self) -> bool {
        !self.driver.is_finished() && !self.given_up.load(Ordering::Relaxed)
    }

    fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

impl Server {
    pub(super) fn new(address: Address, tls: Arc<Tls>, bounds: Bounds, home: Handle) -> Self {
        // An eighth: a command waits for the pause, a subscription does not.
        let backoff = Backoff::new(FIRST_PAUSE, bounds.max_pause / 8);
        let attempts = AsyncMutex::new(Attempts { backoff, failed: None });
        Self { address, tls, bounds, home, current: Mutex::default(), attempts }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Runs a command. `repeatable` says that it does no harm when it runs twice.
    ///
    /// # Cancel safety
    /// A command whose future is dropped may run or not.
    pub(crate) async fn run(
        self: &Arc<Self>,
        request: &Request,
        repeatable: bool,
    ) -> Result<Value, CommandFault> {
        let bytes = request.bytes();
        if bytes > self.bounds.max_exchange_bytes {
            return Err(CommandFault::TooLarge(self.bounds.max_exchange_bytes));
        }
        let patience = self.bounds.connect.saturating_add(self.bounds.response);
        let running = async {
            match self.attempt(request).await {
                Err(CommandFault::Lost { .. }) if repeatable => self.attempt(request).await,
                result => result,
            }
        };
        tokio::time::timeout(patience, running).await.unwrap_or_else(|_| Err(self.silent(patience)))
    }

    async fn attempt(self: &Arc<Self>, request: &Request) -> Result<Value, CommandFault> {
        let mut connection = self.connection().await?;
        let answer = tokio::time::timeout(self.bounds.response, request.send(&mut connection.commands)).await;
        let error = match answer {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_) => {
                connection.give_up();
                return Err(self.silent(self.bounds.response));
            }
        };
        if let Some(words) = server_words(&error) {
            return Err(CommandFault::Rejected(words));
        }
        connection.give_up();
        let place = self.address.place();
        Err(if error.is_connection_dropped() {
            CommandFault::Lost { place }
        } else {
            CommandFault::Unreadable { place, reason: error.to_string() }
        })
    }

    fn silent(&self, patience: Duration) -> CommandFault {
        CommandFault::Silent { place: self.address.place(), patience_ms: patience.as_millis() }
    }

    /// The connection, made where there is none.
    async fn connection(self: &Arc<Self>) -> Result<Connection, ServerFault> {
        if let Some(connection) = self.usable() {
            return Ok(connection);
        }
        let server = Arc::clone(self);
        let arrived = Instant::now();
        let making = AbortOnDropHandle::new(self.home.spawn(async move { server.make(arrived).await }));
        match tokio::time::timeout(self.bounds.connect, making).await {
            Ok(Ok(result)) => result,
            Ok(Err(failure)) => match failure.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(out_of_reach(&self.address, "is no longer connected to: the runtime ends")),
            },
            Err(_) => {
                let what = format!("did not answer within {} ms", self.bounds.connect.as_millis());
                Err(out_of_reach(&self.address, &what))
            }
        }
    }

    fn usable(&self) -> Option<Connection> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|connection| connection.is_usable()).cloned()
    }

    /// Connects for somebody who arrived then, unless another did meanwhile.
    async fn make(&self, arrived: Instant) -> Result<Connection, ServerFault> {
        let mut attempts = self.attempts.lock().await;
        if let Some(connection) = self.usable() {
            return Ok(connection);
        }
        if let Some(failed) = &attempts.failed {
            if failed.begun >= arrived {
                return Err(failed.fault.clone());
            }
            tokio::time::sleep_until(failed.next).await;
        }
        let begun = Instant::now();
        match self.connect().await {
            Ok(connection) => {
                attempts.failed = None;
                attempts.backoff.reset();
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
                Ok(connection)
            }
            Err(fault) => {
                let next = Instant::now() + attempts.backoff.next();
                attempts.failed = Some(Failed { fault: fault.clone(), begun, next });
                Err(fault)
            }
        }
    }

    async fn connect(&self) -> Result<Connection, ServerFault> {
        let bounds = &self.bounds;
        let wire = connect(&self.address, &self.tls, bounds.connect, bounds.max_exchange_bytes).await?;
        // Timeouts are this file's; the crate has shorter ones of its own.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let (commands, driver) = MultiplexedConnection::new_with_config(&nothing_to_set_up(), wire, config)
            .await
            .map_err(|error| refuses(&self.address, &format!("can't be used: {error}")))?;
        let driver = Arc::new(AbortOnDropHandle::new(self.home.spawn(driver)));
        Ok(Connection { commands, driver, given_up: Arc::default() })
    }
}

/// For the crate, which would else log in and introduce itself: the connection is ready.
pub(super) fn nothing_to_set_up() -> RedisConnectionInfo {
    RedisConnectionInfo::default().set_skip_set_lib_name()
}

/// What the server said, where it answered with an error.
fn server_words(error: &RedisError) -> Option<String> {
    let errors = error.clone().into_server_errors()?;
    errors.first().map(|(_, error)| sentence(error))
}

impl Request {
    async fn send(&self, connection: &mut MultiplexedConnection) -> Result<Value, RedisError> {
        match self {
            Self::One(command) => connection.send_packed_command(command).await?.extract_error(),
            Self::Transaction(pipeline) => pipeline.query_async(connection).await,
        }
    }

    /// What its arguments come to. Their framing is small beside them.
    fn bytes(&self) -> u64 {
        let of = |command: &Cmd| -> u64 {
            command
                .args_iter()
                .map(|argument| match argument {
                    redis::Arg::Simple(bytes) => bytes.len() as u64,
                    _ => 0,
                })
                .sum()
        };
        match self {
            Self::One(command) => of(command),
            Self::Transaction(pipeline) => pipeline.cmd_iter().map(of).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::*;

    /// A server that says PONG and OK, hangs up when it is told to INCR or GET, and counts.
    #[derive(Debug, Default)]
    struct Fake {
        connections: AtomicUsize,
        incrs: AtomicUsize,
        gets: AtomicUsize,
    }

    async fn fake() -> (Arc<Fake>, Arc<Server>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::parse(&format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port()));
        let fake = Arc::new(Fake::default());
        let counts = Arc::clone(&fake);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counts.connections.fetch_add(1, Ordering::SeqCst);
                let counts = Arc::clone(&counts);
                tokio::spawn(async move {
                    let (read, mut write) = stream.into_split();
                    let mut lines = BufReader::new(read).lines();
                    while let Ok(Some(line)) = lines.next_line().await {
                        match line.as_str() {
                            "PING" => write.write_all(b"+PONG\r\n").await.unwrap(),
                            "SET" => write.write_all(b"+OK\r\n").await.unwrap(),
                            "INCR" => return counts.incrs.fetch_add(1, Ordering::SeqCst),
                            "GET" => return counts.gets.fetch_add(1, Ordering::SeqCst),
                            _ => {}
                        }
                    }
                    0
                });
            }
        });
        let bounds = Bounds::of(&Limits::default());
        (fake, Arc::new(Server::new(address.unwrap(), Arc::default(), bounds, Handle::current())))
    }

    fn command(name: &str) -> Request {
        Request::One(redis::cmd(name))
    }

    #[tokio::test]
    async fn many_commands_at_once_share_one_connection() {
        let (fake, server) = fake().await;
        let set = command("SET");
        let all = (0..50).map(|_| server.run(&set, false));
        for answer in futures_util::future::join_all(all).await {
            assert_eq!(answer, Ok(Value::Okay));
        }
        assert_eq!(fake.connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_command_that_may_have_run_is_repeated_once_where_that_does_no_harm() {
        let (fake, server) = fake().await;
        let lost = CommandFault::Lost { place: server.address.place() };
        assert_eq!(server.run(&command("INCR"), false).await, Err(lost.clone()));
        assert_eq!(fake.incrs.load(Ordering::SeqCst), 1);
        assert_eq!(server.run(&command("GET"), true).await, Err(lost));
        assert_eq!(fake.gets.load(Ordering::SeqCst), 2);
        assert_eq!(server.run(&command("SET"), false).await, Ok(Value::Okay), "on a new connection");
    }

    #[tokio::test]
    async fn those_who_wait_for_one_attempt_share_its_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::parse(&format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port()));
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&attempts);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let bounds = Bounds::of(&Limits::default());
        let server = Arc::new(Server::new(address.unwrap(), Arc::default(), bounds, Handle::current()));
        let set = command("SET");
        let all = (0..50).map(|_| server.run(&set, false));
        for answer in futures_util::future::join_all(all).await {
            assert!(
                matches!(answer, Err(CommandFault::NotConnected(ServerFault::Unreachable(_)))),
                "{answer:?}"
            );
        }
        // The first attempt, and one for those who came while it was under way.
        assert!(attempts.load(Ordering::SeqCst) <= 2, "{attempts:?}");
    }
}
