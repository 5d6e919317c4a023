//! Who may ask, where the operator lists keys: every route with every wrong key, and two keys that come upon each other's jobs nowhere.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use thumbs::telemetry::{CaptureSink, Level};
use thumbs_access::{Entry, Key, KeyName, LinkSecrets, Scopes};
use thumbs_domain::route::{self, Needs};
use thumbs_tests::{
    client::{Client, Reply},
    home::Home,
    images,
    service::Service,
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NO_JOB: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";

fn key(seed: u8) -> String {
    Key::from_random([seed; 24]).expose().to_owned()
}

fn entry(seed: u8, name: &str, scopes: &str, last_day: Option<&str>) -> String {
    let key = Key::from_random([seed; 24]);
    let last_day = last_day.map(|day| day.parse().unwrap());
    Entry::new(&key, KeyName::parse(name).unwrap(), Scopes::parse(scopes).unwrap(), last_day).to_string()
}

/// A shop (1), another (2), one that may only read (3) or only write (4), who runs the service (5), who may do all (6), one that was
/// taken until 2025 (7).
fn keys() -> String {
    [
        entry(1, "shop", "read+write", None),
        entry(2, "web", "read+write", Some("2999-12-31")),
        entry(3, "reader", "read", None),
        entry(4, "writer", "write", None),
        entry(5, "numbers", "admin", None),
        entry(6, "all", "read+write+admin", None),
        entry(7, "shop", "read+write+admin", Some("2025-12-31")),
    ]
    .join("\n")
}

async fn start(home: &Home) -> Service {
    start_with_log(home, &CaptureSink::new()).await
}

async fn start_with_log(home: &Home, log: &CaptureSink) -> Service {
    let sink = Arc::new(log.clone());
    home.start_with(|builder| {
        builder.variable("api_keys", keys()).variable("link_secret", SECRET).log(sink, Level::Debug)
    })
    .await
}

async fn ask(client: &Client, method: &str, path: &str) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    client.send(client.request(method, path).header("x-request-id", "the-same")).await
}

fn code(reply: &Reply) -> (u16, String) {
    let code = if reply.status.is_success() { Value::Null } else { reply.json()["code"].clone() };
    (reply.status.as_u16(), code.as_str().unwrap_or_default().to_owned())
}

fn operations() -> impl Iterator<Item = (&'static str, &'static str, Needs)> {
    route::TABLE
        .iter()
        .flat_map(|row| row.methods.iter().map(|(method, needs, _)| (*method, row.path, *needs)))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_every_wrong_key() {
    let service = start(&Home::embedded()).await;
    let client = &service.client;
    for (method, pattern, needs) in operations() {
        let path = pattern
            .replace("{id}", NO_JOB)
            .replace("{code}", "not-found")
            .replace("{file}", "app.js")
            .replace("{name}", "card");
        let with = async |key: &str| code(&ask(&client.holding(key), method, &path).await);
        let scope = match needs {
            Needs::Nothing | Needs::Anything(_) => {
                let open = ask(client, method, &path).await;
                assert!(open.status.is_success(), "{method} {path}: {}", open.status);
                continue;
            }
            Needs::Key(scope) | Needs::KeyAlways(scope) | Needs::KeyOrLink(scope) => scope,
        };
        let needed = (401, "key-needed".to_owned());
        let none = ask(client, method, &path).await;
        assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"thumbs\""), "{method} {path}");
        assert_eq!(code(&none), needed, "{method} {path}");
        for wrong in ["hunter2", &key(9), &key(7), &key(1)[..45]] {
            assert_eq!(with(wrong).await, needed, "{method} {path}: {wrong}");
        }
        for (seed, scopes) in [(3, "read"), (4, "write"), (5, "admin")] {
            let told = with(&key(seed)).await;
            let refused = told == (403, "scope-missing".to_owned());
            assert_eq!(refused, scopes != scope.name(), "{method} {path} with {scopes}: {told:?}");
        }
        let told = with(&key(6)).await;
        assert!(told.0 != 401 && told.0 != 403 && told.0 < 500, "{method} {path}: {told:?}");
    }
}

/// Whatever the back ends.
async fn neither_comes_upon_the_others_jobs(home: &Home) {
    let service = start(home).await;
    let [shop, web, all] = [1, 2, 6].map(|seed| service.client.holding(&key(seed)));
    let (job, thumbnail) = shop.thumbnail(&images::png(30, 20), &[]).await;
    assert_eq!(thumbnail.header("cache-control"), Some("private, max-age=86400, immutable"));
    assert!(thumbnail.header("vary").unwrap().contains("Authorization"));
    let id = job["job_id"].as_str().unwrap();
    let batch = shop.batch(&[images::png(30, 20)]).await;
    let batch = batch.json()["batch_id"].as_str().unwrap().to_owned();
    assert_eq!(shop.get(&format!("/batches/{batch}")).await.status, StatusCode::OK);
    assert_eq!(all.get(&format!("/batches/{batch}")).await.status, StatusCode::OK);

    // By every route that names a job or a batch: byte for byte what is told of one that nobody has.
    for (method, pattern, _) in operations().filter(|(_, pattern, _)| pattern.contains("{id}")) {
        for query in ["", "?wait=20"] {
            let theirs = if pattern.starts_with("/batches") { batch.as_str() } else { id };
            let [theirs, none] = [theirs, NO_JOB].map(|id| pattern.replace("{id}", id) + query);
            let (theirs, none) = (ask(&web, method, &theirs).await, ask(&web, method, &none).await);
            assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{method} {pattern}{query}");
            assert_eq!(
                (theirs.body, theirs.headers.len()),
                (none.body, none.headers.len()),
                "{method} {pattern}"
            );
        }
    }
    shop.get(&format!("/batches/{batch}?wait=30")).await;
    let count = async |client: &Client, path| client.get(path).await.json()["jobs"].as_array().unwrap().len();
    for path in ["/jobs", "/jobs?status=succeeded"] {
        let seen = [count(&shop, path).await, count(&web, path).await, count(&all, path).await];
        assert_eq!(seen, [2, 0, 2], "{path}");
    }
    assert_eq!(all.get(&format!("/jobs/{id}")).await.json()["owner"], "shop");
    assert_eq!(shop.get(&format!("/jobs/{id}")).await.json().get("owner"), None);

    // One idempotency key of two owners is two, and the same of one owner one.
    let upload = async |client: &Client, side| {
        let request = client.request(Method::POST, "/jobs").header("idempotency-key", "avatar");
        client.send(request.body(images::png(side, side))).await
    };
    let (first, again) = (upload(&shop, 10).await, upload(&shop, 10).await);
    let (other, clash) = (upload(&web, 11).await, upload(&web, 10).await);
    assert_eq!(first.json()["job_id"], again.json()["job_id"]);
    assert_eq!(
        (again.header("idempotency-replayed"), other.header("idempotency-replayed")),
        (Some("true"), None)
    );
    assert_eq!((other.status, clash.status.as_u16()), (StatusCode::ACCEPTED, 422));
    assert_ne!(first.json()["job_id"], other.json()["job_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_of_two_keys_comes_upon_the_others_jobs() {
    neither_comes_upon_the_others_jobs(&Home::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_of_two_keys_comes_upon_the_others_jobs_on_servers() {
    if let Some(home) = Home::on_servers() {
        neither_comes_upon_the_others_jobs(&home).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_link_shows_one_thumbnail_to_who_has_no_key() {
    let service = start(&Home::embedded()).await;
    let shop = service.client.holding(&key(1));
    let (job, thumbnail) = shop.thumbnail(&images::png(30, 20), &[]).await;
    let id = job["job_id"].as_str().unwrap();
    let link = job["links"]["signed_thumbnail"].as_str().unwrap();
    assert!(job["links"]["signed_thumbnail_expires_at"].is_string());
    let shown = service.client.get(link).await;
    assert_eq!((shown.status, &shown.body), (StatusCode::OK, &thumbnail.body));
    let kept = shown.header("cache-control").unwrap();
    let secs: i64 =
        kept.strip_prefix("public, max-age=").unwrap().split(',').next().unwrap().parse().unwrap();
    assert!((70_000..=86_400).contains(&secs), "{kept}");
    let head = ask(&service.client, "HEAD", link).await;
    assert_eq!(head.header("content-length"), thumbnail.header("content-length"));

    let (path, query) = link.split_once('?').unwrap();
    let past = LinkSecrets::parse(SECRET).unwrap().sign(path, 1_700_000_000).unwrap();
    let refused = (403, "link-refused".to_owned());
    for (bad, expected) in [
        (format!("{path}{}", past.query()), refused.clone()),
        (format!("{link}x"), refused.clone()),
        (format!("/thumbnails/{NO_JOB}?{query}"), refused.clone()),
        (format!("/jobs/{id}?{query}"), (401, "key-needed".to_owned())),
    ] {
        assert_eq!(code(&service.client.get(&bad).await), expected, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_when_nobody_needed_a_key_are_an_admins() {
    let home = Home::embedded();
    let open = home.start().await;
    let (job, thumbnail) = open.client.thumbnail(&images::png(30, 20), &[]).await;
    assert_eq!(thumbnail.header("cache-control"), Some("public, max-age=86400, immutable"));
    assert_eq!(job["links"].as_object().unwrap().len(), 2);
    let path = format!("/jobs/{}", job["job_id"].as_str().unwrap());
    open.stop().await;
    let service = start(&home).await;
    assert_eq!(service.client.holding(&key(1)).get(&path).await.status, StatusCode::NOT_FOUND);
    let seen = service.client.holding(&key(6)).get(&path).await;
    assert_eq!((seen.status, seen.json().get("owner")), (StatusCode::OK, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn details_of_health_are_an_admins() {
    let service = start(&Home::embedded()).await;
    let members = async |client: &Client| {
        let reply = client.get("/healthz/detailed").await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.json().as_object().unwrap().len()
    };
    assert_eq!(members(&service.client).await, 1);
    assert_eq!(members(&service.client.holding(&key(1))).await, 1);
    assert_eq!(members(&service.client.holding(&key(5))).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_owners_full_queue_is_nobody_elses() {
    let home = Home::embedded();
    let service = home
        .start_with(|builder| {
            builder.variable("api_keys", keys()).variable("max_queued_jobs_per_owner", "1").workers(0)
        })
        .await;
    let [shop, web] = [1, 2].map(|seed| service.client.holding(&key(seed)));
    let image = images::png(10, 10);
    assert_eq!(shop.upload(&image, &[]).await.status, StatusCode::ACCEPTED);
    let full = shop.upload(&image, &[]).await;
    assert_eq!(code(&full), (429, "too-many-jobs".to_owned()));
    assert_eq!(full.header("retry-after"), Some("10"));
    assert_eq!(web.upload(&image, &[]).await.status, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fills_the_queue_leaves_each_other_key_its_part() {
    let home = Home::embedded();
    let service = home
        .start_with(|builder| {
            builder.variable("api_keys", keys()).variable("max_queued_jobs", "8").workers(0)
        })
        .await;
    let [shop, web] = [1, 2].map(|seed| service.client.holding(&key(seed)));
    let image = images::png(10, 10);
    for _ in 0..8 {
        assert_eq!(shop.upload(&image, &[]).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(code(&shop.upload(&image, &[]).await), (503, "queue-full".to_owned()));
    // Four names may write: shop, web, writer and all.
    for _ in 0..2 {
        assert_eq!(web.upload(&image, &[]).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(code(&web.upload(&image, &[]).await), (503, "queue-full".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_answer_or_line_of_the_log() {
    let log = CaptureSink::new();
    let service = start_with_log(&Home::embedded(), &log).await;
    let mut told = String::new();
    for shown in [key(1), key(3), key(7), key(9)] {
        let client = service.client.holding(&shown);
        for path in ["/jobs", "/metrics", "/healthz/detailed", &format!("/jobs/{NO_JOB}"), "/nothing"] {
            let reply = client.get(path).await;
            told += &format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body));
        }
        let reply = client.upload(b"no image", &[("width", "x")]).await;
        told += &String::from_utf8_lossy(&reply.body);
    }
    service.stop().await;
    let lines: String = log.lines().iter().map(|line| format!("{line:?}\n")).collect();
    assert!(lines.contains("caller-refused") && lines.contains("expired key"), "{lines}");
    let digest_of = |seed| entry(seed, "n", "read", None).rsplit(':').next().unwrap().to_owned();
    for secret in [key(1), key(3), key(7), key(9), SECRET.to_owned(), digest_of(1), digest_of(7)] {
        assert!(!told.contains(&secret), "an answer has it");
        assert!(!lines.contains(&secret), "the log has it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_log_names_whose_key_a_request_came_with_and_no_client_sees_it() {
    let log = CaptureSink::new();
    let service = start_with_log(&Home::embedded(), &log).await;
    // Each path is of another component, and none of them is there.
    let paths = [format!("/jobs/{NO_JOB}"), format!("/thumbnails/{NO_JOB}"), "/jobs?limit=x".to_owned()];
    for path in &paths {
        let request =
            service.client.holding(&key(1)).request(Method::GET, path).header("thumbs-caller", "forged");
        let reply = service.client.send(request).await;
        assert!(reply.status.is_client_error() && !reply.headers.contains_key("thumbs-caller"), "{reply:?}");
    }
    let nobody = service.client.request(Method::GET, "/healthz/x").header("thumbs-caller", "forged");
    service.client.send(nobody).await;
    service.stop().await;
    let answered: Vec<_> = log.lines().into_iter().filter(|line| line.event == "request-answered").collect();
    assert_eq!(answered.len(), paths.len() + 1, "{answered:#?}");
    for line in &answered {
        let expected = if line.fields["path"] == "/healthz/x" { None } else { Some("shop") };
        assert_eq!(line.fields.get("caller").and_then(|caller| caller.as_str()), expected, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_is_shown_the_log_of_the_process() {
    let service = start(&Home::embedded()).await;
    let refused = ask(&service.client.holding(&key(1)), "GET", "/debug/logs").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let logs = service.client.holding(&key(5)).get("/debug/logs").await.json();
    let lines = logs["lines"].as_array().unwrap();
    // That the one before was refused is there, and whose key it was.
    let found = lines.iter().any(|line| line["event"] == "caller-refused" && line["key"] == "shop");
    assert!(found, "{lines:?}");
}
