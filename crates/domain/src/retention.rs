//! How long jobs and their originals are kept: for ever, unless the operator says otherwise; and for how long blobs are that no job has.

use crate::timestamp::Timestamp;

/// The most days that may be asked for: a hundred years.
pub const MAX_DAYS: u32 = 36_500;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// For how long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until somebody deletes it.
    Forever,
    /// For so many days, at least 1.
    Days(u32),
    /// Until the job has succeeded or failed.
    UntilDone,
}

/// What the operator chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The originals, from the moment on at which their job is done.
    pub originals: Keep,
    /// Jobs that are done, with their thumbnails, from the moment on at which they came.
    pub jobs: Keep,
    /// Blobs that no job has, from the moment on at which their job would have come.
    pub orphans: Keep,
}

impl Retention {
    /// Nothing goes by itself.
    pub const FOREVER: Self = Self { originals: Keep::Forever, jobs: Keep::Forever, orphans: Keep::Forever };
}

impl Keep {
    /// Reads `forever`, `until-done` or a number of days.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "forever" => Some(Self::Forever),
            "until-done" => Some(Self::UntilDone),
            days => days.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days)).map(Self::Days),
        }
    }

    /// What was so at this moment or before is kept no longer; none where all is.
    pub fn ends_before(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Forever => None,
            Self::Days(days) => Some(now.plus_millis(-i64::from(days) * DAY_MS)),
            Self::UntilDone => Some(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_keep_is_for_ever_until_done_or_days() {
        for (text, keep) in [
            ("forever", Some(Keep::Forever)),
            ("until-done", Some(Keep::UntilDone)),
            (" 7 ", Some(Keep::Days(7))),
            ("36500", Some(Keep::Days(36_500))),
            ("36501", None),
            ("0", None),
            ("-1", None),
            ("", None),
            ("for ever", None),
            ("7d", None),
        ] {
            assert_eq!(Keep::parse(text), keep, "{text:?}");
        }
    }

    #[test]
    fn days_are_counted_back_from_now() {
        let now = Timestamp::from_unix_millis(10 * DAY_MS);
        assert_eq!(Keep::Forever.ends_before(now), None);
        assert_eq!(Keep::UntilDone.ends_before(now), Some(now));
        assert_eq!(Keep::Days(3).ends_before(now), Some(Timestamp::from_unix_millis(7 * DAY_MS)));
    }
}
