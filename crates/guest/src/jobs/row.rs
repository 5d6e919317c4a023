//! A job out of a row, and its parts into texts. The columns are those of `statements.rs`, in that order.

use serde::Serialize;
use serde::de::DeserializeOwned;

use thumbs_domain::batch::{FileName, Member};
use thumbs_domain::callback::{Callback, CallbackState, CallbackUrl};
use thumbs_domain::digest::Digest;
use thumbs_domain::failure::Failure;
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, Status, Thumbnail};
use thumbs_domain::owner::Owner;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::{CorrelationId, TraceParent};

use super::StoreError;
use crate::sql::{SqlRow, SqlValue};

/// What a row has for an owner where there is none.
const NOBODY: &str = "";

/// An owner, or nobody, as rows have it.
pub(super) fn owner(owner: Option<&Owner>) -> &str {
    owner.map_or(NOBODY, Owner::as_str)
}

/// Reads one row.
///
/// # Errors
/// [`StoreError::Corrupt`] names the column that does not hold what it should, never its content.
pub(super) fn job(row: SqlRow) -> Result<Job, StoreError> {
    Columns(row.into_iter()).job()
}

/// Which job a row is, whatever else it holds.
pub(super) fn id(row: &SqlRow) -> Option<JobId> {
    match row.first() {
        Some(SqlValue::Text(id)) => JobId::parse(id).ok(),
        _ => None,
    }
}

/// Reads the row that a claim gives: the job, and whether another is due.
///
/// # Errors
/// As for [`job`].
pub(super) fn claimed(row: SqlRow) -> Result<(Job, bool), StoreError> {
    let mut columns = Columns(row.into_iter());
    let job = columns.job()?;
    Ok((job, columns.integer("more_due")? != 0))
}

/// Reads a row of a batch: the job, and which part it was made of.
///
/// # Errors
/// As for [`job`].
pub(super) fn member(row: SqlRow) -> Result<Member, StoreError> {
    let mut columns = Columns(row.into_iter());
    let job = columns.job()?;
    let part = u32::try_from(columns.integer("batch_part")?).map_err(|_| corrupt("batch_part"))?;
    let file_name = columns.optional_text("file_name")?.as_deref().and_then(FileName::of);
    Ok(Member { job, part, file_name })
}

/// A part of a job as the row holds it.
pub(super) fn json(part: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(part).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// What was made, and for the triggers, which know nothing of its shape, the digests and the bytes of what is stored beside the first.
pub(super) fn thumbnail(made: &Thumbnail) -> Result<String, StoreError> {
    #[derive(Serialize)]
    struct Row<'a> {
        #[serde(flatten)]
        made: &'a Thumbnail,
        more: Vec<&'a Digest>,
        more_bytes: u64,
    }
    let stored = made.stored();
    let more = stored.get(1..).unwrap_or_default();
    if more.is_empty() {
        return json(made);
    }
    let more_bytes = more.iter().map(|thumbnail| thumbnail.bytes).sum();
    json(&Row { made, more: more.iter().map(|thumbnail| &thumbnail.sha256).collect(), more_bytes })
}

struct Columns(std::vec::IntoIter<SqlValue>);

impl Columns {
    fn job(&mut self) -> Result<Job, StoreError> {
        Ok(Job {
            id: self.parse("id", |text| JobId::parse(text).ok())?,
            status: self.parse("status", Status::from_name)?,
            options: self.json("options")?,
            source: self.json("source")?,
            thumbnail: self.optional_json("thumbnail")?,
            failure: match (self.optional_text("error_code")?, self.optional_text("error_message")?) {
                (Some(code), Some(message)) => Some(Failure { code: code.into(), message: message.into() }),
                _ => None,
            },
            cost: self.optional_json("cost")?,
            attempts: u32::try_from(self.integer("attempts")?).map_err(|_| corrupt("attempts"))?,
            setbacks: u32::try_from(self.integer("setbacks")?).map_err(|_| corrupt("setbacks"))?,
            due_at: self.optional_integer("due_at_ms")?.map(Timestamp::from_unix_millis),
            woken_at: self.optional_integer("woken_at_ms")?.map(Timestamp::from_unix_millis),
            created_at: Timestamp::from_unix_millis(self.integer("created_at_ms")?),
            updated_at: Timestamp::from_unix_millis(self.integer("updated_at_ms")?),
            retried_at: self.optional_integer("retried_at_ms")?.map(Timestamp::from_unix_millis),
            correlation_id: self.parse("correlation_id", |text| CorrelationId::parse(text).ok())?,
            trace_parent: self.optional_parse("trace_parent", |text| TraceParent::parse(text).ok())?,
            owner: self.parse("owner", |text| match text {
                NOBODY => Some(None),
                name => Owner::parse(name).map(Some),
            })?,
            callback: self.callback()?,
        })
    }

    fn callback(&mut self) -> Result<Option<Callback>, StoreError> {
        let url = self.optional_parse("callback_url", CallbackUrl::parse)?;
        let state = self.optional_parse("callback_state", CallbackState::from_name)?;
        let attempts = self.integer("callback_attempts")?;
        let last_status = self.optional_integer("callback_status")?;
        let last_error = self.optional_text("callback_error")?;
        let due_at = self.optional_integer("callback_due_at_ms")?.map(Timestamp::from_unix_millis);
        let delivered_at =
            self.optional_integer("callback_delivered_at_ms")?.map(Timestamp::from_unix_millis);
        let (Some(url), Some(state)) = (url, state) else { return Ok(None) };
        let attempts = u32::try_from(attempts).map_err(|_| corrupt("callback_attempts"))?;
        let last_status = last_status.map(u16::try_from).transpose();
        let last_status = last_status.map_err(|_| corrupt("callback_status"))?;
        Ok(Some(Callback { url, state, attempts, last_status, last_error, due_at, delivered_at }))
    }

    fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(SqlValue::Text(text)) => Ok(Some(text)),
            Some(SqlValue::Null) => Ok(None),
            _ => Err(corrupt(name)),
        }
    }

    fn optional_integer(&mut self, name: &'static str) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(SqlValue::Integer(integer)) => Ok(Some(integer)),
            Some(SqlValue::Null) => Ok(None),
            _ => Err(corrupt(name)),
        }
    }

    fn integer(&mut self, name: &'static str) -> Result<i64, StoreError> {
        self.optional_integer(name)?.ok_or_else(|| corrupt(name))
    }

    fn optional_parse<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.optional_text(name)?.map(|text| parse(&text).ok_or_else(|| corrupt(name))).transpose()
    }

    fn parse<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        self.optional_parse(name, parse)?.ok_or_else(|| corrupt(name))
    }

    fn optional_json<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, StoreError> {
        self.optional_parse(name, |text| serde_json::from_str(text).ok())
    }

    fn json<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, StoreError> {
        self.optional_json(name)?.ok_or_else(|| corrupt(name))
    }
}

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt(format!("column {column}"))
}
