//! One running service as a process of its own, of which everything is kept that it writes: for tests that search it.

use std::{
    fs::{self, File},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    home::Home,
    killable::program,
    service::{compile_cache, manifest_path},
};

/// What a process does within a moment takes no longer on a busy machine, or it hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at what was written.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A process of `thumbs up` that logs as much as it can. Dropping it kills it.
#[derive(Debug)]
pub struct Watched {
    child: Child,
    folder: TempDir,
}

impl Watched {
    /// Starts one on the data of a home. Variables go by the environment, as secrets should.
    ///
    /// # Panics
    /// When the program can't be run.
    #[must_use]
    pub fn start<'a>(
        home: &Home,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        arguments: &[&str],
    ) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut command = Command::new(program());
        command.args(["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log", "json"]);
        command.args(["--log-level", "debug", "--limit", "access_log_every=1"]).args(arguments);
        command.arg("--from").arg(manifest_path()).arg("--cache-dir").arg(compile_cache());
        command.arg("--state-dir").arg(home.state_dir()).args(home.arguments());
        for (name, value) in variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let file = |name| File::create(folder.path().join(name)).expect("a file of our own");
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
        Self { child, folder }
    }

    /// All that it has written so far, to both streams.
    ///
    /// # Panics
    /// When that can't be read.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        let read = |name| fs::read(self.folder.path().join(name)).expect("a file of our own");
        [read("stdout"), read("stderr")].concat()
    }

    /// Waits for the line that tells of this event, and gives the value of one of its fields.
    ///
    /// # Panics
    /// When there is none; the message has what was written.
    pub fn told(&mut self, event: &str, field: &str) -> String {
        let start = Instant::now();
        loop {
            let written = String::from_utf8_lossy(&self.written()).into_owned();
            let mut lines = written.lines().filter_map(|line| serde_json::from_str(line).ok());
            if let Some(line) = lines.find(|line: &serde_json::Value| line["event"] == event) {
                return line[field].as_str().unwrap_or_default().to_owned();
            }
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "no {event} ({ended:?}): {written}");
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// What it needs of memory now, in KiB.
    ///
    /// # Panics
    /// Where the system does not tell.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux tells");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a running process");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Ends it as a service manager does, and gives all that it has written.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn stop(self) -> Vec<u8> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it is our child");
        self.end()
    }

    /// Waits until it ends by itself, and gives all that it has written.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn end(mut self) -> Vec<u8> {
        let start = Instant::now();
        while self.child.try_wait().expect("it is our child").is_none() {
            assert!(start.elapsed() < PATIENCE, "it goes on: {}", String::from_utf8_lossy(&self.written()));
            std::thread::sleep(POLL_INTERVAL);
        }
        self.written()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
