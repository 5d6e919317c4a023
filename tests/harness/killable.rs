//! One running service as a process of its own, for tests that kill it: what it had in its memory is gone, and nothing is drained.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use crate::{
    client::Client,
    home::Home,
    service::{compile_cache, manifest_path},
    world::World,
};

/// How long a start may take. Far above what any needs; it bounds a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of `thumbs up`. Dropping it kills it.
#[derive(Debug)]
pub struct Killable {
    child: Child,
    events: Arc<Mutex<BTreeMap<String, u64>>>,
    /// Speaks to it.
    pub client: Client,
}

impl Killable {
    /// Starts one on the data of a home, with these further arguments.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    #[must_use]
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::start_by(Command::new(program()), home, arguments)
    }

    /// The same in a world of its own.
    ///
    /// # Panics
    /// As [`Killable::start`].
    #[must_use]
    pub fn start_in(world: &World, home: &Home, arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        world.hold(&mut command);
        Self::start_by(command, home, arguments)
    }

    fn start_by(mut command: Command, home: &Home, arguments: &[&str]) -> Self {
        command.args(["up", "--listen", "127.0.0.1:0", "--log", "json"]);
        command.arg("--from").arg(manifest_path()).arg("--cache-dir").arg(compile_cache());
        command.arg("--state-dir").arg(home.state_dir());
        command.args(home.arguments()).args(arguments);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap_or_else(
                |error| panic!("{command:?} can't be run (was it built? `make build`): {error}"),
            );
        let log = child.stderr.take().expect("it is piped");
        let events = Arc::<Mutex<BTreeMap<String, u64>>>::default();
        let (tell, told) = mpsc::channel();
        let counted = Arc::clone(&events);
        // Reads to the end, so that the process never waits for its reader.
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let read: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                let event = read["event"].as_str().unwrap_or_default().to_owned();
                *counted.lock().unwrap_or_else(PoisonError::into_inner).entry(event).or_default() += 1;
                let _nobody_waits_any_more = tell.send((read, line));
            }
        });
        let mut log = String::new();
        let address = loop {
            match told.recv_timeout(PATIENCE) {
                Ok((line, _)) if line["event"] == "started" => break line["address"].clone(),
                Ok((_, line)) => log = format!("{log}\n{line}"),
                Err(RecvTimeoutError::Timeout) => panic!("not started after {PATIENCE:?}:{log}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended instead of starting:{log}"),
            }
        };
        let client = Client::new(format!("http://{}", address.as_str().expect("an address")));
        Self { child, events, client }
    }

    /// Kills it, as the system does that has no memory left, and gives how often it has logged each event.
    #[must_use]
    pub fn kill(mut self) -> BTreeMap<String, u64> {
        self.end();
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn end(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        self.end();
    }
}

/// The program that was built with this test, two folders above it.
///
/// # Panics
/// Where this test lies elsewhere.
#[must_use]
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    test.ancestors().nth(2).expect("it lies below target/").join("thumbs")
}
