//! The suite for `status`: one job, read, tried again, deleted.

#![cfg(target_arch = "wasm32")]

use thumbs_spin_test::{
    Method, Request,
    bindings::fermyon::spin_test_virt::variables,
    jobs::{self, JOB, Row},
    keys, suite,
};

suite![
    an_unknown_job_is_not_found,
    an_id_that_is_none_is_not_found,
    a_job_in_work_says_when_to_ask_again,
    a_succeeded_job_tells_its_result,
    a_failed_job_tells_why,
    looking_at_a_job_stores_nothing,
    a_database_that_is_not_there_is_an_outage_without_details,
    reading_an_overdue_job_brings_it_to_mind_once,
    a_wait_must_be_a_number,
    a_lost_wake_up_costs_the_reader_nothing,
    a_job_under_a_lease_is_left_to_its_worker,
    each_path_has_its_own_methods,
    a_deleted_job_is_gone_and_its_blobs_are_noted,
    a_failed_job_is_tried_again,
    where_there_are_keys_a_job_is_its_owners,
    keys_that_make_no_sense_let_nobody_in,
];

fn get_job() -> thumbs_spin_test::Reply {
    Request::get(format!("/jobs/{JOB}")).send()
}

fn an_unknown_job_is_not_found() {
    let reply = get_job();
    assert_eq!(reply.status, 404);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.json()["code"], "not-found");
}

fn an_id_that_is_none_is_not_found() {
    for id in ["..%2f..%2fetc", "x", "01932C0720A47B3C8D4E5F60718293045"] {
        assert_eq!(Request::get(format!("/jobs/{id}")).send().status, 404, "{id}");
    }
}

fn a_job_in_work_says_when_to_ask_again() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Leased);
    let reply = get_job();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["status"], "processing");
    assert_eq!(reply.header("retry-after"), Some("1"));
}

fn a_succeeded_job_tells_its_result() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Succeeded(4321));
    let reply = get_job();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("retry-after"), None, "it is done");
    let job = reply.json();
    assert_eq!(job["status"], "succeeded");
    assert_eq!(job["result"]["bytes"], 4321);
    assert_eq!(job["source"]["content_type"], "image/jpeg");
    assert_eq!(job["links"]["thumbnail"], format!("/thumbnails/{JOB}"));
    assert_eq!(job["correlation_id"], "request-of-the-test");
}

fn a_failed_job_tells_why() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Failed);
    let job = get_job().json();
    assert_eq!(job["status"], "failed");
    assert_eq!(job["error"]["code"], "undecodable");
    assert!(job["result"].is_null());
}

fn looking_at_a_job_stores_nothing() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Failed);
    let rows = || format!("{:?}", jobs::execute("SELECT * FROM thumbs_jobs", &[]));
    let before = rows();
    assert_eq!(get_job().status, 200);
    assert_eq!(rows(), before);
    assert_eq!(thumbs_spin_test::blobs::written(), Vec::<String>::new());
}

fn a_database_that_is_not_there_is_an_outage_without_details() {
    for url in ["sqlite:other", "postgres://thumbs:hunter2@localhost:5432/thumbs"] {
        variables::set("database_url", url);
        let reply = get_job();
        assert_eq!(reply.status, 503, "{url}");
        assert_eq!(reply.json()["code"], "unavailable");
        assert!(reply.header("retry-after").is_some());
        let text = String::from_utf8_lossy(&reply.body).to_lowercase();
        assert!(!text.contains("sql") && !text.contains("postgres") && !text.contains("hunter2"), "{text}");
    }
}

fn reading_an_overdue_job_brings_it_to_mind_once() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Overdue);
    let woken = || jobs::execute("SELECT woken_at_ms FROM thumbs_jobs WHERE woken_at_ms IS NOT NULL", &[]);
    assert_eq!(get_job().status, 200);
    let first = format!("{:?}", woken());
    assert_eq!(woken().len(), 1, "the row remembers the wake-up");
    assert_eq!(get_job().status, 200);
    assert_eq!(format!("{:?}", woken()), first, "an impatient client is one wake-up");
}

fn a_lost_wake_up_costs_the_reader_nothing() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Overdue);
    variables::set("redis_url", "not an address");
    let reply = get_job();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["status"], "processing");
}

fn a_job_under_a_lease_is_left_to_its_worker() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Leased);
    assert_eq!(get_job().status, 200);
    let woken = jobs::execute("SELECT id FROM thumbs_jobs WHERE woken_at_ms IS NOT NULL", &[]);
    assert_eq!(woken.len(), 0, "nobody was woken");
}

fn a_wait_must_be_a_number() {
    for wait in ["x", "-1", "1.5", ""] {
        let reply = Request::get(format!("/jobs/{JOB}?wait={wait}")).send();
        assert_eq!(reply.status, 400, "{wait}");
        assert_eq!(reply.json()["code"], "invalid-option");
    }
}

fn each_path_has_its_own_methods() {
    let reply = Request::post(format!("/jobs/{JOB}"), "").send();
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("DELETE, GET, HEAD, OPTIONS"));
    let reply = Request::get(format!("/jobs/{JOB}/retry")).send();
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("OPTIONS, POST"));
}

fn a_deleted_job_is_gone_and_its_blobs_are_noted() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Succeeded(3));
    let delete = || Request::new(Method::Delete, format!("/jobs/{JOB}")).send();
    assert_eq!(delete().status, 204);
    assert_eq!((jobs::count(), jobs::garbage()), (0, 2));
    assert_eq!(delete().status, 404);
}

fn a_failed_job_is_tried_again() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Failed);
    let retry = || Request::post(format!("/jobs/{JOB}/retry"), "").send();
    let reply = retry();
    assert_eq!(reply.status, 202);
    assert_eq!(reply.json()["status"], "processing");
    assert_eq!(retry().json()["code"], "not-failed");
}

fn where_there_are_keys_a_job_is_its_owners() {
    jobs::make_tables("/jobs");
    jobs::insert(Row::Succeeded(4321));
    jobs::execute("UPDATE thumbs_jobs SET owner = 'shop'", &[]);
    variables::set(
        "api_keys",
        &keys::list(&[(1, "shop:read"), (2, "web:read"), (3, "web:write"), (4, "all:read+admin")]),
    );
    let status = |key: Option<u8>| {
        let request = Request::get(format!("/jobs/{JOB}"));
        match key {
            Some(seed) => request.header("authorization", &keys::bearer(seed)).send(),
            None => request.send(),
        }
        .status
    };
    assert_eq!(
        [None, Some(1), Some(2), Some(3), Some(4), Some(5)].map(status),
        [401, 200, 404, 403, 200, 401]
    );
}

fn keys_that_make_no_sense_let_nobody_in() {
    for wrong in [" ", "shop:read:never:x"] {
        variables::set("api_keys", wrong);
        assert_eq!(get_job().status, 500, "{wrong:?}");
    }
}
