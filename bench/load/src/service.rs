//! The service under load: `thumbs up` in a process of its own, and what can be seen of it from outside.

use std::{
    fs::File,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::tally::Times;

const START_PATIENCE: Duration = Duration::from_secs(120);

/// Ends when dropped, and takes its data with it.
pub(crate) struct Service {
    process: Child,
    address: SocketAddr,
    /// Read only.
    database: Connection,
    _folder: TempDir,
}

impl Service {
    /// With these variables of the application beside its defaults, each as `name=value`.
    pub(crate) fn start(variables: &[String]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("thumbs-load-").tempdir()?;
        let (state, log) = (folder.path().join("state"), folder.path().join("log"));
        let program = std::env::current_exe()?.with_file_name("thumbs");
        let mut command = Command::new(&program);
        command.arg("up").args(["--listen", "127.0.0.1:0"]).arg("--state-dir").arg(&state);
        command.arg("--from").arg(crate::repository().join("spin.toml"));
        command.args(variables.iter().flat_map(|variable| ["--variable", variable]));
        let mut process =
            command.stderr(File::create(&log)?).spawn().with_context(|| program.display().to_string())?;
        let address = address(&mut process, &log)?;
        let database =
            Connection::open_with_flags(state.join("sqlite/default.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        database.busy_timeout(Duration::from_secs(5))?;
        Ok(Self { process, address, database, _folder: folder })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Jobs that wait or are being made.
    pub(crate) fn queued(&self) -> Result<u64> {
        self.count("SELECT COALESCE(SUM(jobs), 0) FROM thumbs_tallies WHERE status = 'processing'")
    }

    /// Jobs that came to an end so far.
    pub(crate) fn ended(&self) -> Result<u64> {
        self.count("SELECT COALESCE(SUM(entered), 0) FROM thumbs_tallies WHERE status <> 'processing'")
    }

    fn count(&self, statement: &str) -> Result<u64> {
        let count: i64 = self.database.query_row(statement, [], |row| row.get(0))?;
        Ok(count.try_into()?)
    }

    /// How long jobs took that ended between two moments (milliseconds since 1970), from being taken to their end.
    pub(crate) fn turnarounds(&self, from_ms: i64, to_ms: i64) -> Result<Times> {
        const TAKEN: &str = "SELECT updated_at_ms - created_at_ms FROM thumbs_jobs WHERE due_at_ms IS NULL AND updated_at_ms BETWEEN ?1 AND ?2";
        let mut statement = self.database.prepare(TAKEN)?;
        let times = statement.query_map([from_ms, to_ms], |row| row.get::<_, i64>(0))?;
        let times: Vec<_> =
            times.map(|ms| Ok(Duration::from_millis(ms?.try_into()?))).collect::<Result<_>>()?;
        Ok(Times::new(times))
    }

    /// Resident memory.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let path = PathBuf::from(format!("/proc/{}/status", self.process.id()));
        let status = std::fs::read_to_string(&path)?;
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the process has ended")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }
}

/// Where it listens, once it does.
fn address(process: &mut Child, log: &std::path::Path) -> Result<SocketAddr> {
    let begun = Instant::now();
    while begun.elapsed() < START_PATIENCE {
        let lines = std::fs::read_to_string(log)?;
        let started = lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["event"] == "started");
        if let Some(started) = started {
            return Ok(started["address"].as_str().context("the log names the address")?.parse()?);
        }
        if process.try_wait()?.is_some() {
            bail!("the service did not start:\n{lines}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the service did not start in {} s", START_PATIENCE.as_secs())
}

impl Drop for Service {
    fn drop(&mut self) {
        // Killed and not stopped: what still waits would be made first.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
