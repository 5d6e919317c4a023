//! A part of the bytes of an answer (RFC 9110, section 14): what a client asks for, and what it gets.
//!
//! One range is served. Of several, and of what can't be read, the whole is the answer, as the RFC allows.

use std::ops::Range;

use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{Failed, Response};

/// Which bytes of so many a client asks for; none where it is to get all of them. `etag` is strong, and names them.
///
/// # Errors
/// [`Failed::Range`] where there are no such bytes.
pub fn asked(headers: &HeaderMap, etag: &HeaderValue, bytes: usize) -> Result<Option<Range<usize>>, Failed> {
    // Of a date nothing is known here, and a weak tag names no bytes: neither holds (section 13.1.5).
    let holds = headers.get(IF_RANGE).is_none_or(|known| known == etag);
    let mut values = headers.get_all(RANGE).iter();
    let (Some(value), None, true) = (values.next(), values.next(), holds) else { return Ok(None) };
    let Some(range) = value.to_str().ok().and_then(|text| read(text, bytes)) else { return Ok(None) };
    if range.is_empty() { Err(Failed::Range { bytes }) } else { Ok(Some(range)) }
}

/// Cuts the answer to these bytes, which it has.
///
/// # Errors
/// [`Failed::Internal`] never happens; the header is visible ASCII.
pub fn cut(mut response: Response, range: Range<usize>) -> Result<Response, Failed> {
    let all = response.body().len();
    let (first, last) = (range.start, range.end.saturating_sub(1));
    let value = HeaderValue::from_str(&format!("bytes {first}-{last}/{all}"));
    let part = response.body().get(range).map(<[u8]>::to_vec).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_RANGE, value.map_err(|error| Failed::Internal(error.to_string()))?);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.len()));
    *response.body_mut() = part;
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    Ok(response)
}

/// Says that a part may be asked for.
pub fn offer(headers: &mut HeaderMap) {
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}

/// The value of `Content-Range` where no byte of so many was asked for.
pub(super) fn unsatisfied(bytes: usize) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("bytes */{bytes}")).ok()
}

/// None where it is not one range of bytes; an empty one where none of them is there.
fn read(text: &str, bytes: usize) -> Option<Range<usize>> {
    let (unit, set) = text.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first, last) {
        ("", suffix) => Some(bytes.saturating_sub(number(suffix)?)..bytes),
        (first, "") => Some(number(first)?.min(bytes)..bytes),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first.min(bytes)..last.saturating_add(1).min(bytes))
        }
    }
}

/// Digits only; what is longer than any number is beyond all bytes.
fn number(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 9110, section 14.1.2, and what is beside them, of 10,000 bytes.
    #[test]
    fn one_range_is_read_and_anything_else_is_none() {
        for (text, range) in [
            ("bytes=0-499", Some(0..500)),
            ("bytes=500-999", Some(500..1000)),
            ("bytes=-500", Some(9500..10_000)),
            ("bytes=9500-", Some(9500..10_000)),
            ("BYTES = 0-0", Some(0..1)),
            ("bytes=0-99999999999999999999999", Some(0..10_000)),
            ("bytes=-99999999999999999999999", Some(0..10_000)),
            ("bytes=10000-", Some(10_000..10_000)),
            ("bytes=20000-30000", Some(10_000..10_000)),
            ("bytes=-0", Some(10_000..10_000)),
            ("bytes=0-0,-1", None),
            ("bytes=5-4", None),
            ("bytes=-", None),
            ("bytes=", None),
            ("bytes", None),
            ("bytes=a-b", None),
            ("bytes=+1-2", None),
            ("rows=0-1", None),
            ("", None),
        ] {
            assert_eq!(read(text, 10_000), range, "{text:?}");
        }
        assert_eq!(read("bytes=-5", 0), Some(0..0));
    }

    #[test]
    fn a_range_goes_with_the_bytes_that_the_client_has_a_part_of() {
        let etag = HeaderValue::from_static("\"a\"");
        let asked = |pairs: &[(http::HeaderName, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            pairs.for_each(|(name, value)| {
                headers.append(name, value);
            });
            asked(&headers, &etag, 10)
        };
        let range = (RANGE, "bytes=2-3");
        assert_eq!(asked(&[]).unwrap(), None);
        assert_eq!(asked(std::slice::from_ref(&range)).unwrap(), Some(2..4));
        for (if_range, holds) in
            [("\"a\"", true), ("\"b\"", false), ("W/\"a\"", false), ("Sat, 28 Nov 2026 00:00:00 GMT", false)]
        {
            let seen = asked(&[range.clone(), (IF_RANGE, if_range)]).unwrap();
            assert_eq!(seen.is_some(), holds, "{if_range}");
        }
        assert_eq!(asked(&[range.clone(), range]).unwrap(), None, "two of them are none");
        assert!(matches!(asked(&[(RANGE, "bytes=10-")]), Err(Failed::Range { bytes: 10 })));
    }
}
