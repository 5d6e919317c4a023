//! The dashboard of the chart before a real Prometheus that reads a service under load: each of its panels has something to show.
//!
//! Panels of what a cluster measures (kube-state-metrics, the kubelet, KEDA) are left out here: k8s/tests holds their names against what there is. The
//! alerts are `promtool test rules` in `make check-deploy`.

use std::{
    io::Write as _,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use thumbs_tests::{
    client::Client,
    images, repository_root,
    servers::{self, Missing},
    service::{Service, empty_state_dir},
};

const PATIENCE: Duration = Duration::from_secs(60);
/// Rates need two readings within their range.
const SCRAPE_INTERVAL: &str = "1s";

/// A Prometheus of this test's own.
struct Prometheus {
    client: Client,
    process: Child,
    _folder: TempDir,
}

impl Prometheus {
    /// Reads what a service tells of its jobs and what its process tells of itself, with the labels that the chart's monitors give them.
    fn start(service: &Service) -> Self {
        let folder = TempDir::new().unwrap();
        let (service_at, admin_at) = (service.address(), service.admin_address().unwrap());
        let config = format!(
            "global: {{scrape_interval: {SCRAPE_INTERVAL}}}\n\
             scrape_configs:\n\
             - job_name: service\n\
             \x20 static_configs: [{{targets: ['{service_at}'], labels: {{namespace: images, service: thumbs, pod: thumbs-api-a}}}}]\n\
             - job_name: process\n\
             \x20 static_configs: [{{targets: ['{admin_at}'], labels: {{namespace: images, pod: thumbs-api-a}}}}]\n"
        );
        let path = folder.path().join("prometheus.yml");
        std::fs::File::create(&path).unwrap().write_all(config.as_bytes()).unwrap();
        // Nobody else is told of it; what takes it in between fails this test loudly.
        let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { client: Client::new(format!("http://{address}")), process, _folder: folder }
    }

    /// What it answers to a query; nothing while it is not there.
    async fn ask(&self, query: &str) -> Vec<Value> {
        let request = self.client.request(reqwest::Method::GET, "/api/v1/query").query(&[("query", query)]);
        let Ok(response) = request.send().await else { return Vec::new() };
        let answer: Value = response.json().await.unwrap_or_default();
        assert_ne!(answer["status"], "error", "{query}: {answer}");
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

/// The panels that ask for what the service or its process tells: title and expression.
fn panels() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository_root().join("k8s/chart/files/dashboard.json")).unwrap();
    let text = text.replace("RELEASE", "thumbs").replace("NAMESPACE", "images");
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().unwrap().iter();
        targets.map(|target| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&panel["title"]), text(&target["expr"]))
        })
    });
    panels.filter(|(_, expression)| expression.contains("thumbs_")).collect()
}

fn has_data(result: &[Value]) -> bool {
    let number = |series: &Value| series["value"][1].as_str().and_then(|value| value.parse::<f64>().ok());
    result.iter().filter_map(number).any(f64::is_finite)
}

fn prometheus() -> Result<(), Missing> {
    let found =
        Command::new("prometheus").arg("--version").output().is_ok_and(|output| output.status.success());
    let missing = Missing { what: "prometheus", how_to_install: "apt-get install prometheus" };
    if found { Ok(()) } else { Err(missing) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_of_the_dashboard_shows_something() {
    if servers::available(prometheus()).is_none() {
        return;
    }
    let at_any_port = ([127, 0, 0, 1], 0).into();
    let service = Service::start_with(empty_state_dir(), |builder| builder.admin(at_any_port)).await;
    let prometheus = Prometheus::start(&service);
    let mut dark = panels();
    assert!(dark.len() >= 14, "{dark:?}");
    let begun = Instant::now();
    // Load for as long as anything is dark: of what never happened there is no rate.
    while !dark.is_empty() {
        service.client.thumbnail(&images::png(40, 30), &[]).await;
        let broken = service.client.submit(&images::png_with_broken_pixels(30, 30), &[]).await;
        service.client.finished(&broken).await;
        let mut still = Vec::new();
        for (title, expression) in dark {
            if !has_data(&prometheus.ask(&expression).await) {
                still.push((title, expression));
            }
        }
        dark = still;
        assert!(begun.elapsed() < PATIENCE, "nothing to show: {dark:#?}");
    }
}
