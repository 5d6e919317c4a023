//! A throw-away PostgreSQL with one database, over TCP only; a standby that follows it is in `postgres/standby.rs`.
//!
//! It writes without waiting for the disk: what a killed process has written stays in the system's memory, so nothing that a
//! test can do loses a committed row. Only a power cut would.

mod standby;

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use super::missing::Missing;
use super::port;
use super::process::{Launch, PATIENCE, Process, find_program};

/// Where Debian and its children keep the programs, a folder for each major version.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";
const USER: &str = "thumbs";
/// The database that [`Postgres::url`] names.
const DATABASE: &str = "thumbs";
const CERTIFICATE_FILE: &str = "server.crt";
const KEY_FILE: &str = "server.key";
/// Other test processes may pick the same port; more often than this in a row they do not.
const MAX_PORTS: u32 = 10;
/// The line of `postmaster.pid` that says how far the start has come, counted from 0.
const PID_FILE_STATUS_LINE: usize = 7;

/// How clients prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    Trust,
    /// By SCRAM-SHA-256 with this password, which may hold any printable character.
    Scram(String),
}

/// A PostgreSQL on 127.0.0.1.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    user: Option<&'static str>,
    folder: TempDir,
    port: u16,
    auth: Auth,
    speaks_tls: bool,
    process: Option<Process>,
}

impl Postgres {
    /// Creates a cluster with the empty database `thumbs` and starts it.
    ///
    /// # Errors
    /// [`Missing`] where PostgreSQL's programs are neither on the search path nor where Debian puts them, or where this process is
    /// root (which PostgreSQL refuses) and can't become anybody else.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub fn start(auth: Auth) -> Result<Self, Missing> {
        Self::create(auth, None)
    }

    /// The same, on a server that offers TLS with this certificate and its key, both PEM.
    ///
    /// # Errors
    /// As for [`Postgres::start`].
    ///
    /// # Panics
    /// As for [`Postgres::start`].
    pub fn start_with_tls(auth: Auth, certificate: &str, key: &str) -> Result<Self, Missing> {
        Self::create(auth, Some((certificate, key)))
    }

    fn create(auth: Auth, tls: Option<(&str, &str)>) -> Result<Self, Missing> {
        let programs = find_programs()
            .ok_or(Missing { what: "PostgreSQL", how_to_install: "apt-get install postgresql" })?;
        let folder = TempDir::new().expect("a temporary folder");
        let user = unprivileged(folder.path())?;
        let speaks_tls = tls.is_some();
        let mut postgres = Self { programs, user, folder, port: 0, auth, speaks_tls, process: None };
        postgres.create_cluster();
        if let Some((certificate, key)) = tls {
            postgres.write_secret(CERTIFICATE_FILE, certificate);
            postgres.write_secret(KEY_FILE, key);
        }
        postgres.launch_somewhere();
        postgres.sql("postgres", &format!("CREATE DATABASE {DATABASE}"));
        Ok(postgres)
    }

    /// Starts it on a port that is free.
    fn launch_somewhere(&mut self) {
        let mut log = String::new();
        for _ in 0..MAX_PORTS {
            self.port = port::free();
            match self.launch() {
                Ok(()) => return,
                Err(ended) => log = ended,
            }
        }
        panic!("PostgreSQL does not start:\n{log}")
    }

    /// The address of the database `thumbs`, with the password in it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    /// The address of another database of this server, with the password in it.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        let password = match &self.auth {
            Auth::Trust => String::new(),
            Auth::Scram(password) => format!(":{}", super::bucket::percent_encode(password)),
        };
        format!("postgres://{USER}{password}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Its address as a grant: `postgres://127.0.0.1:port`.
    #[must_use]
    pub fn outbound(&self) -> String {
        format!("postgres://127.0.0.1:{}", self.port)
    }

    /// Creates another empty database, for a test that must not see the rows of others; its address.
    ///
    /// # Panics
    /// When the database is there already, or the name is not one.
    #[must_use]
    pub fn create_database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url_of(name)
    }

    /// Runs one SQL statement by `psql`: its rows as lines, columns parted by `|`.
    ///
    /// # Panics
    /// When the statement fails; the message has the error.
    #[must_use]
    pub fn query(&self, database: &str, statement: &str) -> String {
        self.sql(database, statement)
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Stops it as its operator would: running statements are rolled back, clients are cut off. Waits until it has.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            // Its "fast" shutdown; SIGTERM would wait for every client to leave.
            process.stop(Signal::INT);
        }
    }

    /// Kills it, as `kill -9` of its first process does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same port with its data, after stopping it where it runs.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub fn restart(&mut self) {
        self.stop();
        let begin = Instant::now();
        // Children of a killed server take a moment to notice, and until then a new one refuses their shared memory.
        while let Err(log) = self.launch() {
            assert!(begin.elapsed() < PATIENCE, "PostgreSQL does not start again:\n{log}");
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str, arguments: Vec<OsString>) -> Launch {
        // A fixed locale: the log is matched by people, and sorting must not depend on the machine.
        let environment = vec![("LC_ALL", "C".to_owned())];
        Launch { program: self.programs.join(name), arguments, environment, user: self.user }
    }

    fn create_cluster(&self) {
        let mut arguments: Vec<OsString> =
            ["--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER, "--pgdata"]
                .map(OsString::from)
                .to_vec();
        arguments.push(self.data().into());
        match &self.auth {
            Auth::Trust => arguments.push("--auth=trust".into()),
            Auth::Scram(password) => {
                let file = self.write_secret("password", password);
                arguments.extend(["--auth=scram-sha-256", "--pwfile"].map(OsString::from));
                arguments.push(file.into());
            }
        }
        let _what_it_did = Process::run(&self.program("initdb", arguments));
    }

    /// A file that only the server can read, as it demands of keys.
    fn write_secret(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).expect("a file in the temporary folder");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("the file is ours");
        give_like(self.folder.path(), &file);
        file
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut arguments: Vec<OsString> = vec!["-D".into(), self.data().into()];
        let mut settings = vec![
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "fsync=off".to_owned(),
            "full_page_writes=off".to_owned(),
        ];
        if self.speaks_tls {
            let folder = self.folder.path().display();
            settings.extend([
                "ssl=on".to_owned(),
                format!("ssl_cert_file={folder}/{CERTIFICATE_FILE}"),
                format!("ssl_key_file={folder}/{KEY_FILE}"),
            ]);
        }
        for setting in settings {
            arguments.extend(["-c".into(), setting.into()]);
        }
        let mut process =
            Process::spawn(&self.program("postgres", arguments), &self.folder.path().join("log"));
        let pid_file = self.data().join("postmaster.pid");
        process.wait_until(|process| {
            let text = std::fs::read_to_string(&pid_file).unwrap_or_default();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            // The file of a killed server is still there, with the old process id.
            lines.first() == Some(&process.id().to_string().as_str())
                && lines.get(PID_FILE_STATUS_LINE) == Some(&"ready")
        })?;
        self.process = Some(process);
        Ok(())
    }

    fn sql(&self, database: &str, statement: &str) -> String {
        let port = self.port.to_string();
        let arguments = [
            "--no-psqlrc",
            "--quiet",
            "--no-align",
            "--tuples-only",
            "--set=ON_ERROR_STOP=1",
            "--no-password",
            "--host=127.0.0.1",
            "--port",
            &port,
            "--username",
            USER,
            "--dbname",
            database,
            "--command",
            statement,
        ];
        let mut launch = self.program("psql", arguments.map(OsString::from).to_vec());
        if let Auth::Scram(password) = &self.auth {
            launch.environment.push(("PGPASSWORD", password.clone()));
        }
        Process::run(&launch).trim_end().to_owned()
    }
}

/// The folder that holds `postgres`, `initdb` and `psql`; of several versions in Debian's place the newest.
fn find_programs() -> Option<PathBuf> {
    let complete =
        |folder: &Path| ["postgres", "initdb", "psql"].iter().all(|name| folder.join(name).is_file());
    let on_search_path = find_program("postgres").and_then(|path| path.parent().map(Path::to_owned));
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let mut versions: Vec<PathBuf> = std::fs::read_dir(DEBIAN_VERSIONS)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    versions.sort_by_key(version);
    on_search_path
        .into_iter()
        .chain(versions.into_iter().rev().map(|path| path.join("bin")))
        .find(|folder| complete(folder))
}

/// Where this process is root: an account that is not, which is given `folder`.
fn unprivileged(folder: &Path) -> Result<Option<&'static str>, Missing> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    if find_program("setpriv").is_none() {
        return Err(Missing { what: "setpriv", how_to_install: "apt-get install util-linux" });
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    for user in ["postgres", "nobody"] {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(user));
        let mut numbers = line.into_iter().flat_map(|line| line.split(':').skip(2)).map(str::parse::<u32>);
        if let (Some(Ok(user_id)), Some(Ok(group_id))) = (numbers.next(), numbers.next()) {
            chown(folder, Some(user_id), Some(group_id)).expect("root can give a folder away");
            return Ok(Some(user));
        }
    }
    Err(Missing { what: "an account that is not root", how_to_install: "adduser --system --group postgres" })
}

/// Gives `file` the owner of `folder`.
fn give_like(folder: &Path, file: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = folder.metadata().expect("the temporary folder is there");
    chown(file, Some(metadata.uid()), Some(metadata.gid()))
        .expect("a file can be given to the folder's owner");
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::super::available;
    use super::*;

    #[test]
    fn committed_rows_survive_a_kill_and_a_stop() {
        let Some(mut postgres) = available(Postgres::start(Auth::Trust)) else { return };
        let url = postgres.url();
        let _no_rows = postgres.query(DATABASE, "CREATE TABLE marks (n INT); INSERT INTO marks VALUES (1)");
        postgres.kill();
        assert!(TcpStream::connect(("127.0.0.1", postgres.port)).is_err(), "nobody listens after a kill");
        postgres.restart();
        assert_eq!(postgres.query(DATABASE, "SELECT n, n + 1 FROM marks"), "1|2");
        postgres.stop();
        assert!(TcpStream::connect(("127.0.0.1", postgres.port)).is_err(), "nobody listens after a stop");
        postgres.restart();
        assert_eq!(postgres.query(DATABASE, "SELECT count(*) FROM marks"), "1");
        assert_eq!(postgres.url(), url);
    }

    #[test]
    fn a_password_is_asked_for_and_encoded_in_the_url() {
        let Some(mut postgres) = available(Postgres::start(Auth::Scram("p@:/'\"\\%".to_owned()))) else {
            return;
        };
        assert_eq!(postgres.query(DATABASE, "SELECT current_user"), USER);
        let url = postgres.create_database("other");
        assert!(url.starts_with("postgres://thumbs:p%40%3A%2F%27%22%5C%25@127.0.0.1:"), "{url}");
        assert!(url.contains("/other?"), "{url}");
        assert!(!postgres.outbound().contains('@'));
        postgres.auth = Auth::Scram("wrong".to_owned());
        let refused =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| postgres.query(DATABASE, "SELECT 1")));
        assert!(refused.is_err(), "a wrong password is refused");
    }
}
