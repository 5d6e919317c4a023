//! The suite for `upload`: an image comes in, a job and a blob are there, whether or not anybody hears the wake-up.

#![cfg(target_arch = "wasm32")]

use thumbs_spin_test::{
    Method, Reply, Request, bindings::fermyon::spin_test_virt::variables, blobs, jobs, suite,
};

suite![
    an_image_becomes_a_job_and_a_blob,
    a_form_is_taken_apart,
    what_is_no_image_leaves_nothing,
    an_upload_over_the_limit_leaves_nothing,
    an_image_over_the_limit_leaves_nothing,
    a_wrong_option_is_named,
    an_option_over_its_limit_is_named,
    the_same_idempotency_key_makes_one_job,
    an_idempotency_key_is_for_one_request,
    a_lost_wake_up_costs_the_client_nothing,
    a_blob_store_that_can_not_be_reached_leaves_no_job,
    a_row_that_can_not_be_written_leaves_the_blob_and_tells_nothing,
    jobs_are_listed,
    other_methods_are_refused,
];

/// A PNG of one grey pixel, 8 bits.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81,
    0xda, 0x45, 0x08, 0x3b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

fn post_image(image: &[u8]) -> Reply {
    Request::post("/jobs", image).header("content-type", "application/octet-stream").send()
}

fn job_id(reply: &Reply) -> String {
    assert_eq!(reply.status, 202, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()["job_id"].as_str().unwrap_or_default().to_owned()
}

fn nothing_is_left() {
    assert_eq!(blobs::written(), Vec::<String>::new());
    assert_eq!(Request::get("/jobs").send().json()["jobs"].as_array().map(Vec::len), Some(0));
}

fn is_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.json()["code"], code);
}

fn an_image_becomes_a_job_and_a_blob() {
    let reply = post_image(PIXEL);
    let id = job_id(&reply);
    assert_eq!(reply.json()["status"], "processing");
    assert_eq!(reply.json()["source"]["content_type"], "image/png");
    assert_eq!(reply.header("location"), Some(format!("/jobs/{id}").as_str()));
    assert_eq!(jobs::count(), 1);
    assert_eq!(blobs::get(&format!("uploads/{id}")).as_deref(), Some(PIXEL));
}

fn a_form_is_taken_apart() {
    let form = [
        &b"--frontier\r\nContent-Disposition: form-data; name=\"width\"\r\n\r\n64\r\n"[..],
        b"--frontier\r\nContent-Disposition: form-data; name=\"image\"; filename=\"cat.txt\"\r\nContent-Type: text/plain\r\n\r\n",
        PIXEL,
        b"\r\n--frontier--\r\n",
    ]
    .concat();
    let reply =
        Request::post("/jobs", form).header("content-type", "multipart/form-data; boundary=frontier").send();
    job_id(&reply);
    assert_eq!(reply.json()["parameters"]["width"], 64);
}

fn what_is_no_image_leaves_nothing() {
    is_problem(&post_image(b"just a text"), 415, "unsupported-image");
    is_problem(&post_image(b""), 400, "malformed-request");
    nothing_is_left();
}

fn an_upload_over_the_limit_leaves_nothing() {
    variables::set("max_upload_bytes", "50");
    is_problem(&post_image(PIXEL), 413, "upload-too-large");
    nothing_is_left();
}

fn an_image_over_the_limit_leaves_nothing() {
    let mut wide = PIXEL.to_vec();
    wide[18] = 0xff;
    is_problem(&post_image(&wide), 422, "image-over-limit");
    nothing_is_left();
}

fn a_wrong_option_is_named() {
    for (query, option) in [("width=0", "width"), ("fit=best", "fit"), ("colour=red", "colour")] {
        let reply = Request::post(format!("/jobs?{query}"), PIXEL).send();
        is_problem(&reply, 400, "invalid-option");
        assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.contains(option)), "{query}");
    }
    nothing_is_left();
}

fn an_option_over_its_limit_is_named() {
    variables::set("max_output_side", "64");
    job_id(&Request::post("/jobs?width=64&height=64", PIXEL).send());
    let reply = Request::post("/jobs?width=65&height=64", PIXEL).send();
    is_problem(&reply, 400, "invalid-option");
    assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.contains("width")));
    assert_eq!(jobs::count(), 1);
}

fn the_same_idempotency_key_makes_one_job() {
    let post = || Request::post("/jobs", PIXEL).header("idempotency-key", "avatar-7").send();
    let first = job_id(&post());
    let written = blobs::written();
    assert_eq!(job_id(&post()), first);
    assert_eq!(jobs::count(), 1);
    assert_eq!(blobs::written(), written, "a repeated request stores no image again");
}

fn an_idempotency_key_is_for_one_request() {
    let post = |path: &str| Request::post(path, PIXEL).header("idempotency-key", "avatar-7").send();
    job_id(&post("/jobs"));
    is_problem(&post("/jobs?width=50"), 422, "idempotency-key-reused");
    is_problem(
        &Request::post("/jobs", PIXEL).header("idempotency-key", "not visible ASCII").send(),
        400,
        "invalid-idempotency-key",
    );
    assert_eq!(jobs::count(), 1);
}

fn a_lost_wake_up_costs_the_client_nothing() {
    variables::set("redis_url", "not an address");
    job_id(&post_image(PIXEL));
    assert_eq!(jobs::count(), 1);
}

fn a_blob_store_that_can_not_be_reached_leaves_no_job() {
    variables::set("blob_url", "s3://thumbs");
    variables::set("s3_access_key_id", "key");
    variables::set("s3_secret_access_key", "hunter2");
    let reply = post_image(PIXEL);
    is_problem(&reply, 503, "unavailable");
    assert!(reply.header("retry-after").is_some());
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(!text.contains("s3") && !text.contains("hunter2"), "{text}");
    nothing_is_left();
}

fn a_row_that_can_not_be_written_leaves_the_blob_and_tells_nothing() {
    // Not granted. The blob comes first, so that no row ever names one that is not there.
    variables::set("database_url", "sqlite:other");
    let reply = post_image(PIXEL);
    is_problem(&reply, 503, "unavailable");
    let text = String::from_utf8_lossy(&reply.body).to_lowercase();
    assert!(
        !text.contains("sqlite") && !text.contains("access"),
        "a driver's text reached the client: {text}"
    );
    assert!(blobs::written().iter().any(|key| key.starts_with("blob/uploads/")));
}

fn jobs_are_listed() {
    let first = job_id(&post_image(PIXEL));
    let second = job_id(&post_image(PIXEL));
    let listed = Request::get("/jobs?limit=1").send().json();
    let newest = listed["jobs"][0]["job_id"].as_str().unwrap_or_default().to_owned();
    assert!(newest == first.clone().max(second), "newest first");
    let next = listed["links"]["next"].as_str().unwrap_or_default().to_owned();
    assert_eq!(Request::get(next).send().json()["jobs"].as_array().map(Vec::len), Some(1));
}

fn other_methods_are_refused() {
    let reply = Request::new(Method::Delete, "/jobs").send();
    is_problem(&reply, 405, "method-not-allowed");
    assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
}
