//! One server by address: the connection that all instances share, and a new one when it is lost.
//!
//! - There is at most one attempt to connect at a time; whoever needs the connection meanwhile waits for that one and shares its failure.
//! - After a failure the next attempt waits for a pause. A command waits with it, so that the first one after an outage works; that is why
//!   these pauses are short.
//! - A server that gave no answer to the last attempt, or to a command, is known to be silent: commands start the next attempt and fail at
//!   once, until one succeeds.
//! - A connection that ended is noticed by the task that reads it, mostly before anybody sends a command on it. One that gives no answer in
//!   time is given up, for nobody can tell it from one whose other end is gone; and whoever else waits for an answer on it waits no longer.
//! - A command whose connection is lost before its answer may have run. It is repeated once where that does no harm, else it fails.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{AsyncConnectionConfig, RedisConnectionInfo, Value, aio::MultiplexedConnection};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Common,
    address::Address,
    command::{CommandFault, Request, server_words},
    connect::{out_of_reach, refuses},
};
use crate::{
    backoff::Backoff,
    clients::{Opened, ServerFault, account::Account},
    memory::{Held, OutOfMemory},
};

/// The pause after the first failed attempt to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// A server, and the connection to it if there is one.
#[derive(Debug)]
pub(crate) struct Server {
    address: Address,
    common: Common,
    link: Mutex<Link>,
}

/// The way to a server.
#[derive(Debug)]
struct Link {
    /// Of the last attempt to connect, if there was one; none as long as that is under way.
    outcome: Option<watch::Receiver<Outcome>>,
    backoff: Backoff,
    /// What the attempt before said of a server that did not answer it.
    silence: Option<ServerFault>,
}

type Outcome = Option<Result<Connection, Failed>>;

#[derive(Clone, Debug)]
struct Failed {
    fault: ServerFault,
    is_silence: bool,
}

/// A connection that was made, whatever became of it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    commands: MultiplexedConnection,
    /// Reads and writes; ends with the connection, and the connection with the last clone of this.
    driver: Arc<AbortOnDropHandle<()>>,
    given_up: Arc<AtomicBool>,
    /// Of a command that got no answer in time.
    fell_silent: CancellationToken,
    account: Arc<Account>,
}

impl Connection {
    /// From now on an answer is counted in the memory of whoever has this, before it is read.
    pub(super) fn read_into(&self, memory: Held) -> Opened {
        self.account.open(memory)
    }

    fn is_usable(&self) -> bool {
        !self.driver.is_finished() && !self.given_up.load(Ordering::Relaxed)
    }
}

impl Server {
    pub(super) fn new(address: Address, common: Common) -> Self {
        // An eighth: a command waits for the pause, a subscription does not.
        let backoff = Backoff::new(FIRST_PAUSE, common.bounds.max_pause / 8);
        Self { address, common, link: Mutex::new(Link { outcome: None, backoff, silence: None }) }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn home(&self) -> &Handle {
        &self.common.home
    }

    /// The right to one of the connections that nobody shares.
    pub(super) fn private_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.common.private).try_acquire_owned().ok()
    }

    /// Runs a command on the connection that all share. `repeatable` says that it does no harm when it runs twice.
    ///
    /// # Errors
    /// It gave nothing.
    ///
    /// # Cancel safety
    /// A command whose future is dropped may run or not.
    pub(crate) async fn run(
        self: &Arc<Self>,
        request: &Request,
        repeatable: bool,
    ) -> Result<Value, CommandFault> {
        let running = async {
            match self.exchange(&self.connection().await?, request).await {
                Err(CommandFault::Lost { .. }) if repeatable => {
                    self.exchange(&self.connection().await?, request).await
                }
                result => result,
            }
        };
        let patience = self.common.bounds.connect.saturating_add(self.common.bounds.response);
        tokio::time::timeout(patience, running).await.unwrap_or_else(|_| Err(self.silent(patience)))
    }

    /// Sends a command and waits for its answer. A connection that gave none is given up.
    pub(super) async fn exchange(
        &self,
        connection: &Connection,
        request: &Request,
    ) -> Result<Value, CommandFault> {
        if request.bytes() > self.common.bounds.max_exchange_bytes {
            return Err(CommandFault::TooLarge(self.common.bounds.max_exchange_bytes));
        }
        let mut commands = connection.commands.clone();
        let sent = tokio::select! {
            biased;
            sent = request.send(&mut commands) => sent,
            () = connection.fell_silent.cancelled() => return Err(self.silent(self.common.bounds.response)),
        };
        let error = match sent {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if let Some(words) = server_words(&error) {
            return Err(CommandFault::Rejected(words));
        }
        connection.given_up.store(true, Ordering::Relaxed);
        let place = self.address.place();
        Err(if connection.account.was_refused() {
            CommandFault::OutOfMemory(OutOfMemory)
        } else if error.is_timeout() {
            connection.fell_silent.cancel();
            self.silent(self.common.bounds.response)
        } else if error.is_connection_dropped() {
            CommandFault::Lost { place }
        } else {
            CommandFault::Unreadable { place, reason: error.to_string() }
        })
    }

    fn silent(&self, patience: Duration) -> CommandFault {
        CommandFault::Silent { place: self.address.place(), patience_ms: patience.as_millis() }
    }

    fn fell_silent(&self) -> ServerFault {
        let patience = self.common.bounds.response.as_millis();
        out_of_reach(&self.address, &format!("gave no answer within {patience} ms; it is tried again"))
    }

    /// The connection that all share, made where there is none.
    pub(super) async fn connection(self: &Arc<Self>) -> Result<Connection, ServerFault> {
        let mut attempt = self.attempt()?;
        let outcome = attempt.wait_for(Option::is_some).await.map_err(|_| self.abandoned())?;
        match outcome.as_ref() {
            Some(Ok(connection)) => Ok(connection.clone()),
            Some(Err(failed)) => Err(failed.fault.clone()),
            None => Err(self.abandoned()),
        }
    }

    pub(super) fn abandoned(&self) -> ServerFault {
        out_of_reach(&self.address, "is no longer connected to: the runtime ends")
    }

    /// The attempt to connect that succeeded and still holds, or is under way, or begins now.
    ///
    /// # Errors
    /// The server is known to be silent.
    fn attempt(self: &Arc<Self>) -> Result<watch::Receiver<Outcome>, ServerFault> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let last = link.outcome.as_ref().and_then(|outcome| outcome.borrow().clone());
        let under_way = link.outcome.as_ref().is_some_and(|outcome| outcome.has_changed().is_ok());
        let pause = match last {
            Some(Ok(connection)) => {
                link.silence = connection.fell_silent.is_cancelled().then(|| self.fell_silent());
                if connection.is_usable() {
                    None
                } else {
                    link.backoff.reset();
                    Some(Duration::ZERO)
                }
            }
            Some(Err(failed)) => {
                link.silence = failed.is_silence.then_some(failed.fault);
                Some(link.backoff.next())
            }
            None if under_way => None,
            None => Some(Duration::ZERO),
        };
        if let Some(pause) = pause {
            link.outcome = Some(self.begin(pause));
        }
        match (&link.silence, &link.outcome) {
            (Some(fault), _) => Err(fault.clone()),
            (None, Some(outcome)) => Ok(outcome.clone()),
            (None, None) => Err(self.abandoned()),
        }
    }

    fn begin(self: &Arc<Self>, pause: Duration) -> watch::Receiver<Outcome> {
        let (tell, outcome) = watch::channel(None);
        let server = Arc::clone(self);
        // Ends by itself: connecting has a timeout.
        let _task = self.common.home.spawn(async move {
            tokio::time::sleep(pause).await;
            let begun = Instant::now();
            let made = server.connect().await.map_err(|fault| Failed {
                fault,
                is_silence: begun.elapsed() >= server.common.bounds.connect,
            });
            // Nobody listens any more where the server was forgotten meanwhile.
            let _heard = tell.send(Some(made));
        });
        outcome
    }

    pub(super) async fn connect(&self) -> Result<Connection, ServerFault> {
        let Common { bounds, home, .. } = &self.common;
        let account = Arc::default();
        let wire = self.common.wire(&self.address, &account).await?;
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(bounds.response))
            .set_connection_timeout(None);
        let (commands, driver) = MultiplexedConnection::new_with_config(&nothing_to_set_up(), wire, config)
            .await
            .map_err(|error| refuses(&self.address, &format!("can't be used: {error}")))?;
        let driver = Arc::new(AbortOnDropHandle::new(home.spawn(driver)));
        Ok(Connection {
            commands,
            driver,
            given_up: Arc::default(),
            fell_silent: CancellationToken::new(),
            account,
        })
    }
}

/// For the library, which would else log in and introduce itself: the connection is ready.
pub(super) fn nothing_to_set_up() -> RedisConnectionInfo {
    RedisConnectionInfo::default().set_skip_set_lib_name()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::{super::Client, *};
    use crate::limits::Limits;

    /// A server that says PONG and OK, hangs up when it is told to INCR or GET, counts, and swallows everything while it is frozen.
    #[derive(Debug, Default)]
    struct Fake {
        connections: AtomicUsize,
        incrs: AtomicUsize,
        gets: AtomicUsize,
        is_frozen: AtomicBool,
    }

    async fn fake() -> (Arc<Fake>, Arc<Server>) {
        fake_within(&Limits::default()).await
    }

    async fn fake_within(limits: &Limits) -> (Arc<Fake>, Arc<Server>) {
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
                            _ if counts.is_frozen.load(Ordering::SeqCst) => {}
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
        let client = Client::new(limits);
        (fake, client.server(address.unwrap()).unwrap())
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
    async fn a_server_that_freezes_holds_up_nobody_but_those_of_the_first_silence() {
        // Whoever has to wait for an attempt to connect waits longer than the test may take.
        let limits =
            Limits { redis_response_timeout_ms: 500, redis_connect_timeout_ms: 600_000, ..Limits::default() };
        let (fake, server) = fake_within(&limits).await;
        let set = command("SET");
        assert_eq!(server.run(&set, false).await, Ok(Value::Okay));
        fake.is_frozen.store(true, Ordering::SeqCst);
        // The second repeats itself where its connection is lost, which would be an attempt to wait for.
        let (first, second) = futures_util::join!(server.run(&set, false), server.run(&set, true));
        for answer in [first, second] {
            assert!(matches!(answer, Err(CommandFault::Silent { .. })), "{answer:?}");
        }
        for _ in 0..100 {
            let answer = server.run(&set, true).await;
            let Err(CommandFault::NotConnected(ServerFault::Unreachable(text))) = answer else {
                panic!("{answer:?}")
            };
            assert!(text.contains("gave no answer within 500 ms"), "{text}");
        }
        assert!(
            fake.connections.load(Ordering::SeqCst) <= 2,
            "one attempt at a time asks whether it is back"
        );
    }

    #[tokio::test]
    async fn a_server_that_thaws_is_found_by_the_next_attempt() {
        let limits =
            Limits { redis_response_timeout_ms: 50, redis_connect_timeout_ms: 50, ..Limits::default() };
        let (fake, server) = fake_within(&limits).await;
        let set = command("SET");
        assert_eq!(server.run(&set, false).await, Ok(Value::Okay));
        fake.is_frozen.store(true, Ordering::SeqCst);
        assert!(server.run(&set, false).await.is_err());
        fake.is_frozen.store(false, Ordering::SeqCst);
        while server.run(&set, false).await != Ok(Value::Okay) {
            tokio::task::yield_now().await;
        }
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
        let server = Client::new(&Limits::default()).server(address.unwrap()).unwrap();
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
