//! Everything that a component writes into the log: one row an event, from which come the type that a component must build to
//! log it, the line's `event`, `level` and fields, and the table of docs/log.md.
//!
//! What the host logs is not here: it knows nothing of jobs, and has a table of its own.

use serde_json::Value;

/// How much an operator should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The ordinary course.
    Info,
    /// Something went wrong and was dealt with.
    Warn,
    /// Something is wrong and needs a person.
    Error,
}

impl Level {
    /// As the line's `level` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line's `event`: stable, to search for. Lower case with hyphens.
    pub name: &'static str,
    /// The line's `level`.
    pub level: Level,
    /// The fields of its own, as the line names them. One that is not known is left out of a line.
    pub fields: &'static [&'static str],
    /// What happened.
    pub meaning: &'static str,
    /// What the operator does about it.
    pub remedy: &'static str,
}

macro_rules! events {
    ($($variant:ident $({ $($field:ident: $kind:ty),* })? = $name:literal, $level:ident, $meaning:literal, $remedy:literal;)*) => {
        /// One event with its fields.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Event<'a> {
            $(#[doc = concat!($meaning, ". Remedy: ", $remedy, ".")] $variant $({
                $(#[doc = concat!("The line's `", stringify!($field), "`.")] $field: $kind,)*
            })?,)*
        }

        /// All events, in the order of the documentation.
        pub const TABLE: &[Row] = &[
            $(Row {
                name: $name,
                level: Level::$level,
                fields: &[$($(stringify!($field)),*)?],
                meaning: $meaning,
                remedy: $remedy,
            },)*
        ];

        impl Event<'_> {
            /// The line's `event`.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }

            /// The line's `level`.
            pub const fn level(&self) -> Level {
                match self {
                    $(Self::$variant { .. } => Level::$level,)*
                }
            }

            /// The fields of its own that are known, in the order of the table.
            pub fn fields(&self) -> Vec<(&'static str, Value)> {
                let all: Vec<(&'static str, Value)> = match self {
                    $(Self::$variant $({ $($field),* })? => vec![$($((stringify!($field), Value::from(*$field))),*)?],)*
                };
                all.into_iter().filter(|(_, value)| !value.is_null()).collect()
            }
        }
    };
}

events! {
    JobCreated {
        content_type: &'a str, bytes: u64, width: u32, height: u32, frames: u32, traceparent: Option<&'a str>
    } = "job-created", Info,
        "An upload was accepted as a job", "Nothing";
    JobRepeated = "job-repeated", Info,
        "An upload came again under its `Idempotency-Key` and got the job that is there", "Nothing";
    CallerRefused { reason: &'a str, key: Option<&'a str> } = "caller-refused", Info,
        "A request had no key, one that is not taken, or a link that is not good; the client got 401 or 403. `key` is the name of a good or an expired one",
        "Where a client of yours is refused, give it a key, or a scope: `thumbs key new`";
    RateExceeded { class: &'a str, key: Option<&'a str> } = "rate-exceeded", Info,
        "A client sent more requests than one may; it got 429. `class` is `writes` or `reads`, `key` the name of its key, if it showed one",
        "Where it is a client of yours, raise `writes_per_minute` or `reads_per_minute`";
    RateNotCounted { cause: &'a str } = "rate-not-counted", Warn,
        "A request could not be counted, because the job store did not do it; it was let through",
        "Look after the store that the cause names";
    JobCached { of: &'a str, bytes: u64 } = "job-cached", Info,
        "An upload was done at once: the job `of` had made its thumbnail, of which it got a copy", "Nothing";
    CacheMissed { of: Option<&'a str>, cause: &'a str } = "cache-missed", Warn,
        "Whether the thumbnail of an upload was made before could not be looked up, or that of the job `of` could not be copied; it is made again",
        "Look after the store that the cause names";
    JobDeleted = "job-deleted", Info,
        "A client deleted a job", "Nothing";
    JobRevived = "job-revived", Info,
        "A client had a failed job tried again", "Nothing";
    ClockWasAhead { jobs: u32 } = "clock-was-ahead", Warn,
        "So many jobs were to be tried again at a moment so late that a clock must have been far ahead of this one; they are due now",
        "Look after the clocks of the machines (NTP)";
    JobVanished { attempt: u32 } = "job-vanished", Info,
        "A job was deleted while a worker was at it; what the worker made was removed", "Nothing";
    GarbageKept { key: &'a str, cause: &'a str } = "garbage-kept", Warn,
        "Blobs of a job that went, or that no job has, could not be removed, this one among them; a later sweep tries again",
        "Look after the blob store";
    OrphanLeft { key: &'a str, cause: &'a str } = "orphan-left", Warn,
        "A blob that no job has could not be removed, nor could others near it, for a day in which sweeps tried; it stays, and no sweep comes back to it",
        "Look after the blob store, and delete the blob";
    Swept { jobs: u32, originals: u32, blobs: u32, orphans: u32 } = "swept", Info,
        "A sweep took away what is kept no longer: so many jobs, originals of others, blobs of jobs that went, and blobs that no job has",
        "Nothing; where there are orphans without a process that was killed, look whether two services share a place for their images";
    OrphansUnseen { cause: &'a str } = "orphans-unseen", Warn,
        "A sweep could not list the blobs, to find those that no job has; a later one tries again",
        "Look after the blob store: it has to grant the listing of its keys (S3: `s3:ListBucket`); or set `keep_orphans_days` to 0";
    BlobOrphaned { key: &'a str, cause: &'a str } = "blob-orphaned", Warn,
        "The image of an upload that turned out to be a repetition, or the thumbnail of a job that was deleted meanwhile, could not be removed; no job names it",
        "Look after the blob store; the blob may be deleted";
    WakeUpLost { cause: &'a str } = "wake-up-lost", Warn,
        "The workers could not be told that a job may be due; the next tick or read of the job makes it good",
        "Look after Redis, or the variables `redis_url` and `redis_outbound`";
    EndNotTold { cause: &'a str } = "end-not-told", Info,
        "Those who wait for a job could not be told that it ended; they see it a few seconds later",
        "Look after Redis, or the variables `redis_url` and `redis_outbound`";
    CallbackDelivered { attempt: u32, status: Option<u16>, took_ms: u64 } = "callback-delivered", Info,
        "A receiver took the message that a job ended (docs/WEBHOOKS.md)", "Nothing";
    CallbackPostponed { attempt: u32, status: Option<u16>, error: Option<&'a str> } = "callback-postponed", Info,
        "A receiver did not take the message that a job ended: it answered with this status, or there was no answer for this reason; it is told again",
        "For `host-not-allowed` and `address-refused` look at `callback_hosts`, `callback_secret` and `callback_private`, on Spin at `callback_outbound`; else nothing, it is the receiver's";
    CallbackFailed { attempt: u32, status: Option<u16>, error: Option<&'a str> } = "callback-failed", Warn,
        "A receiver is not told any more that a job ended: it answered 410, or the attempts are used up",
        "Where it is a receiver of yours, look after it; the job is there to be asked for";
    CallbackLeaseLost { attempt: u32, status: Option<u16> } = "callback-lease-lost", Info,
        "A receiver was told of a job that was deleted meanwhile, or tried again, or that another worker has told of by now",
        "Where it comes often, look for what holds the workers up";
    WakeUpNotNoted { cause: &'a str } = "wake-up-not-noted", Warn,
        "A client read a job that has been due for a while, and the job store can't be written to; the client got the job, and the workers were woken all the same",
        "Look after the store that the cause names";
    JobOverdue = "job-overdue", Info,
        "A client came upon a job that has been due for a while, so the workers were woken again",
        "Where it comes often, look for lost wake-ups, or give the service more workers";
    JobClaimed { attempt: u32, traceparent: Option<&'a str> } = "job-claimed", Info,
        "A worker has begun an attempt", "Nothing";
    JobSucceeded {
        bytes: u64, decode_ms: f64, finish_ms: f64, encode_ms: f64, total_ms: f64, peak_memory_bytes: u64
    } = "job-succeeded", Info,
        "The thumbnail is stored and the job says so", "Nothing";
    AttemptFailed { code: &'a str, attempt: u32, cause: Option<&'a str> } = "attempt-failed", Warn,
        "An attempt failed, and the image or its store may be at fault; the job is tried again", "What docs/api.md says of the code";
    AttemptGivenBack { code: &'a str, setbacks: u32, cause: Option<&'a str> } = "attempt-given-back", Warn,
        "The service itself failed an attempt, which does not count; the job is tried again",
        "For `storage-unavailable` look after the stores, for `out-of-shared-memory` and `timed-out` at the limits of the host; for `worker-stopped` nothing";
    JobFailed { code: &'a str, attempt: u32, cause: Option<&'a str> } = "job-failed", Warn,
        "An attempt failed and there is no other: the image is at fault, the attempts are used up, or the job is too old",
        "What docs/api.md says of the code";
    JobGivenUp { attempts: u32 } = "job-given-up", Warn,
        "The worker of the last attempt never came back, so the job was failed",
        "Look for what ended the worker at that time";
    LeaseLost { attempt: u32, code: Option<&'a str>, cause: Option<&'a str> } = "lease-lost", Warn,
        "A worker was done after its lease had ended; what it made or found is not used",
        "Where it comes often, raise `lease_secs`";
    ThumbnailGone { key: &'a str } = "thumbnail-gone", Error,
        "A job has succeeded and its thumbnail is not in the blob store",
        "Find out who deletes there; the image has to be uploaded again";
    DependencyUnavailable { cause: &'a str } = "dependency-unavailable", Error,
        "The job store or the blob store could not be reached; the client got 503",
        "Look after the store that the cause names";
    DependencyDown { dependency: &'a str, cause: &'a str } = "dependency-down", Warn,
        "A dependency did not answer `/healthz/detailed`", "What that answer says of the dependency";
    SchemaTooNew { cause: &'a str } = "schema-too-new", Error,
        "A newer version has migrated the job store; this one does not write to it, the client got 503",
        "Finish the upgrade";
    RowUnreadable { cause: &'a str } = "row-unreadable", Error,
        "A list came upon a job that this version can't read; the client got the others",
        "Where a newer version runs beside this one, finish the upgrade; else report the cause";
    Misconfigured { cause: &'a str } = "misconfigured", Error,
        "A variable is wrong, or two contradict each other; `thumbs up` does not start, and a client that met it got 500",
        "Mend the variable that the cause names";
    InternalError { cause: &'a str } = "internal-error", Error,
        "The service made a mistake; the client got 500", "Report the cause";
    ResponseRefused { cause: &'a str } = "response-refused", Error,
        "The host did not take a response", "Report the cause";
    NoRandomNumbers = "no-random-numbers", Error,
        "The host gives no random numbers; the client got 500", "Look after the host";
    ClientGone = "client-gone", Info,
        "The client went away before it had the whole response", "Nothing";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_event_has_a_name_of_its_own_in_lower_case_with_hyphens() {
        let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for row in TABLE {
            assert!(row.name.split('-').all(|word| !word.is_empty()), "{}", row.name);
            assert!(row.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", row.name);
            assert!(!row.meaning.ends_with('.') && !row.remedy.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn what_an_event_says_is_what_its_row_announces() {
        let event = Event::JobFailed { code: "trap", attempt: 3, cause: Some("it broke") };
        let row = TABLE.iter().find(|row| row.name == event.name()).unwrap();
        assert_eq!(row.level, event.level());
        let fields = event.fields();
        assert_eq!(fields.iter().map(|(name, _)| *name).collect::<Vec<_>>(), row.fields);
        assert_eq!(fields, [("code", "trap".into()), ("attempt", 3.into()), ("cause", "it broke".into())]);
    }

    #[test]
    fn a_field_that_is_not_known_is_left_out() {
        let event = Event::LeaseLost { attempt: 1, code: None, cause: None };
        assert_eq!(event.fields(), [("attempt", 1.into())]);
    }
}
