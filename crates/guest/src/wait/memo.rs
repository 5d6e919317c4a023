//! What one instance leaves for the next, where a request waits that can't be asked again as it was.

use std::time::Duration;

use thumbs_domain::id::JobId;

/// The job that the request made or changed, and until when its client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memo {
    /// The job.
    pub job: JobId,
    /// Another request had made it.
    pub is_repetition: bool,
    /// How old the request is when the wait is over.
    pub until: Duration,
}

impl Memo {
    /// What [`Memo::text`] wrote; none of anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (job, until, kind) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            job: JobId::parse(job).ok()?,
            is_repetition: kind == "again",
            until: Duration::from_millis(until.parse().ok()?),
        })
    }

    /// As it stands in a header.
    pub fn text(&self) -> String {
        let kind = if self.is_repetition { "again" } else { "new" };
        format!("{} {} {kind}", self.job, self.until.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_is_read_as_it_was_written_and_nothing_else_is_one() {
        let job = JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        for is_repetition in [false, true] {
            let memo = Memo { job, is_repetition, until: Duration::from_millis(30_500) };
            assert_eq!(Memo::parse(&memo.text()), Some(memo));
        }
        for text in ["", "x 1 new", "01932c07-20a4-7b3c-8d4e-5f6071829304 soon new"] {
            assert_eq!(Memo::parse(text), None, "{text}");
        }
    }
}
