//! Ids that come with a request and go with its job: the correlation id, and the trace it belongs to.

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The text is not one that we would write into a log or a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a usable id")]
pub struct NotUsable;

/// Names one request in headers, logs, problems and the job that it made.
///
/// Invariant: 1 to 128 of `A-Z a-z 0-9 . _ -`, so that it can stand in a header, a JSON text or a log line as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// # Errors
    /// [`NotUsable`] where the invariant is not met: the caller makes an id of its own then.
    pub fn parse(text: &str) -> Result<Self, NotUsable> {
        let usable = (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if usable { Ok(Self(text.to_owned())) } else { Err(NotUsable) }
    }

    /// As it stands in headers and logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CorrelationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A `traceparent` header (W3C Trace Context, section 3.2), carried from the upload to the resize as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// Takes version 00 alone; of a future version nothing is known but that its first parts look the same.
    ///
    /// # Errors
    /// [`NotUsable`] for any other text; the specification says to go on without a trace then.
    pub fn parse(text: &str) -> Result<Self, NotUsable> {
        let hex = |part: &str, len: usize| {
            part.len() == len && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
        let parts: Vec<&str> = text.split('-').collect();
        match *parts.as_slice() {
            ["00", trace, parent, flags]
                if hex(trace, 32) && !zero(trace) && hex(parent, 16) && !zero(parent) && hex(flags, 2) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotUsable),
        }
    }

    /// The header's value.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.part(1)
    }

    /// The span within it: 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        self.part(2)
    }

    fn part(&self, place: usize) -> &str {
        self.0.split('-').nth(place).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correlation_id_can_stand_anywhere_as_it_is() {
        let longest = "a".repeat(128);
        for text in ["a", "req-1.2_3", "01932c07-20a4-7b3c-8d4e-5f6071829304", &longest] {
            assert_eq!(CorrelationId::parse(text).unwrap().as_str(), text);
        }
        let too_long = "a".repeat(129);
        for text in ["", " ", "a b", "a\nb", "\"", "{}", "é", "a/b", &too_long] {
            assert_eq!(CorrelationId::parse(text), Err(NotUsable), "{text}");
        }
    }

    #[test]
    fn a_traceparent_is_taken_only_in_the_form_of_the_specification() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parsed = TraceParent::parse(good).unwrap();
        assert_eq!(parsed.as_str(), good);
        assert_eq!(parsed.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parsed.span_id(), "00f067aa0ba902b7");
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(text), Err(NotUsable), "{text}");
        }
    }
}
