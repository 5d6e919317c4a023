//! Every statement of the job store.
//!
//! Placeholders first appear in the order of their numbers (see `Sql::query`; a test checks it). Casts say what type a
//! placeholder has where PostgreSQL can't tell from a column. Those that make or take a job do nothing under a schema that this
//! version may not work with. They call no function that may walk through a table in one step, as `COUNT` does: our host would compile a
//! statement that does anew each time, and on a thread of its own.

use crate::sql::Dialect;
use crate::sql::schema::may_work;

/// The columns that `row.rs` reads, in its order.
macro_rules! columns {
    () => {
        "id, status, options, source, thumbnail, error_code, error_message, cost, attempts, setbacks, due_at_ms, \
         woken_at_ms, created_at_ms, updated_at_ms, retried_at_ms, correlation_id, trace_parent, owner, callback_url, callback_state, callback_attempts, callback_status, \
         callback_error, callback_due_at_ms, callback_delivered_at_ms"
    };
}

pub(super) use columns;

/// The history with a line more, of an attempt that began when the row last changed: for the claim changes it, and nothing else that happens
/// within an attempt. Takes the placeholder of the end, the outcome, and the SQL of the code. Kept are the last
/// [`thumbs_domain::history::KEPT_CHARS`] of what was there.
macro_rules! history {
    ($began:literal, $ended:literal, $outcome:literal, $code:literal) => {
        concat!(
            "substr(COALESCE(history, ''), CASE WHEN length(history) > 2000 THEN length(history) - 1999 ELSE 1 END) || ",
            $began, " || ' ' || CAST(CAST(", $ended, " AS BIGINT) AS TEXT) || ' ", $outcome, " ' || ", $code, " || ';'"
        )
    };
    ($ended:literal, $outcome:literal, $code:literal) => {
        history!("CAST(updated_at_ms AS TEXT)", $ended, $outcome, $code)
    };
}

/// Takes the job that has been due longest of the owner whose turn it is.
///
/// Owners take turns, so that one who sends ten thousand images does not make the others wait for all of them. Whose turn it is is drawn
/// by lot (`$7`) among those who have a job that is due: it needs no memory, so no row that all who claim would have to write. The
/// owners of open jobs are stepped through by the index, one look for each. Where another claim holds all that this owner has due, the job
/// that has been due longest is taken, whose ever it is. (Its owner is asked for as a range, sorted by owner and moment: asked for by `=`,
/// PostgreSQL may walk the index of all that is due, past what others have waiting.)
///
/// A job whose attempts are used up was left by its last worker: it is failed here, in the same statement, and the row that
/// comes back says so; the reason of the attempt before is kept behind the new one. The last column tells whether another job
/// is due, so that nobody has to ask. `$1` now, `$2` largest number of attempts, `$3` lease end, `$4` worker, `$5` and `$6`
/// code and message of the failure, `$7` the lot, `$8` newest known schema.
pub(super) fn claim<D: Dialect>() -> String {
    const CHOICE: &str = concat!(
        "UPDATE thumbs_jobs SET updated_at_ms = CAST($1 AS BIGINT), ",
        "history = CASE WHEN lease_token IS NULL THEN history ELSE ",
        history!("$1", "lost", "'-'"),
        " END, ",
        "status = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN 'failed' ELSE status END, ",
        "attempts = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN attempts ELSE attempts + 1 END, ",
        "due_at_ms = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN NULL ELSE CAST($3 AS BIGINT) END, ",
        "lease_token = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN NULL ELSE CAST($4 AS TEXT) END, ",
        "error_code = CASE WHEN attempts >= CAST($2 AS BIGINT) THEN CAST($5 AS TEXT) ELSE error_code END, ",
        "error_message = CASE WHEN attempts >= CAST($2 AS BIGINT) ",
        "THEN CAST($6 AS TEXT) || COALESCE(' Before that: ' || error_message, '') ELSE error_message END ",
        "WHERE id = COALESCE((WITH RECURSIVE turns (owner) AS (",
        "SELECT MIN(owner) FROM thumbs_jobs WHERE due_at_ms IS NOT NULL UNION ALL ",
        "SELECT (SELECT MIN(other.owner) FROM thumbs_jobs other WHERE other.due_at_ms IS NOT NULL ",
        "AND other.owner > turns.owner) FROM turns WHERE turns.owner IS NOT NULL), ",
        "waiting (owner) AS (SELECT owner FROM turns WHERE EXISTS (SELECT 1 FROM thumbs_jobs other ",
        "WHERE other.owner = turns.owner AND other.due_at_ms <= CAST($1 AS BIGINT))), ",
        "drawn (owner) AS (SELECT owner FROM waiting LIMIT 1 ",
        "OFFSET CAST($7 AS BIGINT) % (SELECT COALESCE(SUM(1), 1) FROM waiting)) ",
        "SELECT id FROM thumbs_jobs WHERE owner >= (SELECT owner FROM drawn) AND owner <= (SELECT owner FROM drawn) ",
        "AND due_at_ms <= CAST($1 AS BIGINT) ORDER BY owner, due_at_ms LIMIT 1",
    );
    const ELSE: &str =
        "), (SELECT id FROM thumbs_jobs WHERE due_at_ms <= CAST($1 AS BIGINT) ORDER BY due_at_ms LIMIT 1";
    const REST: &str = concat!(
        ")) AND ",
        may_work!("$8"),
        " RETURNING ",
        columns!(),
        ", CASE WHEN EXISTS (SELECT 1 FROM thumbs_jobs other WHERE other.due_at_ms <= CAST($1 AS BIGINT) ",
        "AND other.id <> thumbs_jobs.id) THEN 1 ELSE 0 END",
    );
    [CHOICE, D::PASS_OVER_LOCKED, ELSE, D::PASS_OVER_LOCKED, REST].concat()
}

/// Gives the id back, or no row where the idempotency key is taken or the schema is not ours. The column of idempotency keys is unique by
/// itself, so what stands there names the owner as well.
pub(super) const CREATE: &str = concat!(
    "INSERT INTO thumbs_jobs (id, status, options, source, attempts, due_at_ms, created_at_ms, updated_at_ms, ",
    "correlation_id, trace_parent, idempotency_key, owner, lease_token, batch, batch_part, file_name, callback_url, callback_state) ",
    "SELECT CAST($1 AS TEXT), 'processing', CAST($2 AS TEXT), CAST($3 AS TEXT), 0, CAST($4 AS BIGINT), ",
    "CAST($5 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT), ",
    "CAST($9 AS TEXT), CAST($10 AS TEXT), CAST($11 AS TEXT), CAST($12 AS BIGINT), CAST($13 AS TEXT), \
     CAST($14 AS TEXT), CASE WHEN CAST($14 AS TEXT) IS NULL THEN NULL ELSE 'waiting' END WHERE ",
    may_work!("$15"),
    " ON CONFLICT (idempotency_key) DO NOTHING RETURNING id"
);

pub(super) const GET: &str = concat!("SELECT ", columns!(), " FROM thumbs_jobs WHERE id = $1");

/// The history, and when the attempt began that is under way.
pub(super) const HISTORY: &str = "SELECT history, CASE WHEN lease_token IS NULL THEN NULL ELSE updated_at_ms END FROM thumbs_jobs WHERE id = $1";

pub(super) const FIND_BY_WORKER: &str =
    concat!("SELECT ", columns!(), " FROM thumbs_jobs WHERE lease_token = $1");

/// Only who succeeded has a recipe.
pub(super) const FIND_MADE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE owner = $1 AND recipe = $2 ORDER BY id DESC LIMIT 1"
);

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
pub(super) const LIST_CODE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE status = 'failed' AND error_code = $1 ORDER BY id DESC LIMIT CAST($2 AS BIGINT)"
);

pub(super) const LIST_CODE_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE status = 'failed' AND error_code = $1 AND id < $2 ORDER BY id DESC LIMIT CAST($3 AS BIGINT)"
);

pub(super) const LIST_OWNER_CODE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE owner = $1 AND owner <> '' AND status = 'failed' AND error_code = $2 ",
    "ORDER BY id DESC LIMIT CAST($3 AS BIGINT)"
);

pub(super) const LIST_OWNER_CODE_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE owner = $1 AND owner <> '' AND status = 'failed' AND error_code = $2 AND id < $3 ",
    "ORDER BY id DESC LIMIT CAST($4 AS BIGINT)"
);

/// A parameter for each of so many ids.
pub(super) fn find(ids: usize) -> String {
    const CHOICE: &str = concat!("SELECT ", columns!(), " FROM thumbs_jobs WHERE id IN (");
    let placeholders = (1..=ids).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
    format!("{CHOICE}{placeholders})")
}

/// Open jobs, as the index of what is due has them.
pub(super) const LONGEST_DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM thumbs_jobs WHERE due_at_ms IS NOT NULL ORDER BY due_at_ms LIMIT CAST($1 AS BIGINT)"
);

/// The jobs of a batch in the order of its form.
pub(super) const BATCH: &str = concat!(
    "SELECT ",
    columns!(),
    ", batch_part, file_name FROM thumbs_jobs WHERE batch = $1 ORDER BY batch_part"
);

/// The batch of a job whose idempotency key lies between these.
pub(super) const BATCH_OF_KEY: &str =
    "SELECT batch FROM thumbs_jobs WHERE idempotency_key > $1 AND idempotency_key < $2 LIMIT 1";

/// All open jobs, by what triggers count: `numbers.rs` has the rest of it.
pub(super) const QUEUED: &str =
    "SELECT CAST(COALESCE(SUM(jobs), 0) AS BIGINT) FROM thumbs_tallies WHERE status = 'processing'";

/// Open jobs of one owner, so far and no further.
pub(super) const QUEUED_OF_OWNER: &str = "SELECT COALESCE(SUM(1), 0) FROM (SELECT 1 FROM thumbs_jobs WHERE owner = $1 \
     AND due_at_ms IS NOT NULL LIMIT CAST($2 AS BIGINT)) open";

pub(super) const HAS_DUE: &str = "SELECT 1 FROM thumbs_jobs WHERE due_at_ms <= CAST($1 AS BIGINT) LIMIT 1";

/// Whether a job is due, whether a sweep is, and whether a job is due later (`$2`) than any clock can have meant.
pub(super) const DUE: &str = "SELECT \
     CASE WHEN EXISTS (SELECT 1 FROM thumbs_jobs WHERE due_at_ms <= CAST($1 AS BIGINT)) THEN 1 ELSE 0 END, \
     CASE WHEN EXISTS (SELECT 1 FROM thumbs_sweeps WHERE name = 'kept' AND due_at_ms <= CAST($1 AS BIGINT)) THEN 1 ELSE 0 END, \
     CASE WHEN EXISTS (SELECT 1 FROM thumbs_jobs WHERE due_at_ms > CAST($2 AS BIGINT)) THEN 1 ELSE 0 END";

/// Who holds such a job finishes it all the same, where nobody else has taken it by then.
pub(super) const HASTEN: &str = "UPDATE thumbs_jobs SET due_at_ms = CAST($1 AS BIGINT) WHERE id IN \
     (SELECT id FROM thumbs_jobs WHERE due_at_ms > CAST($2 AS BIGINT) LIMIT 1000) RETURNING id";

pub(super) const EXTEND: &str =
    "UPDATE thumbs_jobs SET due_at_ms = $1 WHERE id = $2 AND lease_token = $3 RETURNING id";

pub(super) const SUCCEED: &str = concat!(
    "UPDATE thumbs_jobs SET status = 'succeeded', thumbnail = $1, cost = $2, recipe = $3, updated_at_ms = CAST($4 AS BIGINT), history = ",
    history!("$4", "succeeded", "'-'"),
    ", error_code = NULL, error_message = NULL, due_at_ms = NULL, lease_token = NULL WHERE id = $5 AND lease_token = $6 RETURNING id"
);

pub(super) const RETRY: &str = concat!(
    "UPDATE thumbs_jobs SET error_code = CAST($1 AS TEXT), error_message = $2, due_at_ms = $3, updated_at_ms = CAST($4 AS BIGINT), history = ",
    history!("$4", "postponed", "CAST($1 AS TEXT)"),
    ", lease_token = NULL WHERE id = $5 AND lease_token = $6 RETURNING id"
);

pub(super) const GIVE_BACK: &str = concat!(
    "UPDATE thumbs_jobs SET attempts = attempts - 1, setbacks = setbacks + 1, error_code = CAST($1 AS TEXT), error_message = $2, ",
    "due_at_ms = $3, updated_at_ms = CAST($4 AS BIGINT), history = ",
    history!("$4", "given-back", "CAST($1 AS TEXT)"),
    ", lease_token = NULL WHERE id = $5 AND lease_token = $6 RETURNING id"
);

pub(super) const GIVE_UP: &str = concat!(
    "UPDATE thumbs_jobs SET status = 'failed', error_code = CAST($1 AS TEXT), error_message = $2, updated_at_ms = CAST($3 AS BIGINT), history = ",
    history!("$3", "failed", "CAST($1 AS TEXT)"),
    ", due_at_ms = NULL, lease_token = NULL WHERE id = $4 AND lease_token = $5 RETURNING id"
);

pub(super) const NOTE_WAKE_UP: &str = "UPDATE thumbs_jobs SET woken_at_ms = $1 WHERE id = $2 \
     AND status = 'processing' AND (woken_at_ms IS NULL OR woken_at_ms <= $3) RETURNING id";

/// The failure of before stays: it is why the job is tried again. The callback is what the trigger makes of it, which SQLite would not return.
pub(super) const REVIVE: &str = concat!(
    "UPDATE thumbs_jobs SET status = 'processing', attempts = 0, setbacks = 0, woken_at_ms = NULL, due_at_ms = CAST($1 AS BIGINT), ",
    "callback_state = CASE WHEN callback_url IS NULL THEN NULL ELSE 'waiting' END, callback_due_at_ms = NULL, callback_token = NULL, ",
    "callback_attempts = 0, callback_status = NULL, callback_error = NULL, callback_delivered_at_ms = NULL, ",
    "retried_at_ms = CAST($2 AS BIGINT), updated_at_ms = CAST($2 AS BIGINT), history = ",
    history!("CAST(CAST($2 AS BIGINT) AS TEXT)", "$2", "revived", "'-'"),
    " ",
    "WHERE id = $3 AND status = 'failed' AND source_gone_at_ms IS NULL AND ",
    may_work!("$4"),
    " RETURNING ",
    columns!()
);

pub(super) const DELETE: &str =
    concat!("DELETE FROM thumbs_jobs WHERE id = $1 AND ", may_work!("$2"), " RETURNING id");

/// True of a note that holds. Rows that somebody put back, as from a backup, name blobs that are noted.
macro_rules! is_garbage {
    () => {
        "NOT EXISTS (SELECT 1 FROM thumbs_jobs WHERE thumbs_jobs.id = thumbs_garbage.job \
         AND (thumbs_garbage.sha256 <> '' OR thumbs_jobs.source_gone_at_ms IS NULL))"
    };
}

pub(super) const GARBAGE: &str = concat!(
    "SELECT job, sha256 FROM thumbs_garbage WHERE job >= $1 AND ",
    is_garbage!(),
    " ORDER BY job, sha256 LIMIT CAST($2 AS BIGINT)"
);

/// Two parameters for each of so many notes.
pub(super) fn forget(notes: usize) -> String {
    let each = (0..notes).map(|note| format!("(job = ${} AND sha256 = ${})", 2 * note + 1, 2 * note + 2));
    format!("DELETE FROM thumbs_garbage WHERE {}", each.collect::<Vec<_>>().join(" OR "))
}

pub(super) const CLAIM_SWEEP: &str = concat!(
    "UPDATE thumbs_sweeps SET due_at_ms = $1 WHERE name = 'kept' AND due_at_ms <= $2 AND ",
    may_work!("$3"),
    " RETURNING name"
);

/// Up to which moment a search has come.
pub(super) const LOOKED: &str = "SELECT due_at_ms FROM thumbs_sweeps WHERE name = $1";

pub(super) const LOOK: &str = "INSERT INTO thumbs_sweeps (name, due_at_ms) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET due_at_ms = excluded.due_at_ms";

/// What the rows of so many jobs say of their blobs. No more of them is read, so that a row that this version can't read counts too.
pub(super) fn holders(jobs: usize) -> String {
    let placeholders = (1..=jobs).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
    format!("SELECT id, status, thumbnail, source_gone_at_ms FROM thumbs_jobs WHERE id IN ({placeholders})")
}

pub(super) const CALL_FOR_SWEEP: &str = "UPDATE thumbs_sweeps SET due_at_ms = $1 WHERE name = 'kept'";

/// Ids sort by the time of creation, so the oldest jobs of a state are at the left end of its index. The choice is materialised, for PostgreSQL
/// may make one that locks anew for each row that it is compared with, and each would be another.
pub(super) fn expire_jobs<D: Dialect>() -> String {
    const CHOICE: &str = "WITH chosen AS MATERIALIZED (SELECT id FROM thumbs_jobs WHERE status = $1 AND id < $2 \
         ORDER BY id LIMIT CAST($3 AS BIGINT)";
    const REST: &str = concat!(
        ") DELETE FROM thumbs_jobs WHERE id IN (SELECT id FROM chosen) AND due_at_ms IS NULL AND ",
        may_work!("$4"),
        " RETURNING id"
    );
    [CHOICE, D::PASS_OVER_LOCKED, REST].concat()
}

pub(super) fn expire_originals<D: Dialect>() -> String {
    const CHOICE: &str = "WITH chosen AS MATERIALIZED (SELECT id FROM thumbs_jobs \
         WHERE source_gone_at_ms IS NULL AND due_at_ms IS NULL AND updated_at_ms <= $1 \
         ORDER BY updated_at_ms LIMIT CAST($2 AS BIGINT)";
    const REST: &str = concat!(
        ") UPDATE thumbs_jobs SET source_gone_at_ms = $3 WHERE id IN (SELECT id FROM chosen) ",
        "AND source_gone_at_ms IS NULL AND due_at_ms IS NULL AND ",
        may_work!("$4"),
        " RETURNING id"
    );
    [CHOICE, D::PASS_OVER_LOCKED, REST].concat()
}

#[cfg(test)]
mod tests;
