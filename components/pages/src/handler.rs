//! Which path gives what, and the headers that all of it has.

use std::borrow::Cow;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, REFERRER_POLICY, VARY,
};
use http::{HeaderValue, Method};
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_guest::config::{self, Variables};
use thumbs_guest::digest::sha256;
use thumbs_guest::http::{Failed, Request, Response, etag};

use crate::problem;
use crate::site::{self, File};

/// The pages run scripts and styles of their own, show pictures of this service and those that a person is about to upload, and ask this
/// service. Nothing else: no inline script, no other origin, no frame around them.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

/// Kept by who asks, and asked for again each time, which costs a 304: after an upgrade no page meets a script of another version.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What the component works with, for one request.
pub struct Pages<'a> {
    /// The limits, which stand in the API's document.
    pub variables: &'a dyn Variables,
}

impl Pages<'_> {
    /// Answers one request. HEAD is answered like GET; the host leaves the body out.
    ///
    /// # Errors
    /// [`Failed`], which becomes a problem.
    pub fn handle(&self, request: &Request) -> Result<Response, Failed> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Failed::Method(route::HOME.allow));
        }
        // Hosts route a path with a slash at its end as if it had none.
        let path = request.path.trim_end_matches('/');
        match path.split_once('/').map(|(_, path)| path).unwrap_or_default() {
            "" => page(request, &site::HOME),
            "docs" => page(request, &site::DOCS),
            "openapi.json" => self.document(request),
            path => match path.split_once('/') {
                Some(("site", name)) => {
                    site::file(name).map_or_else(|| Err(not_found()), |file| page(request, file))
                }
                Some(("problems", code)) => explain(request, code),
                _ => Err(not_found()),
            },
        }
    }

    fn document(&self, request: &Request) -> Result<Response, Failed> {
        let document = thumbs_openapi::document(&config::limits(self.variables)?);
        let body = serde_json::to_vec(&document).map_err(|error| Failed::Internal(error.to_string()))?;
        answer(request, body.into(), "application/json")
    }
}

fn page(request: &Request, file: &File) -> Result<Response, Failed> {
    answer(request, file.content.into(), file.content_type)
}

fn explain(request: &Request, code: &str) -> Result<Response, Failed> {
    let entry = problem::find(code).ok_or_else(not_found)?;
    let mut response = match request.prefers(&["text/html", "application/json"]) {
        "application/json" => {
            let body =
                serde_json::to_vec(&entry.json()).map_err(|error| Failed::Internal(error.to_string()))?;
            answer(request, body.into(), "application/json")
        }
        _ => answer(request, entry.html().into_bytes().into(), site::HTML),
    }?;
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

fn not_found() -> Failed {
    Failed::problem(ProblemKind::NotFound, "There is no page at this path. Begin at \"/\", or at \"/docs\".")
}

/// With an `ETag` that names the bytes; 304 to who has them.
fn answer(
    request: &Request,
    body: Cow<'static, [u8]>,
    content_type: &'static str,
) -> Result<Response, Failed> {
    let etag = HeaderValue::from_str(&format!("\"{}\"", sha256(&body)))
        .map_err(|error| Failed::Internal(error.to_string()))?;
    let mut response = match etag::is_known(&request.headers, &etag) {
        true => etag::not_modified(),
        false => Response::new(body.into_owned()),
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, etag);
    headers.insert(CACHE_CONTROL, ASK_AGAIN);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}
