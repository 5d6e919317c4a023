//! From a request to what is sent, as it is for every component: what OPTIONS gets, who is let in, what pages of other origins are
//! told, what an error of the handler becomes, and the headers that every answer has.

use std::future::Future;

use http::{HeaderName, HeaderValue, Method};
use thumbs_domain::event::Event;
use thumbs_domain::route::{self, Needs, Row};

use super::cors::Cors;
use super::throttle::{self, Meter};
use super::{Body, Failed, Request, Response};
use super::{gate, response};
use crate::clock::Clock;
use crate::config::{self, Edge, Variables};
use crate::log::Log;

/// The variable of the environment by which our runtime asks for the name of who asks.
const NAMES_CALLER: &str = "NAMES_CALLER";
const CALLER: HeaderName = HeaderName::from_static("thumbs-caller");

/// Has a request handled, where who asks may ask it, and as often.
pub async fn answer<H, F>(
    variables: &dyn Variables,
    clock: &dyn Clock,
    meter: &dyn Meter,
    mut request: Request,
    body: Body,
    log: Log,
    handle: H,
) -> Response
where
    H: FnOnce(Request, Body, Log) -> F,
    F: Future<Output = Result<Response, Failed>>,
{
    let correlation_id = request.correlation_id.clone();
    let edge = Edge::read(variables);
    let origins = edge.origins.unwrap_or_else(|error| {
        // The service is not for browsers then, and for all others as it was.
        log.event(Event::Misconfigured { cause: &error.to_string() });
        Default::default()
    });
    let cors = Cors::of(&request, &origins);
    let options = if request.method == Method::OPTIONS { route::find(&request.path) } else { None };
    let (mut throttled, mut named) = (None, None);
    let handled = match options {
        // A browser asks for a page without the page's key.
        Some(row) => Ok(cors.options(&request, row.allow, has_keys(row, variables))),
        None => match gate::admit(&request, variables, clock, &log) {
            Ok(caller) => {
                request.caller = caller;
                named = request.caller.owner().cloned();
                let counted = throttle::take(&request, edge.rates, meter, clock, &log);
                let passed = counted.and_then(|told| {
                    throttled = told;
                    told.map_or(Ok(()), |told| told.pass())
                });
                match passed {
                    Ok(()) => handle(request, body, log.clone()).await,
                    Err(refused) => Err(refused),
                }
            }
            Err(refused) => Err(refused),
        },
    };
    let caller =
        named.filter(|_| is_named_to_host()).and_then(|name| HeaderValue::from_str(name.as_str()).ok());
    let mut response = handled.unwrap_or_else(|failed| failed.into_response(&correlation_id, &log));
    if let Some(told) = throttled {
        told.say(&mut response);
    }
    cors.say(&mut response);
    if let Some(caller) = caller {
        response.headers_mut().insert(CALLER, caller);
    }
    response::finish(response, &correlation_id)
}

/// Whether the host takes the name of who asks for its log, out of a header that no client gets to see. On Spin one would.
fn is_named_to_host() -> bool {
    std::env::var_os(NAMES_CALLER).is_some()
}

/// Whether a request to this path may have to show a key.
fn has_keys(row: &Row, variables: &dyn Variables) -> bool {
    let is_open = row.methods.iter().all(|(_, needs, _)| *needs == Needs::Nothing);
    !is_open && config::keys(variables).map_or(true, |keys| !keys.is_empty())
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::http::body;
    use crate::http::throttle::Unmetered;
    use crate::testing::{FixedVariables, ManualClock, request};
    use futures::executor::block_on;
    use http::HeaderMap;
    use thumbs_domain::problem::ProblemKind;

    const SHOP: &str = "https://shop.example";

    fn ask(allowed_origins: &str, method: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap) {
        ask_with("", allowed_origins, method, headers)
    }

    fn ask_with(
        keys: &str,
        allowed_origins: &str,
        method: &str,
        headers: &[(&str, &str)],
    ) -> (u16, HeaderMap) {
        let variables = FixedVariables::with(&[("allowed_origins", allowed_origins), ("api_keys", keys)]);
        let clock = ManualClock::default();
        let answer = answer(
            &variables,
            &clock,
            &Unmetered,
            request(method, "/jobs/x", headers),
            body::from_bytes(""),
            Log::new("test"),
            async |_, _, _| Err(Failed::problem(ProblemKind::NotFound, "There is no job with this id.")),
        );
        let (head, _) = block_on(answer).into_parts();
        (head.status.as_u16(), head.headers)
    }

    fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[test]
    fn pages_of_the_origins_that_are_allowed_may_read_what_others_read_errors_too() {
        let list = "https://shop.example,http://localhost:5173";
        for (allowed, origin, granted, vary) in [
            ("", SHOP, "", ""),
            ("*", SHOP, "*", ""),
            (list, SHOP, SHOP, "Origin"),
            (list, "http://localhost:5173", "http://localhost:5173", "Origin"),
            (list, "https://evil.example", "", "Origin"),
            (list, "null", "", "Origin"),
        ] {
            let (status, headers) = ask(allowed, "GET", &[("origin", origin)]);
            let seen = (status, text(&headers, "access-control-allow-origin"), text(&headers, "vary"));
            assert_eq!(seen, (404, granted, vary), "{allowed:?} {origin}");
            let exposed = text(&headers, "access-control-expose-headers");
            assert_eq!(exposed.contains("retry-after"), !granted.is_empty());
            assert!(!headers.contains_key("access-control-allow-credentials"));
        }
        let (_, headers) = ask(list, "GET", &[]);
        assert_eq!(text(&headers, "vary"), "Origin", "what is kept for one must not be shown to another");
        assert!(!headers.contains_key("access-control-allow-origin"));
    }

    #[test]
    fn a_browser_that_asks_first_is_told_what_a_page_may_send() {
        let asks = [("origin", SHOP), ("access-control-request-method", "POST")];
        for (allowed, may) in [("", false), ("*", true), (SHOP, true), ("https://other.example", false)] {
            let (status, headers) = ask(allowed, "OPTIONS", &asks);
            assert_eq!((status, text(&headers, "allow")), (204, "DELETE, GET, HEAD, OPTIONS"));
            assert_eq!(headers.contains_key("access-control-allow-origin"), may, "{allowed}");
            let methods = text(&headers, "access-control-allow-methods");
            assert_eq!(methods == "DELETE, GET, HEAD, OPTIONS", may, "{allowed}: {methods}");
            let names = text(&headers, "access-control-allow-headers");
            assert_eq!(names.contains("idempotency-key") && names.contains("content-type"), may);
            assert_eq!(headers.contains_key("access-control-max-age"), may);
        }
    }

    #[test]
    fn a_page_may_send_a_key_where_one_is_needed_and_is_asked_for_none_before() {
        let keys = format!("shop:read:never:{}", "ab".repeat(32));
        let asks = [("origin", SHOP), ("access-control-request-method", "GET")];
        let (status, headers) = ask_with(&keys, "*", "OPTIONS", &asks);
        assert_eq!(status, 204);
        let names = text(&headers, "access-control-allow-headers");
        assert!(names.contains("authorization") && names.contains("x-api-key"), "{names}");
        assert!(!text(&ask("*", "OPTIONS", &asks).1, "access-control-allow-headers").contains("x-api-key"));
        let (status, headers) = ask_with(&keys, "*", "GET", &[("origin", SHOP)]);
        assert_eq!((status, text(&headers, "access-control-allow-origin")), (401, "*"));
    }

    #[test]
    fn options_without_a_page_says_which_methods_there_are() {
        let (status, headers) = ask("*", "OPTIONS", &[]);
        assert_eq!((status, text(&headers, "allow")), (204, "DELETE, GET, HEAD, OPTIONS"));
        assert!(
            !headers.contains_key("access-control-allow-methods") && !headers.contains_key("content-length")
        );
    }

    #[test]
    fn a_list_that_makes_no_sense_allows_nobody() {
        let (status, headers) = ask("everybody", "GET", &[("origin", SHOP)]);
        assert_eq!(status, 404);
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
}
