//! The suite for `download`: one thumbnail, read. Its blobs come from the virtual key-value store, through the composed provider.

#![cfg(target_arch = "wasm32")]

use thumbs_spin_test::{
    Method, Reply, Request,
    bindings::fermyon::spin_test_virt::variables,
    blobs,
    jobs::{self, JOB, Row, THUMBNAIL_SHA256},
    keys, suite,
};

suite![
    gives_the_bytes_with_headers_that_keep_them_an_image,
    a_known_etag_costs_no_bytes,
    another_etag_gets_the_bytes,
    a_blob_store_that_can_not_be_reached_is_an_outage,
    a_thumbnail_of_another_length_than_its_job_says_is_an_outage,
    a_thumbnail_in_work_is_a_conflict_with_a_hint,
    the_thumbnail_of_a_failed_job_is_gone,
    a_thumbnail_that_was_deleted_is_gone,
    an_unknown_thumbnail_is_not_found,
    only_reading_is_allowed,
    where_there_are_keys_a_signed_link_is_good_for_its_thumbnail,
];

const BYTES: &[u8] = b"not really a PNG, which nobody here looks at";

fn thumbnail_key() -> String {
    format!("thumbnails/{JOB}/{}", &THUMBNAIL_SHA256[..16])
}

fn get_thumbnail() -> Reply {
    Request::get(format!("/thumbnails/{JOB}")).send()
}

fn with_job(row: Row) {
    jobs::make_tables("/thumbnails");
    jobs::insert(row);
}

fn gives_the_bytes_with_headers_that_keep_them_an_image() {
    with_job(Row::Succeeded(BYTES.len() as u64));
    blobs::put(&thumbnail_key(), "image/png", BYTES);
    let reply = get_thumbnail();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, BYTES);
    assert_eq!(reply.header("content-type"), Some("image/png"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert_eq!(reply.header("etag"), Some(format!("\"{THUMBNAIL_SHA256}\"").as_str()));
}

fn a_known_etag_costs_no_bytes() {
    with_job(Row::Succeeded(BYTES.len() as u64));
    let reply = Request::get(format!("/thumbnails/{JOB}"))
        .header("if-none-match", &format!("W/\"other\", \"{THUMBNAIL_SHA256}\""))
        .send();
    assert_eq!((reply.status, reply.body.len()), (304, 0), "no blob was needed: there is none");
    assert_eq!(reply.header("etag"), Some(format!("\"{THUMBNAIL_SHA256}\"").as_str()));
}

fn another_etag_gets_the_bytes() {
    with_job(Row::Succeeded(BYTES.len() as u64));
    blobs::put(&thumbnail_key(), "image/png", BYTES);
    let reply = Request::get(format!("/thumbnails/{JOB}")).header("if-none-match", "\"other\"").send();
    assert_eq!((reply.status, reply.body.as_slice()), (200, BYTES));
}

fn a_blob_store_that_can_not_be_reached_is_an_outage() {
    with_job(Row::Succeeded(BYTES.len() as u64));
    variables::set("blob_url", "s3://thumbs");
    variables::set("s3_access_key_id", "key");
    variables::set("s3_secret_access_key", "hunter2");
    let reply = get_thumbnail();
    assert_eq!(reply.status, 503);
    assert_eq!(reply.json()["code"], "unavailable");
    assert!(reply.header("retry-after").is_some());
    assert!(!String::from_utf8_lossy(&reply.body).contains("hunter2"));
}

fn a_thumbnail_of_another_length_than_its_job_says_is_an_outage() {
    with_job(Row::Succeeded(BYTES.len() as u64 - 1));
    blobs::put(&thumbnail_key(), "image/png", BYTES);
    let reply = get_thumbnail();
    assert!(reply.status >= 500, "{}", reply.status);
    assert_ne!(reply.body, BYTES);
}

fn a_thumbnail_in_work_is_a_conflict_with_a_hint() {
    with_job(Row::Leased);
    let reply = get_thumbnail();
    assert_eq!(reply.status, 409);
    assert_eq!(reply.json()["code"], "not-ready");
    assert!(reply.header("retry-after").is_some());
}

fn the_thumbnail_of_a_failed_job_is_gone() {
    with_job(Row::Failed);
    let reply = get_thumbnail();
    assert_eq!(reply.status, 410);
    assert_eq!(reply.json()["code"], "job-failed");
}

fn a_thumbnail_that_was_deleted_is_gone() {
    with_job(Row::Succeeded(BYTES.len() as u64));
    let reply = get_thumbnail();
    assert_eq!(reply.status, 410);
    assert_eq!(reply.json()["code"], "thumbnail-gone");
}

fn an_unknown_thumbnail_is_not_found() {
    assert_eq!(get_thumbnail().status, 404);
    assert_eq!(Request::get("/thumbnails/..%2fjobs").send().status, 404);
}

fn only_reading_is_allowed() {
    with_job(Row::Succeeded(BYTES.len() as u64));
    blobs::put(&thumbnail_key(), "image/png", BYTES);
    let reply = Request::new(Method::Delete, format!("/thumbnails/{JOB}")).send();
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(get_thumbnail().body, BYTES, "it is still there");
}

fn where_there_are_keys_a_signed_link_is_good_for_its_thumbnail() {
    with_job(Row::Succeeded(BYTES.len() as u64));
    blobs::put(&thumbnail_key(), "image/png", BYTES);
    variables::set("api_keys", &keys::list(&[(1, "shop:read")]));
    variables::set("link_secret", keys::SECRET);
    let path = format!("/thumbnails/{JOB}");
    assert_eq!(get_thumbnail().status, 401);
    let mine = Request::get(&path).header("authorization", &keys::bearer(1)).send();
    assert_eq!(mine.status, 404, "the job is nobody's");
    let shown = Request::get(keys::signed(&path, 4_102_444_800)).send();
    assert_eq!((shown.status, shown.body.as_slice()), (200, BYTES));
    assert_eq!(shown.header("cache-control"), Some("public, max-age=86400, immutable"));
    assert_eq!(Request::get(keys::signed(&path, 1_700_000_000)).send().status, 403);
    assert_eq!(
        Request::get(keys::signed("/thumbnails/x", 4_102_444_800).replace("/x?", &format!("/{JOB}?")))
            .send()
            .status,
        403
    );
}
