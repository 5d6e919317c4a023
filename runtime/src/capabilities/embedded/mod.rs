//! SQLite files of this host: how one is opened, and a pool of connections to it. Used by the SQL and the key-value capability.
//! A database may also lie in memory, for tests: the same pool over one that all its connections share (SQLite's `memdb`).
//!
//! Connections are made when needed and kept. A file is in WAL mode, so readers never wait for a writer; writers take turns by a lock
//! of this process before they take SQLite's, which is fair and needs no polling. Two processes on one file fall back on SQLite's
//! own waiting.

mod durable;

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use self::durable::Log;
use crate::{
    blocking::blocking,
    numbers::Waits,
    permits::{Caller, Permit, Permits},
    private,
};

/// Prepared statements that a connection keeps: our components have about thirty.
const CACHED_STATEMENTS: usize = 64;

/// How each connection is opened.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE
    .union(OpenFlags::SQLITE_OPEN_CREATE)
    .union(OpenFlags::SQLITE_OPEN_NO_MUTEX)
    .union(OpenFlags::SQLITE_OPEN_EXRESCODE);

/// A SQLite file and its connections.
#[derive(Debug)]
pub struct Database {
    place: Place,
    configure: fn(&mut Connection, &Settings) -> rusqlite::Result<()>,
    settings: Settings,
    idle: Mutex<Vec<Connection>>,
    permits: Permits,
    writer: Arc<Semaphore>,
    connection_waits: Waits,
    writer_waits: Waits,
}

/// Where a database lies.
#[derive(Debug)]
enum Place {
    File {
        path: PathBuf,
        /// Device and number of the file that was opened first.
        identity: OnceLock<(u64, u64)>,
        log: Log,
    },
    /// Under a name that no other has, for as long as a connection is open.
    Memory { uri: String, _keeps_it: Mutex<Connection> },
}

/// What holds for each connection.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In use at the same time.
    pub max_connections: usize,
    /// So many of them are for messages alone.
    pub reserved_connections: usize,
    /// How long to wait for a connection, and for the writer's turn.
    pub busy_timeout: Duration,
    /// Largest text or blob.
    pub max_value_bytes: i32,
    /// Largest statement.
    pub max_statement_bytes: i32,
    /// Largest file.
    pub max_database_bytes: u64,
    /// The most that SQLite may have in memory, for all databases of the process. Of several bounds the lowest holds, until the process ends.
    pub max_memory_bytes: u64,
}

/// A connection that goes back to its pool when dropped. Not to be dropped with a transaction open: [`Database::put_back`] does that.
#[derive(Debug)]
pub struct Checkout {
    /// The connection. Some until it is dropped.
    connection: Option<Connection>,
    database: Arc<Database>,
    _permit: Permit,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// All are in use, for longer than anybody waits.
    #[error("all connections are in use")]
    Exhausted,
    /// There is another file at its place, or none.
    #[error("the file of the database was removed while it was in use; put it back and restart the runtime")]
    Removed,
    /// SQLite's reason.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The system's reason.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Database {
    /// For a file that need not be there yet. `configure` is run on each new connection after the common settings.
    #[must_use]
    pub fn new(
        path: PathBuf,
        settings: Settings,
        configure: fn(&mut Connection, &Settings) -> rusqlite::Result<()>,
    ) -> Self {
        let log = Log::of(&path);
        Self::at(Place::File { path, identity: OnceLock::new(), log }, settings, configure)
    }

    /// An empty one in memory, gone when dropped.
    ///
    /// # Errors
    /// SQLite refuses to make one.
    pub fn in_memory(
        settings: Settings,
        configure: fn(&mut Connection, &Settings) -> rusqlite::Result<()>,
    ) -> Result<Self, OpenError> {
        let uri = format!("file:/{}?vfs=memdb", Uuid::now_v7());
        let keeps_it = Connection::open_with_flags(&uri, FLAGS | OpenFlags::SQLITE_OPEN_URI)?;
        Ok(Self::at(Place::Memory { uri, _keeps_it: Mutex::new(keeps_it) }, settings, configure))
    }

    fn at(
        place: Place,
        settings: Settings,
        configure: fn(&mut Connection, &Settings) -> rusqlite::Result<()>,
    ) -> Self {
        let permits = Permits::new(settings.max_connections, settings.reserved_connections);
        Self {
            place,
            configure,
            settings,
            idle: Mutex::new(Vec::new()),
            permits,
            writer: Arc::new(Semaphore::new(1)),
            connection_waits: Waits::default(),
            writer_waits: Waits::default(),
        }
    }

    /// Where it lies, for the banner.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.place {
            Place::File { path, .. } => format!("file {}", path.display()),
            Place::Memory { .. } => "memory of this process".to_owned(),
        }
    }

    /// What holds for its connections.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many connections somebody has, and how many wait for somebody.
    pub(crate) fn lent_and_idle(&self) -> (usize, usize) {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        (self.permits.taken(), idle)
    }

    /// How many somebody may have.
    pub(crate) fn max_lent(&self) -> usize {
        self.permits.max()
    }

    /// Who waited for a connection, and who for the turn to write.
    pub(crate) fn waits(&self) -> [&Waits; 2] {
        [&self.connection_waits, &self.writer_waits]
    }

    /// A connection: a kept one at once, else a new one made off the async threads.
    ///
    /// # Errors
    /// All are in use for too long, or the file can't be opened.
    pub async fn checkout(self: &Arc<Self>, caller: Caller) -> Result<Checkout, OpenError> {
        let permit = match self.permits.try_acquire(caller) {
            Ok(permit) => permit,
            Err(_) => {
                let waiting = tokio::time::timeout(self.settings.busy_timeout, self.permits.acquire(caller));
                let waited = self.connection_waits.measure(waiting).await;
                waited.ok().flatten().ok_or(OpenError::Exhausted)?
            }
        };
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let database = Arc::clone(self);
                blocking(move || database.connect()).await?
            }
        };
        Ok(Checkout { connection: Some(connection), database: Arc::clone(self), _permit: permit })
    }

    /// The turn to write. Held until dropped.
    ///
    /// # Errors
    /// None came within the busy timeout.
    pub async fn writer(&self) -> Result<OwnedSemaphorePermit, OpenError> {
        let waiting = Arc::clone(&self.writer).acquire_owned();
        let waiting = tokio::time::timeout(self.settings.busy_timeout, waiting);
        let waited = self.writer_waits.measure(waiting).await;
        waited.ok().and_then(Result::ok).ok_or(OpenError::Exhausted)
    }

    /// Waits until the disk has all that was committed before. Blocks.
    ///
    /// # Errors
    /// The disk did not take it.
    pub fn sync(&self) -> Result<(), OpenError> {
        match &self.place {
            Place::File { log, .. } => Ok(log.sync()?),
            Place::Memory { .. } => Ok(()),
        }
    }

    /// Whether its file is still where it was opened. What is written to one that was removed, or that another took the place of, is lost
    /// with the last connection. Blocks.
    ///
    /// # Errors
    /// It is not.
    pub fn is_in_place(&self) -> Result<(), OpenError> {
        let Place::File { path, identity, .. } = &self.place else { return Ok(()) };
        match fs::metadata(path) {
            Ok(file) if *identity.get_or_init(|| (file.dev(), file.ino())) == (file.dev(), file.ino()) => {
                Ok(())
            }
            Err(failure) if failure.kind() != ErrorKind::NotFound => Err(failure.into()),
            _ => Err(OpenError::Removed),
        }
    }

    /// A new connection with all settings. Blocks.
    fn connect(&self) -> Result<Connection, OpenError> {
        let mut connection = match &self.place {
            Place::File { path, identity, .. } => {
                if identity.get().is_none() {
                    make(path)?;
                }
                self.is_in_place()?;
                Connection::open_with_flags(path, FLAGS)?
            }
            Place::Memory { uri, .. } => {
                Connection::open_with_flags(uri, FLAGS | OpenFlags::SQLITE_OPEN_URI)?
            }
        };
        connection.busy_timeout(self.settings.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        // WAL with NORMAL: a power cut may lose the last transactions, never the database (https://sqlite.org/wal.html); that it does not
        // lose them is `durable.rs`. In memory there is no WAL, and SQLite stays with what it has.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // As sqlite.org/security.html asks where statements are not to be trusted: what is in the file is not taken for sound, and nothing
        // in its schema may call what only statements may.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        // Values are counted when they are handed to a guest; what a statement does with them before is SQLite's own memory.
        let memory_bytes = i64::try_from(self.settings.max_memory_bytes).unwrap_or(i64::MAX);
        connection.pragma_update(None, "hard_heap_limit", memory_bytes)?;
        let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(self.settings.max_database_bytes).unwrap_or(i64::MAX) / page_bytes.max(1);
        connection.pragma_update(None, "max_page_count", pages)?;
        (self.configure)(&mut connection, &self.settings)?;
        Ok(connection)
    }

    /// Keeps a connection for the next, unless a transaction can't be ended.
    fn put_back(&self, connection: Connection) {
        if connection.is_autocommit() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// Makes the file, where it is missing, and has the disk know it. What SQLite puts beside it is as private as it is.
fn make(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    private::make_folders(folder)?;
    match private::make_file(path) {
        Ok(_) => {
            private::sync_folder(folder)?;
            private::sync_way_to(folder)
        }
        Err(failure) if failure.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(failure) => Err(failure),
    }
}

impl Checkout {
    /// Lends the connection. None only after [`Checkout::take`].
    pub fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Takes the connection out, to be used on another thread and given back by [`Checkout::restore`]. If it never is, the pool makes
    /// a new one.
    pub fn take(&mut self) -> Option<Connection> {
        self.connection.take()
    }

    /// The counterpart of [`Checkout::take`].
    pub fn restore(&mut self, connection: Connection) {
        self.connection = Some(connection);
    }

    /// The file.
    #[must_use]
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            if !connection.is_autocommit() {
                // A connection whose transaction can't be rolled back is closed, which does it.
                let _ = connection.execute_batch("ROLLBACK");
            }
            self.database.put_back(connection);
        }
    }
}
