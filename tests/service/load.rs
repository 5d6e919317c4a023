//! Clients that upload all the time, and what they see while something goes wrong: 202, or 503 with a time to come back, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use reqwest::StatusCode;
use thumbs_tests::{client::Client, images};
use tokio::task::JoinHandle;

/// Uploads that go on all the time.
const CLIENTS: usize = 4;
/// Jobs that must be accepted before something goes wrong and again after it is over.
pub(crate) const ACCEPTED_EACH_TIME: usize = 10;
/// What a test waits for comes within this, or never.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    accepted: AtomicUsize,
    refused: AtomicUsize,
}

/// Clients at work.
pub(crate) struct Load {
    seen: Arc<Seen>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Begins.
    pub(crate) fn on(client: &Client) -> Self {
        let seen = Arc::<Seen>::default();
        let clients = (0..CLIENTS)
            .map(|number| {
                let (seen, client) = (Arc::clone(&seen), client.clone());
                tokio::spawn(async move { seen.upload(client, number).await })
            })
            .collect();
        Self { seen, clients }
    }

    /// How many uploads were accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.seen.accepted.load(Ordering::Relaxed)
    }

    /// How many were refused so far.
    pub(crate) fn refused(&self) -> usize {
        self.seen.refused.load(Ordering::Relaxed)
    }

    /// Waits until so many more uploads were accepted.
    pub(crate) async fn accepts(&self, more: usize) {
        let goal = self.accepted() + more;
        until("uploads are accepted", || self.accepted() >= goal).await;
    }

    /// Waits until one more was refused than at this count.
    pub(crate) async fn refuses(&self, before: usize) {
        until("uploads are refused", || self.refused() > before).await;
    }

    /// Ends, and gives the ids of the jobs that were accepted.
    pub(crate) async fn end(self) -> Vec<String> {
        self.seen.stop.store(true, Ordering::Relaxed);
        join_all(self.clients).await.into_iter().flat_map(Result::unwrap).collect()
    }
}

impl Seen {
    async fn upload(&self, client: Client, number: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let side = u32::try_from(40 + (number + CLIENTS * ids.len()) % 100).unwrap();
            let reply = client.upload(&images::png(side, 30), &[]).await;
            match reply.status {
                StatusCode::ACCEPTED => {
                    ids.push(reply.json()["job_id"].as_str().unwrap().to_owned());
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                }
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!(reply.header("retry-after").is_some(), "503 says when to come back");
                    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
                    assert!(!String::from_utf8_lossy(&reply.body).contains("hunter2"));
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    // A client that keeps to Retry-After would make the test slow; this one only lets others run.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                status => panic!("{status}: {}", String::from_utf8_lossy(&reply.body)),
            }
        }
        ids
    }
}

pub(crate) async fn until(what: &str, reached: impl Fn() -> bool) {
    let begin = Instant::now();
    while !reached() {
        assert!(begin.elapsed() < DEADLINE, "after {DEADLINE:?} it is not so that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
