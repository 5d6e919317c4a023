//! The suite for `upload`: an image comes in, a job and a blob are there, whether or not anybody hears the wake-up.

#![cfg(target_arch = "wasm32")]

use thumbs_spin_test::{Reply, Request, bindings::fermyon::spin_test_virt::variables, blobs, jobs, suite};

suite![
    an_image_becomes_a_job_and_a_blob,
    a_form_is_taken_apart,
    what_is_no_image_leaves_nothing,
    an_upload_over_the_limit_leaves_nothing,
    an_image_over_the_limit_leaves_nothing,
    a_wrong_option_is_named,
    the_same_idempotency_key_makes_one_job,
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
    assert_eq!(Request::get("/jobs").send().json()["jobs"].as_array().map(Vec::len), Some(0));
    let calls = thumbs_spin_test::bindings::fermyon::spin_test_virt::key_value::calls();
    assert!(calls.is_empty(), "something was written: {calls:?}");
}

fn an_image_becomes_a_job_and_a_blob() {
    let reply = post_image(PIXEL);
    let id = job_id(&reply);
    assert_eq!(reply.json()["status"], "processing");
    assert_eq!(reply.json()["source"]["content_type"], "image/png");
    assert_eq!(reply.header("location"), Some(format!("/jobs/{id}").as_str()));
    assert_eq!(jobs::count(), 1);
    assert!(blobs::is_there(&format!("uploads/{id}")), "no blob");
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
    let reply = post_image(b"just a text");
    assert_eq!(reply.status, 415);
    assert_eq!(reply.json()["code"], "unsupported-image");
    nothing_is_left();
}

fn an_upload_over_the_limit_leaves_nothing() {
    variables::set("max_upload_bytes", "50");
    let reply = post_image(PIXEL);
    assert_eq!(reply.status, 413);
    nothing_is_left();
}

fn an_image_over_the_limit_leaves_nothing() {
    let mut wide = PIXEL.to_vec();
    wide[18] = 0xff;
    let reply = post_image(&wide);
    assert_eq!(reply.status, 422);
    nothing_is_left();
}

fn a_wrong_option_is_named() {
    let reply = Request::post("/jobs?width=0", PIXEL).send();
    assert_eq!(reply.status, 400);
    assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.contains("width")));
    nothing_is_left();
}

fn the_same_idempotency_key_makes_one_job() {
    let post = || Request::post("/jobs", PIXEL).header("idempotency-key", "avatar-7").send();
    assert_eq!(job_id(&post()), job_id(&post()));
    assert_eq!(jobs::count(), 1);
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
    let reply = Request::new(thumbs_spin_test::Method::Delete, "/jobs").send();
    assert_eq!(reply.status, 405);
}
