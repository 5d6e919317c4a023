//! The statements that a connection has prepared, by their text.

use tokio_postgres::Statement;

/// Prepared statements that a connection keeps, as many as one to SQLite does.
const MAX_KEPT: usize = 64;
/// Longer texts are prepared each time: a guest can make as many as it likes.
const MAX_KEPT_TEXT_BYTES: usize = 4096;

/// The last used last.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    kept: Vec<(Box<str>, Statement)>,
    /// How many the server has at least, unless somebody deallocated one: some of the library's own come on top.
    known: usize,
}

impl Statements {
    /// The one of this text, where it is kept.
    pub(crate) fn get(&mut self, text: &str) -> Option<Statement> {
        let index = self.kept.iter().rposition(|(known, _)| **known == *text)?;
        // Moves it to the end.
        if let Some(tail) = self.kept.get_mut(index..) {
            tail.rotate_left(1);
        }
        self.kept.last().map(|(_, statement)| statement.clone())
    }

    /// Keeps one; the one that was not used for longest gives way.
    pub(crate) fn keep(&mut self, text: &str, statement: &Statement) {
        if text.len() > MAX_KEPT_TEXT_BYTES {
            return;
        }
        if self.kept.len() >= MAX_KEPT {
            // The server forgets it too: the library says so when the last handle goes.
            self.kept.remove(0);
            self.known = self.known.saturating_sub(1);
        }
        self.kept.push((text.into(), statement.clone()));
        self.known += 1;
    }

    /// Forgets one that no longer stands.
    pub(crate) fn forget(&mut self, text: &str) {
        let before = self.kept.len();
        self.kept.retain(|(known, _)| **known != *text);
        self.known = self.known.saturating_sub(before - self.kept.len());
    }

    /// Whether so many in the server may be all that should be there. Fewer are not: a borrower has deallocated some.
    pub(super) fn stand(&mut self, in_server: usize) -> bool {
        let stand = in_server >= self.known;
        self.known = in_server;
        stand
    }
}
