//! A server process: started so that it can't outlive the tests, awaited by a condition, stopped by a signal.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to start or to stop. Far above what any needs; it bounds a hang.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What is to be run.
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(&'static str, String)>,
    /// The account to run as, where this process is root and the server refuses to be.
    pub(super) user: Option<&'static str>,
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the program with both outputs in the file `log`.
    pub(super) fn spawn(launch: &Launch, log: &Path) -> Self {
        let output = File::create(log).expect("a log file in the server's folder");
        let mut command = launch.command();
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle of the log"))
            .stderr(output);
        let child = spawn(command)
            .unwrap_or_else(|error| panic!("{} can't be run: {error}", launch.program.display()));
        Self { child, log: log.to_owned() }
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// Where it fails.
    pub(super) fn run(launch: &Launch) -> String {
        let mut command = launch.command();
        let output = command
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{} can't be run: {error}", launch.program.display()));
        assert!(
            output.status.success(),
            "{} failed:\n{}",
            launch.program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until `ready`; its log where it ended before that.
    ///
    /// # Panics
    /// After [`PATIENCE`], with the log.
    pub(super) fn wait_until(&mut self, ready: impl Fn(&Self) -> bool) -> Result<(), String> {
        let begin = Instant::now();
        loop {
            if self.child.try_wait().expect("a child can be waited for").is_some() {
                return Err(self.log());
            }
            if ready(self) {
                return Ok(());
            }
            assert!(begin.elapsed() < PATIENCE, "a server is not ready after {PATIENCE:?}:\n{}", self.log());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// The process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Sends it a signal; nothing happens where it has ended.
    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        let _already_gone = kill_process(pid, signal);
    }

    /// Asks it to end by `signal`, and waits until it has.
    ///
    /// # Panics
    /// After [`PATIENCE`], with the log.
    pub(super) fn stop(mut self, signal: Signal) {
        self.signal(signal);
        let begin = Instant::now();
        while self.child.try_wait().expect("a child can be waited for").is_none() {
            assert!(
                begin.elapsed() < PATIENCE,
                "a server does not stop within {PATIENCE:?}:\n{}",
                self.log()
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_gone = self.child.wait();
    }
}

impl Launch {
    fn command(&self) -> Command {
        let mut command = match find_program("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                // Dropped values stop their servers, but a test process that is killed drops nothing.
                command.args(["--pdeathsig", "KILL"]);
                if let Some(user) = self.user {
                    command
                        .arg(format!("--reuid={user}"))
                        .arg(format!("--regid={user}"))
                        .arg("--init-groups");
                }
                command.arg("--").arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir("/");
        command
    }
}

/// The program's path, where it is on the search path.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// Starts a child from a thread that never ends: the signal of `--pdeathsig` comes when the *thread* that started the child
/// ends, and a test's own thread may end before the server that it shares with others.
fn spawn(command: Command) -> std::io::Result<Child> {
    type Order = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, taken) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in taken {
                let _nobody_waits = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, child) = mpsc::channel();
    spawner.send((command, answer)).expect("the spawning thread never ends");
    child.recv().expect("the spawning thread never ends")
}
