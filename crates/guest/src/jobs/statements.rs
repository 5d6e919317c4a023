//! Every statement of the job store.
//!
//! Placeholders first appear in the order of their numbers (see `Sql::query`; a test checks it). Casts say what type a
//! placeholder has where PostgreSQL can't tell from a column. Those that make or take a job do nothing under a schema that this
//! version may not work with.

use crate::sql::Dialect;
use crate::sql::schema::may_work;

/// The columns that `row.rs` reads, in its order.
macro_rules! columns {
    () => {
        "id, status, options, source, thumbnail, error_code, error_message, cost, attempts, setbacks, due_at_ms, \
         woken_at_ms, created_at_ms, updated_at_ms, correlation_id, trace_parent, owner"
    };
}

/// Takes the job that has been due longest.
///
/// A job whose attempts are used up was left by its last worker: it is failed here, in the same statement, and the row that
/// comes back says so; the reason of the attempt before is kept behind the new one. The last column tells whether another job
/// is due, so that nobody has to ask. `$1` now, `$2` largest number of attempts, `$3` lease end, `$4` worker, `$5` and `$6`
/// code and message of the failure, `$7` newest known schema.
pub(super) fn claim<D: Dialect>() -> String {
    const CHOICE: &str = concat!(
        "UPDATE thumbs_jobs SET updated_at_ms = CAST($1 AS BIGINT), ",
        "status = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN 'failed' ELSE status END, ",
        "attempts = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN attempts ELSE attempts + 1 END, ",
        "due_at_ms = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN NULL ELSE CAST($3 AS BIGINT) END, ",
        "lease_token = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN NULL ELSE CAST($4 AS TEXT) END, ",
        "error_code = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN CAST($5 AS TEXT) ELSE error_code END, ",
        "error_message = CASE WHEN attempts >= CAST($2 AS BIGINT) ",
        "THEN CAST($6 AS TEXT) || COALESCE(' Before that: ' || error_message, '') ELSE error_message END ",
        "WHERE id = (SELECT id FROM thumbs_jobs WHERE due_at_ms <= CAST($1 AS BIGINT) ORDER BY due_at_ms LIMIT 1",
    );
    const REST: &str = concat!(
        ") AND ",
        may_work!("$7"),
        " RETURNING ",
        columns!(),
        ", CASE WHEN EXISTS (SELECT 1 FROM thumbs_jobs other WHERE other.due_at_ms <= CAST($1 AS BIGINT) ",
        "AND other.id <> thumbs_jobs.id) THEN 1 ELSE 0 END",
    );
    [CHOICE, D::PASS_OVER_LOCKED, REST].concat()
}

/// Gives the id back, or no row where the idempotency key is taken or the schema is not ours. The column of idempotency keys is unique by
/// itself, so what stands there names the owner as well.
pub(super) const CREATE: &str = concat!(
    "INSERT INTO thumbs_jobs (id, status, options, source, attempts, due_at_ms, created_at_ms, updated_at_ms, ",
    "correlation_id, trace_parent, idempotency_key, owner) ",
    "SELECT CAST($1 AS TEXT), 'processing', CAST($2 AS TEXT), CAST($3 AS TEXT), 0, CAST($4 AS BIGINT), ",
    "CAST($5 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT), ",
    "CAST($9 AS TEXT) WHERE ",
    may_work!("$10"),
    " ON CONFLICT (idempotency_key) DO NOTHING RETURNING id"
);

pub(super) const GET: &str = concat!("SELECT ", columns!(), " FROM thumbs_jobs WHERE id = $1");

pub(super) const FIND_BY_WORKER: &str =
    concat!("SELECT ", columns!(), " FROM thumbs_jobs WHERE lease_token = $1");

pub(super) const FIND_BY_IDEMPOTENCY_KEY: &str =
    concat!("SELECT ", columns!(), " FROM thumbs_jobs WHERE idempotency_key = $1");

// One text for each question: a condition like "($1 IS NULL OR status = $1)" would keep a planner from using the indexes.
pub(super) const LIST: &str =
    concat!("SELECT ", columns!(), " FROM thumbs_jobs ORDER BY id DESC LIMIT CAST($1 AS BIGINT)");

pub(super) const LIST_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE id < $1 ORDER BY id DESC LIMIT CAST($2 AS BIGINT)"
);

pub(super) const LIST_STATUS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE status = $1 ORDER BY id DESC LIMIT CAST($2 AS BIGINT)"
);

pub(super) const LIST_STATUS_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE status = $1 AND id < $2 ORDER BY id DESC LIMIT CAST($3 AS BIGINT)"
);

// The indexes of owners leave out the jobs of nobody, which a statement must say it does not ask for.
pub(super) const LIST_OWNER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE owner = $1 AND owner <> '' ORDER BY id DESC LIMIT CAST($2 AS BIGINT)"
);

pub(super) const LIST_OWNER_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE owner = $1 AND owner <> '' AND id < $2 ORDER BY id DESC LIMIT CAST($3 AS BIGINT)"
);

pub(super) const LIST_OWNER_STATUS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE owner = $1 AND owner <> '' AND status = $2 ORDER BY id DESC LIMIT CAST($3 AS BIGINT)"
);

pub(super) const LIST_OWNER_STATUS_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE owner = $1 AND owner <> '' AND status = $2 AND id < $3 ",
    "ORDER BY id DESC LIMIT CAST($4 AS BIGINT)"
);

pub(super) const HAS_DUE: &str = "SELECT 1 FROM thumbs_jobs WHERE due_at_ms <= CAST($1 AS BIGINT) LIMIT 1";

pub(super) const EXTEND: &str =
    "UPDATE thumbs_jobs SET due_at_ms = $1 WHERE id = $2 AND lease_token = $3 RETURNING id";

pub(super) const SUCCEED: &str = "UPDATE thumbs_jobs SET status = 'succeeded', thumbnail = $1, cost = $2, \
     updated_at_ms = $3, error_code = NULL, error_message = NULL, due_at_ms = NULL, lease_token = NULL \
     WHERE id = $4 AND lease_token = $5 RETURNING id";

pub(super) const RETRY: &str = "UPDATE thumbs_jobs SET error_code = $1, error_message = $2, due_at_ms = $3, \
     updated_at_ms = $4, lease_token = NULL WHERE id = $5 AND lease_token = $6 RETURNING id";

pub(super) const GIVE_BACK: &str = "UPDATE thumbs_jobs SET attempts = attempts - 1, setbacks = setbacks + 1, \
     error_code = $1, error_message = $2, due_at_ms = $3, updated_at_ms = $4, lease_token = NULL \
     WHERE id = $5 AND lease_token = $6 RETURNING id";

pub(super) const GIVE_UP: &str = "UPDATE thumbs_jobs SET status = 'failed', error_code = $1, error_message = $2, \
     updated_at_ms = $3, due_at_ms = NULL, lease_token = NULL WHERE id = $4 AND lease_token = $5 RETURNING id";

pub(super) const NOTE_WAKE_UP: &str = "UPDATE thumbs_jobs SET woken_at_ms = $1 WHERE id = $2 \
     AND status = 'processing' AND (woken_at_ms IS NULL OR woken_at_ms <= $3) RETURNING id";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::numbers::QUEUE;
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
            LIST,
            LIST_AFTER,
            LIST_STATUS,
            LIST_STATUS_AFTER,
            LIST_OWNER,
            LIST_OWNER_AFTER,
            LIST_OWNER_STATUS,
            LIST_OWNER_STATUS_AFTER,
            HAS_DUE,
            EXTEND,
            SUCCEED,
            RETRY,
            GIVE_BACK,
            GIVE_UP,
            NOTE_WAKE_UP,
            QUEUE,
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
        let (due, status, lease) = ("thumbs_jobs_due", "thumbs_jobs_status", "thumbs_jobs_lease");
        for (statement, indexes) in [
            (claim::<Sqlite>().as_str(), &[due, by_id][..]),
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
            (FIND_BY_WORKER, &[lease]),
            (FIND_BY_IDEMPOTENCY_KEY, &[by_key]),
            (EXTEND, &[by_id]),
            (SUCCEED, &[by_id]),
            (RETRY, &[by_id]),
            (GIVE_BACK, &[by_id]),
            (GIVE_UP, &[by_id]),
            (NOTE_WAKE_UP, &[by_id]),
            (QUEUE, &[due, lease]),
        ] {
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let mut rows = explain.raw_query();
            let mut plan = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                plan.push(row.get::<_, String>(3).unwrap());
            }
            let of_jobs: Vec<_> =
                plan.iter().filter(|line| line.contains(" thumbs_jobs") || line.contains(" other")).collect();
            assert!(!of_jobs.is_empty(), "{statement}: {plan:?}");
            for line in &of_jobs {
                assert!(indexes.iter().any(|index| line.contains(index)), "{statement}: {plan:?}");
            }
            assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{statement}: {plan:?}");
        }
    }
}
