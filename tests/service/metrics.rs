//! `/metrics`: what happened shows there, from every replica, in a form that Prometheus takes.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use reqwest::{Method, StatusCode};
use thumbs::limits::Limits;
use thumbs_tests::{
    client::Client,
    home::Home,
    images,
    servers::{self, Missing},
    service::{Service, empty_state_dir},
};

thumbs_tests::in_every_home! {
    what_happened_to_jobs_is_told_by_every_replica,
}

async fn metrics(service: &Service) -> String {
    let reply = service.client.get("/metrics").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    String::from_utf8(reply.body).unwrap()
}

/// The value of this sample.
fn value(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{sample} is not in\n{metrics}")).parse().unwrap()
}

async fn what_happened_to_jobs_is_told_by_every_replica(home: Home) {
    let service = home.start().await;
    let image = images::png(40, 30);
    for _ in 0..2 {
        service.client.thumbnail(&image, &[]).await;
    }
    let broken = service.client.submit(&images::png_with_broken_pixels(30, 30), &[]).await;
    let code = service.client.finished(&broken).await["error"]["code"].as_str().unwrap().to_owned();
    service.stop().await;

    let waiting = home.start_with(|builder| builder.workers(0)).await;
    waiting.client.submit(&image, &[]).await;
    let other = home.start_with(|builder| builder.workers(0)).await;
    for replica in [&waiting, &other] {
        let metrics = metrics(replica).await;
        for (sample, expected) in [
            ("thumbs_jobs{status=\"succeeded\",code=\"\"}", 2.0),
            (&format!("thumbs_jobs{{status=\"failed\",code=\"{code}\"}}"), 1.0),
            ("thumbs_jobs{status=\"processing\",code=\"\"}", 1.0),
            ("thumbs_jobs_created_total", 4.0),
            (&format!("thumbs_jobs_finished_total{{status=\"failed\",code=\"{code}\"}}"), 1.0),
            ("thumbs_job_turnaround_seconds_count{status=\"succeeded\"}", 2.0),
            ("thumbs_job_work_seconds_bucket{le=\"+Inf\"}", 2.0),
            ("thumbs_queue_jobs{state=\"due\"}", 1.0),
        ] {
            assert_eq!(value(&metrics, sample), expected, "{sample}");
        }
        assert!(value(&metrics, "thumbs_uploaded_bytes_total") > 3.0 * image.len() as f64);
        assert!(value(&metrics, "thumbs_queue_oldest_due_seconds") > 0.0);
    }
}

/// Prometheus' own opinion of the text, names and units included.
#[tokio::test(flavor = "multi_thread")]
async fn prometheus_takes_the_metrics() {
    let Some(promtool) = servers::available(promtool()) else { return };
    let service = Service::start().await;
    service.client.thumbnail(&images::png(40, 30), &[]).await;
    prometheus_takes(promtool, &metrics(&service).await);
}

/// Likewise of what the process tells of itself.
#[tokio::test(flavor = "multi_thread")]
async fn prometheus_takes_the_numbers_of_the_process() {
    let Some(promtool) = servers::available(promtool()) else { return };
    let at_any_port = ([127, 0, 0, 1], 0).into();
    let service = Service::start_with(empty_state_dir(), |builder| builder.admin(at_any_port)).await;
    service.client.thumbnail(&images::png(40, 30), &[]).await;
    let admin = Client::new(format!("http://{}", service.admin_address().unwrap()));
    let numbers = String::from_utf8(admin.get("/metrics").await.body).unwrap();
    prometheus_takes(promtool, &numbers);
    for sample in [
        "thumbs_host_requests_total{route=\"/jobs\",status=\"202\"}",
        "thumbs_host_calls_total{component=\"resize\"}",
        "thumbs_host_guest_cpu_seconds_total{component=\"upload\"}",
        "thumbs_host_sql_connections{store=\"sqlite\",state=\"idle\"}",
        "thumbs_host_constant_blob_reads_total{from=\"memory\"}",
        "thumbs_host_constant_blobs_bytes",
    ] {
        assert!(value(&numbers, sample) > 0.0, "{sample}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumbnail_that_was_made_is_asked_of_no_disk_and_is_gone_with_its_job() {
    for (blob_cache_bytes, without_its_file) in [(1 << 20, StatusCode::OK), (0, StatusCode::GONE)] {
        let limits = Limits { blob_cache_bytes, ..Limits::default() };
        let service = Service::start_with(empty_state_dir(), |builder| builder.limits(limits)).await;
        let id = service.client.submit(&images::png(40, 30), &[]).await;
        service.client.finished(&id).await;
        let path = format!("/thumbnails/{id}");
        std::fs::remove_dir_all(service.state_dir().join("blobs/thumbnails")).unwrap();
        assert_eq!(service.client.get(&path).await.status, without_its_file, "{blob_cache_bytes}");
        let request = service.client.request(Method::DELETE, &format!("/jobs/{id}"));
        assert_eq!(service.client.send(request).await.status, StatusCode::NO_CONTENT);
        assert_eq!(service.client.get(&path).await.status, StatusCode::NOT_FOUND);
    }
}

fn prometheus_takes(promtool: &str, metrics: &str) {
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    let words = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && words.is_empty(), "{}\n{metrics}", String::from_utf8_lossy(&words));
}

fn promtool() -> Result<&'static str, Missing> {
    let found =
        Command::new("promtool").arg("--version").output().is_ok_and(|output| output.status.success());
    let missing = Missing { what: "promtool", how_to_install: "apt-get install prometheus" };
    if found { Ok("promtool") } else { Err(missing) }
}
