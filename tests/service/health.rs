//! Whether the service is alive, ready and well, on each kind of back end.

use reqwest::StatusCode;
use thumbs_tests::home::Home;

thumbs_tests::in_every_home! {
    a_service_that_works_says_so,
}

async fn a_service_that_works_says_so(home: Home) {
    let service = home.start().await;
    for path in ["/healthz", "/readyz"] {
        let reply = service.client.get(path).await;
        assert_eq!(
            (reply.status, reply.json()),
            (StatusCode::OK, serde_json::json!({"status": "ok"})),
            "{path}"
        );
    }
    let report = service.client.get("/healthz/detailed").await.json();
    assert_eq!(report["status"], "ok", "{report}");
    for dependency in report["dependencies"].as_array().unwrap() {
        assert_eq!(dependency["state"], "up", "{report}");
        assert!(dependency["latency_ms"].as_f64().unwrap() > 0.0, "{report}");
    }
    let uploads = home.blobs().await;
    assert_eq!(uploads, Vec::<String>::new(), "asking leaves nothing behind");
}
