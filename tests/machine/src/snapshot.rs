//! What the store has at one moment, as far as it may differ between two orders of the same steps.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use thumbs_domain::id::JobId;
use thumbs_domain::job::{Status, Thumbnail};
use thumbs_domain::object_key::ObjectKey;
use thumbs_guest::sql::{SqlRow, SqlValue};

use crate::world::World;

const JOBS: &str = "SELECT id, status, thumbnail, error_code, attempts, setbacks, due_at_ms, lease_token, woken_at_ms, updated_at_ms, \
     retried_at_ms, source_gone_at_ms, history, idempotency_key FROM thumbs_jobs ORDER BY id";
const GARBAGE: &str = "SELECT job, sha256 FROM thumbs_garbage ORDER BY job, sha256";
const SWEEPS: &str = "SELECT name, due_at_ms FROM thumbs_sweeps ORDER BY name";
const TALLIES: &str = "SELECT status, CAST(SUM(jobs) AS BIGINT) FROM thumbs_tallies GROUP BY status HAVING SUM(jobs) <> 0 ORDER BY status";

/// A job's row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) status: String,
    /// JSON.
    pub(crate) thumbnail: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) setbacks: i64,
    pub(crate) due_at_ms: Option<i64>,
    pub(crate) lease: Option<String>,
    pub(crate) woken_at_ms: Option<i64>,
    pub(crate) updated_at_ms: i64,
    pub(crate) retried_at_ms: Option<i64>,
    pub(crate) source_gone_at_ms: Option<i64>,
    pub(crate) history: String,
    pub(crate) key: Option<String>,
}

impl Row {
    pub(crate) fn is_done(&self) -> bool {
        self.status != Status::Processing.name()
    }

    pub(crate) fn is(&self, status: Status) -> bool {
        self.status == status.name()
    }

    /// The keys of the blobs that it names.
    pub(crate) fn blobs(&self) -> Vec<String> {
        let job = JobId::parse(&self.id).unwrap_or_else(|error| panic!("{}: {error}", self.id));
        let original = self.source_gone_at_ms.is_none().then(|| ObjectKey::upload(&job).to_string());
        let thumbnail = self.thumbnail.as_ref().map(|json| {
            let thumbnail: Thumbnail = serde_json::from_str(json).expect("a thumbnail");
            ObjectKey::thumbnail(&job, &thumbnail.sha256).to_string()
        });
        original.into_iter().chain(thumbnail).collect()
    }
}

/// All rows of a database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Snapshot {
    pub(crate) rows: Vec<Row>,
    /// Which blobs of which jobs are to go: the digest of a thumbnail, or nothing.
    pub(crate) garbage: Vec<(String, String)>,
    sweeps: Vec<(String, i64)>,
    /// How many jobs are counted in each state.
    pub(crate) tallies: BTreeMap<String, i64>,
}

impl Snapshot {
    pub(crate) fn take(world: &World) -> Self {
        let pairs = |statement| world.run(statement).into_iter().map(|row| (text(&row[0]), number(&row[1])));
        Self {
            rows: world.run(JOBS).iter().map(row).collect(),
            garbage: world.run(GARBAGE).iter().map(|row| (text(&row[0]), text(&row[1]))).collect(),
            sweeps: pairs(SWEEPS).collect(),
            tallies: pairs(TALLIES).collect(),
        }
    }

    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Of this, the blobs and the clock.
    pub(crate) fn digest(&self, world: &World) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        world.blobs.borrow().keys().for_each(|key| key.hash(&mut hasher));
        world.now().unix_millis().hash(&mut hasher);
        hasher.finish()
    }
}

fn row(row: &SqlRow) -> Row {
    let texts = |at: usize| maybe(&row[at]).then(|| text(&row[at]));
    let numbers = |at: usize| maybe(&row[at]).then(|| number(&row[at]));
    Row {
        id: text(&row[0]),
        status: text(&row[1]),
        thumbnail: texts(2),
        error_code: texts(3),
        attempts: number(&row[4]),
        setbacks: number(&row[5]),
        due_at_ms: numbers(6),
        lease: texts(7),
        woken_at_ms: numbers(8),
        updated_at_ms: number(&row[9]),
        retried_at_ms: numbers(10),
        source_gone_at_ms: numbers(11),
        history: texts(12).unwrap_or_default(),
        key: texts(13),
    }
}

fn maybe(value: &SqlValue) -> bool {
    *value != SqlValue::Null
}

fn text(value: &SqlValue) -> String {
    match value {
        SqlValue::Text(text) => text.clone(),
        other => panic!("a text, and not {other:?}"),
    }
}

fn number(value: &SqlValue) -> i64 {
    match value {
        SqlValue::Integer(number) => *number,
        other => panic!("a number, and not {other:?}"),
    }
}
