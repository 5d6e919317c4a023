//! The suite for `status`: one job, read.

#![cfg(target_arch = "wasm32")]

use thumbs_spin_test::{Request, suite};

suite![an_unknown_job_is_not_found, an_id_that_is_none_is_not_found];

fn an_unknown_job_is_not_found() {
    let reply = Request::get("/jobs/01900000-0000-7000-8000-000000000000").send();
    assert_eq!(reply.status, 404);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
}

fn an_id_that_is_none_is_not_found() {
    let reply = Request::get("/jobs/..%2f..%2fetc").send();
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json()["code"], "not-found");
}
