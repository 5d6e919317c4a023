//! The process killed at random moments under load, again and again, on the same data: whatever was answered with 202 ends, as the thumbnail
//! that it promises or as a failure that says the worker was lost.
//!
//! `THUMBS_FAULT_RUNS` is how often it is killed in each home, `THUMBS_FAULT_SEED` repeats the moments of a run that failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thumbs_tests::{
    client::Client,
    home::Home,
    images,
    killable::Killable,
    random::{self, Random, setting},
    world::World,
};
use tokio::task::block_in_place;

thumbs_tests::in_every_home! {
    no_accepted_job_is_lost_by_a_kill,
}

/// Uploads that go on all the time.
const CLIENTS: u64 = 4;
/// The longest life of a process, from its start.
const MAX_LIFE_MS: u64 = 1_200;
/// What a test waits for comes within this, or never.
const DEADLINE: Duration = Duration::from_secs(60);
/// Leases shorter than in production, so that a job whose worker was killed comes back within the test. And a bound on the queue: without it some
/// hundred lives leave a hundred thousand jobs, which take longer than all the kills.
const ARGUMENTS: &[&str] = &[
    "--limit",
    "message_timeout_ms=2000",
    "--variable",
    "lease_secs=3",
    "--variable",
    "max_queued_jobs=1000",
];

/// Uploads until told to stop, and gives the jobs that were answered with 202: their keys and ids. Every other upload is sent once more under its key.
async fn upload(client: Client, mut random: Random, stop: Arc<AtomicBool>) -> Vec<(String, String)> {
    let mut jobs = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let side = 20 + u32::try_from(random.below(400)).unwrap();
        let image = if random.below(2) == 0 { images::png(side, 30) } else { images::jpeg(side, 40) };
        let key = format!("{side}-{}", random.below(u64::MAX));
        for _ in 0..1 + random.below(2) {
            let request =
                client.request(Method::POST, "/jobs").body(image.clone()).header("idempotency-key", &key);
            // It may be killed before it answers, or in the middle of its answer.
            let Ok(response) = request.send().await else { continue };
            if response.status() == StatusCode::ACCEPTED
                && let Ok(job) = response.json::<Value>().await
            {
                jobs.push((key.clone(), job["job_id"].as_str().unwrap().to_owned()));
            }
        }
    }
    jobs
}

/// All jobs that a list has.
async fn listed(client: &Client, first: &str) -> BTreeSet<String> {
    let (mut ids, mut next) = (BTreeSet::new(), first.to_owned());
    loop {
        let page = client.get(&next).await.json();
        ids.extend(
            page["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap().to_owned()),
        );
        match page["links"]["next"].as_str() {
            Some(href) => next = href.to_owned(),
            None => return ids,
        }
    }
}

/// Waits until no job is in work, for as long as some end. After many kills thousands are left over, and those whose worker was killed come last.
async fn all_have_ended(client: &Client) {
    let (mut fewest, mut since) = (usize::MAX, Instant::now());
    loop {
        let left = listed(client, "/jobs?status=processing&limit=100").await.len();
        if left == 0 {
            return;
        }
        if left < fewest {
            (fewest, since) = (left, Instant::now());
        }
        assert!(since.elapsed() < DEADLINE, "none of {left} jobs has ended for {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Whether one of these jobs names the blob: its id begins a part of the blob's name.
fn is_of(blob: &str, jobs: &BTreeSet<String>) -> bool {
    blob.split('/').filter_map(|part| part.get(..36)).any(|id| jobs.contains(id))
}

/// How the job ended.
async fn end(client: &Client, id: &str) -> String {
    let job = client.finished(id).await;
    if job["status"] == "failed" {
        assert_eq!(job["error"]["code"], "worker-lost", "nothing else was at fault: {job}");
        return "worker-lost".to_owned();
    }
    let thumbnail = client.get(&format!("/thumbnails/{id}")).await;
    assert_eq!(thumbnail.status, StatusCode::OK, "{job}");
    let digest: String = Sha256::digest(&thumbnail.body).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(job["result"]["sha256"], *digest, "the thumbnail that the row tells of: {job}");
    "succeeded".to_owned()
}

async fn no_accepted_job_is_lost_by_a_kill(home: Home) {
    let runs = setting("THUMBS_FAULT_RUNS").unwrap_or(5);
    let seed = random::seed();
    println!("on {home}: THUMBS_FAULT_RUNS={runs} THUMBS_FAULT_SEED={seed}");
    let mut random = Random::new(seed);
    let (mut accepted, mut events) = (BTreeSet::new(), BTreeMap::<String, u64>::new());
    let (mut of_key, mut twice) = (BTreeMap::<String, String>::new(), 0_usize);
    for _ in 0..runs {
        let service = block_in_place(|| Killable::start(&home, ARGUMENTS));
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let random = Random::new(random.below(u64::MAX));
                tokio::spawn(upload(service.client.clone(), random, Arc::clone(&stop)))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(random.below(MAX_LIFE_MS))).await;
        for (event, times) in block_in_place(|| service.kill()) {
            *events.entry(event).or_default() += times;
        }
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            for (key, id) in client.await.unwrap() {
                let earlier = of_key.insert(key, id.clone());
                twice += usize::from(earlier.is_some_and(|earlier| earlier != id));
                accepted.insert(id);
            }
        }
    }

    let service = block_in_place(|| Killable::start(&home, ARGUMENTS));
    let jobs = listed(&service.client, "/jobs?limit=100").await;
    let lost: Vec<_> = accepted.difference(&jobs).collect();
    assert_eq!(twice, 0, "an upload that was sent again became a second job (seed {seed})");
    assert!(lost.is_empty(), "answered with 202 and not there (seed {seed}): {lost:?}");
    let begin = Instant::now();
    all_have_ended(&service.client).await;
    let ended = begin.elapsed();
    // Also those of which no client heard: a row never names an image that is not there.
    let mut ends = BTreeMap::<String, usize>::new();
    for id in &jobs {
        *ends.entry(end(&service.client, id).await).or_default() += 1;
    }
    let blobs = home.blobs().await;
    let unnamed = blobs.iter().filter(|blob| !is_of(blob, &jobs)).count();
    println!(
        "on {home}: killed {runs} times, {} accepted, 0 lost, {twice} twice, {} jobs, {ends:?}, {unnamed} blobs that no job names, all ended after {} ms; {events:?}",
        accepted.len(),
        jobs.len(),
        ended.as_millis(),
    );
    assert!(runs == 0 || !accepted.is_empty(), "the load was one");
    // A kill between an upload's image and its row leaves one that nobody names, for each request that was in work.
    assert!(unnamed <= usize::try_from(runs * CLIENTS).unwrap(), "{unnamed} blobs that no job names");
    // A server that checks signatures refuses who comes from another week.
    if home.is_alone() {
        let _killed = block_in_place(|| service.kill());
        sweeps_take_what_no_job_names(&home, &jobs).await;
    }
}

/// Started again when they are old, it takes them away, and nothing else.
async fn sweeps_take_what_no_job_names(home: &Home, jobs: &BTreeSet<String>) {
    const LATER_SECS: i64 = 8 * 24 * 3600;
    let world = World::new();
    world.set_clock(LATER_SECS);
    let service = block_in_place(|| Killable::start_in(&world, home, ARGUMENTS));
    // A page of some hundred keys at a time, of what may be a hundred thousand.
    let (mut fewest, mut since) = (usize::MAX, Instant::now());
    let left = loop {
        let blobs = home.blobs().await;
        let unnamed: Vec<_> = blobs.iter().filter(|blob| !is_of(blob, jobs)).collect();
        if unnamed.is_empty() {
            break blobs.len();
        }
        if unnamed.len() < fewest {
            (fewest, since) = (unnamed.len(), Instant::now());
        }
        assert!(since.elapsed() < DEADLINE, "on {home}: still there: {unnamed:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(left >= jobs.len(), "on {home}: {left} blobs of {} jobs", jobs.len());
    for id in jobs {
        end(&service.client, id).await;
    }
}
