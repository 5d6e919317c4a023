//! A throw-away versitygw: an S3 server that shares no line of code with ours nor with the one in this process.

use std::path::PathBuf;
use std::time::SystemTime;

use rustix::process::Signal;
use tempfile::TempDir;
use thumbs_s3::Credentials;
use thumbs_s3::sign::{self, Scope, Signable};

use super::bucket::Bucket;
use super::exchange::exchange;
use super::missing::Missing;
use super::port;
use super::process::{Launch, Process, find_program};

const SECRET_ACCESS_KEY: &str = "thumbs/secret+key@:hunter2";
const REGION: &str = "eu-test-1";
const BUCKET: &str = "thumbs-blobs";
/// Other test processes may pick the same port; more often than this in a row they do not.
const MAX_PORTS: u32 = 10;

/// A versitygw on 127.0.0.1 with one empty bucket.
#[derive(Debug)]
pub struct VersityGw {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Process>,
}

impl VersityGw {
    /// Starts it and creates the bucket.
    ///
    /// # Errors
    /// [`Missing`] where it is neither on the search path nor where `go install` puts programs.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub fn start() -> Result<Self, Missing> {
        let program = find_installed()
            .ok_or(Missing { what: "versitygw", how_to_install: "scripts/install-versitygw" })?;
        let folder = TempDir::new().expect("a temporary folder");
        for name in ["objects", "attributes"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder in the temporary folder");
        }
        let mut server = Self { program, folder, port: 0, process: None };
        let mut log = String::new();
        for _ in 0..MAX_PORTS {
            server.port = port::free();
            match server.launch() {
                Ok(()) => {
                    server.create_bucket();
                    return Ok(server);
                }
                Err(ended) => log = ended,
            }
        }
        panic!("versitygw does not start:\n{log}")
    }

    /// The bucket, and how to get at it.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        Bucket {
            endpoint: format!("http://127.0.0.1:{}", self.port),
            name: BUCKET.to_owned(),
            region: REGION.to_owned(),
            access_key_id: access_key_id(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        }
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

    /// Starts it again on the same port with its objects, after stopping it where it runs.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub fn restart(&mut self) {
        self.stop();
        if let Err(log) = self.launch() {
            panic!("versitygw does not start again:\n{log}");
        }
    }

    fn launch(&mut self) -> Result<(), String> {
        let address = format!("127.0.0.1:{}", self.port);
        let mut arguments = ["--port", &address, "--region", REGION, "--quiet", "posix", "--sidecar"]
            .map(std::ffi::OsString::from)
            .to_vec();
        // Not in extended attributes: not every file system below a temporary folder has them.
        arguments.push(self.folder.path().join("attributes").into());
        arguments.push(self.folder.path().join("objects").into());
        let launch = Launch {
            program: self.program.clone(),
            arguments,
            environment: vec![
                ("ROOT_ACCESS_KEY_ID", access_key_id()),
                ("ROOT_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
            ],
            user: None,
        };
        let mut process = Process::spawn(&launch, &self.folder.path().join("log"));
        // Its banner comes before it listens, so only an answer shows that it is ready. It ends where the port is another's.
        process.wait_until(|_| exchange(self.port, "GET", "/", &[], &[]).is_ok())?;
        self.process = Some(process);
        Ok(())
    }

    fn create_bucket(&self) {
        let credentials = Credentials {
            access_key_id: access_key_id(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            session_token: None,
        };
        let at = SystemTime::now();
        let host = format!("127.0.0.1:{}", self.port);
        let (path, payload, date) = (format!("/{BUCKET}"), sign::digest(b""), sign::timestamp(at));
        let mut headers = vec![("host", &*host), ("x-amz-content-sha256", &*payload), ("x-amz-date", &*date)];
        let request =
            Signable { method: "PUT", path: &path, query: "", headers: &headers, payload: &payload };
        let scope = Scope { region: REGION, service: "s3", at };
        let authorization = sign::authorization(&request, &scope, &credentials);
        // The exchange says by itself whom it asks.
        headers.remove(0);
        headers.extend([("authorization", &*authorization), ("content-length", "0")]);
        let reply = exchange(self.port, "PUT", &path, &headers, &[]).expect("it is ready");
        assert_eq!(
            reply.status,
            200,
            "the bucket can't be created: {}",
            String::from_utf8_lossy(&reply.body)
        );
    }
}

/// This process's own, so that a server of another test process on the same port is never mistaken for ours.
fn access_key_id() -> String {
    format!("thumbs-{}", std::process::id())
}

fn find_installed() -> Option<PathBuf> {
    const NAME: &str = "versitygw";
    let go_folders = [("GOBIN", ""), ("GOPATH", "bin"), ("HOME", "go/bin")];
    find_program(NAME).or_else(|| {
        go_folders
            .iter()
            .filter_map(|(variable, below)| {
                Some(PathBuf::from(std::env::var_os(variable)?).join(below).join(NAME))
            })
            .find(|path| path.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::super::{available, contract};
    use super::*;

    #[test]
    #[ignore = "an S3 server that takes minutes to build: make test-s3"]
    fn blobs_are_kept_and_survive_a_kill_and_a_stop() {
        let Some(mut server) = available(VersityGw::start()) else { return };
        contract::keeps_blobs(&server.bucket());
        contract::refuses_what_is_wrong(&server.bucket());
        server.kill();
        assert!(contract::get(&server.bucket(), contract::LEFT_OVER).is_err());
        server.restart();
        assert_eq!(contract::get(&server.bucket(), contract::LEFT_OVER), Ok(contract::DATA.to_vec()));
        server.stop();
        server.restart();
        assert_eq!(contract::get(&server.bucket(), contract::LEFT_OVER), Ok(contract::DATA.to_vec()));
    }
}
