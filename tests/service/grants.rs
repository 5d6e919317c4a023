//! What spin.toml does not grant, a component does not get.

use reqwest::StatusCode;
use thumbs_tests::{
    images,
    service::{self, Service},
};

/// A service whose manifest is the shipped one with `edit` applied to its text.
async fn with_manifest(edit: impl Fn(&str) -> String) -> (tempfile::TempDir, Service) {
    let shipped = std::fs::read_to_string(service::manifest_path()).unwrap();
    let edited = edit(&shipped);
    assert_ne!(shipped, edited, "the edit changed nothing");
    let target = service::manifest_path().parent().unwrap().join("target");
    let edited = edited.replace("\"target/", &format!("\"{}/", target.display()));
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, edited).unwrap();
    let service = Service::start_with(service::empty_state_dir(), |builder| builder.manifest(path)).await;
    (folder, service)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_granted_is_refused() {
    let (_folder, service) =
        with_manifest(|manifest| manifest.replace("sqlite_databases = [\"default\"]\n", "")).await;
    let reply = service.client.upload(&images::png(20, 20), &[]).await;
    assert!(reply.status.is_server_error(), "{}", reply.status);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let text = String::from_utf8_lossy(&reply.body).to_lowercase();
    assert!(
        !text.contains("sqlite") && !text.contains("access-denied"),
        "a driver's text reached the client: {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_to_a_host_that_is_not_granted_is_refused_and_the_job_is_still_done() {
    let (_folder, service) = with_manifest(|manifest| {
        manifest.replace("\"{{ redis_outbound }}\"", "\"redis://elsewhere.example:6379\"")
    })
    .await;
    let id = service.client.submit(&images::png(20, 20), &[]).await;
    let job = service.client.finished(&id).await;
    assert_eq!(job["status"], "succeeded", "the tick finds it: {job}");
    assert_eq!(service.client.get(&format!("/thumbnails/{id}")).await.status, StatusCode::OK);
}
