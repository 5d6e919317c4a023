//! How a job goes, as server-sent events.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use thumbs::limits::Limits;
use thumbs_tests::{
    client::{Client, Reply},
    home::Home,
    images, in_every_home,
    service::{Service, empty_state_dir},
};

in_every_home!(a_listener_hears_of_the_end_of_a_job);

/// The job of each event, and the id of the last.
fn events(reply: &Reply) -> (Vec<Value>, String) {
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, Some("text/event-stream")));
    let text = String::from_utf8(reply.body.clone()).unwrap();
    let lines = |prefix: &'static str| text.lines().filter_map(move |line| line.strip_prefix(prefix));
    let jobs = lines("data: ").map(|data| serde_json::from_str(data).unwrap()).collect();
    (jobs, lines("id: ").next_back().unwrap_or_default().to_owned())
}

async fn listen(client: &Client, id: &str, known: &str) -> Reply {
    let request = client.request(Method::GET, &format!("/jobs/{id}/events"));
    client.send(request.header("last-event-id", known)).await
}

async fn a_listener_hears_of_the_end_of_a_job(home: Home) {
    // Only a message ends a pause.
    let patient = Limits { min_parked_pause_ms: 600_000, ..Limits::default() };
    let service = home.start_with(|builder| builder.limits(patient)).await;
    let id = service.client.submit(&images::png(300, 200), &[]).await;
    let (jobs, last) = events(&listen(&service.client, &id, "").await);
    assert_eq!(jobs.last().unwrap()["status"], "succeeded", "{home}");
    assert_eq!(jobs.last().unwrap(), &service.client.get(&format!("/jobs/{id}")).await.json(), "{home}");
    assert_eq!(listen(&service.client, &id, &last).await.status, StatusCode::NO_CONTENT, "{home}");
    assert_eq!(events(&listen(&service.client, &id, "another").await).0.len(), 1, "{home}");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_listen_have_no_instance_and_are_let_go_in_the_end() {
    let limits = Limits {
        max_concurrent_requests: 1,
        max_waiting_requests: 0,
        request_queue_ms: 20_000,
        min_parked_pause_ms: 600_000,
        max_parked_answer_ms: 2_000,
        ..Limits::default()
    };
    let service = Service::start_with(empty_state_dir(), |builder| builder.limits(limits).workers(0)).await;
    let id = service.client.submit(&images::png(30, 20), &[]).await;
    for reply in join_all((0..40).map(|_| listen(&service.client, &id, ""))).await {
        let (jobs, _) = events(&reply);
        assert_eq!((jobs.len(), &jobs[0]["status"]), (1, &"processing".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_deleted_is_no_longer_listened_to() {
    let service = Service::start_with(empty_state_dir(), |builder| builder.workers(0)).await;
    let id = service.client.submit(&images::png(30, 20), &[]).await;
    let listening = tokio::spawn({
        let (client, id) = (service.client.clone(), id.clone());
        async move { listen(&client, &id, "").await }
    });
    let path = format!("/jobs/{id}");
    service.client.send(service.client.request(Method::DELETE, &path)).await;
    let reply = listening.await.unwrap();
    // Whoever was faster.
    assert!(reply.status == StatusCode::NOT_FOUND || events(&reply).0.len() == 1);
    assert_eq!(listen(&service.client, &id, "").await.status, StatusCode::NOT_FOUND);
}
