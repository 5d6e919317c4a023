//! The text that Prometheus reads. Rows are told in the order in which they are asked for; whoever tells one gives its labels in the row's order.

use std::fmt::Write as _;

use super::{HISTOGRAM_BOUNDS, Histogram, Row};

/// The text format of Prometheus, version 0.0.4.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text, as far as it is written.
#[derive(Debug, Default)]
pub(crate) struct Exposition(String);

impl Exposition {
    /// All that was told.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// A metric with one value.
    pub(crate) fn one(&mut self, row: &Row, value: f64) {
        self.all(row, [([], value)]);
    }

    /// A metric that may be not known.
    pub(crate) fn maybe(&mut self, row: &Row, value: Option<u64>) {
        if let Some(value) = value {
            self.one(row, value as f64);
        }
    }

    /// A metric with its values, each by its labels.
    pub(crate) fn all<'a, const LABELS: usize>(
        &mut self,
        row: &Row,
        values: impl IntoIterator<Item = ([&'a str; LABELS], f64)>,
    ) {
        self.head(row);
        for (labels, value) in values {
            self.sample(row.name, "", row.labels.iter().copied().zip(labels), value);
        }
    }

    /// A histogram for each value of its one label.
    pub(crate) fn histograms<'a>(
        &mut self,
        row: &Row,
        histograms: impl IntoIterator<Item = (&'a str, &'a Histogram)>,
    ) {
        self.head(row);
        for (label, histogram) in histograms {
            let labels = || row.labels.iter().copied().zip([label]);
            let within = histogram.within();
            let bounds = HISTOGRAM_BOUNDS.iter().map(|bound| bound.as_secs_f64().to_string());
            for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(within) {
                self.sample(row.name, "_bucket", labels().chain([("le", bound.as_str())]), count as f64);
            }
            self.sample(row.name, "_sum", labels(), histogram.sum().as_secs_f64());
            self.sample(row.name, "_count", labels(), within.last().copied().unwrap_or(0) as f64);
        }
    }

    fn head(&mut self, row: &Row) {
        let meaning = row.meaning.replace('`', "'");
        // Writing to a String can't fail.
        let _ = writeln!(self.0, "# HELP {} {meaning}.\n# TYPE {} {}", row.name, row.name, row.kind.name());
    }

    fn sample<'a>(
        &mut self,
        name: &str,
        suffix: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        value: f64,
    ) {
        let labels: Vec<_> = labels.map(|(name, label)| format!("{name}=\"{}\"", escaped(label))).collect();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{suffix}{braces} {value}");
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::rows, *};

    #[test]
    fn values_are_told_by_their_labels_which_nothing_breaks_out_of() {
        let mut text = Exposition::default();
        text.all(&rows::REQUESTS, [(["/a\"b\\c\nd", "200"], 3.0)]);
        text.maybe(&rows::OPEN_FDS, None);
        let text = text.into_text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(lines[1], "# TYPE thumbs_host_requests_total counter");
        assert_eq!(lines[2], "thumbs_host_requests_total{route=\"/a\\\"b\\\\c\\nd\",status=\"200\"} 3");
    }

    #[test]
    fn a_histogram_has_its_bounds_in_seconds() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(3));
        let mut text = Exposition::default();
        text.histograms(&rows::ANSWER, [("/jobs", &histogram)]);
        let text = text.into_text();
        for line in [
            "thumbs_host_request_seconds_bucket{route=\"/jobs\",le=\"0.0025\"} 0",
            "thumbs_host_request_seconds_bucket{route=\"/jobs\",le=\"0.005\"} 1",
            "thumbs_host_request_seconds_bucket{route=\"/jobs\",le=\"60\"} 1",
            "thumbs_host_request_seconds_bucket{route=\"/jobs\",le=\"+Inf\"} 1",
            "thumbs_host_request_seconds_sum{route=\"/jobs\"} 0.003",
            "thumbs_host_request_seconds_count{route=\"/jobs\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }
}
