//! `GET /jobs`: newest first, page by page, filtered.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::Value;
use thumbs_tests::{home::Home, images};

thumbs_tests::in_every_home! {
    pages_through_all_jobs_newest_first_without_gap_or_repeat,
    filters_by_status,
    refuses_a_cursor_limit_or_status_that_is_none,
}

fn ids(page: &Value) -> Vec<String> {
    page["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap().to_owned()).collect()
}

async fn pages_through_all_jobs_newest_first_without_gap_or_repeat(home: Home) {
    let service = home.start().await;
    let mut submitted = Vec::new();
    for side in 0..7 {
        submitted.push(service.client.submit(&images::png(10 + side, 10), &[]).await);
    }
    // An id begins with its millisecond (UUIDv7); within one, uploads have no order.
    submitted.sort();
    submitted.reverse();

    let mut listed = Vec::new();
    let mut path = "/jobs?limit=3".to_owned();
    loop {
        let page = service.client.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", String::from_utf8_lossy(&page.body));
        let page = page.json();
        let found = ids(&page);
        assert!(!found.is_empty() && found.len() <= 3);
        listed.extend(found);
        match page["links"]["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(listed, submitted);
}

async fn filters_by_status(home: Home) {
    let service = home.start().await;
    let good = service.client.submit(&images::png(30, 30), &[]).await;
    let bad = service.client.submit(&images::png_with_broken_pixels(30, 30), &[]).await;
    assert_eq!(service.client.finished(&good).await["status"], "succeeded");
    assert_eq!(service.client.finished(&bad).await["status"], "failed");

    let succeeded = service.client.get("/jobs?status=succeeded").await.json();
    let failed = service.client.get("/jobs?status=failed").await.json();
    let processing = service.client.get("/jobs?status=processing").await.json();
    assert_eq!((ids(&succeeded), ids(&failed), ids(&processing)), (vec![good], vec![bad], vec![]));
}

async fn refuses_a_cursor_limit_or_status_that_is_none(home: Home) {
    let service = home.start().await;
    let mut titles = BTreeSet::new();
    for query in ["cursor=nonsense", "limit=0", "limit=101", "limit=x", "status=done", "colour=blue"] {
        let reply = service.client.get(&format!("/jobs?{query}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        titles.insert(reply.json()["type"].as_str().unwrap().to_owned());
    }
    assert!(!titles.is_empty());
}
