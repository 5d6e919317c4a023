//! Traces: an upload and what became of it are one, in every home; and whatever becomes of the collector, nobody waits for it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reqwest::{Method, StatusCode};
use thumbs::{
    RuntimeBuilder,
    limits::Limits,
    telemetry::{CaptureSink, Level},
    traces::{Sampler, Settings},
};
use thumbs_access::{Entry, Key, KeyName, Scopes};
use thumbs_tests::{
    client::Client,
    collector::{Collector, Manner, Span},
    home::Home,
    images,
    service::Service,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

thumbs_tests::in_every_home! {
    an_upload_and_its_resize_are_one_trace,
}

fn traced(collector: &Collector) -> Settings {
    Settings::to(&collector.endpoint()).unwrap()
}

/// Uploads with this `traceparent`, and waits until the job is done; gives its id.
async fn upload(client: &Client, traceparent: &str) -> String {
    let request = client.request(Method::POST, "/jobs").body(images::png(40, 30));
    let request = request.header("content-type", "image/png").header("x-request-id", "the-upload");
    let reply = client.send(request.header("traceparent", traceparent).header("tracestate", "a=1")).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&reply.body));
    let id = reply.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(client.finished(&id).await["status"], "succeeded");
    id
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0]
}

async fn an_upload_and_its_resize_are_one_trace(home: Home) {
    let collector = Collector::start(Manner::Takes).await;
    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let service = home.start_with(|builder| builder.traces(traced(&collector)).log(sink, Level::Info)).await;
    let id = upload(&service.client, &format!("00-{TRACE}-{CALLER}-01")).await;
    let of_trace = |spans: &[Span]| -> Vec<Span> {
        spans.iter().filter(|span| span.trace_id == TRACE).cloned().collect()
    };
    let spans =
        collector.until(|spans| of_trace(spans).iter().any(|span| span.name == "resize message")).await;
    service.stop().await;

    let spans = of_trace(&spans);
    let (request, upload, resize) =
        (named(&spans, "POST /jobs"), named(&spans, "upload"), named(&spans, "resize message"));
    assert_eq!((request.parent_id.as_deref(), request.kind), (Some(CALLER), 2));
    assert_eq!(request.state, "a=1");
    assert_eq!(upload.parent_id.as_ref(), Some(&request.span_id));
    assert_eq!((resize.parent_id.as_ref(), resize.kind), (Some(&upload.span_id), 5));
    assert_eq!(request.attributes["http.response.status_code"], 202);
    for (span, name) in
        [(request, "http.route"), (request, "http.request.method"), (upload, "thumbs.cpu_seconds")]
    {
        assert!(span.attributes.contains_key(name), "{name}: {span:?}");
    }
    assert_eq!(request.attributes["thumbs.correlation_id"], "the-upload");
    assert_eq!(resize.attributes["thumbs.correlation_id"], "the-upload");
    assert_eq!(request.resource["service.name"], "thumbs");

    // What both ask of the host is within them, and nothing is of nobody.
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    assert_eq!(by_id.len(), spans.len(), "each span has a name of its own");
    for span in &spans {
        assert!(span.begin_ns <= span.end_ns && !span.is_error, "{span:?}");
        let parent = span.parent_id.as_deref().unwrap();
        assert!(parent == CALLER || by_id.contains_key(parent), "{span:?}");
    }
    for call in [upload, resize] {
        let asked: Vec<_> =
            spans.iter().filter(|span| span.parent_id.as_ref() == Some(&call.span_id)).collect();
        let has = |begin: &str| asked.iter().any(|span| span.name.starts_with(begin));
        assert!(has("instantiate"), "{asked:#?}");
        assert!(
            has("sqlite INSERT")
                || has("postgresql INSERT")
                || has("sqlite UPDATE")
                || has("postgresql UPDATE")
                || has("postgresql WITH"),
            "{asked:#?}"
        );
        assert!(has("blob-store ") || has("key-value "), "{asked:#?}");
    }
    // Where the time of a resize goes is the guest's to say.
    let (_, done) = resize.events.iter().find(|(name, _)| name == "job-succeeded").unwrap();
    assert_eq!(done["job_id"], id.as_str());
    for time in ["decode_ms", "finish_ms", "encode_ms"] {
        assert!(done[time].is_number(), "{done:?}");
    }

    // Lines of the log name trace and span.
    let lines = log.lines();
    for (event, span) in [("job-created", upload), ("job-claimed", resize), ("job-succeeded", resize)] {
        let line = lines.iter().find(|line| line.event == event).unwrap();
        assert_eq!(
            (&line.fields["trace_id"], &line.fields["span_id"]),
            (&TRACE.into(), &span.span_id.clone().into())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sampler_does_not_take_is_not_sent() {
    let collector = Collector::start(Manner::Takes).await;
    let sampler = Sampler::parse("parentbased_always_off", None).unwrap();
    let settings = traced(&collector).sampled_by(sampler);
    let service = Home::embedded().start_with(|builder| builder.traces(settings)).await;
    service.client.thumbnail(&images::png(40, 30), &[]).await;
    upload(&service.client, &format!("00-{TRACE}-{CALLER}-00")).await;
    service.stop().await;
    assert_eq!(collector.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_traceparent_is_none() {
    let collector = Collector::start(Manner::Takes).await;
    let service = Home::embedded().start_with(|builder| builder.traces(traced(&collector))).await;
    for junk in [
        "junk",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        upload(&service.client, junk).await;
    }
    for probe in ["/.well-known/spin/health", "/.well-known/thumbs/ready"] {
        assert_eq!(service.client.get(probe).await.status, StatusCode::OK);
    }
    service.stop().await;
    let spans = collector.spans();
    assert!(!spans.iter().any(|span| span.name == "GET"), "nobody wants to see a probe");
    let requests: Vec<_> = spans.iter().filter(|span| span.name == "POST /jobs").collect();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert!(
            request.parent_id.is_none() && request.trace_id != TRACE && request.state.is_empty(),
            "{request:?}"
        );
        let same = spans.iter().filter(|span| span.trace_id == request.trace_id);
        assert_eq!(same.filter(|span| span.name == "resize message").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_is_one_span_with_a_call_for_each_instance() {
    let collector = Collector::start(Manner::Takes).await;
    let service = Home::embedded().start_with(|builder| builder.traces(traced(&collector)).workers(0)).await;
    let id = service.client.submit(&images::png(40, 30), &[]).await;
    let waiting = service.client.request(Method::GET, &format!("/jobs/{id}?wait=1"));
    let waiting = waiting.header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    assert_eq!(service.client.send(waiting).await.json()["status"], "processing");
    service.stop().await;
    let spans: Vec<_> = collector.spans().into_iter().filter(|span| span.trace_id == TRACE).collect();
    let request = named(&spans, "GET /jobs/:id");
    let calls: Vec<_> = spans.iter().filter(|span| span.name == "status").collect();
    assert!(calls.len() >= 2, "one before it waits and one after: {spans:#?}");
    for call in calls {
        assert_eq!(call.parent_id.as_ref(), Some(&request.span_id));
        assert!(!call.is_error && call.begin_ns >= request.begin_ns, "{call:?}");
    }
    assert!(request.end_ns - request.begin_ns >= 1_000_000_000, "all of its waiting is in it");
}

fn bounded(builder: RuntimeBuilder, settings: Settings, log: &CaptureSink) -> RuntimeBuilder {
    let limits = Limits { max_queued_spans: 30, span_flush_ms: 200, ..Limits::default() };
    let at_any_port = ([127, 0, 0, 1], 0).into();
    builder.limits(limits).traces(settings).admin(at_any_port).log(Arc::new(log.clone()), Level::Info)
}

async fn spans_told(service: &Service, fate: &str) -> f64 {
    let admin = Client::new(format!("http://{}", service.admin_address().unwrap()));
    let numbers = String::from_utf8(admin.get("/metrics").await.body).unwrap();
    let sample = format!("thumbs_host_spans_total{{fate=\"{fate}\"}} ");
    numbers.lines().find_map(|line| line.strip_prefix(&sample)).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_stops_nothing() {
    let collector = Collector::start(Manner::Hangs).await;
    let log = CaptureSink::new();
    let service = Home::embedded().start_with(|builder| bounded(builder, traced(&collector), &log)).await;
    for _ in 0..5 {
        service.client.thumbnail(&images::png(40, 30), &[]).await;
    }
    assert!(spans_told(&service, "dropped").await > 0.0, "the queue is full, and nobody waited");
    assert_eq!(spans_told(&service, "sent").await, 0.0);
    // Were it waited for, it would be for the ten seconds of an exchange.
    tokio::time::timeout(Duration::from_secs(8), service.stop()).await.unwrap();
    assert!(log.lines().iter().any(|line| line.event == "stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_comes_back_gets_what_waited_and_both_are_said_once() {
    let collector = Collector::start(Manner::Refuses(StatusCode::SERVICE_UNAVAILABLE)).await;
    let log = CaptureSink::new();
    let service = Home::embedded().start_with(|builder| bounded(builder, traced(&collector), &log)).await;
    upload(&service.client, &format!("00-{TRACE}-{CALLER}-01")).await;
    while collector.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    collector.set_manner(Manner::Takes);
    collector.until(|spans| spans.iter().any(|span| span.trace_id == TRACE)).await;
    service.stop().await;
    let said = |event: &str| log.lines().iter().filter(|line| line.event == event).count();
    assert_eq!((said("spans-unsent"), said("spans-sent")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_request_can_be_looked_up_by_its_example() {
    let collector = Collector::start(Manner::Takes).await;
    let service = Home::embedded()
        .start_with(|builder| bounded(builder, traced(&collector), &CaptureSink::new()))
        .await;
    upload(&service.client, &format!("00-{TRACE}-{CALLER}-01")).await;
    let admin = Client::new(format!("http://{}", service.admin_address().unwrap()));
    let request = admin
        .request(Method::GET, "/metrics")
        .header("accept", "application/openmetrics-text; version=1.0.0");
    let reply = admin.send(request).await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let numbers = String::from_utf8(reply.body).unwrap();
    let bucket = numbers.lines().find(|line| line.contains(TRACE)).unwrap_or_else(|| panic!("{numbers}"));
    assert!(bucket.starts_with("thumbs_host_request_seconds_bucket{route=\"/jobs\",le="), "{bucket}");
    assert!(bucket.contains(&format!(" # {{trace_id=\"{TRACE}\"}} 0.")), "{bucket}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_span() {
    const SECRET: &str = "hunter2hunter2hunter2hunter2hunter2";
    let collector = Collector::start(Manner::Takes).await;
    let settings = Settings::read(
        None,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), collector.endpoint()),
            ("OTEL_EXPORTER_OTLP_HEADERS".to_owned(), "x-collector-key=letmein".to_owned()),
        ],
    );
    let key = Key::from_random([7; 24]);
    let entry = Entry::new(&key, KeyName::parse("shop").unwrap(), Scopes::parse("read+write").unwrap(), None);
    let settings = settings.unwrap().unwrap();
    let service = Home::embedded()
        .start_with(|builder| {
            builder.traces(settings).variable("api_keys", entry.to_string()).variable("link_secret", SECRET)
        })
        .await;
    let client = service.client.holding(key.expose());
    let id = upload(&client, &format!("00-{TRACE}-{CALLER}-01")).await;
    for path in [
        format!("/thumbnails/{id}?expires=1&signature=sesame"),
        format!("/jobs/{id}?key=sesame"),
        "/nowhere/sesame".to_owned(),
    ] {
        client.get(&path).await;
        service.client.get(&path).await;
    }
    service.stop().await;
    let requests = collector.requests();
    assert!(requests.iter().all(|(headers, _)| headers["x-collector-key"] == "letmein"));
    let sent: Vec<u8> = requests.into_iter().flat_map(|(_, body)| body).collect();
    let sent = String::from_utf8_lossy(&sent);
    assert!(sent.contains("GET /thumbnails/:id"), "it tells something");
    for secret in [SECRET, key.expose(), &entry.to_string(), "sesame", "letmein"] {
        assert!(!sent.contains(secret), "{secret}");
    }
}
