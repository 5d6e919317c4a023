//! `GET /jobs`.

use thumbs_guest::http::body;

use crate::kit::Service;

#[test]
fn lists_page_by_page_along_the_links() {
    let service = Service::new();
    for _ in 0..5 {
        service.clock.advance(std::time::Duration::from_millis(1));
        assert_eq!(service.post("", &[], b"an image").status, 202);
    }
    let mut seen = Vec::new();
    let mut next = Some("/jobs?limit=2".to_owned());
    while let Some(path) = next {
        let answer = service.send("GET", &path, &[], body::from_bytes(""));
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.json();
        let ids =
            page["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    let newest_first = seen.iter().rev().is_sorted();
    assert_eq!((seen.len(), newest_first), (5, true), "{seen:?}");
}

#[test]
fn a_list_that_is_asked_wrongly_says_how_to_ask() {
    for query in ["?limit=0", "?limit=101", "?status=done", "?cursor=x", "?page=2", "?limit=1&limit=1"] {
        let answer = Service::new().send("GET", &format!("/jobs{query}"), &[], body::from_bytes(""));
        assert_eq!(
            (answer.status, answer.json()["code"].as_str().unwrap()),
            (400, "invalid-option"),
            "{query}"
        );
    }
}

#[test]
fn a_list_wakes_the_workers_where_a_job_on_it_is_overdue() {
    let service = Service::new();
    for _ in 0..3 {
        assert_eq!(service.post("", &[], b"an image").status, 202);
    }
    let uploads = service.wake.count();
    for woken in [0, 1, 1, 1, 1] {
        let answer = service.send("GET", "/jobs", &[], body::from_bytes(""));
        assert_eq!((answer.status, service.wake.count() - uploads), (200, woken));
        service.clock.advance(std::time::Duration::from_secs(if woken == 0 { 3 } else { 0 }));
    }
}

#[test]
fn jobs_of_some_ids_come_in_their_order() {
    let service = Service::new();
    let post = || service.post("", &[], b"an image").json()["job_id"].as_str().unwrap().to_owned();
    let (a, b) = (post(), post());
    let get = |query: &str| service.send("GET", &format!("/jobs{query}"), &[], body::from_bytes("")).json();
    for (query, expected) in [
        (format!("?ids={b},{a}"), vec![&b, &a]),
        (format!("?ids={a},x,{b},01932c07-20a4-7b3c-8d4e-5f6071829304"), vec![&a, &b]),
        ("?ids=x".to_owned(), vec![]),
    ] {
        let page = get(&query);
        let ids: Vec<_> =
            page["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{query}");
        assert!(page["links"]["next"].is_null());
    }
    for query in ["?ids=", "?ids=x&limit=5", "?code=x", "?code=trap&status=succeeded"] {
        assert_eq!(get(query)["code"], "invalid-option", "{query}");
    }
}
