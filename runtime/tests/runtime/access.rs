//! The line in the log that a request leaves.

use std::sync::Arc;

use thumbs::{
    limits::Limits,
    telemetry::{CaptureSink, Level},
};

use crate::{
    app::App,
    client::{get, send},
    guests::request,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_its_line_and_of_the_rest_each_so_manieth() {
    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let service = App::new()
        .serving("ok", &request("", "(call $answer (local.get $out) (i32.const 200))"), "")
        .serving("no", &request("", "(call $answer (local.get $out) (i32.const 422))"), "")
        .start_with(|builder| {
            builder.limits(Limits { access_log_every: 2, ..Limits::default() }).log(sink, Level::Info)
        })
        .await;
    for _ in 0..6 {
        assert_eq!(get(service.address(), "/ok/1?secret=1").await.status, 200);
    }
    for (path, status, route) in [("/nowhere", 404, None), ("/no", 422, Some("/no/..."))] {
        send(service.address(), "GET", path, "x-request-id: find-me\r\n").await;
        let found = |line: &&thumbs::telemetry::LogLine| {
            line.correlation_id.as_deref() == Some("find-me") && line.fields["path"] == path
        };
        let lines = log.lines();
        let line = lines.iter().find(found).unwrap_or_else(|| panic!("{path}: {lines:#?}"));
        assert_eq!((line.event.as_str(), line.level), ("request-answered", Level::Info));
        assert_eq!((&line.fields["method"], &line.fields["status"]), (&"GET".into(), &status.into()));
        assert_eq!(line.fields.get("route").and_then(|route| route.as_str()), route);
    }
    let well = log.lines().into_iter().filter(|line| line.fields.get("status") == Some(&200.into()));
    let well: Vec<_> = well.collect();
    assert_eq!(well.len(), 3, "{well:#?}");
    assert_eq!((&well[0].fields["bytes"], &well[0].fields["path"]), (&0.into(), &"/ok/1".into()));
    assert!(!format!("{:?}", log.lines()).contains("secret"));
}
