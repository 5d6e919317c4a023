//! The runtime's PostgreSQL client against a real server, as a component's host functions drive it. Faults that a real server makes only
//! with difficulty have tests beside the client.

mod faults;
mod job_store;
mod limits;
mod sessions;
mod tls;
mod values;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use thumbs::capabilities::postgres::{
    self as capability, Bounds, DbValue, Error, ParameterValue, PostgresError, RowSet,
};
use thumbs::clients::{ServerFault, postgres};
use thumbs::limits::Limits;
use thumbs::memory::{Held, MemoryBudget, OutOfMemory, Share};
use thumbs_tests::servers::{self, Auth, Postgres};

/// Every character that a URL, a shell or a connection string could trip over.
const PASSWORD: &str = "p@:/?#'\"\\% ä";
/// How long a condition may take to come true. Far above what any needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A new database in the one server that the tests share, who ask for [`PASSWORD`]; the server goes with the test process.
fn database() -> Option<Database> {
    static SERVER: LazyLock<Mutex<Option<Postgres>>> =
        LazyLock::new(|| Mutex::new(servers::available(Postgres::start(Auth::Scram(PASSWORD.to_owned())))));
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("client_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let server = SERVER.lock().unwrap();
    server.as_ref().map(|server| Database { url: server.create_database(&name), name })
}

/// A runtime's client, and what its sessions are held to.
#[derive(Clone)]
struct Client {
    client: postgres::Client,
    bounds: Bounds,
}

impl Client {
    fn new(limits: &Limits) -> Self {
        Self { client: postgres::Client::new(limits), bounds: Bounds::new(limits) }
    }

    async fn open(&self, url: &str) -> Result<Session, Error> {
        self.open_with(url, usize::MAX).await
    }

    /// A session of an instance that may have so much memory.
    async fn open_with(&self, url: &str, max_memory_bytes: usize) -> Result<Session, Error> {
        let session = capability::Session::open(&self.client, url, self.bounds).await?;
        let budget = Arc::new(MemoryBudget::new(max_memory_bytes));
        let memory = Held::nothing(&Share::new(Arc::clone(&budget), max_memory_bytes));
        Ok(Session { session, memory, budget })
    }

    async fn check(&self, url: &str) -> Result<(), ServerFault> {
        self.client.check(url).await
    }
}

/// What a guest has open, and the memory that its instance may have.
#[derive(Debug)]
struct Session {
    session: capability::Session,
    memory: Held,
    budget: Arc<MemoryBudget>,
}

impl Session {
    async fn query(&mut self, statement: &str, parameters: Vec<ParameterValue>) -> Result<RowSet, Error> {
        self.try_query(statement, parameters).await.map_err(told)
    }

    async fn try_query(
        &mut self,
        statement: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, PostgresError> {
        self.session.query(statement, parameters, &mut self.memory.beside()).await
    }

    async fn execute(&mut self, statement: &str, parameters: Vec<ParameterValue>) -> Result<u64, Error> {
        self.session.execute(statement, parameters, &mut self.memory.beside()).await.map_err(told)
    }
}

fn told(error: PostgresError) -> Error {
    match error {
        PostgresError::Guest(error) => error,
        PostgresError::Trap(trap) => panic!("{trap}"),
    }
}

/// An empty database.
struct Database {
    url: String,
    name: String,
}

impl Database {
    /// A client and its first session.
    async fn open(&self, limits: Limits) -> (Client, Session) {
        let client = Client::new(&limits);
        let session = client.open(&self.url).await.unwrap();
        (client, session)
    }

    /// A session of another client, to look from outside.
    async fn outside(&self) -> Session {
        self.open(Limits::default()).await.1
    }
}

async fn run(session: &mut Session, statement: &str) -> RowSet {
    session.query(statement, Vec::new()).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"))
}

/// The one value of a statement.
async fn value(session: &mut Session, statement: &str) -> DbValue {
    let rows = run(session, statement).await.rows;
    let [row] = rows.as_slice() else { panic!("{statement}: {rows:?}") };
    let [value] = row.as_slice() else { panic!("{statement}: {row:?}") };
    value.clone()
}

async fn integer(session: &mut Session, statement: &str) -> i64 {
    match value(session, statement).await {
        DbValue::Int64(integer) => integer,
        DbValue::Int32(integer) => integer.into(),
        other => panic!("{statement}: {other:?}"),
    }
}

/// The process of the server that a session's connection leads to.
async fn backend(session: &mut Session) -> i64 {
    integer(session, "SELECT pg_backend_pid()").await
}

fn query_failed(result: Result<RowSet, Error>) -> String {
    match result {
        Err(Error::QueryFailed(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn connection_failed<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::ConnectionFailed(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn text(text: &str) -> ParameterValue {
    ParameterValue::Str(text.to_owned())
}

/// Waits until a count that `statement` gives is `expected`.
async fn until(session: &mut Session, statement: &str, expected: i64) {
    let begin = Instant::now();
    loop {
        let found = integer(session, statement).await;
        if found == expected {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "{statement} gives {found} and not {expected}");
    }
}
