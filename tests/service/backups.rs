//! `thumbs backup` and `restore` as an operator runs them: of a service that uploads are sent to all the time, into a folder, and from there into
//! another state directory, in which a service goes on.

use std::{
    collections::BTreeSet,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use thumbs_tests::{
    client::Client,
    home::Home,
    images,
    killable::{Killable, program},
    random::{self, Random},
};
use tokio::task::block_in_place;

/// Uploads that go on all the time.
const CLIENTS: u64 = 4;
/// Jobs that are done before a backup begins, and backups that are made while more come.
const DONE_BEFORE: usize = 40;
const BACKUPS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// What the clients have done so far, and whether they are to go on.
#[derive(Default)]
struct Load {
    done: AtomicUsize,
    /// Jobs that were told to go: one that is made and goes while a backup is made may be there without its thumbnail (`runtime/src/backup.rs`).
    gone: Mutex<BTreeSet<String>>,
    is_over: AtomicBool,
}

impl Load {
    fn gone(&self) -> BTreeSet<String> {
        self.gone.lock().unwrap().clone()
    }

    /// Uploads until told to stop, follows each job to its end, and deletes every fourth.
    async fn go_on(self: Arc<Self>, client: Client, mut random: Random) {
        while !self.is_over.load(Ordering::Relaxed) {
            let side = 20 + u32::try_from(random.below(400)).unwrap();
            let id = client.submit(&images::png(side, 30), &[("variants", VARIANTS)]).await;
            client.finished(&id).await;
            self.done.fetch_add(1, Ordering::Relaxed);
            if random.below(4) == 0 {
                self.gone.lock().unwrap().insert(id.clone());
                client.send(client.request(Method::DELETE, &format!("/jobs/{id}"))).await;
            }
        }
    }
}

const VARIANTS: &str = r#"[{"name":"s","width":16},{"name":"l","width":48}]"#;

fn thumbs(command: &str, folder: &Path, state_dir: &Path) {
    let ran = Command::new(program()).arg(command).arg(folder).arg("--state-dir").arg(state_dir).output();
    let ran = ran.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{command}: {stdout}{stderr}");
}

/// All jobs, oldest last.
async fn jobs(client: &Client) -> Vec<Value> {
    let (mut jobs, mut next) = (Vec::new(), "/jobs?limit=100".to_owned());
    loop {
        let page = client.get(&next).await.json();
        jobs.extend(page["jobs"].as_array().unwrap().iter().cloned());
        match page["links"]["next"].as_str() {
            Some(href) => next = href.to_owned(),
            None => return jobs,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_busy_service_has_the_thumbnail_of_each_job_that_is_done() {
    let seed = random::seed();
    println!("THUMBS_FAULT_SEED={seed}");
    let home = Home::embedded();
    let mut random = Random::new(seed);
    let service = block_in_place(|| Killable::start(&home, &[]));
    let load = Arc::new(Load::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let random = Random::new(random.below(u64::MAX));
            tokio::spawn(Arc::clone(&load).go_on(service.client.clone(), random))
        })
        .collect();
    let folder = TempDir::new().unwrap();
    let mut backups = Vec::new();
    for number in 0..BACKUPS {
        let begin = Instant::now();
        while load.done.load(Ordering::Relaxed) < DONE_BEFORE * (number + 1) {
            assert!(begin.elapsed() < PATIENCE, "{:?} jobs are done", load.done);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let backup = folder.path().join(format!("backup-{number}"));
        block_in_place(|| thumbs("backup", &backup, home.state_dir()));
        backups.push((backup, load.gone()));
    }
    load.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    drop(service);

    for (backup, gone) in backups {
        let other = Home::embedded();
        block_in_place(|| thumbs("restore", &backup, other.state_dir()));
        // What was at work when the backup was made is done by who goes on.
        let restored = block_in_place(|| Killable::start(&other, &["--workers", "0"]));
        let jobs = jobs(&restored.client).await;
        let is_kept =
            |job: &&Value| job["status"] == "succeeded" && !gone.contains(job["job_id"].as_str().unwrap());
        let done: Vec<_> = jobs.iter().filter(is_kept).collect();
        assert!(done.len() >= DONE_BEFORE / 2, "{} jobs of {} are done", done.len(), jobs.len());
        for job in done {
            let id = job["job_id"].as_str().unwrap();
            for variant in job["variants"].as_array().unwrap() {
                let thumbnail = restored.client.get(variant["url"].as_str().unwrap()).await;
                assert_eq!(thumbnail.status, StatusCode::OK, "{id}: {job}");
                assert_eq!(variant["sha256"], hex(&thumbnail.body), "{id}");
            }
        }
    }
}
