//! What a guest has open: a label, and a connection to its database only while it needs one.
//!
//! A statement that reads borrows a connection from the pool and gives it back, so a guest that waits for something else holds up nobody.
//! Within a transaction the connection is kept, and with it the turn to write, as soon as it is needed; and it is kept after a statement that
//! wrote, for the functions that tell of it (`last_insert_rowid()`, `changes()`). Either for a short while only: where nothing happens, the
//! connection goes back, and a transaction is rolled back, for all who want to write wait for it. Its guest hears of that with its next
//! statement.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use rusqlite::{InterruptHandle, types::Value};
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit};
use tokio_util::task::AbortOnDropHandle;

use super::{
    super::{
        embedded::{Checkout, Database, OpenError},
        refusals::Refusals,
    },
    INTERFACE, SqliteError, policy,
    statement::{self, Bounds, Outcome},
    wit,
};
use crate::{blocking::blocking, memory::Held, permits::Caller};

/// A connection that a guest has open.
#[derive(Debug)]
pub struct OpenConnection {
    database: Arc<Database>,
    caller: Caller,
    refusals: Refusals,
    between: Arc<Mutex<Between>>,
}

/// What a guest has between two of its statements.
#[derive(Debug, Default)]
enum Between {
    /// Nothing.
    #[default]
    Nothing,
    /// A connection, the end of its last statement, and the clock that takes it away.
    Kept { held: Kept, since: Instant, _clock: AbortOnDropHandle<()> },
    /// It had a transaction, and was too slow.
    RolledBack,
}

/// A connection, while it is needed.
#[derive(Debug)]
struct Kept {
    // Dropped in this order: the rollback comes before the next writer's turn.
    checkout: Checkout,
    turn: Option<OwnedSemaphorePermit>,
    caller: Caller,
    wrote: bool,
}

impl OpenConnection {
    pub(super) fn new(database: Arc<Database>, caller: Caller, refusals: Refusals) -> Self {
        Self { database, caller, refusals, between: Arc::default() }
    }

    pub(super) async fn execute(
        &self,
        sql: String,
        parameters: Vec<Value>,
        bounds: Bounds,
        memory: Held,
    ) -> Result<(wit::QueryResult, Held), SqliteError> {
        let between = std::mem::take(&mut *lock(&self.between));
        let mut held = match between {
            Between::Kept { held, .. } => held,
            Between::Nothing => {
                let checkout = self.database.checkout(self.caller).await;
                Kept { checkout: checkout.map_err(failed)?, turn: None, caller: self.caller, wrote: false }
            }
            Between::RolledBack => {
                let millis = bounds.max_idle.as_millis();
                return Err(io(format!(
                    "the transaction was rolled back: nothing happened in it for {millis} ms"
                )));
            }
        };
        let result = held.execute(sql, parameters, bounds, memory, &self.refusals).await;
        if held.wrote || held.in_transaction() {
            let since = Instant::now();
            let clock = end_idle(Arc::downgrade(&self.between), since, bounds.max_idle);
            let clock = AbortOnDropHandle::new(tokio::spawn(clock));
            *lock(&self.between) = Between::Kept { held, since, _clock: clock };
        }
        result
    }
}

fn lock(between: &Mutex<Between>) -> MutexGuard<'_, Between> {
    between.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes away the connection on which nothing has happened since then, unless this is stopped before.
async fn end_idle(between: Weak<Mutex<Between>>, since: Instant, patience: Duration) {
    tokio::time::sleep(patience).await;
    let Some(between) = between.upgrade() else { return };
    let idle = {
        let mut between = lock(&between);
        let then = match &mut *between {
            Between::Kept { held, since: end, .. } if *end == since => match held.in_transaction() {
                true => Between::RolledBack,
                false => Between::Nothing,
            },
            _ => return,
        };
        std::mem::replace(&mut *between, then)
    };
    // With it goes the handle of this very task: at the end.
    blocking(move || drop(idle)).await;
}

impl Kept {
    fn in_transaction(&mut self) -> bool {
        self.checkout.connection().is_some_and(|connection| !connection.is_autocommit())
    }

    async fn execute(
        &mut self,
        sql: String,
        parameters: Vec<Value>,
        bounds: Bounds,
        mut memory: Held,
        refusals: &Refusals,
    ) -> Result<(wit::QueryResult, Held), SqliteError> {
        let lost = || io("the connection was lost");
        let connection = self.checkout.connection().ok_or_else(lost)?;
        let (mut sql, mut reads) = (sql, false);
        if connection.is_autocommit() {
            match statement::try_reading(connection, &sql, &parameters, &bounds, &mut memory) {
                Outcome::Done(result) => return Ok((said(result, refusals)?, memory)),
                Outcome::TooMuch => reads = true,
                Outcome::Writes => {}
                Outcome::Costly => {
                    let connection = self.checkout.take().ok_or_else(lost)?;
                    let refusals = refusals.clone();
                    let (connection, looked) = blocking(move || {
                        let only_reads = said(statement::only_reads(&connection, &sql), &refusals);
                        (connection, only_reads.map(|only_reads| (sql, only_reads)))
                    })
                    .await;
                    self.checkout.restore(connection);
                    (sql, reads) = looked.map_err(SqliteError::Guest)?;
                }
            }
        }
        if !reads && self.turn.is_none() {
            let turn = self.checkout.database().writer().await;
            self.turn = Some(turn.map_err(|_| io("the database is busy writing"))?);
        }
        self.wrote |= !reads;
        // Both go along: if this future is dropped, the work goes on, and the next writer must not start before it ends.
        let (mut connection, turn) = (self.checkout.take().ok_or_else(lost)?, self.turn.take());
        let (database, caller) = (Arc::clone(self.checkout.database()), self.caller);
        let refusals = refusals.clone();
        let deadline = Instant::now() + bounds.timeout;
        let watch = interrupt(connection.get_interrupt_handle(), bounds.timeout);
        let (connection, turn, result) = blocking(move || {
            let _watch = watch;
            let in_place = if reads { Ok(()) } else { database.is_in_place().map_err(failed) };
            let result = in_place.and_then(|()| {
                let ran = statement::run(&mut connection, &sql, &parameters, &bounds, &mut memory, deadline);
                said(ran, &refusals)
            });
            // Within a transaction the turn is kept for its next statement. Else it goes on, before the disk is waited for.
            let turn = turn.filter(|_| !connection.is_autocommit());
            let committed = !reads && turn.is_none();
            let result = result.and_then(|result| {
                if committed {
                    durable(&database, caller)?;
                }
                Ok((result, memory))
            });
            (connection, turn, result)
        })
        .await;
        self.turn = turn;
        self.checkout.restore(connection);
        result
    }
}

/// Says in the log what a statement was denied that was compiled on this thread just now.
fn said<T, E>(result: Result<T, E>, refusals: &Refusals) -> Result<T, E> {
    if let Some(wanted) = policy::denied()
        && result.is_err()
    {
        refusals.note(INTERFACE, &wanted);
    }
    result
}

/// Ends the statement after this time where it is in a step that looks for that, and for nothing else: a walk through a whole table.
/// Where it has ended before, nothing happens.
fn interrupt(statement: InterruptHandle, after: Duration) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        tokio::time::sleep(after).await;
        statement.interrupt();
    }))
}

fn io(text: impl Into<String>) -> SqliteError {
    SqliteError::Guest(wit::Error::Io(text.into()))
}

fn failed(error: OpenError) -> SqliteError {
    io(error.to_string())
}

/// Has the disk take what was committed: whoever wrote for a request waits for it. Blocks.
fn durable(database: &Arc<Database>, caller: Caller) -> Result<(), SqliteError> {
    match caller {
        Caller::Request => database.sync().map_err(failed),
        Caller::Message => {
            let database = Arc::clone(database);
            // A failure is remembered, and told to whoever waits next.
            let _syncing = Handle::current().spawn_blocking(move || database.sync());
            Ok(())
        }
    }
}
