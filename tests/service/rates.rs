//! How often one client may ask, through a real host: who it is by the host's word, and what it is told.

use std::sync::Arc;

use reqwest::Method;
use thumbs::telemetry::{CaptureSink, Level};
use thumbs_tests::{
    client::{Client, Reply},
    home::Home,
    images, in_every_home,
    service::Service,
};

async fn start(home: &Home, bounds: &[(&str, &str)], log: &CaptureSink) -> Service {
    let sink = Arc::new(log.clone());
    home.start_with(|builder| {
        let builder = builder.log(sink, Level::Debug).workers(0);
        bounds.iter().fold(builder, |builder, (name, value)| builder.variable(*name, *value))
    })
    .await
}

async fn list(client: &Client, headers: &[(&str, &str)]) -> Reply {
    let request = client.request(Method::GET, "/jobs");
    client.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

in_every_home!(who_asks_too_often_is_told_when_to_come_again);

async fn who_asks_too_often_is_told_when_to_come_again(home: Home) {
    let log = CaptureSink::new();
    let service = start(&home, &[("reads_per_minute", "1"), ("reads_burst", "2")], &log).await;
    for left in [1, 0] {
        let reply = list(&service.client, &[]).await;
        let told = reply.header("ratelimit").unwrap();
        assert!(reply.status.is_success() && told.starts_with(&format!("\"reads\";r={left};t=")), "{told}");
        assert_eq!(reply.header("ratelimit-policy"), Some("\"reads\";q=2;w=120"));
    }
    // What a client says of its address changes nothing.
    for claimed in [None, Some("spin-client-addr"), Some("x-forwarded-for")] {
        let headers: Vec<_> = claimed.map(|name| (name, "198.51.100.1:4711")).into_iter().collect();
        let reply = list(&service.client, &headers).await;
        assert_eq!((reply.status.as_u16(), reply.json()["code"].as_str()), (429, Some("too-many-requests")));
        assert_eq!(reply.header("retry-after"), Some("60"));
        assert_eq!(reply.header("ratelimit"), Some("\"reads\";r=0;t=120"));
    }
    assert_eq!(service.client.upload(&images::png(10, 10), &[]).await.status.as_u16(), 202);
    assert_eq!(service.client.get("/healthz").await.status.as_u16(), 200);
    service.stop().await;
    let refusals = log.lines().iter().filter(|line| format!("{line:?}").contains("rate-exceeded")).count();
    assert_eq!(refusals, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_of_its_clients_is_one() {
    let bounds = [("reads_per_minute", "1"), ("reads_burst", "1"), ("trusted_proxies", "127.0.0.0/8, ::1")];
    let service = start(&Home::embedded(), &bounds, &CaptureSink::new()).await;
    for (name, value, status) in [
        ("x-forwarded-for", "198.51.100.1", 200),
        ("x-forwarded-for", "198.51.100.2", 200),
        ("x-forwarded-for", "198.51.100.3, 198.51.100.1", 429),
        ("forwarded", "for=198.51.100.2;proto=https", 429),
        ("forwarded", "for=\"[2001:db8::1]:4711\"", 200),
        ("forwarded", "for=\"[2001:db8::2]\"", 429),
    ] {
        assert_eq!(list(&service.client, &[(name, value)]).await.status.as_u16(), status, "{name}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_host_keeps_counts_once() {
    let bounds = [("reads_per_minute", "1"), ("reads_burst", "1")];
    let service = start(&Home::embedded(), &bounds, &CaptureSink::new()).await;
    let id = service.client.submit(&images::png(30, 20), &[]).await;
    let path = format!("/jobs/{id}?wait=1");
    assert_eq!(service.client.get(&path).await.status.as_u16(), 200);
    assert_eq!(service.client.get(&path).await.status.as_u16(), 429);
}
