//! The suite for `pages`: what the service says of itself.

#![cfg(target_arch = "wasm32")]

use thumbs_spin_test::{Method, Reply, Request, bindings::fermyon::spin_test_virt::variables, blobs, suite};

suite![
    the_web_page_and_the_docs_are_pages,
    a_page_needs_nothing_from_elsewhere,
    a_file_has_its_type,
    a_path_that_is_no_page_is_not_found,
    the_document_has_the_limits_that_the_operator_set,
    a_limit_that_is_none_is_a_mistake_without_details,
    a_code_is_explained_to_people_and_to_programs,
    who_has_the_page_is_told_so,
    only_reading_is_allowed,
    nothing_is_stored,
];

fn get(path: &str) -> Reply {
    Request::get(path).send()
}

fn the_web_page_and_the_docs_are_pages() {
    for path in ["/", "/docs", "/docs/"] {
        let reply = get(path);
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    }
}

fn a_page_needs_nothing_from_elsewhere() {
    for path in ["/", "/docs", "/problems/not-found"] {
        let reply = get(path);
        let policy = reply.header("content-security-policy").unwrap_or_default().to_owned();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
    }
}

fn a_file_has_its_type() {
    for (path, content_type) in [
        ("/site/app.js", "text/javascript; charset=utf-8"),
        ("/site/style.css", "text/css; charset=utf-8"),
        ("/site/icon.svg", "image/svg+xml"),
    ] {
        let reply = get(path);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
}

fn a_path_that_is_no_page_is_not_found() {
    for path in ["/site/none.js", "/site/..%2fCargo.toml", "/problems/nonsense"] {
        let reply = get(path);
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.json()["code"], "not-found");
    }
}

fn the_document_has_the_limits_that_the_operator_set() {
    variables::set("max_output_side", "512");
    let document = get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["x-limits"]["max_output_side"], 512);
    assert!(document["paths"]["/jobs"]["post"].is_object());
}

fn a_limit_that_is_none_is_a_mistake_without_details() {
    variables::set("max_output_side", "many");
    let reply = get("/openapi.json");
    assert_eq!(reply.status, 500);
    assert!(!String::from_utf8_lossy(&reply.body).contains("many"));
    assert_eq!(get("/").status, 200, "the page does not ask for it");
}

fn a_code_is_explained_to_people_and_to_programs() {
    let page = get("/problems/image-over-limit");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("vary"), Some("Accept"));
    let entry = Request::get("/problems/image-over-limit").header("accept", "application/json").send().json();
    assert_eq!(entry["problem"]["status"], 422);
    assert_eq!(entry["job"]["tried_again"], false);
}

fn who_has_the_page_is_told_so() {
    for path in ["/", "/docs", "/site/app.js", "/openapi.json", "/problems/not-found"] {
        let first = get(path);
        let etag = first.header("etag").unwrap_or_default().to_owned();
        assert!(etag.starts_with('"'), "{path}: {etag}");
        let again = Request::get(path).header("if-none-match", &etag).send();
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(etag.as_str()));
    }
}

fn only_reading_is_allowed() {
    for path in ["/", "/docs", "/openapi.json", "/problems/not-found", "/site/app.js"] {
        let reply = Request::new(Method::Delete, path).send();
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{path}");
    }
}

fn nothing_is_stored() {
    assert_eq!(get("/").status, 200);
    assert_eq!(blobs::written(), Vec::<String>::new());
}
