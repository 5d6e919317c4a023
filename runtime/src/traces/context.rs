//! Which trace something is part of, as it stands in the headers `traceparent` and `tracestate` (W3C Trace Context).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::telemetry::SpanContext;

/// The header that names a trace and the span within it that asks.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header of what others keep beside it.
pub(super) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The least that everybody has to carry on (section 3.3.1.5), and the most that we do.
const MAX_STATE_BYTES: usize = 512;
/// Section 3.3.1.1.
const MAX_STATE_MEMBERS: usize = 32;
/// Of version 00; a later one may be longer.
const PARENT_BYTES: usize = 55;

const SAMPLED: u8 = 1;

/// What a request says of the trace that it is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The span that asks.
    pub context: SpanContext,
    /// What others keep beside it, handed on as it is.
    pub state: Option<Arc<str>>,
}

impl TraceParent {
    /// Of the headers of a request; none where they name no trace, or not one alone.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut named = headers.get_all(TRACEPARENT).iter();
        let (only, further) = (named.next()?, named.next());
        let context = parse(only.to_str().ok().filter(|_| further.is_none())?)?;
        Some(Self { context, state: state(headers) })
    }

    /// Of a `traceparent` alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self { context: parse(text)?, state: None })
    }
}

/// Has a request name this span, and nothing of what it named before.
pub(super) fn set(headers: &mut HeaderMap, context: SpanContext, state: Option<&str>) {
    // Both are visible ASCII: the first by its form, the second because it was read so.
    if let Ok(value) = HeaderValue::try_from(context.to_string()) {
        headers.insert(TRACEPARENT, value);
    }
    headers.remove(TRACESTATE);
    if let Some(Ok(value)) = state.map(HeaderValue::from_str) {
        headers.insert(TRACESTATE, value);
    }
}

/// A later version is read as far as this one goes (section 3.2.4).
fn parse(text: &str) -> Option<SpanContext> {
    let (known, further) = text.split_at_checked(PARENT_BYTES)?;
    let mut parts = known.split('-');
    let version = digits(parts.next()?, 2)?;
    let trace = digits(parts.next()?, 32)?;
    let span = u64::try_from(digits(parts.next()?, 16)?).ok()?;
    let flags = digits(parts.next()?, 2)?;
    let fits = match version {
        0 => further.is_empty(),
        255 => false,
        _ => further.is_empty() || further.starts_with('-'),
    };
    let is_sampled = flags & u128::from(SAMPLED) != 0;
    (fits && parts.next().is_none() && trace != 0 && span != 0).then_some(SpanContext {
        trace,
        span,
        is_sampled,
    })
}

/// So many lower-case hexadecimal digits.
fn digits(part: &str, count: usize) -> Option<u128> {
    let all = part.len() == count && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if all { u128::from_str_radix(part, 16).ok() } else { None }
}

/// Several headers are one list. What is too long, or is none, is left out as a whole.
fn state(headers: &HeaderMap) -> Option<Arc<str>> {
    let lists: Vec<_> =
        headers.get_all(TRACESTATE).iter().map(HeaderValue::to_str).collect::<Result<_, _>>().ok()?;
    let list = lists.join(",");
    let members: Vec<_> = list.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    let sound =
        |member: &&str| member.split_once('=').is_some_and(|(key, value)| is_key(key) && !value.is_empty());
    let fits = list.len() <= MAX_STATE_BYTES && (1..=MAX_STATE_MEMBERS).contains(&members.len());
    (fits && members.iter().all(sound)).then(|| members.join(",").into())
}

fn is_key(key: &str) -> bool {
    let known = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    (1..=256).contains(&key.len()) && key.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn with(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_trace_is_read_and_written_alike() {
        let context = parse(GOOD).unwrap();
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id(), "00f067aa0ba902b7");
        assert!(context.is_sampled && context.to_string() == GOOD);
        assert!(!parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap().is_sampled);
    }

    #[test]
    fn of_a_later_version_its_first_parts_are_read() {
        assert_eq!(parse(&GOOD.replacen("00", "cc", 1)), parse(GOOD));
        assert_eq!(
            parse(&format!("{}-what-the-future-will-be-like", GOOD.replacen("00", "cc", 1))),
            parse(GOOD)
        );
        assert_eq!(parse(&format!("{}.what", GOOD.replacen("00", "cc", 1))), None);
    }

    #[test]
    fn what_is_malformed_is_no_trace() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473+-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47-3600f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(TraceParent::of(&with(&[(TRACEPARENT, GOOD), (TRACEPARENT, GOOD)])), None, "two are none");
    }

    #[test]
    fn what_others_keep_is_handed_on_within_bounds() {
        let of = |states: &[&str]| {
            let mut pairs = vec![(TRACEPARENT, GOOD)];
            pairs.extend(states.iter().map(|state| (TRACESTATE, *state)));
            TraceParent::of(&with(&pairs)).unwrap().state
        };
        assert_eq!(
            of(&["rojo=00f067aa0ba902b7, congo=t61rcWkgMzE"]).as_deref(),
            Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
        );
        assert_eq!(of(&["a=1", "b=2"]).as_deref(), Some("a=1,b=2"));
        let long = format!("a={}", "x".repeat(MAX_STATE_BYTES - 1));
        let many = vec!["a=1"; MAX_STATE_MEMBERS + 1].join(",");
        for refused in ["", "a", "=1", "A=1", "a=", &long, &many] {
            assert_eq!(of(&[refused]), None, "{refused}");
        }
        assert_eq!(of(&[&"x".repeat(0)]), None);
    }

    #[test]
    fn a_request_names_one_span_after_it_named_another() {
        let mut headers = with(&[(TRACEPARENT, "junk"), (TRACESTATE, "a=1")]);
        set(&mut headers, parse(GOOD).unwrap(), None);
        assert_eq!(headers, with(&[(TRACEPARENT, GOOD)]));
        set(&mut headers, parse(GOOD).unwrap(), Some("b=2"));
        assert_eq!(TraceParent::of(&headers).unwrap().state.as_deref(), Some("b=2"));
    }
}
