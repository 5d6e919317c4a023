//! `make bench-store`: the claim, the first page of the list and the page of one status, in PostgreSQL with a thousand rows and with a
//! million. A number is the median of [`RUNS`] runs of the store's own call over one connection, on a server that is started for this and has its
//! defaults. Of the rows one in a hundred is due, as in a service that has fallen behind, and they are of seven owners.
#![expect(clippy::expect_used, reason = "a bench fails loudly")]

use std::{cell::Cell, time::Instant};

use postgres::{Client, NoTls};
use thumbs_domain::{
    id::WorkerId, job::Status, list::ListQuery, machine::RetryPolicy, owner::Reach, timestamp::Timestamp,
};
use thumbs_guest::jobs::{Claim, JobStore, SqlJobStore};
use thumbs_guest::sql::Postgres;
use thumbs_tests::{
    driver::Driver,
    servers::{Auth, Postgres as Server},
};

const RUNS: usize = 201;
const SIZES: [i64; 2] = [1_000, 1_000_000];
const POLICY: RetryPolicy =
    RetryPolicy { max_attempts: 3, lease_secs: 30, retry_backoff_ms: 1_000, max_job_age_secs: 3600 };

/// One real row, then copies of it: ids of version 7 in their order.
const FILL: &str = "INSERT INTO thumbs_jobs (id, status, options, source, error_code, error_message, attempts, due_at_ms, created_at_ms,
        updated_at_ms, correlation_id, owner)
    SELECT lpad(to_hex(n), 8, '0') || '-20a4-7b3c-8d4e-5f6071820000', CASE WHEN n % 100 = 0 THEN 'processing' ELSE 'failed' END,
        job.options, job.source, 'decode', 'The image is broken.', 0, CASE WHEN n % 100 = 0 THEN n END, n, n, 'bench', 'owner-' || n % 7
    FROM generate_series(1, $1::bigint) n, (SELECT options, source FROM thumbs_jobs LIMIT 1) job";

const RESET: &str =
    "UPDATE thumbs_jobs SET due_at_ms = created_at_ms, attempts = 0, lease_token = NULL WHERE id = $1";

fn main() {
    let server = Server::start(Auth::Trust).expect("PostgreSQL is installed");
    let measured = SIZES.map(|rows| measure(&server, rows));
    println!("| call | 1,000 rows, ms | 1,000,000 rows, ms | ratio |\n|---|---|---|---|");
    for (name, [few, many]) in ["claim", "first page", "first page of one status"]
        .iter()
        .zip([0, 1, 2].map(|call| measured.map(|m| m[call])))
    {
        println!("| {name} | {few:.3} | {many:.3} | {:.2} |", many / few);
    }
}

/// Milliseconds of each call.
fn measure(server: &Server, rows: i64) -> [f64; 3] {
    let url = server.create_database(&format!("rows_{rows}"));
    let mut client = Client::connect(&url, NoTls).expect("the server answers");
    let store = SqlJobStore::<_, Postgres>::new(Driver::new(
        Client::connect(&url, NoTls).expect("the server answers"),
    ));
    thumbs_guest::jobs::contract::use_every_call(&store);
    client.execute(FILL, &[&rows]).expect("the rows are taken");
    client.batch_execute("VACUUM ANALYZE thumbs_jobs").expect("the table is vacuumed");
    let now = Timestamp::from_unix_millis(rows);
    let mut number = 0;
    let claimed = Cell::new(None);
    let claim = median_ms(
        || {
            number += 1;
            let worker = WorkerId::new(format!("worker-{number}"));
            match store.claim(&worker, &POLICY, now).expect("the store answers") {
                Claim::Leased { job, .. } => claimed.set(Some(job.id.to_string())),
                other => unreachable!("a job is due, and has attempts left: {other:?}"),
            }
        },
        // Of a thousand rows ten are due: what was claimed is made due again.
        || {
            client.execute(RESET, &[&claimed.take()]).expect("the row is reset");
        },
    );
    let page = |status| {
        let query = ListQuery { status, code: None, limit: 20, after: None };
        median_ms(
            || assert_eq!(store.list(&query, Reach::All).expect("the store answers").jobs.len(), 20),
            || (),
        )
    };
    [claim, page(None), page(Some(Status::Failed))]
}

fn median_ms(mut call: impl FnMut(), mut reset: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            call();
            let time = begin.elapsed().as_secs_f64() * 1_000.0;
            reset();
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}
