//! What the service says of itself, over HTTP.

use reqwest::{Method, StatusCode};
use thumbs::problem::Problem;
use thumbs_domain::problem::{OF_THE_HOST, ProblemKind};
use thumbs_tests::{images, service::Service};

#[tokio::test(flavor = "multi_thread")]
async fn the_type_of_a_problem_leads_to_its_page() {
    let service = Service::start().await;
    let unknown_job = service.client.get("/jobs/none").await;
    let unknown_path = service.client.get("/nowhere/at/all").await;
    for problem in [unknown_job, unknown_path] {
        assert_eq!(problem.status, StatusCode::NOT_FOUND);
        let page = service.client.get(problem.json()["type"].as_str().unwrap()).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    }
}

/// Whatever the host answers by itself is in the tables that pages and the API's document are made from.
#[test]
fn the_problems_of_the_host_are_in_the_table() {
    let rows: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.row()).chain(OF_THE_HOST).collect();
    for problem in [
        Problem::Malformed,
        Problem::NotFound,
        Problem::MethodNotAllowed,
        Problem::BodyTooLarge,
        Problem::BodyTimeout,
        Problem::Crashed,
        Problem::OutOfMemory,
        Problem::Deadline,
        Problem::Busy,
    ] {
        let row = rows.iter().find(|row| row.code == problem.code());
        let row = row.unwrap_or_else(|| panic!("{problem:?}: add a row to crates/domain/src/problem.rs"));
        assert_eq!(row.status, problem.status().as_u16(), "{problem:?}");
        if OF_THE_HOST.contains(row) {
            assert_eq!(row.retry_after_secs, problem.retry_after_secs(), "{problem:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_of_a_page_has_the_headers_and_no_body() {
    let service = Service::start().await;
    for path in ["/", "/docs", "/openapi.json", "/site/app.js", "/problems/busy"] {
        let whole = service.client.get(path).await;
        let head = service.client.send(service.client.request(Method::HEAD, path)).await;
        assert_eq!((whole.status, head.status), (StatusCode::OK, StatusCode::OK), "{path}");
        assert_eq!(head.header("etag"), whole.header("etag"), "{path}");
        assert!(head.body.is_empty() && !whole.body.is_empty(), "{path}");
    }
}

/// The document is what the answers are: a job has the members that it names, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_what_the_document_says() {
    let service = Service::start().await;
    let document = service.client.get("/openapi.json").await.json();
    let (job, _) = service.client.thumbnail(&images::png(40, 30), &[("format", "webp")]).await;
    for (schema, value) in [
        ("Job", &job),
        ("Options", &job["parameters"]),
        ("Source", &job["source"]),
        ("Thumbnail", &job["result"]),
        ("Cost", &job["cost"]),
        ("Links", &job["links"]),
    ] {
        let members = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        // Without keys, what comes of keys is not there.
        let required = document["components"]["schemas"][schema]["required"].as_array().unwrap();
        let mut required: Vec<&str> = required.iter().map(|name| name.as_str().unwrap()).collect();
        required.sort_unstable();
        assert_eq!(members(value), required, "{schema}");
    }
}
