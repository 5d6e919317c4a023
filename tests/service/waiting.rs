//! Waiting for a job: `GET /jobs/{id}?wait=SECONDS`.

use futures::future::join_all;
use thumbs::limits::Limits;
use thumbs_tests::{
    home::Home,
    images, in_every_home,
    service::{Service, empty_state_dir},
};

/// Only a message ends a wait, or its time.
fn patient() -> Limits {
    Limits { min_parked_pause_ms: 600_000, ..Limits::default() }
}

in_every_home!(who_waits_is_told_when_the_job_ends);

async fn who_waits_is_told_when_the_job_ends(home: Home) {
    let service = home.start_with(|builder| builder.limits(patient())).await;
    let id = service.client.submit(&images::png(300, 200), &[]).await;
    let reply = service.client.get(&format!("/jobs/{id}?wait=30")).await;
    assert_eq!(reply.json()["status"], "succeeded");
    assert_eq!(reply.header("thumbs-park"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_another_process_tells_too() {
    let Some(home) = Home::on_servers() else { return };
    let asked = home.start_with(|builder| builder.limits(patient()).workers(0)).await;
    let id = asked.client.submit(&images::png(300, 200), &[]).await;
    let waiting = tokio::spawn({
        let client = asked.client.clone();
        async move { client.get(&format!("/jobs/{id}?wait=30")).await }
    });
    let _working = home.start().await;
    assert_eq!(waiting.await.unwrap().json()["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_have_no_instance() {
    let limits =
        Limits { max_concurrent_requests: 1, max_waiting_requests: 0, request_queue_ms: 20_000, ..patient() };
    let service = Service::start_with(empty_state_dir(), |builder| builder.limits(limits).workers(0)).await;
    let id = service.client.submit(&images::png(30, 20), &[]).await;
    let path = format!("/jobs/{id}?wait=2");
    for reply in join_all((0..40).map(|_| service.client.get(&path))).await {
        assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (200, &"processing".into()));
    }
}
