//! What is sent: the kinds of request, with their headers and signature.

use std::time::SystemTime;

use crate::key::ContentType;
use crate::settings::Settings;
use crate::sign::{self, Scope, Signable};

/// What the server's log calls this client.
const USER_AGENT: &str = concat!("thumbs/", env!("CARGO_PKG_VERSION"));
/// The digest of an empty body.
const EMPTY_PAYLOAD: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A method that is used on objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read without the bytes.
    Head,
    /// Create or replace.
    Put,
    /// Begin or complete an upload in parts.
    Post,
    /// Remove.
    Delete,
}

impl Method {
    /// As it is sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A signed request, ready to be sent. It has no `Debug`: the signature is for the server alone.
pub struct Request {
    /// What is to be done.
    pub method: Method,
    /// Whether it goes by TLS.
    pub is_https: bool,
    /// Host and, where it is not the scheme's own, port. It is signed as the header `host`, which whoever sends adds.
    pub authority: String,
    /// From the first slash on, with its query; nothing in it is still to be encoded.
    pub path: String,
    /// Name in lower case and value, without `host`.
    pub headers: Vec<(&'static str, String)>,
}

/// The body of a put, as far as its request goes.
pub(crate) struct Payload<'a> {
    pub(crate) content_type: ContentType<'a>,
    pub(crate) size_bytes: usize,
    /// By [`sign::digest`].
    pub(crate) digest: &'a str,
}

impl Request {
    /// A put of this payload.
    pub(crate) fn put(settings: &Settings, object: &str, payload: &Payload<'_>, at: SystemTime) -> Self {
        let content_type = vec![("content-type", payload.content_type.as_str().to_owned())];
        let request = Self::signed(settings, Method::Put, (object, ""), content_type, payload.digest, at);
        request.with_length(payload.size_bytes)
    }

    /// A request without a body.
    pub(crate) fn plain(settings: &Settings, method: Method, object: &str, at: SystemTime) -> Self {
        Self::signed(settings, method, (object, ""), Vec::new(), EMPTY_PAYLOAD, at)
    }

    /// A read of the first byte alone.
    pub(crate) fn first_byte(settings: &Settings, object: &str, at: SystemTime) -> Self {
        Self::range(settings, object, 0, 1, None, at)
    }

    /// A read of the bytes from `begin` up to `end`, if the object is still the one with this tag.
    pub(crate) fn range(
        settings: &Settings,
        object: &str,
        begin: u64,
        end: u64,
        etag: Option<&str>,
        at: SystemTime,
    ) -> Self {
        let mut headers = vec![("range", format!("bytes={begin}-{}", end.saturating_sub(1)))];
        headers.extend(etag.map(|etag| ("if-match", etag.to_owned())));
        Self::signed(settings, Method::Get, (object, ""), headers, EMPTY_PAYLOAD, at)
    }

    /// Begins an upload in parts.
    pub(crate) fn begin_parts(settings: &Settings, object: &str, content_type: &str, at: SystemTime) -> Self {
        let content_type = vec![("content-type", content_type.to_owned())];
        Self::signed(settings, Method::Post, (object, "uploads="), content_type, EMPTY_PAYLOAD, at)
    }

    /// One part, which `query` names.
    pub(crate) fn put_part(
        settings: &Settings,
        object: &str,
        query: &str,
        size_bytes: usize,
        digest: &str,
        at: SystemTime,
    ) -> Self {
        Self::signed(settings, Method::Put, (object, query), Vec::new(), digest, at).with_length(size_bytes)
    }

    /// Makes the object of the parts of the upload that `query` names.
    pub(crate) fn complete_parts(
        settings: &Settings,
        object: &str,
        query: &str,
        size_bytes: usize,
        digest: &str,
        at: SystemTime,
    ) -> Self {
        let content_type = vec![("content-type", "application/xml".to_owned())];
        let request = Self::signed(settings, Method::Post, (object, query), content_type, digest, at);
        request.with_length(size_bytes)
    }

    /// Takes away the parts of the upload that `query` names.
    pub(crate) fn abort_parts(settings: &Settings, object: &str, query: &str, at: SystemTime) -> Self {
        Self::signed(settings, Method::Delete, (object, query), Vec::new(), EMPTY_PAYLOAD, at)
    }

    /// The names of objects, as `query` asks for them.
    pub(crate) fn list(settings: &Settings, query: &str, at: SystemTime) -> Self {
        let path = settings.bucket_path();
        Self::signed_at(settings, Method::Get, (path, query), Vec::new(), EMPTY_PAYLOAD, at)
    }

    /// Without it the body would go out in chunks, which S3 does not take.
    fn with_length(mut self, size_bytes: usize) -> Self {
        self.headers.push(("content-length", size_bytes.to_string()));
        self
    }

    fn signed(
        settings: &Settings,
        method: Method,
        (object, query): (&str, &str),
        headers: Vec<(&'static str, String)>,
        payload: &str,
        at: SystemTime,
    ) -> Self {
        Self::signed_at(settings, method, (settings.path(object), query), headers, payload, at)
    }

    /// `headers` are covered by the signature, where there is one.
    fn signed_at(
        settings: &Settings,
        method: Method,
        (mut path, query): (String, &str),
        mut headers: Vec<(&'static str, String)>,
        payload: &str,
        at: SystemTime,
    ) -> Self {
        let authority = settings.authority();
        if let Some(credentials) = settings.credentials() {
            headers.push(("x-amz-content-sha256", payload.to_owned()));
            headers.push(("x-amz-date", sign::timestamp(at)));
            if let Some(token) = &credentials.session_token {
                headers.push(("x-amz-security-token", token.clone()));
            }
            let mut covered: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            covered.push(("host", &authority));
            covered.sort_unstable();
            let signable =
                Signable { method: method.as_str(), path: &path, query, headers: &covered, payload };
            let scope = Scope { region: settings.region(), service: "s3", at };
            let authorization = sign::authorization(&signable, &scope, credentials);
            headers.push(("authorization", authorization));
        }
        headers.push(("user-agent", USER_AGENT.to_owned()));
        if !query.is_empty() {
            path.push('?');
            path.push_str(query);
        }
        Self { method, is_https: settings.is_https(), authority, path, headers }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::settings::tests::{ANONYMOUS, read};

    const AT: SystemTime = SystemTime::UNIX_EPOCH;

    fn headers(request: &Request) -> BTreeMap<&'static str, &str> {
        request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    #[test]
    fn the_digest_of_nothing_is_that_of_nothing() {
        assert_eq!(sign::digest(b""), EMPTY_PAYLOAD);
    }

    #[test]
    fn a_put_is_signed_with_its_type_and_its_digest() {
        let settings = read("s3://blobs/prod", &[]).unwrap();
        let content_type = ContentType::parse("image/png").unwrap();
        let payload = Payload { content_type, size_bytes: 9, digest: "digest" };
        let request = Request::put(&settings, "uploads/a.png", &payload, AT);
        assert_eq!((request.method, request.path.as_str()), (Method::Put, "/blobs/prod/uploads/a.png"));
        assert_eq!((request.authority.as_str(), request.is_https), ("localhost:9000", false));
        let headers = headers(&request);
        assert_eq!(headers["content-type"], "image/png");
        assert_eq!(headers["content-length"], "9");
        assert_eq!(headers["x-amz-content-sha256"], "digest");
        assert_eq!(headers["x-amz-date"], "19700101T000000Z");
        let authorization = headers["authorization"];
        assert!(authorization.contains("/19700101/us-east-1/s3/aws4_request,"), "{authorization}");
        let covered = "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date,";
        assert!(authorization.contains(covered), "{authorization}");
        assert!(!authorization.contains("hunter2"), "{authorization}");
    }

    #[test]
    fn a_session_token_is_sent_and_covered() {
        let settings = read("s3://blobs", &[("s3_session_token", "lent")]).unwrap();
        let request = Request::plain(&settings, Method::Get, "a", AT);
        let headers = headers(&request);
        assert_eq!(headers["x-amz-security-token"], "lent");
        let covered = "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,";
        assert!(headers["authorization"].contains(covered));
    }

    #[test]
    fn a_request_of_nobody_has_no_signature() {
        let settings = read("s3://blobs", ANONYMOUS).unwrap();
        let request = Request::first_byte(&settings, "a", AT);
        assert_eq!(headers(&request).into_keys().collect::<Vec<_>>(), ["range", "user-agent"]);
    }
}
