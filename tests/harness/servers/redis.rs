//! A throw-away Redis. What it holds survives `kill` and `restart`, as that of a production Redis with an append-only file does.

use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;

use super::missing::Missing;
use super::port;
use super::process::{Launch, Process, find_program};

/// Other test processes may pick the same port; more often than this in a row they do not.
const MAX_PORTS: u32 = 10;

/// A Redis on 127.0.0.1.
#[derive(Debug)]
pub struct Redis {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    password: Option<String>,
    tls: bool,
    process: Option<Process>,
}

impl Redis {
    /// Starts one that asks for no password.
    ///
    /// # Errors
    /// [`Missing`] where no `redis-server` is on the search path.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(None, false)
    }

    /// Starts one that speaks TLS and nothing else, with a certificate for `localhost` that nobody trusts.
    ///
    /// # Errors
    /// [`Missing`] where no `redis-server` is on the search path.
    pub fn start_with_tls() -> Result<Self, Missing> {
        Self::start_with(None, true)
    }

    /// Starts one that asks for `password`, which may hold any printable character.
    ///
    /// # Errors
    /// [`Missing`] where no `redis-server` is on the search path.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub fn start_with_password(password: &str) -> Result<Self, Missing> {
        Self::start_with(Some(password.to_owned()), false)
    }

    fn start_with(password: Option<String>, tls: bool) -> Result<Self, Missing> {
        let program = find_program("redis-server")
            .ok_or(Missing { what: "redis-server", how_to_install: "apt-get install redis-server" })?;
        let folder = TempDir::new().expect("a temporary folder");
        let mut redis = Self { program, folder, port: 0, password, tls, process: None };
        let mut log = String::new();
        for _ in 0..MAX_PORTS {
            redis.port = port::free();
            match redis.launch() {
                Ok(()) => return Ok(redis),
                Err(ended) => log = ended,
            }
        }
        panic!("redis-server does not start:\n{log}")
    }

    /// Its address with the password in it: `redis://[:password@]127.0.0.1:port`, or `rediss://localhost:port`.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self
            .password
            .as_deref()
            .map_or(String::new(), |password| format!(":{}@", super::bucket::percent_encode(password)));
        if self.tls {
            return format!("rediss://{password}localhost:{}", self.port);
        }
        format!("redis://{password}127.0.0.1:{}", self.port)
    }

    /// Its address as a grant: `redis://127.0.0.1:port`.
    #[must_use]
    pub fn outbound(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Stops it as its operator would, and waits until it has.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(Signal::TERM);
        }
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Lets it do nothing until [`Redis::resume`]: the system still takes connections for it, and nobody answers on them.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// Starts it again on the same port with what it held, after stopping it where it runs.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub fn restart(&mut self) {
        self.stop();
        if let Err(log) = self.launch() {
            panic!("redis-server does not start again:\n{log}");
        }
    }

    fn launch(&mut self) -> Result<(), String> {
        let configuration = self.folder.path().join("redis.conf");
        let port = if self.tls { 0 } else { self.port };
        let mut lines = format!(
            "bind 127.0.0.1\nport {port}\ndir {}\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync no\n",
            self.folder.path().display()
        );
        if self.tls {
            let certificates = crate::repository_root().join("runtime/tests/fixtures/tls");
            let certificates = certificates.display();
            lines.push_str(&format!(
                "tls-port {}\ntls-cert-file {certificates}/localhost.pem\ntls-key-file {certificates}/localhost.key\n\
                 tls-ca-cert-file {certificates}/authority.pem\ntls-auth-clients no\n",
                self.port
            ));
        }
        if let Some(password) = &self.password {
            // In the file, not on the command line, which every user of the machine can read.
            let quoted = password.replace('\\', "\\\\").replace('"', "\\\"");
            lines.push_str(&format!("requirepass \"{quoted}\"\n"));
        }
        std::fs::write(&configuration, lines).expect("a configuration file in the temporary folder");
        let launch = Launch {
            program: self.program.clone(),
            arguments: vec![configuration.into()],
            environment: Vec::new(),
            user: None,
        };
        let mut process = Process::spawn(&launch, &self.folder.path().join("log"));
        // The line is this process's own; an answer on the port might be somebody else's.
        process.wait_until(|process| process.log().contains("Ready to accept connections"))?;
        self.process = Some(process);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::super::available;
    use super::*;

    /// Sends inline commands on one connection and gives the last answer's line.
    fn ask(redis: &Redis, commands: &[&str]) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", redis.port))?;
        for command in commands {
            writeln!(stream, "{command}\r")?;
        }
        writeln!(stream, "QUIT\r")?;
        let mut answers = String::new();
        stream.read_to_string(&mut answers)?;
        Ok(answers.lines().rev().nth(1).unwrap_or_default().to_owned())
    }

    #[test]
    fn it_is_ready_and_keeps_what_it_holds_over_a_kill() {
        let Some(mut redis) = available(Redis::start()) else { return };
        assert_eq!(ask(&redis, &["SET key value"]).unwrap(), "+OK");
        let url = redis.url();
        redis.kill();
        assert!(ask(&redis, &["PING"]).is_err(), "nobody listens after a kill");
        redis.restart();
        assert_eq!(redis.url(), url);
        assert_eq!(ask(&redis, &["GET key"]).unwrap(), "value");
        redis.stop();
        assert!(ask(&redis, &["PING"]).is_err(), "nobody listens after a stop");
        redis.restart();
        assert_eq!(ask(&redis, &["GET key"]).unwrap(), "value");
    }

    #[test]
    fn a_password_is_asked_for_and_encoded_in_the_url() {
        let Some(redis) = available(Redis::start_with_password("p@:/\"\\%")) else { return };
        assert!(ask(&redis, &["PING"]).unwrap().contains("NOAUTH"));
        assert_eq!(ask(&redis, &[r#"AUTH "p@:/\"\\%""#]).unwrap(), "+OK");
        assert!(redis.url().starts_with("redis://:p%40%3A%2F%22%5C%25@127.0.0.1:"), "{}", redis.url());
        assert!(!redis.outbound().contains('@'));
    }

    #[test]
    fn a_dropped_one_is_gone_and_so_is_its_folder() {
        let Some(redis) = available(Redis::start()) else { return };
        let (port, folder) = (redis.port, redis.folder.path().to_owned());
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _held = redis;
            panic!("as a test does that fails");
        }));
        assert!(panicked.is_err());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!folder.exists());
    }
}
