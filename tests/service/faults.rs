//! What goes wrong around a service while clients upload all the time: connections that are reset, swallowed, slow or cut, a database that only
//! reads, a standby that takes over, an S3 server that has enough, a disk without room, a clock that is an hour wrong, wake-ups that get lost.
//!
//! In each case what was answered with 202 ends in success, what can't be taken is refused with 503, and when the fault is over the service is
//! well again without a start. One line tells for each how many were accepted and how long it took; `THUMBS_FAULT_MS` is how long a fault lasts,
//! `THUMBS_FAULT_SEED` repeats what was drawn.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use thumbs::{
    limits::Limits,
    telemetry::{CaptureSink, Level},
};
use thumbs_tests::{
    client::Client,
    home::Home,
    images,
    killable::Killable,
    proxy::{Proxy, Weather},
    random::{seed, setting},
    servers::{self, Auth, Fault, Postgres, Redis, S3},
    service::Service,
    world::World,
};
use tokio::task::block_in_place;

use super::load::{ACCEPTED_EACH_TIME, Load};

/// How long a fault lasts, where nobody says otherwise.
const FAULT: Duration = Duration::from_millis(1_500);
/// Shorter than in production, so that a job whose worker lost something comes back within the test.
const LEASE_SECS: &str = "5";

fn duration() -> Duration {
    setting("THUMBS_FAULT_MS").map_or(FAULT, Duration::from_millis)
}

/// A whole service on servers of its own, each behind a proxy.
struct Cluster {
    postgres: Postgres,
    s3: S3,
    database: Proxy,
    messages: Proxy,
    service: Service,
    seed: u64,
    _redis: Redis,
}

impl Cluster {
    /// None where this machine lacks a server.
    async fn start(name: &str) -> Option<Self> {
        let seed = seed();
        println!("{name}: THUMBS_FAULT_SEED={seed} THUMBS_FAULT_MS={}", duration().as_millis());
        let (postgres, redis, s3) = block_in_place(|| {
            let postgres = servers::available(Postgres::start(Auth::Trust))?;
            Some((postgres, servers::available(Redis::start())?, S3::start()))
        })?;
        let database = Proxy::start(postgres.port(), seed);
        let messages = Proxy::start(redis.port(), seed);
        let through = |url: String, of: u16, proxy: &Proxy| {
            url.replace(&format!(":{of}"), &format!(":{}", proxy.port()))
        };
        let database_url = through(postgres.url(), postgres.port(), &database);
        let redis_url = through(redis.url(), redis.port(), &messages);
        let home = Home::of_servers(database_url, &redis, s3.bucket(), name.to_owned());
        // Shorter than in production, and in the same order.
        let limits = Limits {
            request_timeout_ms: 3_000,
            message_timeout_ms: 4_000,
            pg_connect_timeout_ms: 1_000,
            pg_acquire_timeout_ms: 1_500,
            redis_connect_timeout_ms: 500,
            redis_response_timeout_ms: 500,
            blob_timeout_ms: 2_500,
            ..Limits::default()
        };
        let log = Arc::new(CaptureSink::new());
        let service = home
            .start_with(|builder| {
                let builder = builder.limits(limits).variable("lease_secs", LEASE_SECS);
                builder.variable("redis_url", redis_url).log(log, Level::Error)
            })
            .await;
        Some(Self { postgres, s3, database, messages, service, seed, _redis: redis })
    }

    /// Uploads go on before, while and after the fault is there.
    async fn survives(&self, fault: &str, begin: impl FnOnce(&Self), end: impl FnOnce(&Self)) -> Outcome {
        let load = Load::on(&self.service.client);
        load.accepts(ACCEPTED_EACH_TIME).await;
        block_in_place(|| begin(self));
        tokio::time::sleep(duration()).await;
        block_in_place(|| end(self));
        let over = Instant::now();
        load.accepts(ACCEPTED_EACH_TIME).await;
        let again = over.elapsed();
        Outcome::of(fault, &self.service.client, load, (over, again)).await
    }
}

/// What came of it.
#[derive(Debug)]
struct Outcome {
    fault: String,
    accepted: usize,
    refused: usize,
    /// From the end of the fault until uploads are accepted as before.
    again: Duration,
    /// From the end of the fault until all that was accepted is done.
    done: Duration,
}

impl Outcome {
    /// Ends the load, and sees that all jobs have succeeded.
    async fn of(fault: &str, client: &Client, load: Load, (over, again): (Instant, Duration)) -> Self {
        let refused = load.refused();
        let ids = load.end().await;
        // No more of them at a time than have places. A machine that is busy enough refuses some of them all the same.
        for some in ids.chunks(64) {
            for job in join_all(some.iter().map(|id| client.finished_in_the_end(id))).await {
                assert_eq!(job["status"], "succeeded", "{fault}: {job}");
            }
        }
        let outcome =
            Self { fault: fault.to_owned(), accepted: ids.len(), refused, again, done: over.elapsed() };
        println!("{outcome}");
        outcome
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, accepted, refused, again, done } = self;
        write!(formatter, "| {fault} | {accepted} accepted | {refused} refused | 0 lost | ")?;
        write!(
            formatter,
            "accepts again after {} ms, all done after {} ms |",
            again.as_millis(),
            done.as_millis()
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_lost_where_connections_to_postgresql_break() {
    let Some(cluster) = Cluster::start("postgresql").await else { return };
    for (fault, weather) in [
        ("PostgreSQL resets connections in the middle of statements", Weather::Resets { after_bytes: 4_000 }),
        ("PostgreSQL ends in the middle of answers", Weather::Truncates { after_bytes: 4_000 }),
        ("PostgreSQL answers 50 ms later", Weather::Slow(Duration::from_millis(50))),
        ("PostgreSQL takes connections and never answers", Weather::Swallows),
    ] {
        cluster
            .survives(
                fault,
                |cluster| cluster.database.set(weather),
                |cluster| cluster.database.set(Weather::Clear),
            )
            .await;
    }
    assert!(cluster.database.harmed() > 0, "something was done to connections");
}

/// What a client finds whose server has become a standby.
fn only_reads(cluster: &Cluster, on: &str) {
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
    for statement in [set.as_str(), "SELECT pg_reload_conf()"] {
        let _nothing_to_read = cluster.postgres.query("postgres", statement);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_lost_while_postgresql_only_reads() {
    let Some(cluster) = Cluster::start("standby").await else { return };
    let outcome = cluster
        .survives(
            "PostgreSQL is a standby that only reads",
            |cluster| only_reads(cluster, "on"),
            |cluster| only_reads(cluster, "off"),
        )
        .await;
    assert!(outcome.refused > 0, "nothing could be written: {outcome}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_lost_when_a_standby_takes_over_from_postgresql() {
    let Some(mut cluster) = Cluster::start("failover").await else { return };
    let Some(standby) = block_in_place(|| servers::available(cluster.postgres.standby())) else { return };
    let load = Load::on(&cluster.service.client);
    load.accepts(ACCEPTED_EACH_TIME).await;

    // Connections are reset in the middle of what they do, and lead to the standby from then on, which is not yet promoted.
    let refused = load.refused();
    block_in_place(|| cluster.postgres.kill());
    cluster.database.lead_to(standby.port());
    load.refuses(refused).await;
    assert_eq!(
        cluster.service.client.get("/jobs?limit=1").await.status,
        reqwest::StatusCode::OK,
        "what is there is read from the standby"
    );
    tokio::time::sleep(duration()).await;

    block_in_place(|| standby.promote());
    let over = Instant::now();
    load.accepts(ACCEPTED_EACH_TIME).await;
    let again = over.elapsed();
    let fault = "PostgreSQL is killed and its standby promoted";
    let outcome = Outcome::of(fault, &cluster.service.client, load, (over, again)).await;
    assert!(outcome.refused > 0, "nothing could be written: {outcome}");
}

/// An old primary that goes on as a standby keeps its connections: a service that goes on using these never finds the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_lost_when_postgresql_steps_back_and_leaves_its_connections_open() {
    let Some(cluster) = Cluster::start("switchover").await else { return };
    let Some(standby) = block_in_place(|| servers::available(cluster.postgres.standby())) else { return };
    let outcome = cluster
        .survives(
            "PostgreSQL steps back and keeps its connections, and its standby is promoted",
            |cluster| {
                only_reads(cluster, "on");
                cluster.database.lead_to(standby.port());
            },
            |_| standby.promote(),
        )
        .await;
    assert!(outcome.refused > 0, "nothing could be written: {outcome}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_lost_whatever_becomes_of_redis() {
    let Some(cluster) = Cluster::start("messages").await else { return };
    let lost = Weather::Loses { channel: "wake-messages".to_owned(), percent: 50 };
    for (fault, weather) in [
        ("half of the wake-ups are lost", lost),
        ("Redis takes connections and never answers", Weather::Swallows),
        ("Redis resets connections", Weather::Resets { after_bytes: 1_000 }),
    ] {
        let outcome = cluster
            .survives(
                fault,
                |cluster| cluster.messages.set(weather),
                |cluster| cluster.messages.set(Weather::Clear),
            )
            .await;
        assert_eq!(outcome.refused, 0, "uploads need no Redis: {outcome}");
    }
    assert!(cluster.messages.harmed() > 0, "something was done to connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_lost_by_an_s3_server_that_has_enough() {
    let Some(cluster) = Cluster::start("bucket").await else { return };
    let late = Fault::Late(Duration::from_millis(200));
    for (fault, percent, faults) in [
        ("S3 answers a third with 500", 33, vec![Fault::Status(500)]),
        ("S3 answers two thirds with 503 SlowDown", 66, vec![Fault::SlowDown]),
        ("S3 answers 200 ms later", 100, vec![late]),
        ("S3 ends in the middle of half of its answers", 50, vec![Fault::Cut]),
        ("S3 does all of this", 60, vec![Fault::Status(500), Fault::SlowDown, late, Fault::Cut]),
    ] {
        let seed = cluster.seed;
        cluster
            .survives(
                fault,
                |cluster| cluster.s3.storm(seed, percent, &faults),
                |cluster| cluster.s3.storm(seed, 0, &[]),
            )
            .await;
    }
}

/// Shorter than in production, as above.
const ARGUMENTS: &[&str] = &["--limit", "message_timeout_ms=2000", "--variable", "lease_secs=3"];

async fn no_job_is_lost_on_a_disk_that_was_full(home: Home) {
    let world = World::new();
    let service = block_in_place(|| Killable::start_in(&world, &home, ARGUMENTS));
    let load = Load::on(&service.client);
    load.accepts(ACCEPTED_EACH_TIME).await;
    let refused = load.refused();
    world.set_disk_full(true);
    load.refuses(refused).await;
    assert_eq!(
        service.client.get("/jobs?limit=1").await.status,
        reqwest::StatusCode::OK,
        "what is there is read"
    );
    tokio::time::sleep(duration()).await;
    world.set_disk_full(false);
    let over = Instant::now();
    load.accepts(ACCEPTED_EACH_TIME).await;
    let again = over.elapsed();
    Outcome::of(&format!("the disk is full ({home})"), &service.client, load, (over, again)).await;
}

async fn no_job_is_lost_by_a_clock_that_is_set(home: Home) {
    const AN_HOUR_SECS: i64 = 3_600;
    let world = World::new();
    let service = block_in_place(|| Killable::start_in(&world, &home, ARGUMENTS));
    let load = Load::on(&service.client);
    for offset_secs in [0, AN_HOUR_SECS, 0, -AN_HOUR_SECS, AN_HOUR_SECS] {
        world.set_clock(offset_secs);
        load.accepts(ACCEPTED_EACH_TIME).await;
        tokio::time::sleep(duration() / 5).await;
    }
    let mut ids = load.end().await;
    let large = images::jpeg(2_400, 1_600);
    for _ in 0..8 {
        ids.push(service.client.submit(&large, &[]).await);
    }
    // Killed an hour ahead, with jobs in work, whose leases end in an hour then.
    let _events = block_in_place(|| service.kill());
    world.set_clock(0);
    let service = block_in_place(|| Killable::start_in(&world, &home, ARGUMENTS));
    let over = Instant::now();
    let load = Load::on(&service.client);
    load.accepts(ACCEPTED_EACH_TIME).await;
    let again = over.elapsed();
    let what = format!("the clock goes an hour forth and back, the process is killed an hour ahead ({home})");
    Outcome::of(&what, &service.client, load, (over, again)).await;
    for job in join_all(ids.iter().map(|id| service.client.finished_in_the_end(id))).await {
        assert_eq!(job["status"], "succeeded", "{job}");
    }
    println!(
        "  of the life with other clocks: {} jobs, done after {} ms",
        ids.len(),
        over.elapsed().as_millis()
    );
}

mod embedded {
    use super::{Home, no_job_is_lost_by_a_clock_that_is_set, no_job_is_lost_on_a_disk_that_was_full};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_disk_is_full() {
        no_job_is_lost_on_a_disk_that_was_full(Home::embedded()).await;
        no_job_is_lost_on_a_disk_that_was_full(Home::in_key_value()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_clock_is_set() {
        no_job_is_lost_by_a_clock_that_is_set(Home::embedded()).await;
    }
}
