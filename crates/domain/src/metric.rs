//! What `/metrics` tells: one row a metric, from which come the lines and the table of docs/METRICS.md, and the text that Prometheus reads.
//!
//! All of it is counted from rows, so every replica tells the same, and none of it is lost when one stops. What a process knows of itself
//! (requests, memory) is its host's to tell.

use std::fmt::Write as _;

use crate::callback::CallbackState;

/// What Prometheus does with a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Counts below bounds, with a sum.
    Histogram,
}

impl Kind {
    /// As the text format spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// With the unit, and `_total` where it counts.
    pub name: &'static str,
    /// What Prometheus does with it.
    pub kind: Kind,
    /// What tells its values apart.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub meaning: &'static str,
}

const fn row(name: &'static str, kind: Kind, labels: &'static [&'static str], meaning: &'static str) -> Row {
    Row { name, kind, labels, meaning }
}

const BUILD: Row = row("thumbs_build_info", Kind::Gauge, &["version"], "Always 1; the version that answers");
const JOBS: Row =
    row("thumbs_jobs", Kind::Gauge, &["status", "code"], "Jobs that there are; `code` of those that failed");
const CREATED: Row = row("thumbs_jobs_created_total", Kind::Counter, &[], "Uploads that became a job");
const FINISHED: Row = row(
    "thumbs_jobs_finished_total",
    Kind::Counter,
    &["status", "code"],
    "Jobs that succeeded or failed; `code` of those that failed",
);
const ATTEMPTS: Row =
    row("thumbs_job_attempts_total", Kind::Counter, &["status"], "Attempts that finished jobs took");
const CACHED: Row = row(
    "thumbs_jobs_cached_total",
    Kind::Counter,
    &[],
    "Jobs that were done at once, with the thumbnail of an earlier one",
);
const UPLOADED: Row =
    row("thumbs_uploaded_bytes_total", Kind::Counter, &[], "Bytes of the images that became jobs");
const MADE: Row =
    row("thumbs_thumbnail_bytes_total", Kind::Counter, &[], "Bytes of the thumbnails that were made");
const KEPT: Row = row(
    "thumbs_kept_bytes",
    Kind::Gauge,
    &["kind"],
    "Bytes that are kept: each `original`, and each `thumbnail`",
);
const TURNAROUND: Row = row(
    "thumbs_job_turnaround_seconds",
    Kind::Histogram,
    &["status"],
    "From an upload to the end of its job, waiting included",
);
const WORK: Row = row(
    "thumbs_job_work_seconds",
    Kind::Histogram,
    &[],
    "Of succeeded jobs, from the claim to the stored thumbnail in the last attempt; of cached ones, what finding it took",
);
const QUEUE: Row = row(
    "thumbs_queue_jobs",
    Kind::Gauge,
    &["state"],
    "Jobs to be done: `due` now, `leased` to a worker, `later` after a pause. The last two count to 10000 and no further",
);
const OLDEST: Row = row(
    "thumbs_queue_oldest_due_seconds",
    Kind::Gauge,
    &[],
    "How long the job has been due that is next, a new one from its upload on; 0 where none is",
);

const CALLBACKS: Row = row(
    "thumbs_callbacks",
    Kind::Gauge,
    &["state"],
    "Jobs of whose end somebody is to be told: those that did not end (`waiting`), and those of which somebody is to be told (`pending`), was told (`delivered`), or could not be told (`failed`)",
);
const CALLBACKS_SETTLED: Row = row(
    "thumbs_callbacks_settled_total",
    Kind::Counter,
    &["state"],
    "Ends of jobs of which somebody was told (`delivered`), or could not be told (`failed`)",
);
const CALLBACK_OLDEST: Row = row(
    "thumbs_callbacks_oldest_due_seconds",
    Kind::Gauge,
    &[],
    "How long the callback has been due that has been so longest; 0 where none is. One that pauses after an attempt is due when its pause is over",
);

/// All metrics, in the order of the documentation.
pub const TABLE: &[Row] = &[
    BUILD,
    JOBS,
    CREATED,
    FINISHED,
    ATTEMPTS,
    CACHED,
    UPLOADED,
    MADE,
    KEPT,
    TURNAROUND,
    WORK,
    QUEUE,
    OLDEST,
    CALLBACKS,
    CALLBACKS_SETTLED,
    CALLBACK_OLDEST,
];

/// Upper bounds of [`Tally::turnaround_le`], in milliseconds.
pub const TURNAROUND_BOUNDS_MS: [i64; 10] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000];

/// Upper bounds of [`Tally::work_le`], in milliseconds.
pub const WORK_BOUNDS_MS: [i64; 10] = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// What was counted of jobs that stand, or came to stand, in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How they stand.
    pub status: String,
    /// Why, where they failed; else empty.
    pub code: String,
    /// How many there are.
    pub jobs: i64,
    /// How many came to be so, ever.
    pub entered: i64,
    /// Attempts of those, ever.
    pub attempts: i64,
    /// Bytes of the uploads of those, ever.
    pub source_bytes: i64,
    /// Bytes of the thumbnails of those, ever.
    pub thumbnail_bytes: i64,
    /// Bytes of the originals that went of jobs that stood so.
    pub source_bytes_gone: i64,
    /// Bytes of the thumbnails that went.
    pub thumbnail_bytes_gone: i64,
    /// How many of those were given the thumbnail of another, ever.
    pub cached: i64,
    /// Milliseconds from creation until they came to be so.
    pub turnaround_ms: i64,
    /// How many of those took at most each of [`TURNAROUND_BOUNDS_MS`].
    pub turnaround_le: [i64; 10],
    /// Milliseconds of work of those.
    pub work_ms: i64,
    /// How many of those took at most each of [`WORK_BOUNDS_MS`].
    pub work_le: [i64; 10],
}

/// Who waits for what, now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// With a worker.
    pub leased: i64,
    /// Due at a later moment, those with a worker included.
    pub later: i64,
    /// How long the job has been due that is next, in milliseconds, a new one from its upload on; none where none is due.
    pub oldest_due_ms: Option<i64>,
    /// How long the callback has been due that has been so longest, in milliseconds; none where none is due.
    pub oldest_callback_ms: Option<i64>,
}

/// Where [`Queue`] stops counting.
pub const MAX_QUEUE_COUNT: i64 = 10_000;

const PROCESSING: &str = "processing";
const SUCCEEDED: &str = "succeeded";
const FAILED: &str = "failed";
/// Callbacks are tallied beside the jobs, by their state.
const CALLBACK: &str = "callback";

/// The text format of Prometheus, version 0.0.4.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics as Prometheus reads them.
pub fn exposition(tallies: &[Tally], queue: &Queue, version: &str) -> String {
    let mut text = Exposition(String::new());
    let with = |status: &'static str| tallies.iter().filter(move |tally| tally.status == status);
    let sum = |status: &'static str, of: fn(&Tally) -> i64| with(status).map(of).sum::<i64>();
    text.family(&BUILD, [(vec![version], 1.0)]);

    let empty = Tally::default();
    let states = [PROCESSING, SUCCEEDED].map(|status| (status, with(status).next().unwrap_or(&empty)));
    let failed: Vec<_> = with(FAILED).map(|tally| (FAILED, tally)).collect();
    let by_code =
        states.iter().chain(&failed).map(|(status, tally)| (vec![*status, &tally.code], tally.jobs as f64));
    text.family(&JOBS, by_code);
    text.family(&CREATED, [(vec![], sum(PROCESSING, |tally| tally.entered) as f64)]);
    let finished = states.iter().skip(1).chain(&failed);
    text.family(
        &FINISHED,
        finished.map(|(status, tally)| (vec![*status, &tally.code], tally.entered as f64)),
    );
    let ends = [SUCCEEDED, FAILED];
    text.family(&ATTEMPTS, ends.map(|status| (vec![status], sum(status, |tally| tally.attempts) as f64)));
    text.family(&CACHED, [(vec![], sum(SUCCEEDED, |tally| tally.cached) as f64)]);
    text.family(&UPLOADED, [(vec![], sum(PROCESSING, |tally| tally.source_bytes) as f64)]);
    text.family(&MADE, [(vec![], sum(SUCCEEDED, |tally| tally.thumbnail_bytes) as f64)]);

    // What went of jobs that were there before anything was counted makes it less than nothing.
    let kept =
        |came: i64, gone: fn(&Tally) -> i64| (came - tallies.iter().map(gone).sum::<i64>()).max(0) as f64;
    let originals = kept(sum(PROCESSING, |tally| tally.source_bytes), |tally| tally.source_bytes_gone);
    let thumbnails = kept(sum(SUCCEEDED, |tally| tally.thumbnail_bytes), |tally| tally.thumbnail_bytes_gone);
    text.family(&KEPT, [(vec!["original"], originals), (vec!["thumbnail"], thumbnails)]);

    text.head(&TURNAROUND);
    for status in ends {
        let below = std::array::from_fn(|index| with(status).map(|tally| tally.turnaround_le[index]).sum());
        let (count, total) = (sum(status, |tally| tally.entered), sum(status, |tally| tally.turnaround_ms));
        text.histogram(&TURNAROUND, &[status], &TURNAROUND_BOUNDS_MS, &below, count, total);
    }
    text.head(&WORK);
    let below = std::array::from_fn(|index| with(SUCCEEDED).map(|tally| tally.work_le[index]).sum());
    let (count, total) = (sum(SUCCEEDED, |tally| tally.entered), sum(SUCCEEDED, |tally| tally.work_ms));
    text.histogram(&WORK, &[], &WORK_BOUNDS_MS, &below, count, total);

    let due = (sum(PROCESSING, |tally| tally.jobs) - queue.later).max(0);
    let waiting = [("due", due), ("leased", queue.leased), ("later", (queue.later - queue.leased).max(0))];
    text.family(&QUEUE, waiting.map(|(state, jobs)| (vec![state], jobs as f64)));
    text.family(&OLDEST, [(vec![], seconds(queue.oldest_due_ms.unwrap_or(0)))]);

    let in_state = |state: &str, of: fn(&Tally) -> i64| {
        with(CALLBACK).filter(|tally| tally.code == state).map(of).sum::<i64>() as f64
    };
    let states = CallbackState::WORDS.iter();
    text.family(&CALLBACKS, states.map(|state| (vec![*state], in_state(state, |tally| tally.jobs))));
    let settled = [CallbackState::Delivered, CallbackState::Failed].map(CallbackState::name);
    text.family(
        &CALLBACKS_SETTLED,
        settled.map(|state| (vec![state], in_state(state, |tally| tally.entered))),
    );
    text.family(&CALLBACK_OLDEST, [(vec![], seconds(queue.oldest_callback_ms.unwrap_or(0)))]);
    text.0
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

/// The text, as far as it is written. Writing to a text can't fail.
struct Exposition(String);

impl Exposition {
    fn head(&mut self, row: &Row) {
        let (name, meaning) = (row.name, row.meaning.replace('`', "'"));
        let _ = writeln!(self.0, "# HELP {name} {meaning}.\n# TYPE {name} {}", row.kind.name());
    }

    fn family<'a>(&mut self, row: &Row, values: impl IntoIterator<Item = (Vec<&'a str>, f64)>) {
        self.head(row);
        for (labels, value) in values {
            self.sample(row.name, row.labels, &labels, value);
        }
    }

    fn sample(&mut self, name: &str, names: &[&str], labels: &[&str], value: f64) {
        let pairs: Vec<String> =
            names.iter().zip(labels).map(|(name, label)| format!("{name}=\"{}\"", escaped(label))).collect();
        let braces = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        let _ = writeln!(self.0, "{name}{braces} {value}");
    }

    fn histogram(
        &mut self,
        row: &Row,
        labels: &[&str],
        bounds_ms: &[i64; 10],
        below: &[i64; 10],
        count: i64,
        sum_ms: i64,
    ) {
        let names: Vec<&str> = row.labels.iter().copied().chain(["le"]).collect();
        let bucket = format!("{}_bucket", row.name);
        for (bound, below) in bounds_ms.iter().zip(below) {
            let bound = seconds(*bound).to_string();
            let labels: Vec<&str> = labels.iter().copied().chain([bound.as_str()]).collect();
            self.sample(&bucket, &names, &labels, *below as f64);
        }
        let labels_with_end: Vec<&str> = labels.iter().copied().chain(["+Inf"]).collect();
        self.sample(&bucket, &names, &labels_with_end, count as f64);
        self.sample(&format!("{}_sum", row.name), row.labels, labels, seconds(sum_ms));
        self.sample(&format!("{}_count", row.name), row.labels, labels, count as f64);
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tallies() -> Vec<Tally> {
        let tally = |status: &str, code: &str, jobs, entered| Tally {
            status: status.to_owned(),
            code: code.to_owned(),
            jobs,
            entered,
            attempts: entered * 2,
            source_bytes: 1000,
            thumbnail_bytes: 10,
            source_bytes_gone: 100,
            thumbnail_bytes_gone: 1,
            cached: 4,
            turnaround_ms: 1500,
            turnaround_le: [0, 1, 2, 3, 3, 3, 3, 3, 3, 3],
            work_ms: 250,
            work_le: [1; 10],
        };
        vec![
            tally(PROCESSING, "", 7, 20),
            tally(SUCCEEDED, "", 10, 11),
            tally(FAILED, "trap", 1, 1),
            tally(FAILED, "deadline", 1, 2),
            Tally {
                status: CALLBACK.to_owned(),
                code: "delivered".to_owned(),
                jobs: 4,
                entered: 9,
                ..Tally::default()
            },
        ]
    }

    fn lines(tallies: &[Tally], queue: &Queue) -> Vec<String> {
        exposition(tallies, queue, "1.2.3").lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_metric_of_the_table_is_told_and_no_other() {
        let lines = lines(&[], &Queue::default());
        let told: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let expected: Vec<_> = TABLE.iter().map(|row| format!("{} {}", row.name, row.kind.name())).collect();
        assert_eq!(told, expected);
        assert!(
            lines.contains(&"thumbs_jobs{status=\"processing\",code=\"\"} 0".to_owned()),
            "zeros are told as well"
        );
    }

    #[test]
    fn jobs_are_told_by_how_they_stand_and_why() {
        let queue = Queue { leased: 2, later: 3, oldest_due_ms: Some(2500), oldest_callback_ms: Some(7500) };
        let lines = lines(&tallies(), &queue);
        for line in [
            "thumbs_build_info{version=\"1.2.3\"} 1",
            "thumbs_jobs{status=\"processing\",code=\"\"} 7",
            "thumbs_jobs{status=\"failed\",code=\"deadline\"} 1",
            "thumbs_jobs_created_total 20",
            "thumbs_jobs_finished_total{status=\"failed\",code=\"deadline\"} 2",
            "thumbs_job_attempts_total{status=\"failed\"} 6",
            "thumbs_jobs_cached_total 4",
            "thumbs_uploaded_bytes_total 1000",
            "thumbs_kept_bytes{kind=\"original\"} 600",
            "thumbs_kept_bytes{kind=\"thumbnail\"} 6",
            "thumbs_job_turnaround_seconds_bucket{status=\"failed\",le=\"0.25\"} 2",
            "thumbs_job_turnaround_seconds_bucket{status=\"failed\",le=\"+Inf\"} 3",
            "thumbs_job_turnaround_seconds_sum{status=\"failed\"} 3",
            "thumbs_job_work_seconds_bucket{le=\"0.01\"} 1",
            "thumbs_job_work_seconds_count 11",
            "thumbs_queue_jobs{state=\"due\"} 4",
            "thumbs_queue_jobs{state=\"leased\"} 2",
            "thumbs_queue_jobs{state=\"later\"} 1",
            "thumbs_queue_oldest_due_seconds 2.5",
            "thumbs_callbacks{state=\"waiting\"} 0",
            "thumbs_callbacks{state=\"delivered\"} 4",
            "thumbs_callbacks_settled_total{state=\"delivered\"} 9",
            "thumbs_callbacks_oldest_due_seconds 7.5",
        ] {
            assert!(lines.iter().any(|other| other == line), "{line} is not in\n{}", lines.join("\n"));
        }
    }

    #[test]
    fn a_code_can_not_break_out_of_its_label() {
        let tally =
            Tally { status: FAILED.to_owned(), code: "a\"b\\c\nd".to_owned(), jobs: 1, ..Tally::default() };
        let text = exposition(&[tally], &Queue::default(), "");
        assert!(text.contains("code=\"a\\\"b\\\\c\\nd\"} 1"), "{text}");
    }
}
