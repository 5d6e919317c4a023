//! What all actors share: a real database, blobs and the clock. It can be put back to an earlier moment.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::Connection;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::retention::Retention;
use thumbs_domain::timestamp::Timestamp;
use thumbs_guest::config;
use thumbs_guest::jobs::{SqlJobStore, Whole};
use thumbs_guest::log::Log;
use thumbs_guest::sql::{Postgres, Sql, SqlError, SqlRow, SqlValue, Sqlite};
use thumbs_guest::testing::{Driver, FixedVariables, ManualClock};

use crate::mutation::Mutation;

/// Which SQL the database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// Bytes by key.
pub(crate) type BlobMap = BTreeMap<String, Rc<Vec<u8>>>;

/// All but the database, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    blobs: BlobMap,
    now: Timestamp,
    latest: Timestamp,
    elapsed: Duration,
}

/// A service without a process: its database, its blobs, its settings and the time.
pub struct World {
    sql: Box<dyn Sql>,
    engine: Engine,
    mutation: Option<Mutation>,
    pub(crate) blobs: RefCell<BlobMap>,
    now: Cell<Timestamp>,
    latest: Cell<Timestamp>,
    elapsed: Cell<Duration>,
    pub(crate) variables: FixedVariables,
    pub(crate) limits: UploadLimits,
    pub(crate) policy: RetryPolicy,
    pub(crate) retention: Retention,
    pub(crate) log: Log,
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "World({:?} at {})", self.engine, self.now.get())
    }
}

impl World {
    /// Over an empty database, brought to the newest schema. Its statements are changed on their way where a mutation is given.
    ///
    /// # Panics
    /// When the database does not take the schema.
    pub fn new(sql: Box<dyn Sql>, engine: Engine, retention: Retention, mutation: Option<Mutation>) -> Self {
        let mut variables = FixedVariables::small();
        // As few as show that they are used up.
        variables.0.insert("max_attempts", "2".to_owned());
        let world = Self {
            sql,
            engine,
            mutation: None,
            blobs: RefCell::default(),
            now: Cell::new(ManualClock::START),
            latest: Cell::new(ManualClock::START),
            elapsed: Cell::default(),
            limits: config::limits(&variables).expect("limits"),
            policy: config::policy(&variables).expect("a policy"),
            variables,
            retention,
            log: Log::silent(),
        };
        world.store(&world).migrate().expect("a schema");
        if let Some(statement) = mutation.and_then(|mutation| mutation.schema) {
            world.run(statement);
        }
        Self { mutation, ..world }
    }

    /// Over an SQLite in memory.
    ///
    /// # Panics
    /// When there is no memory for it.
    pub fn in_memory(retention: Retention, mutation: Option<Mutation>) -> Self {
        let driver = Driver::new(Connection::open_in_memory().expect("a database in memory"));
        Self::new(Box::new(driver), Engine::Sqlite, retention, mutation)
    }

    /// The job store that ships, over whatever passes statements on.
    pub(crate) fn store<'s, S>(&self, sql: &'s S) -> Box<dyn Whole + 's>
    where
        &'s S: Sql,
    {
        match self.engine {
            Engine::Sqlite => Box::new(SqlJobStore::<_, Sqlite>::new(sql)),
            Engine::Postgres => Box::new(SqlJobStore::<_, Postgres>::new(sql)),
        }
    }

    /// A statement of the tests' own.
    pub(crate) fn run(&self, statement: &str) -> Vec<SqlRow> {
        let rows = self.sql.query(statement, &[]);
        rows.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// What it shows now.
    pub fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// The furthest that its clock ever was.
    pub(crate) fn latest(&self) -> Timestamp {
        self.latest.get()
    }

    /// Time that went by, whatever the clock was set to.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    /// Moves the clock, forth or back. Time goes by where it goes forth.
    pub fn move_clock(&self, millis: i64) {
        self.now.set(self.now.get().plus_millis(millis));
        self.latest.set(self.latest.get().max(self.now.get()));
        self.elapsed.set(self.elapsed.get() + Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
    }

    /// Sets the clock, forth or back. No time goes by.
    pub(crate) fn set_clock(&self, by_millis: i64) {
        self.now.set(self.now.get().plus_millis(by_millis));
        self.latest.set(self.latest.get().max(self.now.get()));
    }

    /// All but the database.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            blobs: self.blobs.borrow().clone(),
            now: self.now.get(),
            latest: self.latest.get(),
            elapsed: self.elapsed.get(),
        }
    }

    /// Puts that back.
    pub(crate) fn go_back(&self, moment: &Moment) {
        *self.blobs.borrow_mut() = moment.blobs.clone();
        self.now.set(moment.now);
        self.latest.set(moment.latest);
        self.elapsed.set(moment.elapsed);
    }
}

impl Sql for World {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let changed = self.mutation.and_then(|mutation| (mutation.rewrite)(statement, parameters));
        match changed {
            Some((statement, parameters)) => self.sql.query(&statement, &parameters),
            None => self.sql.query(statement, parameters),
        }
    }
}

impl Sql for &World {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        World::query(self, statement, parameters)
    }
}
