//! The runtime's own Redis client against a real server: every command of the interface, every limit, servers that go away and come back,
//! the subscription, and the key-value store. No wasm: what is called is what a component's imports call.

mod commands;
mod key_value;
mod subscription;

use std::{future::Future, sync::Arc, time::Duration};

use thumbs::{
    capabilities::redis::{
        self, Connector as _, RedisError, Servers,
        wit::{self, RedisParameter, RedisResult},
    },
    clients::redis::Client,
    limits::Limits,
    memory::{Held, MemoryBudget, OutOfMemory, Share},
    messages::{Broker, Channel, Delivery, Forward, Subscription},
    telemetry::{CaptureSink, Level, Logger},
};
use thumbs_tests::servers::{Redis, available};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// A bound on hangs, far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const WAKE_UP: &[u8] = b"{}";
const CHANNEL: &str = "wake";

/// Limits under which a server that is silent is noticed soon.
fn impatient() -> Limits {
    Limits {
        redis_connect_timeout_ms: 500,
        redis_response_timeout_ms: 500,
        max_reconnect_pause_ms: 100,
        ..Limits::default()
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// Asks again and again until the answer is yes.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// What a guest has open, and the memory that its instance may have.
#[derive(Debug)]
struct Session {
    session: Box<dyn redis::Session>,
    memory: Held,
    budget: Arc<MemoryBudget>,
}

impl Session {
    async fn open(
        client: &Client,
        limits: &Limits,
        url: &str,
        max_memory_bytes: usize,
    ) -> Result<Self, wit::Error> {
        let session = Servers::new(client.clone(), limits).open(url).await?;
        let budget = Arc::new(MemoryBudget::new(max_memory_bytes));
        let memory = Held::nothing(&Share::new(Arc::clone(&budget), max_memory_bytes));
        Ok(Self { session, memory, budget })
    }

    async fn publish(&mut self, channel: &str, payload: Vec<u8>) -> Result<(), wit::Error> {
        self.session.publish(channel, payload, &self.memory).await.map_err(told)
    }

    async fn command(
        &mut self,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, wit::Error> {
        self.try_command(command, arguments).await.map_err(told)
    }

    async fn try_command(
        &mut self,
        command: &str,
        arguments: Vec<RedisParameter>,
    ) -> Result<Vec<RedisResult>, RedisError> {
        self.session.command(command, arguments, &self.memory).await
    }
}

fn told(error: RedisError) -> wit::Error {
    match error {
        RedisError::Guest(error) => error,
        RedisError::Trap(trap) => panic!("{trap}"),
    }
}

async fn open(client: &Client, url: &str) -> Session {
    try_open(client, url).await.unwrap()
}

async fn try_open(client: &Client, url: &str) -> Result<Session, wit::Error> {
    Session::open(client, &Limits::default(), url, usize::MAX).await
}

fn words(line: &str) -> (&str, Vec<RedisParameter>) {
    let mut words = line.split(' ');
    let command = words.next().unwrap();
    (command, words.map(|word| RedisParameter::Binary(word.into())).collect())
}

async fn run(session: &mut Session, line: &str) -> Result<Vec<RedisResult>, String> {
    let (command, arguments) = words(line);
    within(line, session.command(command, arguments)).await.map_err(|error| match error {
        wit::Error::Other(text) => text,
        other => format!("{other:?}"),
    })
}

fn text(results: &[RedisResult]) -> String {
    let texts = results.iter().map(|result| match result {
        RedisResult::Nil => "nil".to_owned(),
        RedisResult::Status(text) => format!("+{text}"),
        RedisResult::Int64(number) => format!(":{number}"),
        RedisResult::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// A runtime's end of the channel: its broker, its subscription, and what it logged.
struct Listener {
    subscription: Subscription,
    log: CaptureSink,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Listener {
    fn start(url: &str, limits: &Limits) -> Self {
        let log = CaptureSink::new();
        let logger = Logger::new(Arc::new(log.clone()), Level::Debug);
        let broker = Arc::new(Broker::new(limits, &logger));
        let channel = Channel::new(url, CHANNEL);
        let delivery = Delivery { max_equal: None, wake_up: Some(WAKE_UP.to_vec()) };
        let subscription = broker.subscribe(&channel, delivery);
        let forward = Forward::new(&Client::new(limits), url, channel, &broker, &logger).unwrap();
        let stop = CancellationToken::new();
        let task = AbortOnDropHandle::new(tokio::spawn(forward.run(stop.clone())));
        Self { subscription, log, stop, task }
    }

    async fn next(&self) -> Vec<u8> {
        within("a message", self.subscription.next()).await.unwrap()
    }

    /// The next message that is not a wake-up.
    async fn next_other(&self) -> Vec<u8> {
        loop {
            let message = self.next().await;
            if message != WAKE_UP {
                return message;
            }
        }
    }

    fn events(&self) -> Vec<String> {
        self.log.lines().into_iter().map(|line| line.event).collect()
    }

    async fn logged(&self, event: &str) {
        until(event, async || self.events().iter().any(|logged| logged == event)).await;
    }

    fn cause_of(&self, event: &str) -> String {
        let lines = self.log.lines();
        let line = lines.iter().rfind(|line| line.event == event).unwrap();
        line.fields["cause"].as_str().unwrap().to_owned()
    }
}
