//! Each statement in both dialects: what it binds, and what it may ask of the host.

use super::*;
use crate::jobs::callbacks;
use crate::jobs::numbers::QUEUE;
use crate::jobs::rates::{SWEEP, TAKE};
use crate::sql::{Postgres, Sqlite};

#[test]
fn placeholders_first_appear_in_the_order_of_their_numbers() {
    for statement in [
        claim::<Sqlite>().as_str(),
        claim::<Postgres>().as_str(),
        CREATE,
        GET,
        FIND_BY_WORKER,
        FIND_BY_IDEMPOTENCY_KEY,
        FIND_MADE,
        LIST,
        LIST_AFTER,
        LIST_STATUS,
        LIST_STATUS_AFTER,
        LIST_OWNER,
        LIST_OWNER_AFTER,
        LIST_OWNER_STATUS,
        LIST_OWNER_STATUS_AFTER,
        LIST_CODE,
        LIST_CODE_AFTER,
        LIST_OWNER_CODE,
        LIST_OWNER_CODE_AFTER,
        &find(3),
        LONGEST_DUE,
        BATCH,
        BATCH_OF_KEY,
        QUEUED_OF_OWNER,
        HAS_DUE,
        EXTEND,
        SUCCEED,
        RETRY,
        GIVE_BACK,
        GIVE_UP,
        NOTE_WAKE_UP,
        QUEUE,
        TAKE,
        SWEEP,
        DUE,
        HASTEN,
        HISTORY,
        REVIVE,
        DELETE,
        GARBAGE,
        &forget(3),
        CLAIM_SWEEP,
        CALL_FOR_SWEEP,
        LOOKED,
        LOOK,
        &holders(3),
        &expire_jobs::<Sqlite>(),
        &expire_jobs::<Postgres>(),
        &expire_originals::<Sqlite>(),
        &expire_originals::<Postgres>(),
        callbacks::HAS_DUE,
        callbacks::OPEN,
        callbacks::CLAIM,
        callbacks::SETTLE,
    ] {
        let mut seen = Vec::new();
        for tail in statement.split('$').skip(1) {
            let digits: String = tail.chars().take_while(char::is_ascii_digit).collect();
            let number: usize = digits.parse().unwrap();
            if !seen.contains(&number) {
                seen.push(number);
            }
        }
        let expected: Vec<usize> = (1..=seen.len()).collect();
        assert_eq!(seen, expected, "{statement}");
    }
}

#[test]
fn every_statement_finds_its_rows_by_an_index_and_sorts_nothing() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for step in Sqlite::MIGRATIONS.iter().flat_map(Sqlite::steps) {
        connection.execute_batch(&step.text).unwrap();
    }
    let (by_id, by_key) = ("sqlite_autoindex_thumbs_jobs_1", "sqlite_autoindex_thumbs_jobs_2");
    // With the bracket, for one name begins with the other.
    let (owner, owner_status) = ("thumbs_jobs_owner (", "thumbs_jobs_owner_status (");
    let turn = "thumbs_jobs_turn";
    let (due, status, lease) = ("thumbs_jobs_due", "thumbs_jobs_status", "thumbs_jobs_lease");
    let (failed, owner_failed) = ("thumbs_jobs_failed (", "thumbs_jobs_owner_failed (");
    let (originals, garbage, sweeps) =
        ("thumbs_jobs_originals", "USING PRIMARY KEY", "sqlite_autoindex_thumbs_sweeps_1");
    for (statement, indexes) in [
        (claim::<Sqlite>().as_str(), &[turn, due, by_id][..]),
        (QUEUED_OF_OWNER, &[turn]),
        (HAS_DUE, &[due]),
        (GET, &[by_id]),
        (LIST, &[by_id]),
        (LIST_AFTER, &[by_id]),
        (LIST_STATUS, &[status]),
        (LIST_STATUS_AFTER, &[status]),
        (LIST_OWNER, &[owner]),
        (LIST_OWNER_AFTER, &[owner]),
        (LIST_OWNER_STATUS, &[owner_status]),
        (LIST_OWNER_STATUS_AFTER, &[owner_status]),
        (LIST_CODE, &[failed]),
        (LIST_CODE_AFTER, &[failed]),
        (LIST_OWNER_CODE, &[owner_failed]),
        (LIST_OWNER_CODE_AFTER, &[owner_failed]),
        (&find(3), &[by_id]),
        (LONGEST_DUE, &[due]),
        (BATCH, &["thumbs_jobs_batch"]),
        (BATCH_OF_KEY, &[by_key]),
        (FIND_BY_WORKER, &[lease]),
        (FIND_BY_IDEMPOTENCY_KEY, &[by_key]),
        (FIND_MADE, &["thumbs_jobs_recipe"]),
        (EXTEND, &[by_id]),
        (SUCCEED, &[by_id]),
        (RETRY, &[by_id]),
        (GIVE_BACK, &[by_id]),
        (GIVE_UP, &[by_id]),
        (NOTE_WAKE_UP, &[by_id]),
        (QUEUE, &[due, lease, "thumbs_jobs_callbacks"]),
        (SWEEP, &["thumbs_buckets_full", "USING PRIMARY KEY"]),
        (DUE, &[due, sweeps]),
        (HASTEN, &[by_id, due]),
        (HISTORY, &[by_id]),
        (REVIVE, &[by_id]),
        (DELETE, &[by_id]),
        (GARBAGE, &[garbage, by_id]),
        (&forget(3), &[garbage]),
        (CLAIM_SWEEP, &[sweeps]),
        (CALL_FOR_SWEEP, &[sweeps]),
        (LOOKED, &[sweeps]),
        (&holders(3), &[by_id]),
        (&expire_jobs::<Sqlite>(), &[by_id, status]),
        (&expire_originals::<Sqlite>(), &[by_id, originals]),
        (callbacks::HAS_DUE, &["thumbs_jobs_callbacks"]),
        (callbacks::OPEN, &["thumbs_jobs_callbacks"]),
        (callbacks::CLAIM, &[by_id]),
        (callbacks::SETTLE, &[by_id]),
    ] {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        let mut rows = explain.raw_query();
        let mut plan = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get::<_, String>(3).unwrap());
        }
        let of_jobs: Vec<_> = plan
            .iter()
            .filter(|line| [" thumbs_", " other"].iter().any(|table| line.contains(table)))
            .filter(|line| !line.contains("thumbs_schema"))
            .collect();
        assert!(!of_jobs.is_empty(), "{statement}: {plan:?}");
        for line in &of_jobs {
            assert!(indexes.iter().any(|index| line.contains(index)), "{statement}: {plan:?}");
        }
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{statement}: {plan:?}");
        let unknown: Vec<_> = functions(&connection, statement)
            .into_iter()
            .filter(|function| !CHEAP_FUNCTIONS.contains(&function.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{statement} calls {unknown:?}");
    }
}

/// Those among the functions that our host knows to be cheap (`runtime/src/capabilities/sqlite/policy.rs`) that the store needs.
const CHEAP_FUNCTIONS: &[&str] =
    &["coalesce", "json_extract", "json_type", "json_valid", "length", "max", "min", "substr", "sum"];

/// What a statement calls, its triggers included: the fourth parameter of such steps is `name(arguments)`.
fn functions(connection: &rusqlite::Connection, statement: &str) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN {statement}")).unwrap();
    let mut rows = explain.raw_query();
    let mut functions = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let step: String = row.get(1).unwrap();
        let called = match step.as_str() {
            // Of a whole table.
            "Count" => "count(0)".to_owned(),
            "Function" | "PureFunc" | "AggStep" => row.get(5).unwrap(),
            _ => continue,
        };
        functions.extend(called.split('(').next().map(str::to_owned));
    }
    functions
}
