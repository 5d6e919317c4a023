//! The text that Prometheus reads, in one of two forms. Rows are told in the order in which they are asked for; whoever tells one gives its labels
//! in the row's order.

use std::fmt::Write as _;

use super::{Exemplar, HISTOGRAM_BOUNDS, Histogram, Kind, Row};

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// The text format of Prometheus, version 0.0.4.
    #[default]
    Plain,
    /// OpenMetrics 1.0, where histograms have exemplars.
    OpenMetrics,
}

impl Format {
    /// What a client prefers that sent this in `Accept`. Whoever does not name OpenMetrics, or prefers the other, gets the other.
    pub(crate) fn preferred<'a>(accept: impl Iterator<Item = &'a str>) -> Self {
        let (mut plain, mut open) = (0.0, 0.0);
        for range in accept.flat_map(|list| list.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let parameters = |wanted: &str| {
                range
                    .split(';')
                    .skip(1)
                    .filter_map(|part| part.trim().split_once('='))
                    .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                    .map(|(_, value)| value.trim_matches('"'))
            };
            let quality = parameters("q").and_then(|quality| quality.parse().ok()).unwrap_or(1.0_f64);
            match name.as_str() {
                "application/openmetrics-text"
                    if parameters("version").is_none_or(|version| version.starts_with("1.")) =>
                {
                    open = quality.max(open);
                }
                "text/plain" => plain = quality.max(plain),
                _ => {}
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Plain }
    }

    /// As it is declared.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The text, as far as it is written.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    format: Format,
    text: String,
}

impl Exposition {
    /// Empty, and to be written so.
    pub(crate) fn new(format: Format) -> Self {
        Self { format, text: String::new() }
    }

    /// All that was told.
    pub(crate) fn into_text(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
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
            self.sample(row.name, "", row.labels.iter().copied().zip(labels), value, None);
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
            let buckets = bounds.chain(["+Inf".to_owned()]).zip(within).zip(histogram.exemplars());
            for ((bound, count), exemplar) in buckets {
                let labels = labels().chain([("le", bound.as_str())]);
                self.sample(row.name, "_bucket", labels, count as f64, exemplar);
            }
            self.sample(row.name, "_sum", labels(), histogram.sum().as_secs_f64(), None);
            self.sample(row.name, "_count", labels(), within.last().copied().unwrap_or(0) as f64, None);
        }
    }

    fn head(&mut self, row: &Row) {
        let meaning = row.meaning.replace('`', "'");
        // In OpenMetrics the name of a counter and that of its one sample differ.
        let name = match (self.format, row.kind) {
            (Format::OpenMetrics, Kind::Counter) => row.name.trim_end_matches("_total"),
            _ => row.name,
        };
        // Writing to a String can't fail.
        let _ = writeln!(self.text, "# HELP {name} {meaning}.\n# TYPE {name} {}", row.kind.name());
    }

    fn sample<'a>(
        &mut self,
        name: &str,
        suffix: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        value: f64,
        exemplar: Option<Exemplar>,
    ) {
        let labels: Vec<_> = labels.map(|(name, label)| format!("{name}=\"{}\"", escaped(label))).collect();
        let braces = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = write!(self.text, "{name}{suffix}{braces} {value}");
        if let Some(Exemplar { trace, time, at }) = exemplar.filter(|_| self.format == Format::OpenMetrics) {
            let (time, at) = (time.as_secs_f64(), at.as_secs_f64());
            let _ = write!(self.text, " # {{trace_id=\"{trace:032x}\"}} {time} {at:.3}");
        }
        self.text.push('\n');
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
        histogram.observe(Duration::from_millis(3), Some(0xab));
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

    #[test]
    fn openmetrics_has_examples_and_an_end_and_counters_without_a_suffix() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(3), Some(0xab));
        let mut text = Exposition::new(Format::OpenMetrics);
        text.histograms(&rows::ANSWER, [("/jobs", &histogram)]);
        text.all(&rows::REQUESTS, [(["/jobs", "200"], 1.0)]);
        let text = text.into_text();
        let example = format!("{{route=\"/jobs\",le=\"0.005\"}} 1 # {{trace_id=\"{:032x}\"}} 0.003 ", 0xab);
        assert_eq!(text.matches(&example).count(), 1, "{text}");
        assert!(text.contains("# TYPE thumbs_host_requests counter\nthumbs_host_requests_total{"), "{text}");
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn openmetrics_is_for_who_asks_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
        for (accept, expected) in [
            (&[][..], Format::Plain),
            (&["*/*"], Format::Plain),
            (&["text/plain"], Format::Plain),
            (&[prometheus], Format::OpenMetrics),
            (&["text/plain", "application/openmetrics-text; version=\"1.0.0\""], Format::OpenMetrics),
            (&["application/openmetrics-text;q=0"], Format::Plain),
            (&["application/openmetrics-text;version=0.0.1"], Format::Plain),
            (&["application/openmetrics-text;q=0.3,text/plain;q=0.5"], Format::Plain),
        ] {
            assert_eq!(Format::preferred(accept.iter().copied()), expected, "{accept:?}");
        }
    }
}
