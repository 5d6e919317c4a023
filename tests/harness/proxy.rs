//! What stands between a service and a server, and does to its connections what networks do: resets them, swallows what is sent, is slow, ends in the
//! middle of an answer, loses messages. Which and when is drawn from a seed, so that a run that failed can be run again.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::random::Random;

/// How long a thread waits for bytes before it looks whether the proxy is still there.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Bytes that are passed on at once.
const PIECE_BYTES: usize = 16 << 10;

/// What happens on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Clear,
    /// After so many bytes of the client, at most, the connection is reset in both directions.
    Resets {
        /// An upper bound; the number is drawn.
        after_bytes: u64,
    },
    /// Connections are taken, and nothing is passed on, nor ever answered.
    Swallows,
    /// Each piece is passed on so much later.
    Slow(Duration),
    /// After so many bytes of the server, at most, its answer ends as if it were whole.
    Truncates {
        /// An upper bound; the number is drawn.
        after_bytes: u64,
    },
    /// Of the messages that are published on this channel, about so many in a hundred go to a channel that nobody listens to.
    Loses {
        /// As it stands in the message.
        channel: String,
        /// In a hundred.
        percent: u64,
    },
}

#[derive(Debug)]
struct Shared {
    server: Mutex<SocketAddr>,
    weather: Mutex<(Weather, u64)>,
    random: Mutex<Random>,
    is_over: AtomicBool,
    harmed: AtomicU64,
}

/// A proxy on 127.0.0.1. Dropping it ends all its connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// In front of the server at this port of 127.0.0.1.
    ///
    /// # Panics
    /// When there is no port left.
    #[must_use]
    pub fn start(server_port: u16, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            server: Mutex::new((Ipv4Addr::LOCALHOST, server_port).into()),
            weather: Mutex::new((Weather::Clear, 0)),
            random: Mutex::new(Random::new(seed)),
            is_over: AtomicBool::new(false),
            harmed: AtomicU64::new(0),
        });
        let serves = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if serves.is_over.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(client) = client {
                    let serves = Arc::clone(&serves);
                    thread::spawn(move || serves.connect(&client));
                }
            }
        });
        Self { port, shared }
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// From now on, for connections that are open too.
    pub fn set(&self, weather: Weather) {
        let mut now = self.shared.weather();
        *now = (weather, now.1 + 1);
    }

    /// New connections lead to this port of 127.0.0.1 from now on, as those to a name whose address has changed.
    pub fn lead_to(&self, server_port: u16) {
        *self.shared.server() = (Ipv4Addr::LOCALHOST, server_port).into();
    }

    /// How often it has done something to a connection.
    #[must_use]
    pub fn harmed(&self) -> u64 {
        self.shared.harmed.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _nobody_is_served = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// Which side bytes come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

impl Shared {
    fn weather(&self) -> MutexGuard<'_, (Weather, u64)> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn server(&self) -> MutexGuard<'_, SocketAddr> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, below: u64) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).below(below.max(1))
    }

    fn harm(&self) {
        self.harmed.fetch_add(1, Ordering::Relaxed);
    }

    fn connect(self: &Arc<Self>, client: &TcpStream) {
        let server = *self.server();
        let Ok(server) = TcpStream::connect(server) else {
            reset(client);
            return;
        };
        let (to_server, to_client) = (server.try_clone(), client.try_clone());
        let (Ok(to_server), Ok(to_client)) = (to_server, to_client) else { return };
        let back = {
            let shared = Arc::clone(self);
            thread::spawn(move || shared.pass(Side::Server, &server, &to_client))
        };
        self.pass(Side::Client, client, &to_server);
        let _ended = back.join();
    }

    /// Passes on until one side ends, or the weather does it.
    fn pass(&self, from: Side, source: &TcpStream, sink: &TcpStream) {
        for stream in [source, sink] {
            let _as_it_is = stream.set_nodelay(true);
        }
        let _looks_seldom = source.set_read_timeout(Some(LOOK_EVERY));
        let (mut buffer, mut passed, mut seen, mut bound) = (vec![0; PIECE_BYTES], 0, u64::MAX, u64::MAX);
        loop {
            if self.is_over.load(Ordering::Relaxed) {
                reset(source);
                reset(sink);
                return;
            }
            let read = match (&*source).read(&mut buffer) {
                Ok(0) => {
                    let _gone = sink.shutdown(Shutdown::Write);
                    return;
                }
                Ok(read) => read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => {
                    reset(sink);
                    return;
                }
            };
            let (weather, since) = self.weather().clone();
            if since != seen {
                (seen, passed) = (since, 0);
                bound = match (&weather, from) {
                    (Weather::Resets { after_bytes }, Side::Client)
                    | (Weather::Truncates { after_bytes }, Side::Server) => self.draw(*after_bytes),
                    _ => u64::MAX,
                };
            }
            let piece = &mut buffer[..read];
            match &weather {
                Weather::Swallows => {
                    self.harm();
                    continue;
                }
                Weather::Slow(pause) => thread::sleep(*pause),
                Weather::Loses { channel, percent } if from == Side::Client => {
                    self.lose(piece, channel, *percent);
                }
                _ => {}
            }
            passed += read as u64;
            if passed > bound {
                self.harm();
                match weather {
                    Weather::Truncates { .. } => {
                        let _nobody_reads = (&*sink).write_all(&piece[..read / 2]);
                        let _gone = (sink.shutdown(Shutdown::Both), source.shutdown(Shutdown::Both));
                    }
                    _ => {
                        reset(source);
                        reset(sink);
                    }
                }
                return;
            }
            if (&*sink).write_all(piece).is_err() {
                reset(source);
                return;
            }
        }
    }

    /// Gives the channel of a message another name of the same length.
    fn lose(&self, piece: &mut [u8], channel: &str, percent: u64) {
        let is_publish = piece.windows(7).any(|word| word.eq_ignore_ascii_case(b"PUBLISH"));
        if !is_publish || self.draw(100) >= percent {
            return;
        }
        let channel = channel.as_bytes();
        if let Some(at) = piece.windows(channel.len()).position(|word| word == channel) {
            piece[at..at + channel.len()].fill(b'x');
            self.harm();
        }
    }
}

/// Ends the connection without a word but RST.
fn reset(stream: &TcpStream) {
    let _as_it_is = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
    let _gone = stream.shutdown(Shutdown::Both);
}
