//! How the attempts at a job went: the lines of its row, and what clients read of them.
//!
//! A line is `<began> <ended> <outcome> <code>;`: milliseconds since 1970, a word, and why it failed, or `-`. Rows keep the last
//! [`KEPT_CHARS`] of them, so the first that is kept may have lost its beginning, and is passed over.

use serde::Serialize;

use crate::id::JobId;
use crate::timestamp::Timestamp;
use crate::view::job_href;
use crate::words::words;

/// Characters that a row keeps of what went before: about thirty attempts.
pub const KEPT_CHARS: u32 = 2000;

words! {
    /// How an attempt ended, or what else happened to the job between two of them.
    Outcome {
        /// The thumbnail was made.
        Succeeded = "succeeded",
        /// It failed, and the job with it.
        Failed = "failed",
        /// It failed, and there is another.
        Postponed = "postponed",
        /// The service itself failed it; it does not count.
        GivenBack = "given-back",
        /// The worker did not come back.
        Lost = "lost",
        /// No attempt: a client had the failed job tried again.
        Revived = "revived",
        /// It is still under way.
        Running = "running",
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; none while it is under way.
    pub ended_at: Option<Timestamp>,
    /// How.
    pub outcome: Outcome,
    /// Why it failed.
    pub code: Option<String>,
}

impl Entry {
    /// An attempt that began then and has not ended.
    pub const fn running(began_at: Timestamp) -> Self {
        Self { began_at, ended_at: None, outcome: Outcome::Running, code: None }
    }
}

/// The entries of a row's text, oldest first. What makes no sense is passed over.
pub fn read(text: &str) -> Vec<Entry> {
    text.split(';').filter_map(entry).collect()
}

fn entry(line: &str) -> Option<Entry> {
    let mut words = line.split(' ');
    let mut moment = || words.next()?.parse().ok().map(Timestamp::from_unix_millis);
    let (began_at, ended_at) = (moment()?, moment()?);
    let outcome = Outcome::from_name(words.next()?)?;
    let code = words.next().filter(|code| !matches!(*code, "" | "-")).map(str::to_owned);
    Some(Entry { began_at, ended_at: Some(ended_at), outcome, code })
}

/// How many of these attempts were given back for this code since somebody last had the job tried again, of those that are kept.
pub fn given_back_for(entries: &[Entry], code: &str) -> usize {
    let since = entries.iter().rev().take_while(|entry| entry.outcome != Outcome::Revived);
    since.filter(|entry| entry.outcome == Outcome::GivenBack && entry.code.as_deref() == Some(code)).count()
}

/// The JSON of `GET /jobs/{id}/history`.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryView {
    /// The job.
    pub job_id: JobId,
    /// The last attempts, oldest first.
    pub attempts: Vec<Entry>,
    /// Where to go from here.
    pub links: HistoryLinks,
}

/// Paths on this service.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryLinks {
    /// The job itself.
    pub job: String,
}

impl HistoryView {
    /// Of this job.
    pub fn new(job_id: JobId, attempts: Vec<Entry>) -> Self {
        Self { job_id, attempts, links: HistoryLinks { job: job_href(&job_id) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn what_was_given_back_is_counted_by_code_since_the_job_was_last_tried_again() {
        let text = "1 2 given-back timed-out;2 3 failed timed-out;3 3 revived -;4 5 given-back timed-out;5 6 given-back trap;\
                    6 7 postponed timed-out;7 8 given-back timed-out;";
        assert_eq!(given_back_for(&read(text), "timed-out"), 2);
        assert_eq!(given_back_for(&[], "timed-out"), 0);
    }

    #[test]
    fn as_many_attempts_are_kept_as_may_end_by_the_clock() {
        let line = "1795953600000 1795953628000 given-back timed-out;";
        assert!(line.len() * crate::machine::MAX_TIMED_OUT <= KEPT_CHARS as usize);
    }

    #[test]
    fn a_text_is_read_line_by_line_and_what_was_cut_off_is_passed_over() {
        let text = "00 lost -;1000 1500 postponed storage-unavailable;2000 2100 nonsense -;2000 x failed -;3000 3100 succeeded -;";
        let entry = |began, ended, outcome, code: Option<&str>| Entry {
            began_at: at(began),
            ended_at: Some(at(ended)),
            outcome,
            code: code.map(str::to_owned),
        };
        assert_eq!(
            read(text),
            [
                entry(1000, 1500, Outcome::Postponed, Some("storage-unavailable")),
                entry(3000, 3100, Outcome::Succeeded, None),
            ]
        );
        assert_eq!(read(""), []);
    }

    #[test]
    fn a_client_reads_moments_and_words() {
        let job = JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        let attempts = [read("0 1 failed trap;"), vec![Entry::running(at(2))]].concat();
        assert_eq!(
            serde_json::to_value(HistoryView::new(job, attempts)).unwrap(),
            serde_json::json!({
                "job_id": "01932c07-20a4-7b3c-8d4e-5f6071829304",
                "attempts": [
                    {
                        "began_at": "1970-01-01T00:00:00.000Z", "ended_at": "1970-01-01T00:00:00.001Z",
                        "outcome": "failed", "code": "trap",
                    },
                    {
                        "began_at": "1970-01-01T00:00:00.002Z", "ended_at": null, "outcome": "running", "code": null,
                    },
                ],
                "links": { "job": "/jobs/01932c07-20a4-7b3c-8d4e-5f6071829304" },
            })
        );
    }
}
