//! A request as a text: a line with method, target and the size of pieces, lines of headers, an empty line, and the body.

use bytes::Bytes;
use futures::StreamExt;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use thumbs_guest::http::{Body, Request};
use thumbs_guest::testing::TestIds;

/// Hosts take no more headers.
const MAX_HEADERS: usize = 64;

/// One request.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Of those that HTTP has.
    pub method: Method,
    /// Path and query.
    pub target: &'a str,
    /// As hosts let them through.
    pub headers: HeaderMap,
    /// Bytes that come at a time, at least 1.
    pub piece: usize,
    /// All of them.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// None where a host would not let it through.
    pub fn read(input: &'a [u8]) -> Option<Self> {
        let (line, mut rest) = line(input)?;
        let mut words = str::from_utf8(line).ok()?.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let piece = words.next().and_then(|piece| piece.parse::<u16>().ok()).unwrap_or(u16::MAX);
        let target_of_http: PathAndQuery = target.parse().ok()?;
        if !target.starts_with('/') || target_of_http.as_str() != target {
            return None;
        }
        let mut headers = HeaderMap::new();
        loop {
            let (line, after) = self::line(rest)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
            headers.append(name, HeaderValue::from_bytes(line.get(colon + 1..)?.trim_ascii()).ok()?);
            if headers.len() > MAX_HEADERS {
                return None;
            }
        }
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        Some(Self { method, target, headers, piece: usize::from(piece).max(1), body: rest })
    }

    /// As a handler gets it.
    ///
    /// # Panics
    /// Never: ids can be drawn.
    pub fn request(&self) -> Request {
        Request::new(self.method.clone(), self.target, self.headers.clone(), &TestIds).expect("an id")
    }

    /// Its body, in pieces of so many bytes.
    pub fn body(&self, piece: usize) -> Body {
        let pieces: Vec<_> = self.body.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        futures::stream::iter(pieces).boxed_local()
    }
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
