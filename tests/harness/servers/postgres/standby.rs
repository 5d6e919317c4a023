//! A standby of a throw-away PostgreSQL: made by `pg_basebackup`, it streams, only reads, and takes over when it is told to.

use std::ffi::OsString;
use std::time::Instant;

use tempfile::TempDir;

use super::super::missing::Missing;
use super::super::process::{LOOK_EVERY, PATIENCE, Process};
use super::{Auth, Postgres, USER, unprivileged};

impl Postgres {
    /// A standby of this server, streaming, without which this server commits nothing from now on: whatever a client was told is done is on
    /// both. It only reads until it is [promoted](Postgres::promote).
    ///
    /// # Errors
    /// [`Missing`] as for [`Postgres::start`].
    ///
    /// # Panics
    /// When it does not start or does not follow; the message has its log. Where clients have to prove who they are.
    pub fn standby(&self) -> Result<Self, Missing> {
        assert_eq!(self.auth, Auth::Trust, "a standby has no password to come with");
        let folder = TempDir::new().expect("a temporary folder");
        let user = unprivileged(folder.path())?;
        let programs = self.programs.clone();
        let (auth, speaks_tls) = (Auth::Trust, false);
        let mut standby = Self { programs, user, folder, port: 0, auth, speaks_tls, process: None };
        let from = format!("host=127.0.0.1 port={} user={USER}", self.port);
        let arguments =
            ["--no-sync", "--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--dbname"];
        let mut arguments = arguments.map(OsString::from).to_vec();
        arguments.extend([from.into(), "--pgdata".into(), standby.data().into()]);
        let _what_it_did = Process::run(&standby.program("pg_basebackup", arguments));
        standby.launch_somewhere();
        self.until("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");
        for statement in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            let _nothing_to_read = self.sql("postgres", statement);
        }
        self.until("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1");
        Ok(standby)
    }

    /// Makes a standby a server of its own, which waits for no other. Returns when it takes writes.
    ///
    /// # Panics
    /// When it is none.
    pub fn promote(&self) {
        let _true = self.sql("postgres", "SELECT pg_promote(wait => false)");
        self.until("SELECT pg_is_in_recovery()", "f");
    }

    /// Waits until a statement has this answer.
    fn until(&self, statement: &str, answer: &str) {
        let begin = Instant::now();
        loop {
            let found = self.sql("postgres", statement);
            if found == answer {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{statement} gives {found:?} and not {answer:?}");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::available;
    use super::super::DATABASE;
    use super::*;

    #[test]
    fn a_standby_has_what_its_primary_has_committed_and_takes_over() {
        let Some(mut primary) = available(Postgres::start(Auth::Trust)) else { return };
        let Some(standby) = available(primary.standby()) else { return };
        let _no_rows = primary.query(DATABASE, "CREATE TABLE marks (n INT); INSERT INTO marks VALUES (1)");
        primary.kill();
        let write = || standby.query(DATABASE, "INSERT INTO marks VALUES (2)");
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write));
        assert!(refused.is_err(), "it only reads");
        standby.promote();
        let _no_rows = write();
        assert_eq!(standby.query(DATABASE, "SELECT sum(n) FROM marks"), "3");
    }
}
