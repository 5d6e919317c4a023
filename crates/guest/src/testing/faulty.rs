//! A database whose statements go as the test decides.

use rusqlite::Connection;

use super::Driver;
use crate::sql::{Sql, SqlError, SqlRow, SqlValue};

/// What becomes of one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is done, and its rows come.
    Done,
    /// It is done, and nobody hears of it.
    AnswerLost,
    /// It is not done, and nobody knows.
    Stopped,
}

/// An empty SQLite database in memory, where each statement has the fate that a function gives it.
pub struct Faulty<F> {
    driver: Driver,
    fate: F,
}

impl<F: Fn(&str) -> Fate> Faulty<F> {
    /// With a database of its own.
    ///
    /// # Panics
    /// When there is no memory for it.
    #[expect(clippy::expect_used, reason = "a test fails loudly")]
    pub fn new(fate: F) -> Self {
        Self { driver: Driver::new(Connection::open_in_memory().expect("a database in memory")), fate }
    }
}

impl<F: Fn(&str) -> Fate> Sql for Faulty<F> {
    fn query(&self, statement: &str, parameters: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let fate = (self.fate)(statement);
        if fate == Fate::Stopped {
            return Err(SqlError::Unknown("the statement took too long".to_owned()));
        }
        let rows = self.driver.query(statement, parameters)?;
        match fate {
            Fate::AnswerLost => Err(SqlError::Unknown("the connection broke".to_owned())),
            _ => Ok(rows),
        }
    }
}
