//! What the manifest does not grant, a component does not get.

use thumbs::{backends::BackendOptions, limits::Limits, secret::Secret};

use crate::{
    app::App,
    client::get,
    guests::{message, request},
};

const OK: &str = "(call $answer (local.get $out) (i32.const 200))";

/// Opens the key-value store `default`: 200, or 403 where that is denied.
fn opens_a_store() -> Vec<u8> {
    request(
        "default",
        // error: 2 is access-denied.
        "(call $open-store (i32.const 64) (i32.const 7) (i32.const 0))
        (if (i32.eqz (i32.load8_u (i32.const 0))) (then (call $answer (local.get $out) (i32.const 200)) (return)))
        (if (i32.eq (i32.load8_u (i32.const 4)) (i32.const 1)) (then (unreachable)))
        (call $answer (local.get $out) (i32.const 403))",
    )
}

/// Answers with the variable `token`, or with 404 where it is undefined.
fn tells_a_variable() -> Vec<u8> {
    request(
        "token",
        "(call $variable (i32.const 64) (i32.const 5) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (call $answer (local.get $out) (i32.const 404)) (return)))
        (call $answer-with (local.get $out) (i32.load (i32.const 4)) (i32.load (i32.const 8)))",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_granted_is_denied() {
    let service = App::new()
        .serving("with", &opens_a_store(), "key_value_stores = [\"default\"]")
        .serving("without", &opens_a_store(), "")
        .start(Limits::default())
        .await;
    assert_eq!(get(service.address(), "/with").await.status, 200);
    assert_eq!(get(service.address(), "/without").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_its_own_variables_alone() {
    let app = || {
        App::new()
            .manifest("[variables]\ntoken = { required = true, secret = true }")
            .serving("with", &tells_a_variable(), "variables = { token = \"<{{ token }}>\" }")
            .serving("without", &tells_a_variable(), "")
    };
    let service = app().start_with(|builder| builder.variable("token", "hunter2")).await;
    assert_eq!(get(service.address(), "/with").await.body, "<hunter2>");
    assert_eq!(get(service.address(), "/without").await.status, 404);
    let shown = format!("{:?} {}", service.log.lines(), service.running.banner());
    assert!(!shown.contains("hunter2"), "{shown}");

    let error = app().refused().await;
    assert!(error.contains("`token` is required") && error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_that_can_not_be_given_are_refused_at_start() {
    for (grant, expected) in [
        ("key_value_stores = [\"cache\"]", "key_value_stores: this runtime has no \"cache\""),
        ("sqlite_databases = [\"other\"]", "sqlite_databases: this runtime has no \"other\""),
        ("allowed_outbound_hosts = [\"example.com\"]", "has no scheme"),
        ("allowed_outbound_hosts = [\"http://upload.spin.internal\"]", "calls between components"),
    ] {
        let error = App::new().serving("x", &request("", OK), grant).refused().await;
        assert!(error.contains("component `x`") && error.contains(expected), "{error}");
    }
}

/// Imports the interface of blobs, and does nothing else; so what it lacks after that is a handler of requests.
fn imports_blobs() -> Vec<u8> {
    wat::parse_str(r#"(component (import "thumbs:blob-store/store@1.0.0" (instance)))"#).unwrap()
}

const BLOBS: &str = "dependencies = { \"thumbs:blob-store/store@1.0.0\" = { path = \"provider.wasm\" } }";

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_for_who_declares_the_dependency() {
    let error = App::new().serving("x", &imports_blobs(), "").refused().await;
    assert!(error.contains("component `x`: it imports thumbs:blob-store/store@1.0.0"), "{error}");
    assert!(error.contains("[component.x.dependencies]"), "{error}");
    let error = App::new().serving("x", &imports_blobs(), BLOBS).refused().await;
    assert!(error.contains("exports no wasi:http/incoming-handler"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_in_a_bucket_need_its_address_too() {
    let setting = |(name, value): (&str, &str)| (name.to_owned(), Secret::new(value));
    let in_a_bucket = || BackendOptions {
        blobs: Some(Secret::new("s3://pictures")),
        s3: [("s3_endpoint_url", "http://127.0.0.1:1"), ("s3_region", "x"), ("s3_path_style", "true")]
            .map(setting)
            .into(),
        ..BackendOptions::default()
    };
    let hosts = |place: &str| format!("{BLOBS}\nallowed_outbound_hosts = [\"{place}\"]");
    for (hosts, expected) in [
        (
            hosts("http://127.0.0.1:2"),
            "its blobs are at http://127.0.0.1:1, which allowed_outbound_hosts does not",
        ),
        (hosts("http://127.0.0.1:1"), "exports no wasi:http/incoming-handler"),
    ] {
        let app = App::new().serving("x", &imports_blobs(), &hosts);
        let error = app.try_start(|builder| builder.backends(in_a_bucket())).await.err().unwrap().to_string();
        assert!(error.contains("component `x`") && error.contains(expected), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_not_what_its_trigger_says_is_refused() {
    let handler = message("", "(i32.const 512)");
    let error = App::new().serving("x", &handler, "").refused().await;
    assert!(error.contains("component `x` has an HTTP trigger, but exports no"), "{error}");
    let error = App::new().handling("y", &request("", OK), "").refused().await;
    assert!(error.contains("component `y` has a Redis trigger, but exports no"), "{error}");

    let unknown = wat::parse_str(r#"(component (import "test:unknown/thing" (func)))"#).unwrap();
    let error = App::new().serving("z", &unknown, "").refused().await;
    assert!(
        error.contains("component `z` does not fit this host") && error.contains("test:unknown/thing"),
        "{error}"
    );
    let error = App::new().serving("core", &wat::parse_str("(module)").unwrap(), "").refused().await;
    assert!(error.contains("component `core` can't be compiled"), "{error}");
}
