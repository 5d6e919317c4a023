//! An S3 server in this process: `s3s` over a temporary folder, on a port that stays the same over restarts.
//!
//! It is real S3 over real HTTP with real signatures. What AWS checks beyond that (region and bucket), what tests want to see (which
//! requests came) and what they want to happen (a fault) is added in front of it, in `s3_front`.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::sync::watch;

use super::bucket::Bucket;
use super::port;
use super::process::PATIENCE;
use super::s3_front::{Fault, Front, Handled};

const ACCESS_KEY_ID: &str = "thumbs-access-key";
const SECRET_ACCESS_KEY: &str = "thumbs/secret+key@:hunter2";
const REGION: &str = "eu-test-1";
const BUCKET: &str = "thumbs-blobs";
/// How long requests in progress may take after a stop.
const DRAIN: Duration = Duration::from_secs(10);

/// An S3 server on 127.0.0.1 with one empty bucket.
#[derive(Debug)]
pub struct S3 {
    folder: TempDir,
    port: u16,
    front: Arc<Front>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    ending: watch::Sender<Ending>,
    thread: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    NotYet,
    AfterRequests,
    Now,
}

impl S3 {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket is a folder");
        let file_system = FileSystem::new(folder.path()).expect("the folder is there");
        let mut builder = S3ServiceBuilder::new(file_system);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
        let front = Arc::new(Front::new(builder.build(), REGION, BUCKET));
        let mut s3 = Self { folder, port: port::free(), front, running: None };
        s3.launch();
        s3
    }

    /// The bucket, and how to get at it.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        Bucket {
            endpoint: format!("http://127.0.0.1:{}", self.port),
            name: BUCKET.to_owned(),
            region: REGION.to_owned(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        }
    }

    /// Lets requests in progress end, and waits until it has stopped.
    pub fn stop(&mut self) {
        self.end(Ending::AfterRequests);
    }

    /// Cuts all connections, as `kill -9` would, and waits until nobody listens.
    pub fn kill(&mut self) {
        self.end(Ending::Now);
    }

    /// Starts it again on the same port with its objects, after stopping it where it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.stop();
        self.launch();
    }

    /// The requests it has answered since it was first started, in the order of their answers, of which a kill may have kept the last to itself.
    #[must_use]
    pub fn handled(&self) -> Vec<Handled> {
        self.front.handled()
    }

    #[cfg(test)]
    fn handled_count(&self) -> usize {
        self.front.handled_count()
    }

    /// Answers the next `count` requests with this status and nothing else.
    pub fn fail_next(&self, count: u32, status: u16) {
        self.front.fail_next(count, Fault::Status(status));
    }

    /// Breaks off in the middle of the bodies of the next `count` answers.
    pub fn cut_next(&self, count: u32) {
        self.front.fail_next(count, Fault::Cut);
    }

    /// Never answers the next `count` requests.
    pub fn hang_next(&self, count: u32) {
        self.front.fail_next(count, Fault::Hang);
    }

    /// From now on so many of a hundred requests have one of these faults, drawn from this seed; with none, no request has.
    pub fn storm(&self, seed: u64, percent: u64, faults: &[Fault]) {
        self.front.storm(seed, percent, faults);
    }

    /// The keys of the objects in the bucket, sorted.
    ///
    /// # Panics
    /// When the folder can't be read.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        let bucket = self.folder.path().join(BUCKET);
        let mut keys = Vec::new();
        let mut folders = vec![bucket.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of the bucket") {
                let path = entry.expect("an entry of the folder").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    keys.push(
                        path.strip_prefix(&bucket).expect("a file of the bucket").display().to_string(),
                    );
                }
            }
        }
        keys.sort();
        keys
    }

    fn end(&mut self, ending: Ending) {
        if let Some(running) = self.running.take() {
            let _thread_ended_by_itself = running.ending.send(ending);
            running.thread.join().expect("the server's thread does not panic");
        }
    }

    fn launch(&mut self) {
        let begin = Instant::now();
        let listener = loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)) {
                Ok(listener) => break listener,
                Err(error) => assert!(begin.elapsed() < PATIENCE, "the S3 server does not start: {error}"),
            }
        };
        listener.set_nonblocking(true).expect("a socket can be set non-blocking");
        let (ending, ends) = watch::channel(Ending::NotYet);
        let front = Arc::clone(&self.front);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime of its own");
            runtime.block_on(serve(listener, front, ends));
            runtime.shutdown_background();
        });
        self.running = Some(Running { ending, thread });
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn serve(listener: TcpListener, front: Arc<Front>, mut ends: watch::Receiver<Ending>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listening socket");
    let http = auto::Builder::new(TokioExecutor::new());
    let graceful = GracefulShutdown::new();
    let is_dead = Arc::new(AtomicBool::new(false));
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                // The client has gone again before it was accepted.
                Err(_) => continue,
            },
            _ = ends.changed() => break,
        };
        let (front, is_dead) = (Arc::clone(&front), Arc::clone(&is_dead));
        let service = service_fn(move |request| {
            let (front, is_dead) = (Arc::clone(&front), Arc::clone(&is_dead));
            async move {
                let answer = front.call(request).await;
                // Reads of files that its end interrupts look to it like files that are not there, and who is dead says nothing.
                if is_dead.load(Ordering::Acquire) { std::future::pending().await } else { answer }
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(socket), service).into_owned());
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _broken_off = connection.await;
        });
    }
    drop(listener);
    if *ends.borrow() == Ending::AfterRequests {
        let _drained = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    }
    is_dead.store(true, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use thumbs_s3::Error;

    use super::super::contract;
    use super::*;

    /// A server that is killed once hardly ever shows what it does then.
    const KILLS: u32 = 30;

    #[test]
    fn blobs_are_kept_over_real_http() {
        let s3 = S3::start();
        contract::keeps_blobs(&s3.bucket());
        contract::refuses_what_is_wrong(&s3.bucket());
        assert_eq!(s3.objects(), [contract::LEFT_OVER]);
        let handled = s3.handled();
        assert!(
            handled.iter().any(|handled| handled.method == "PUT" && handled.status == 200),
            "{handled:?}"
        );
    }

    #[test]
    fn objects_survive_a_kill_and_a_stop() {
        let mut s3 = S3::start();
        contract::put(&s3.bucket(), "a").unwrap();
        s3.kill();
        assert!(contract::put(&s3.bucket(), "b").unwrap_err().to_string().contains("attempts: 4"));
        s3.restart();
        assert_eq!(contract::get(&s3.bucket(), "a"), Ok(contract::DATA.to_vec()));
        s3.stop();
        assert!(contract::get(&s3.bucket(), "a").is_err());
        s3.restart();
        assert_eq!(contract::get(&s3.bucket(), "a"), Ok(contract::DATA.to_vec()));
    }

    #[test]
    fn one_that_is_killed_denies_nothing_that_it_has() {
        let mut s3 = S3::start();
        contract::put(&s3.bucket(), "a").unwrap();
        let bucket = s3.bucket();
        for _ in 0..KILLS {
            let is_over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let reads = || {
                    while !is_over.load(Ordering::Relaxed) {
                        assert_ne!(contract::get(&bucket, "a"), Err(Error::NotFound));
                    }
                };
                let readers: Vec<_> = (0..4).map(|_| scope.spawn(reads)).collect();
                let begun = s3.handled_count();
                let is_busy =
                    || s3.handled_count() >= begun + 20 || readers.iter().any(|one| one.is_finished());
                while !is_busy() {
                    std::thread::yield_now();
                }
                s3.kill();
                is_over.store(true, Ordering::Relaxed);
                s3.restart();
            });
        }
    }

    #[test]
    fn faults_come_to_order_and_are_overcome() {
        let s3 = S3::start();
        s3.fail_next(2, 503);
        contract::put(&s3.bucket(), "a").unwrap();
        let statuses: Vec<u16> = s3.handled().iter().map(|handled| handled.status).collect();
        assert_eq!(statuses, [503, 503, 200]);
    }
}
