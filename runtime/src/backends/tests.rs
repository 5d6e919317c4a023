//! What is chosen from options and variables, and what is refused.

use std::collections::HashMap;

use super::*;

/// This application's variables and how it names them.
const NAMED: &str = r#"
    [application]
    name = "x"
    trigger = { redis = { address = "{{ redis_url }}" } }
    [application.tool.thumbs]
    redis = { url = "redis_url" }
    database = { url = "database_url" }
    blobs = { url = "blob_url" }
"#;
/// Another's, of the same names and without a word about them.
const NOT_NAMED: &str = r#"
    [application]
    name = "x"
    trigger = { redis = { address = "redis://localhost:6379" } }
"#;
const REST: &str = r#"
    [variables]
    redis_url = { default = "redis://localhost:6379", secret = true }
    database_url = { default = "sqlite:default" }
    blob_url = { default = "kv:default" }
    s3_endpoint_url = { default = "http://localhost:9000" }
    s3_region = { default = "us-east-1" }
    s3_path_style = { default = "true" }
    s3_access_key_id = { default = "" }
    s3_secret_access_key = { default = "" }
    s3_session_token = { default = "" }
    [component.c]
    source = "c.wasm"
    [[trigger.redis]]
    channel = "wake"
    component = "c"
"#;
const ELSEWHERE: &str = r#"
    [[trigger.redis]]
    channel = "wake"
    address = "redis://elsewhere"
    component = "c"
"#;

fn choose_of(
    manifest: &str,
    set: &[(&str, &str)],
    options: &BackendOptions,
    composition: Composition,
) -> Result<Backends, BackendError> {
    let text = format!("spin_manifest_version = 2\n{manifest}");
    let manifest = Manifest::parse(Path::new("spin.toml"), &text).unwrap();
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let variables = Variables::resolve(&manifest, &set, &HashMap::new()).unwrap();
    Backends::choose(&manifest, &variables, options, composition, Path::new("state"))
}

fn choose_with(
    set: &[(&str, &str)],
    options: &BackendOptions,
    composition: Composition,
) -> Result<Backends, BackendError> {
    choose_of(&format!("{NAMED}{REST}"), set, options, composition)
}

fn choose(set: &[(&str, &str)]) -> Result<Backends, BackendError> {
    choose_with(set, &BackendOptions::default(), Composition::WithoutNative)
}

fn redis(where_to: &str) -> BackendOptions {
    BackendOptions { redis: Some(Secret::new(where_to)), ..BackendOptions::default() }
}

fn messages_of(manifest: &str, options: &BackendOptions) -> Result<Messages, BackendError> {
    choose_of(manifest, &[], options, Composition::WithoutNative).map(|backends| backends.messages)
}

#[test]
fn what_is_not_set_lies_in_the_state_directory() {
    let backends = choose(&[]).unwrap();
    assert_eq!(backends.blobs, Blobs::Directory("state/blobs".into()));
    assert_eq!((&backends.messages, backends.message_servers.len()), (&Messages::InProcess, 0));
    assert_eq!(backends.database, None);
    assert_eq!(backends.key_value, KeyValue::Directory("state/key-value".into()));
    assert_eq!(backends.sqlite_dir, Path::new("state/sqlite"));
}

#[test]
fn an_application_that_names_no_variables_is_left_alone() {
    let manifest = format!("{NOT_NAMED}{REST}");
    let set = [("redis_url", "mqtt://broker"), ("database_url", "mysql://db/x"), ("blob_url", "ftp://files")];
    let options = BackendOptions::default();
    let backends = choose_of(&manifest, &set, &options, Composition::WithoutNative).unwrap();
    assert_eq!(backends.blobs, Blobs::Directory("state/blobs".into()));
    assert_eq!((&backends.messages, &backends.database), (&Messages::Manifest, &None));
    let server = Secret::new("redis://localhost:6379");
    assert_eq!(backends.message_servers, [("the address of a [[trigger.redis]]".to_owned(), server)]);
}

#[test]
fn the_operator_says_who_carries_messages() {
    let one = format!("{NOT_NAMED}{REST}");
    let url = "redis://:hunter2@cache";
    assert_eq!(messages_of(&one, &redis("in-process")).unwrap(), Messages::InProcess);
    assert_eq!(messages_of(&one, &redis("manifest")).unwrap(), Messages::Manifest);
    assert_eq!(messages_of(&one, &redis(url)).unwrap(), Messages::Server(Secret::new(url)));
    let named = format!("{NAMED}{REST}");
    assert_eq!(messages_of(&named, &redis("manifest")).unwrap(), Messages::Manifest);

    let two = format!("{one}{ELSEWHERE}");
    let error = messages_of(&two, &redis(url)).unwrap_err().to_string();
    assert!(error.contains("--redis") && error.contains("listen on 2"), "{error}");
    let backends = choose_of(&two, &[], &redis("manifest"), Composition::WithoutNative).unwrap();
    assert_eq!(backends.message_servers.len(), 2);
    let error = messages_of(&one, &redis("kafka://h")).unwrap_err().to_string();
    assert!(error.contains("--redis is kafka://h") && error.contains("in-process"), "{error}");
}

#[test]
fn a_blob_url_chooses_the_backend() {
    assert_eq!(choose(&[("blob_url", "memory:")]).unwrap().blobs, Blobs::Memory);
    assert_eq!(choose(&[("blob_url", "dir:/srv/x")]).unwrap().blobs, Blobs::Directory("/srv/x".into()));
    assert!(matches!(choose(&[("blob_url", "s3://thumbs")]).unwrap().blobs, Blobs::S3(_, None)));
}

#[test]
fn the_operators_blobs_win_over_the_variables() {
    let secret = |(name, value): (&str, &str)| (name.to_owned(), Secret::new(value));
    let options = BackendOptions {
        blobs: Some(Secret::new("s3://another")),
        s3: [("s3_endpoint_url", "http://store:9000")].map(secret).into(),
        ..BackendOptions::default()
    };
    let set = [("blob_url", "memory:")];
    let backends = choose_with(&set, &options, Composition::WithoutNative).unwrap();
    assert!(matches!(backends.blobs, Blobs::S3(_, None)));
    assert_eq!(backends.blob_grant.as_deref(), Some("http://store:9000"));
    let error = choose_with(&set, &options, Composition::All).unwrap_err().to_string();
    assert!(error.contains("--blobs") && error.contains("--compose-all"), "{error}");
}

#[test]
fn the_composed_component_keeps_blobs_where_it_is_composed_in() {
    let choose_all = |set: &[_]| choose_with(set, &BackendOptions::default(), Composition::All);
    for (set, url) in [
        (vec![], "kv:default"),
        (vec![("blob_url", "kv:default")], "kv:default"),
        (vec![("blob_url", "s3://thumbs/x")], "s3://thumbs/x"),
    ] {
        assert_eq!(choose_all(&set).unwrap().blobs, Blobs::Component(url.into()));
    }
    let error = choose_all(&[("blob_url", "memory:")]).unwrap_err();
    assert!(error.to_string().contains("kv:<label>"), "{error}");
    let error = choose(&[("blob_url", "kv:default")]).unwrap_err();
    assert!(error.to_string().contains("--compose-all"), "{error}");
}

#[test]
fn servers_are_chosen_by_url() {
    let url = "redis://:hunter2@h:7000/3";
    let backends = choose(&[("redis_url", url)]).unwrap();
    assert_eq!(backends.messages, Messages::Manifest);
    assert_eq!(backends.message_servers, [("redis_url".to_owned(), Secret::new(url))]);
    let options = BackendOptions { key_value: Some(Secret::new(url)), ..BackendOptions::default() };
    let backends = choose_with(&[], &options, Composition::WithoutNative).unwrap();
    assert_eq!(backends.key_value, KeyValue::Redis(Secret::new(url)));
    let url = "postgres://u:hunter2@h/x";
    let database = choose(&[("database_url", url)]).unwrap().database;
    assert_eq!(database, Some(("database_url".to_owned(), Secret::new(url))));
}

#[test]
fn a_url_without_a_backend_is_refused_without_its_password() {
    for (name, url) in [
        ("blob_url", "ftp://u:hunter2@h/x"),
        ("blob_url", "dir:"),
        ("blob_url", "s3://Not_A_Bucket"),
        ("redis_url", "http://:hunter2@h"),
        ("redis_url", "redis://:hunter2@"),
        ("database_url", "mysql://u:hunter2@h/x"),
        ("database_url", "sqlite:another"),
        ("database_url", "postgres://u:hunter2@:/@h:x/y"),
    ] {
        let error = choose(&[(name, url)]).unwrap_err().to_string();
        assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
    }
    let options = BackendOptions { key_value: Some(Secret::new("etcd://h")), ..BackendOptions::default() };
    let error = choose_with(&[], &options, Composition::WithoutNative).unwrap_err().to_string();
    assert!(error.contains("--key-value"), "{error}");
}
