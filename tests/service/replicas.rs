//! Several runtimes on the same servers: they share the work, and each job is done once.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use thumbs::telemetry::{CaptureSink, Level};
use thumbs_tests::{
    home::Home,
    images,
    servers::{self, Auth, Postgres, Redis, S3},
};
use tokio::task::block_in_place;

const JOBS: usize = 500;
/// All jobs are done within this, or never.
const DEADLINE: Duration = Duration::from_secs(300);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How many attempts a runtime began, by its log.
fn claims(log: &CaptureSink) -> usize {
    log.lines().iter().filter(|line| line.event == "job-claimed").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runtimes_do_each_of_five_hundred_jobs_once() {
    let started = block_in_place(|| {
        let postgres = servers::available(Postgres::start(Auth::Trust))?;
        Some((postgres, servers::available(Redis::start())?))
    });
    let Some((postgres, redis)) = started else { return };
    let s3 = block_in_place(S3::start);
    let home = Home::of_servers(postgres.url(), &redis, s3.bucket(), "replicas".to_owned());
    let logs = [CaptureSink::new(), CaptureSink::new()];
    let [first, second] = logs.each_ref().map(|log| {
        let sink = Arc::new(log.clone());
        home.start_with(|builder| builder.log(sink, Level::Info))
    });
    let services = [first.await, second.await];

    let uploads: Vec<_> = (0..JOBS)
        .map(|n| {
            let side = u32::try_from(40 + n % 50).unwrap();
            (services[n % 2].client.clone(), images::png(side, 40))
        })
        .collect();
    let ids = join_all(uploads.iter().map(|(client, image)| client.submit(image, &[]))).await;
    // One client that waits leaves the processors to the workers; five hundred that poll do not.
    let begin = Instant::now();
    while !services[0].client.get("/jobs?status=processing&limit=1").await.json()["jobs"]
        .as_array()
        .is_some_and(Vec::is_empty)
    {
        assert!(begin.elapsed() < DEADLINE, "jobs are left after {DEADLINE:?}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    // Asked of the runtime that did not take it in.
    let jobs =
        join_all(ids.iter().enumerate().map(|(n, id)| services[(n + 1) % 2].client.finished(id))).await;
    for job in &jobs {
        assert_eq!((&job["status"], &job["attempts"]), (&"succeeded".into(), &1.into()), "{job}");
    }

    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    for request in s3.handled() {
        if request.method == "PUT" && request.path.contains("/thumbnails/") {
            *written.entry(request.path).or_default() += 1;
        }
    }
    assert_eq!(written.len(), JOBS, "each job has a thumbnail of its own");
    assert!(written.values().all(|times| *times == 1), "no thumbnail was written twice: {written:?}");
    let claimed = logs.each_ref().map(claims);
    assert_eq!(claimed.iter().sum::<usize>(), JOBS, "each job was claimed once: {claimed:?}");
    assert!(claimed.iter().all(|claims| *claims > 0), "both runtimes worked: {claimed:?}");
}
