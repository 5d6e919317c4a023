//! Receivers that are told that a job ended (docs/WEBHOOKS.md): once they listen, by messages that they can check, and nobody else.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Method, StatusCode, multipart};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use thumbs::RuntimeBuilder;
use thumbs_access::{Entry, Key, KeyName, Scopes};
use thumbs_tests::{
    client::Client,
    home::Home,
    images,
    receiver::{Received, Receiver},
    service::Service,
};
use tokio::net::TcpListener;

use crate::backends::blob_tls::{TRUSTED, fixture, tls_before};

thumbs_tests::in_every_home! {
    a_receiver_is_told_that_a_job_succeeded,
    a_receiver_that_fails_is_told_again,
    a_receiver_that_never_answers_holds_up_no_other,
    a_message_outlives_the_process,
}

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const OLD_SECRET: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
const LINK_SECRET: &str = "0123456789abcdef0123456789abcdef";
const OK: &[&str] = &["204 No Content\r\n"];
const PATIENCE: Duration = Duration::from_secs(60);

/// Receivers of tests are on this machine, without TLS.
fn to(receiver: &Receiver) -> impl FnOnce(RuntimeBuilder) -> RuntimeBuilder + use<> {
    let hosts = format!("http://{}", receiver.address());
    move |builder| {
        builder
            .variable("callback_hosts", hosts)
            .variable("callback_secret", format!("{SECRET} {OLD_SECRET}"))
            .variable("callback_private", "true")
            .variable("callback_backoff_ms", "1")
    }
}

/// HMAC (RFC 2104) by hand, so that it is not the code under test that agrees with itself.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

fn assert_signed(message: &Received) {
    let content = [
        message.header("webhook-id").as_bytes(),
        b".",
        message.header("webhook-timestamp").as_bytes(),
        b".",
        &message.body,
    ]
    .concat();
    let signature = |secret: &str| {
        let key = BASE64_STANDARD.decode(&secret["whsec_".len()..]).unwrap();
        format!("v1,{}", BASE64_STANDARD.encode(hmac_sha256(&key, &content)))
    };
    let expected = [signature(SECRET), signature(OLD_SECRET)].join(" ");
    assert_eq!(message.header("webhook-signature"), expected);
    assert_eq!(message.header("content-type"), "application/json");
}

/// A service that may tell this receiver by TLS, and where that is.
async fn telling_by_tls(receiver: &Receiver) -> (Service, String) {
    let port = tls_before(receiver.address()).await;
    let service = Home::embedded()
        .start_with(|builder| to(receiver)(builder).variable("callback_hosts", format!("localhost:{port}")))
        .await;
    (service, format!("https://localhost:{port}/"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_receiver_whose_certificate_the_system_does_not_trust() {
    let receiver = Receiver::start(OK).await;
    let (service, url) = telling_by_tls(&receiver).await;
    let id = service.client.submit(&images::png(30, 20), &[("callback_url", &url)]).await;
    settled(&service.client, &id, |callback| callback["last_error"] == "tls-failed").await;
    assert_eq!(receiver.received().len(), 0);
}

/// Runs itself again in a process of its own, because what is trusted stands in the environment.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_told_by_tls() {
    const NAME: &str = "service::callbacks::a_receiver_is_told_by_tls";
    let certificate = fixture("localhost.crt");
    if std::env::var_os(TRUSTED).is_none_or(|trusted| trusted != certificate) {
        let mut again = Command::new(std::env::current_exe().unwrap());
        let ended = again.args(["--exact", NAME]).env(TRUSTED, certificate).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        return assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    }
    let receiver = Receiver::start(OK).await;
    let (service, url) = telling_by_tls(&receiver).await;
    let id = service.client.submit(&images::png(30, 20), &[("callback_url", &url)]).await;
    let message = receiver.wait_for(1).await.remove(0);
    assert_signed(&message);
    assert_eq!(format!("https://{}/", message.header("host")), url);
    delivered(&service, &id).await;
}

async fn job(client: &Client, id: &str) -> Value {
    client.get(&format!("/jobs/{id}")).await.json()
}

/// The job once its callback stands so.
async fn settled(client: &Client, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let job = job(client, id).await;
        if is_so(&job["callback"]) {
            return job;
        }
        assert!(begin.elapsed() < PATIENCE, "{job}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn delivered(service: &Service, id: &str) -> Value {
    settled(&service.client, id, |callback| callback["state"] == "delivered").await
}

/// What the message says of the job, but for what was written down after it.
fn without_callback(mut job: Value) -> Value {
    job.as_object_mut().unwrap().remove("callback");
    job
}

async fn a_receiver_is_told_that_a_job_succeeded(home: Home) {
    let receiver = Receiver::start(OK).await;
    let service = home.start_with(to(&receiver)).await;
    let id =
        service.client.submit(&images::png(30, 20), &[("callback_url", &receiver.url("/told?by=me"))]).await;
    let [message] = &receiver.wait_for(1).await[..] else { panic!("one message") };
    assert_signed(message);
    assert_eq!(message.path, "/told?by=me");
    let job = delivered(&service, &id).await;
    let body = message.json();
    assert_eq!(body["type"], "job.succeeded");
    assert_eq!(body["timestamp"], job["updated_at"]);
    assert_eq!(without_callback(body["data"].clone()), without_callback(job.clone()));
    assert_eq!(job["callback"]["attempts"], 1);
    assert_eq!(
        (&job["callback"]["last_status"], &job["callback"]["last_error"]),
        (&json!(204), &Value::Null)
    );
    assert!(job["callback"]["delivered_at"].is_string() && job["callback"]["next_attempt_at"].is_null());
    assert_eq!(receiver.received().len(), 1);
}

async fn a_receiver_that_fails_is_told_again(home: Home) {
    let receiver = Receiver::start(&[
        "500 Internal Server Error\r\n",
        "302 Found\r\nlocation: /elsewhere\r\n",
        "200 OK\r\n",
    ])
    .await;
    let service = home.start_with(to(&receiver)).await;
    let id = service.client.submit(&images::png(30, 20), &[("callback_url", &receiver.url("/told"))]).await;
    let messages = receiver.wait_for(3).await;
    let job = delivered(&service, &id).await;
    assert_eq!(job["callback"]["attempts"], 3);
    assert_eq!(receiver.received().len(), 3, "no redirect is followed");
    for message in &messages {
        assert_signed(message);
        assert_eq!(message.path, "/told");
        assert_eq!(message.header("webhook-id"), messages[0].header("webhook-id"), "it is the same message");
    }
}

async fn a_receiver_that_never_answers_holds_up_no_other(home: Home) {
    // The system takes the connections, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let receiver = Receiver::start(OK).await;
    let hosts = format!("http://{silent} http://{}", receiver.address());
    let service = home.start_with(|builder| to(&receiver)(builder).variable("callback_hosts", hosts)).await;
    let mut to_silent = Vec::new();
    for number in 0..30 {
        let told = ("callback_url", format!("http://{silent}/{number}"));
        to_silent.push(service.client.submit(&images::png(30, 20), &[(told.0, &told.1)]).await);
    }
    // Each has ended, and as many attempts are under way as there may be.
    for id in &to_silent {
        service.client.finished(id).await;
    }
    let callbacks = async || {
        let mut callbacks = Vec::new();
        for id in &to_silent {
            callbacks.push(job(&service.client, id).await["callback"].clone());
        }
        callbacks
    };
    let begin = Instant::now();
    while callbacks().await.iter().filter(|callback| callback["attempts"] == 1).count() < 8 {
        assert!(begin.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let id = service.client.submit(&images::png(31, 20), &[("callback_url", &receiver.url("/"))]).await;
    receiver.wait_for(1).await;
    for callback in callbacks().await {
        assert_eq!(callback["last_error"], Value::Null, "the silent one was not waited for: {callback}");
    }
    assert_eq!(delivered(&service, &id).await["callback"]["attempts"], 1);
}

async fn a_message_outlives_the_process(home: Home) {
    // Its port stays this test's, for nobody is given one again so soon.
    let receiver = Receiver::start(OK).await;
    let (configure, address, url) = (to(&receiver), receiver.address(), receiver.url("/told"));
    drop(receiver);
    let first = home.start_with(configure).await;
    let id = first.client.submit(&images::png(30, 20), &[("callback_url", &url)]).await;
    let job = settled(&first.client, &id, |callback| callback["last_error"] == "unreachable").await;
    assert_eq!((&job["status"], &job["callback"]["state"]), (&json!("succeeded"), &json!("pending")));
    first.stop().await;

    let receiver = Receiver::start_at(address, OK).await;
    let second = home.start_with(to(&receiver)).await;
    let [message] = &receiver.wait_for(1).await[..] else { panic!("one message") };
    assert_eq!(message.json()["data"]["job_id"], id.as_str());
    delivered(&second, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_told_why_a_job_failed_and_of_a_job_that_was_done_at_once() {
    let receiver = Receiver::start(OK).await;
    let told = ("callback_url", receiver.url("/"));
    let told = (told.0, told.1.as_str());
    let service =
        Home::embedded().start_with(|builder| to(&receiver)(builder).variable("result_cache", "true")).await;
    let client = &service.client;
    let image = images::png(30, 20);
    let id = client.submit(&images::png_with_broken_pixels(30, 20), &[told]).await;
    let [failed] = &receiver.wait_for(1).await[..] else { panic!("one message") };
    assert_eq!(failed.json()["type"], "job.failed");
    assert_eq!(failed.json()["data"]["error"], job(client, &id).await["error"]);

    client.finished(&client.submit(&image, &[]).await).await;
    let id = client.submit(&image, &[told]).await;
    let messages = receiver.wait_for(2).await;
    assert_eq!(messages[1].json()["data"]["job_id"], id.as_str());
    assert_eq!(messages[1].json()["data"]["cached"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_image_of_a_batch_may_have_its_receiver() {
    let receiver = Receiver::start(OK).await;
    let service = Home::embedded().start_with(to(&receiver)).await;
    let form = multipart::Form::new()
        .text("callback_url", receiver.url("/one"))
        .part("image", multipart::Part::bytes(images::png(30, 20)))
        .text("callback_url", receiver.url("/two"))
        .part("image", multipart::Part::bytes(images::png(31, 20)))
        .text("callback_url", "")
        .part("image", multipart::Part::bytes(images::png(32, 20)));
    let request = service.client.request(Method::POST, "/batches").multipart(form);
    let batch = service.client.send(request).await.json();
    assert_eq!(batch["parts"][2]["job"]["callback"], Value::Null, "{batch}");
    let mut paths: Vec<_> = receiver.wait_for(2).await.into_iter().map(|message| message.path).collect();
    paths.sort();
    assert_eq!(paths, ["/one", "/two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_public_is_never_connected_to() {
    let receiver = Receiver::start(OK).await;
    let service = Home::embedded()
        .start_with(|builder| to(&receiver)(builder).variable("callback_private", "false"))
        .await;
    let id = service.client.submit(&images::png(30, 20), &[("callback_url", &receiver.url("/"))]).await;
    settled(&service.client, &id, |callback| callback["last_error"] == "address-refused").await;
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_hosts_of_the_operator_may_be_named() {
    let image = images::png(30, 20);
    let nobody = Service::start().await;
    let refused = nobody.client.upload(&image, &[("callback_url", "https://hooks.example/")]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["code"], "invalid-option");
    assert!(refused.json()["detail"].as_str().unwrap().contains("callback_hosts"), "{refused:?}");

    let receiver = Receiver::start(OK).await;
    let service = Home::embedded().start_with(to(&receiver)).await;
    let long = receiver.url(&format!("/{}", "x".repeat(1024)));
    for url in [
        "https://hooks.example/",
        "http://127.0.0.1:1/",
        "http://user@127.0.0.1/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1/#fragment",
        "",
        &long,
    ] {
        let refused = service.client.upload(&image, &[("callback_url", url)]).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid-option")),
            "{url}"
        );
    }
    assert_eq!(service.client.get("/jobs").await.json()["jobs"], json!([]), "nothing was made");
    let by_query = format!("/jobs?callback_url={}", receiver.url("/query"));
    let request = service.client.request(Method::POST, &by_query).header("content-type", "image/png");
    assert_eq!(service.client.send(request.body(image)).await.status, StatusCode::ACCEPTED);
    assert_eq!(receiver.wait_for(1).await[0].path, "/query");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_with_another_receiver_is_another_request() {
    let receiver = Receiver::start(OK).await;
    let service = Home::embedded().start_with(to(&receiver)).await;
    let image = images::png(30, 20);
    let send = async |path: &str| {
        let form = multipart::Form::new()
            .text("callback_url", receiver.url(path))
            .part("image", multipart::Part::bytes(image.clone()));
        let request = service.client.request(Method::POST, "/jobs").header("idempotency-key", "a-key");
        service.client.send(request.multipart(form)).await.status.as_u16()
    };
    assert_eq!([send("/one").await, send("/one").await, send("/two").await], [202, 202, 422]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_of_its_owners_job_and_shows_the_owner_nothing_more() {
    let entry = |seed: u8, name: &str| {
        let key = Key::from_random([seed; 24]);
        Entry::new(&key, KeyName::parse(name).unwrap(), Scopes::parse("read+write").unwrap(), None)
            .to_string()
    };
    let key = |seed: u8| Key::from_random([seed; 24]).expose().to_owned();
    let receiver = Receiver::start(OK).await;
    let keys = [entry(1, "shop"), entry(2, "web")].join("\n");
    let service = Home::embedded()
        .start_with(|builder| {
            to(&receiver)(builder).variable("api_keys", keys).variable("link_secret", LINK_SECRET)
        })
        .await;
    let (shop, web) = (service.client.holding(&key(1)), service.client.holding(&key(2)));
    let of_shop = shop.submit(&images::png(30, 20), &[("callback_url", &receiver.url("/shop"))]).await;
    let of_web = web.submit(&images::png(31, 20), &[("callback_url", &receiver.url("/web"))]).await;
    let messages = receiver.wait_for(2).await;
    for (path, id, own, other) in [("/shop", &of_shop, &shop, &web), ("/web", &of_web, &web, &shop)] {
        let message = messages.iter().find(|message| message.path == path).unwrap();
        assert_signed(message);
        let data = &message.json()["data"];
        assert_eq!(data["job_id"], id.as_str());
        assert!(data.get("owner").is_none(), "{data}");
        let link = data["links"]["signed_thumbnail"].as_str().unwrap();
        assert_eq!(service.client.get(link).await.status, StatusCode::OK, "the link is good without a key");
        assert_eq!(job(own, id).await["job_id"], id.as_str());
        assert_eq!(other.get(&format!("/jobs/{id}")).await.status, StatusCode::NOT_FOUND);
    }
}

/// What docs/WEBHOOKS.md gives a receiver to check messages with, run on one.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_how_a_message_is_checked() {
    let page = std::fs::read_to_string(thumbs_tests::repository_root().join("docs/WEBHOOKS.md")).unwrap();
    let (_, rest) = page.split_once("```python\n").unwrap();
    let (snippet, _) = rest.split_once("```").unwrap();
    let receiver = Receiver::start(OK).await;
    let service = Home::embedded().start_with(to(&receiver)).await;
    service.client.submit(&images::png(30, 20), &[("callback_url", &receiver.url("/"))]).await;
    let message = receiver.wait_for(1).await.remove(0);
    for (secret, body, is_good) in [
        (SECRET, message.body.clone(), true),
        (OLD_SECRET, message.body.clone(), true),
        ("whsec_bm90IHRoZSBzZWNyZXQgb2YgdGhlIHNlcnZpY2U=", message.body.clone(), false),
        (SECRET, [message.body.as_slice(), b" "].concat(), false),
    ] {
        let program = format!(
            "{snippet}\nimport json, sys\nprint(is_genuine(json.loads(sys.argv[1]), sys.stdin.buffer.read(), sys.argv[2]))"
        );
        let headers = serde_json::to_string(&message.headers).unwrap();
        let mut python = Command::new("python3")
            .args(["-c", &program, &headers, secret])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        python.stdin.take().unwrap().write_all(&body).unwrap();
        let output = python.wait_with_output().unwrap();
        let expected = if is_good { "True\n" } else { "False\n" };
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{secret}");
    }
}
