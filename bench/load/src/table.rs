//! The table, in Markdown, a part of the load as soon as it is over.

use std::time::Duration;

use crate::{
    open::Mix,
    tally::{End, Kind, Tally},
    watch::Seen,
};

/// The head.
pub(crate) const HEAD: &str = "\
| load | request | offered/s | good/s | 429 | 503 | errors | p50 ms | p90 | p99 | p99.9 | refused: p50 ms | p99 |
|---|---|---|---|---|---|---|---|---|---|---|---|---|";

/// A row for each kind of request, and one for the jobs.
pub(crate) fn rows(load: &str, mix: &Mix, length: Duration, tally: &Tally, seen: &Seen) -> String {
    let secs = length.as_secs_f64();
    let mut rows = String::new();
    for kind in Kind::ALL.into_iter().filter(|kind| mix.per_sec(*kind) > 0.0) {
        let of = |end: fn(End) -> bool| tally.times(|of, how| of == kind && end(how));
        let good = of(|end| end == End::Good);
        let refused = of(|end| matches!(end, End::Refused(_)));
        rows += &format!(
            "| {load} | {} | {:.0} | {:.0} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            kind.name(),
            tally.times(|of, _| of == kind).count() as f64 / secs,
            good.count() as f64 / secs,
            of(|end| end == End::Refused(429)).count(),
            of(|end| end == End::Refused(503)).count(),
            of(|end| end == End::Error).count(),
            good.ms(500),
            good.ms(900),
            good.ms(990),
            good.ms(999),
            refused.ms(500),
            refused.ms(990),
        );
    }
    let rest = seen.rest.map_or("more".to_owned(), |rest| format!("{:.1} s", rest.as_secs_f64()));
    let jobs = &seen.turnarounds;
    rows += &format!(
        "| {load} | jobs, from 202 to their end | {:.0} | {:.0} | | | | {} | {} | {} | {} | queue {}, memory {} MiB | at rest after {rest} |",
        mix.per_sec(Kind::Upload),
        seen.ended as f64 / secs,
        jobs.ms(500),
        jobs.ms(900),
        jobs.ms(990),
        jobs.ms(999),
        seen.queued,
        seen.resident_bytes >> 20,
    );
    rows
}
