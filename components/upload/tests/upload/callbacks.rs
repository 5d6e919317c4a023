//! Jobs of whose end somebody is to be told.

use thumbs_domain::callback::CallbackState;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::owner::Reach;
use thumbs_guest::config;
use thumbs_guest::jobs::{Claim, JobStore, Lease};
use thumbs_guest::recipe::Recipe;
use thumbs_guest::testing::{ManualClock, POLICY, cost, thumbnail_of};

use crate::kit::Service;

fn allowing(hosts: &str) -> Service {
    let mut service = Service::new();
    service.variables.0.insert("callback_hosts", hosts.to_owned());
    service
}

#[test]
fn whom_the_operator_allows_is_written_down_and_not_shown() {
    let service = allowing("hooks.example");
    let url = "https://hooks.example/secret?a=b";
    let answer = service.post_form("", &[("callback_url", url), ("image", "an image")]);
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(
        (&answer.json()["callback"]["state"], answer.text.contains("secret")),
        (&"waiting".into(), false)
    );
    assert!(answer.json()["parameters"].get("callback_url").is_none(), "no thumbnail follows from it");
    let id = JobId::parse(answer.json()["job_id"].as_str().unwrap()).unwrap();
    let callback = service.store.get(&id, Reach::All).unwrap().unwrap().callback.unwrap();
    assert_eq!(callback.url.as_str(), url);
    let by_query = service.post("?callback_url=https%3A%2F%2Fhooks.example", &[], b"an image");
    assert_eq!((by_query.status, &by_query.json()["callback"]["state"]), (202, &"waiting".into()));
}

#[test]
fn anybody_else_is_refused_before_anything_is_kept() {
    for (hosts, url) in [
        ("", "https://hooks.example/"),
        ("hooks.example", "https://other.example/"),
        ("hooks.example", "http://hooks.example/"),
        ("hooks.example", "https://hooks.example:8443/"),
        ("hooks.example", "https://user@hooks.example/"),
        ("hooks.example", "hooks.example"),
        ("hooks.example", ""),
    ] {
        let service = allowing(hosts);
        let answer = service.post_form("", &[("callback_url", url), ("image", "an image")]);
        assert_eq!((answer.status, &answer.json()["code"]), (400, &"invalid-option".into()), "{url}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("callback_url"), "{}", answer.text);
        service.assert_untouched();
    }
}

#[test]
fn a_value_may_be_as_long_as_the_longest_address_and_no_longer() {
    let service = allowing("a.example");
    let longest = format!("https://a.example/{:x<1$}", "", 1024 - 18);
    for (url, status) in [(longest.clone(), 202), (format!("{longest}x"), 400)] {
        assert_eq!(service.post_form("", &[("callback_url", &url), ("image", "an image")]).status, status);
    }
}

#[test]
fn a_setting_that_makes_no_sense_is_the_operators() {
    let service = allowing("*");
    assert_eq!(service.post("", &[], b"an image").status, 202, "nobody is to be told");
    let answer = service.post("?callback_url=https://a.example", &[], b"an image");
    assert_eq!((answer.status, &answer.json()["code"]), (500, &"misconfigured".into()));
}

#[test]
fn under_one_key_somebody_else_is_another_request() {
    let service = allowing("a.example b.example");
    let key = [("idempotency-key", "a-key")];
    let send = |query: &str| service.post(query, &key, b"an image").status;
    assert_eq!(send("?callback_url=https://a.example"), 202);
    assert_eq!(send("?callback_url=https://a.example"), 202);
    assert_eq!(send("?callback_url=https://b.example"), 422);
    assert_eq!(send(""), 422);
}

#[test]
fn of_a_job_that_is_done_at_once_somebody_is_told_at_once() {
    let service = allowing("a.example");
    service.post("", &[], b"an image");
    let (worker, now) = (WorkerId::new("of-the-test"), ManualClock::START);
    let Ok(Claim::Leased { job, .. }) = service.store.claim(&worker, &POLICY, now) else {
        panic!("it is due")
    };
    let limits = config::limits(&service.variables).unwrap().image;
    let recipe = Recipe::of(&job.source.sha256, &job.options, &limits).unwrap();
    let thumbnail = thumbnail_of(b"made");
    let key = thumbs_domain::object_key::ObjectKey::thumbnail(&job.id, &thumbnail.sha256);
    thumbs_guest::blobs::Blobs::put(&service.blobs, &key, "image/gif", b"made").unwrap();
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(service.store.succeed(lease, &thumbnail, &cost(), &recipe, now), Ok(true));

    assert_eq!(service.post("", &[], b"an image").json()["cached"], true);
    assert_eq!(service.callbacks.count(), 0, "nobody is to be told");
    let answer = service.post("?callback_url=https://a.example", &[], b"an image").json();
    assert_eq!((&answer["cached"], &answer["callback"]["state"]), (&true.into(), &"pending".into()));
    assert_eq!(service.callbacks.count(), 1);
    let id = JobId::parse(answer["job_id"].as_str().unwrap()).unwrap();
    let callback = service.store.get(&id, Reach::All).unwrap().unwrap().callback.unwrap();
    assert_eq!(callback.state, CallbackState::Pending);
}
