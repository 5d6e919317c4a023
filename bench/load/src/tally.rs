//! What became of requests, and how long they took.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use http::StatusCode;

use crate::client::Answer;

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Upload,
    Poll,
    Thumbnail,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Upload, Self::Poll, Self::Thumbnail];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Upload => "POST /jobs",
            Self::Poll => "GET /jobs/{id}",
            Self::Thumbnail => "GET /thumbnails/{id}",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With what it asked for.
    Good,
    /// With 429 or 503.
    Refused(u16),
    /// In any other way: another status, a connection that broke, no answer in time.
    Error,
}

impl End {
    pub(crate) fn of(answer: &Result<Answer>) -> Self {
        match answer.as_ref().map(|answer| answer.status) {
            Ok(status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)) => {
                Self::Refused(status.as_u16())
            }
            Ok(status) if status.is_success() => Self::Good,
            _ => Self::Error,
        }
    }
}

/// All requests of a part of the load. Times are from when a request was to start to the end of its answer.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Vec<(Kind, End, Duration)>>);

impl Tally {
    pub(crate) fn add(&self, kind: Kind, end: End, took: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((kind, end, took));
    }

    /// How long those took that are meant.
    pub(crate) fn times(&self, is_meant: impl Fn(Kind, End) -> bool) -> Times {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Times::new(
            all.iter().filter(|(kind, end, _)| is_meant(*kind, *end)).map(|(.., took)| *took).collect(),
        )
    }
}

/// Lengths of time, the shortest first.
#[derive(Debug)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which so many of a thousand were over, by the nearest rank, in milliseconds; empty without any.
    pub(crate) fn ms(&self, per_mille: usize) -> String {
        let rank = (self.0.len() * per_mille).div_ceil(1000).max(1);
        self.0.get(rank - 1).map_or(String::new(), |time| {
            let ms = time.as_secs_f64() * 1000.0;
            if ms < 100.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let times = Times::new((1..=1000).rev().map(Duration::from_millis).collect());
        assert_eq!([500, 990, 999, 1000].map(|share| times.ms(share)), ["500", "990", "999", "1000"]);
        assert_eq!(Times::new(vec![Duration::from_micros(1_500)]).ms(500), "1.5");
        assert_eq!(Times::new(Vec::new()).ms(500), "");
    }
}
