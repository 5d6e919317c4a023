//! Job rows in the virtual database, written and read past the component under test. The table is the one that the component makes by
//! itself at its first statement, so a test asks for some job first.

use serde_json::json;
use thumbs_domain::id::JobId;

use crate::{
    Request,
    bindings::{
        fermyon::spin::sqlite::{RowResult, Value},
        fermyon::spin_test_virt::sqlite::Connection,
    },
};

/// A job of the tests.
pub const JOB: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";
/// The SHA-256 that the rows give the thumbnail.
pub const THUMBNAIL_SHA256: &str = "abababababababababababababababababababababababababababababababab";

/// Has the component under test make its tables, by asking for a job that is not there at `path`.
///
/// # Panics
/// When it finds one.
pub fn make_tables(path: &str) {
    let reply = Request::get(format!("{path}/{JOB}")).send();
    assert_eq!(reply.status, 404);
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub enum Row {
    /// Due for a long time, so overdue.
    Overdue,
    /// Under a lease that ends in the far future.
    Leased,
    /// With a thumbnail of so many bytes.
    Succeeded(u64),
    /// The dead letter.
    Failed,
}

/// Inserts [`JOB`] in this state.
///
/// # Panics
/// When the table is missing or refuses the row.
pub fn insert(row: Row) {
    insert_as(JOB, row);
}

/// Inserts a job of this id in this state.
///
/// # Panics
/// When the table is missing or refuses the row, or the id is none.
pub fn insert_as(id: &str, row: Row) {
    JobId::parse(id).expect("a job has a valid id");
    let options = json!({
        "width": 100, "height": 100, "fit": "cover", "format": "png", "gravity": "center", "animated": true,
        "background": "#ffffff", "quality": null, "max_bytes": null, "max_frames": null, "preset": null,
    });
    let source = json!({
        "sha256": "cd".repeat(32), "format": "jpeg", "bytes": 1234, "width": 640, "height": 480, "frames": 1,
    });
    let text = |text: &str| Value::Text(text.to_owned());
    let (status, due_at_ms, thumbnail, error) = match row {
        Row::Overdue => ("processing", Value::Integer(1_000), Value::Null, None),
        Row::Leased => ("processing", Value::Integer(i64::MAX / 2), Value::Null, None),
        Row::Succeeded(bytes) => {
            let thumbnail = json!({
                "format": "png", "bytes": bytes, "width": 100, "height": 100, "sha256": THUMBNAIL_SHA256, "frames": 1,
                "placeholder": "3OcRJYB4d3h/iIeHeEh3eIhw+j3A", "warnings": [], "concessions": [],
            });
            ("succeeded", Value::Null, text(&thumbnail.to_string()), None)
        }
        Row::Failed => {
            ("failed", Value::Null, Value::Null, Some(("undecodable", "The image can't be decoded.")))
        }
    };
    let (code, message) =
        error.map_or((Value::Null, Value::Null), |(code, message)| (text(code), text(message)));
    execute(
        "INSERT INTO thumbs_jobs (id, status, options, source, thumbnail, error_code, error_message, attempts, due_at_ms, \
         created_at_ms, updated_at_ms, correlation_id) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 1700000000000, 1700000000000, ?)",
        &[
            text(id),
            text(status),
            text(&options.to_string()),
            text(&source.to_string()),
            thumbnail,
            code,
            message,
            due_at_ms,
            text("request-of-the-test"),
        ],
    );
}

/// Runs a statement in the virtual database.
///
/// # Panics
/// When it is refused.
pub fn execute(statement: &str, parameters: &[Value]) -> Vec<RowResult> {
    let connection = Connection::open("default").expect("the virtual database is there");
    connection.execute(statement, parameters).expect("the statement is sound").rows
}

/// How many blobs of jobs that went are noted.
#[must_use]
pub fn garbage() -> usize {
    execute("SELECT job FROM thumbs_garbage", &[]).len()
}

/// How many jobs the table has.
#[must_use]
pub fn count() -> usize {
    execute("SELECT id FROM thumbs_jobs", &[]).len()
}
