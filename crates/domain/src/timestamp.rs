//! A moment, as rows hold it (milliseconds since 1970) and as clients read it (RFC 3339, UTC).

use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};

/// A moment in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// In milliseconds since 1970.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// This many milliseconds later; the end of time where there is no later.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; negative where `earlier` is the later one.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 with three digits after the second, so that texts sort as moments do. Years past 9999 have no such text
    /// and are shown as the last one that has.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const LAST_MILLIS: i64 = 253_402_300_799_999;
        let millis = self.0.clamp(0, LAST_MILLIS);
        let moment = DateTime::from_timestamp_millis(millis).ok_or(std::fmt::Error)?;
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_rfc_3339_in_utc_with_milliseconds() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_645_557_742_007, "2022-02-22T19:22:22.007Z"),
            (1_709_164_800_120, "2024-02-29T00:00:00.120Z"),
            (-1, "1970-01-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_unix_millis(millis).to_string(), text);
        }
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let end = Timestamp::from_unix_millis(i64::MAX);
        assert_eq!(end.plus_millis(1), end);
        assert_eq!(Timestamp::from_unix_millis(i64::MIN).millis_since(end), i64::MIN);
        assert_eq!(Timestamp::from_unix_millis(5).millis_since(Timestamp::from_unix_millis(7)), -2);
    }
}
