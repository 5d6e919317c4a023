//! How the tables come about and change.

use std::thread;

use thumbs_domain::id::JobId;
use thumbs_domain::job::{IdempotencyKey, Status};
use thumbs_domain::owner::Reach;

use super::TestDatabase;
use super::kit::{
    POLICY, all, at, cost, create, done, id, idempotent_job, ids, new_job, read, recipe, run, thumbnail,
    worker,
};
use crate::jobs::{Claim, Created, Lease, Page, StoreError};
use crate::sql::{Dialect, SqlRow, SqlValue, Sqlite};

/// Everything of a row that every version has.
const ROWS: &str = "SELECT id, status, options, source, thumbnail, error_code, error_message, cost, attempts, due_at_ms, \
                    lease_token, woken_at_ms, created_at_ms, updated_at_ms, correlation_id, trace_parent, idempotency_key \
                    FROM thumbs_jobs ORDER BY id";

/// The jobs of the first schema's fixture.
const OLD_JOBS: usize = 7;

fn drop_all(database: &impl TestDatabase) {
    run(database, "DROP TABLE IF EXISTS thumbs_jobs");
    run(database, "DROP TABLE IF EXISTS thumbs_schema");
    for table in ["thumbs_tallies", "thumbs_garbage", "thumbs_sweeps", "thumbs_buckets"] {
        run(database, &format!("DROP TABLE IF EXISTS {table}"));
    }
}

/// The rows of the first schema, which are there from now on.
pub(super) fn make_schema_1<D: TestDatabase>(database: &D) -> Vec<SqlRow> {
    drop_all(database);
    for step in D::KIND.schema_1() {
        run(database, &step.text);
    }
    let rows = run(database, ROWS);
    assert_eq!(rows.len(), OLD_JOBS);
    rows
}

fn versions(database: &impl TestDatabase) -> Vec<SqlRow> {
    run(database, "SELECT version, min_compatible FROM thumbs_schema ORDER BY version")
}

fn migrated() -> Vec<SqlRow> {
    vec![
        vec![1.into(), 1.into()],
        vec![2.into(), 2.into()],
        vec![3.into(), 2.into()],
        vec![4.into(), 2.into()],
        vec![5.into(), 2.into()],
        vec![6.into(), 2.into()],
        vec![7.into(), 2.into()],
        vec![8.into(), 2.into()],
        vec![9.into(), 2.into()],
        vec![10.into(), 2.into()],
        vec![11.into(), 2.into()],
    ]
}

/// The version that this program makes.
fn newest() -> i64 {
    Sqlite::MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Nobody has to run migrations by hand, so whatever is asked first works.
pub fn any_first_call_creates_the_schema(database: &impl TestDatabase) {
    assert_eq!(database.connect().get(&id(1), Reach::All), Ok(None));
    drop_all(database);
    assert_eq!(
        database.connect().list(&all(1), Reach::All),
        Ok(Page { jobs: vec![], unreadable: vec![], next: None })
    );
    drop_all(database);
    assert_eq!(database.connect().claim(&worker("a"), &POLICY, at(0)), Ok(Claim::Nothing));
    drop_all(database);
    assert_eq!(database.connect().has_due(at(0)), Ok(false));
    drop_all(database);
    assert_eq!(database.connect().create(&new_job(1)), Ok(Created::New));
    drop_all(database);
    assert_eq!(database.connect().migrate(), Ok(()));
    assert_eq!(versions(database), migrated());
}

/// Two first requests at the same time are the ordinary start of a deployment.
pub fn many_first_calls_at_once_create_one_schema(database: &impl TestDatabase) {
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || create(database.connect().as_ref(), &new_job(number)));
        }
    });
    assert_eq!(done(database.connect().list(&all(100), Reach::All)).jobs.len(), 8);
    assert_eq!(versions(database), migrated());
}

/// Every column of every row is as it was, the store reads them all, and who holds a job still does.
pub fn a_database_of_version_1_keeps_its_rows(database: &impl TestDatabase) {
    let old = make_schema_1(database);
    let store = database.connect();
    assert_eq!(store.migrate(), Ok(()));
    assert_eq!(run(database, ROWS), old);
    let jobs = done(store.list(&all(100), Reach::All)).jobs;
    let count = |status| jobs.iter().filter(|job| job.status == status).count();
    assert_eq!([Status::Processing, Status::Succeeded, Status::Failed].map(count), [4, 1, 2]);
    let key = IdempotencyKey::parse("avatar-of-7").expect("usable");
    assert_eq!(
        done(store.find_by_idempotency_key(&key, None)).map(|job| job.status),
        Some(Status::Succeeded)
    );

    let token = |row: &SqlRow| match (row.first(), row.get(10)) {
        (Some(SqlValue::Text(job)), Some(SqlValue::Text(token))) => Some((job.clone(), token.clone())),
        _ => None,
    };
    let (job, holder) = old.iter().find_map(token).expect("a job is leased");
    let (job, holder) = (JobId::parse(&job).expect("an id"), worker(&holder));
    assert_eq!(done(store.find_by_worker(&holder)).map(|held| held.id), Some(job));
    let lease = Lease { job: &job, worker: &holder };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(0)), Ok(true));
}

/// Several replicas start at once, and some take uploads before they are done.
pub fn many_may_migrate_at_once(database: &impl TestDatabase) {
    make_schema_1(database);
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let store = database.connect();
                if number % 2 == 0 {
                    done(store.migrate());
                }
                create(store.as_ref(), &new_job(number));
            });
        }
    });
    assert_eq!(done(database.connect().list(&all(100), Reach::All)).jobs.len(), OLD_JOBS + 8);
    assert_eq!(versions(database), migrated());
}

/// Replicas of this version are at work already when another is told to migrate: neither locks out the other.
pub fn a_migration_gets_along_with_those_who_work(database: &impl TestDatabase) {
    make_schema_1(database);
    thread::scope(|scope| {
        for replica in 0..6_u16 {
            scope.spawn(move || {
                let store = database.connect();
                for number in 0..10 {
                    create(store.as_ref(), &new_job(replica * 10 + number));
                    done(store.claim(&worker(&format!("w{replica}-{number}")), &POLICY, at(1000)));
                }
            });
        }
        scope.spawn(move || (0..5).for_each(|_| done(database.connect().migrate())));
    });
    assert_eq!(done(database.connect().list(&all(100), Reach::All)).jobs.len(), OLD_JOBS + 60);
}

/// A crash may come between any two steps, and after the last one before anybody heard of it.
pub fn a_migration_that_was_broken_off_is_finished<D: TestDatabase>(database: &D) {
    let steps: Vec<_> =
        [2, 3, 4, 5, 6, 7, 8].into_iter().flat_map(|version| D::KIND.steps_to(version)).collect();
    assert!(!steps.is_empty());
    for done_steps in 1..=steps.len() {
        let old = make_schema_1(database);
        for step in steps.iter().take(done_steps) {
            run(database, &step.text);
        }
        assert_eq!(database.connect().migrate(), Ok(()), "after {done_steps} steps");
        assert_eq!((run(database, ROWS), versions(database)), (old, migrated()), "after {done_steps} steps");
    }
}

/// A new index is missed by no statement, and is there all the same once somebody has written.
pub fn a_migration_that_no_statement_misses_is_run_by_the_next_write(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    for write in ["create", "claim"] {
        run(database, "DROP INDEX thumbs_jobs_lease");
        run(database, "DELETE FROM thumbs_schema WHERE version >= 2");
        match write {
            "create" => create(store.as_ref(), &new_job(2)),
            _ => assert!(matches!(store.claim(&worker("a"), &POLICY, at(1000)), Ok(Claim::Leased { .. }))),
        }
        assert_eq!(versions(database), migrated(), "{write}");
        run(database, "DROP INDEX thumbs_jobs_lease");
        run(database, "CREATE INDEX thumbs_jobs_lease ON thumbs_jobs (lease_token)");
    }
}

/// A migration that only adds does not stop the replicas of the version before, which may still be at work.
pub fn a_newer_schema_that_lets_us_is_worked_with(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let newer = format!(
        "INSERT INTO thumbs_schema (version, min_compatible) VALUES ({}, {})",
        newest() + 1,
        newest()
    );
    run(database, &newer);
    assert_eq!(store.migrate(), Ok(()));
    create(store.as_ref(), &new_job(2));
    assert!(matches!(store.claim(&worker("a"), &POLICY, at(1000)), Ok(Claim::Leased { .. })));
}

/// An old version beside a newer one that it can't understand may show jobs, and must not make or take any.
pub fn a_newer_schema_is_read_and_not_written(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    run(database, "INSERT INTO thumbs_schema (version, min_compatible) VALUES (99, 99)");
    let too_new = StoreError::SchemaTooNew { found: 99, known: newest() };
    assert_eq!(store.migrate(), Err(too_new.clone()));
    assert_eq!(store.create(&new_job(2)), Err(too_new.clone()));
    assert_eq!(store.create(&idempotent_job(2, "a-key")), Err(too_new.clone()));
    assert_eq!(store.claim(&worker("a"), &POLICY, at(1000)), Err(too_new));
    assert_eq!(read(database, 1), new_job(1).stored());
    assert_eq!(ids(&done(store.list(&all(10), Reach::All))), [id(1)]);
}
