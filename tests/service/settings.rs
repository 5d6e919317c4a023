//! A setting that makes no sense ends the start with a sentence, instead of uploads that nobody works on.

use std::sync::Arc;

use thumbs::telemetry::{CaptureSink, Level};
use thumbs_tests::home::Home;

/// Why the service does not start with these variables: the error, and what the component wrote.
async fn refused(variables: &[(&str, &str)]) -> (String, Vec<String>) {
    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let set = variables
        .iter()
        .map(|(name, value)| (format!("SPIN_VARIABLE_{}", name.to_uppercase()), (*value).to_owned()));
    let set: Vec<_> = set.collect();
    let started =
        Home::embedded().try_start(|builder| builder.environment(set).log(sink, Level::Error)).await;
    let error = started.map(drop).unwrap_err().to_string();
    let causes = log.lines().iter().map(|line| line.fields["cause"].as_str().unwrap().to_owned()).collect();
    (error, causes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_its_variable_does_not_take_ends_the_start_and_is_named() {
    for (name, value, must_be) in [
        ("max_pixels", "abc", "a whole number from 1 to 10000000000 (pixels)"),
        ("max_attempts", "0", "a whole number from 1 to 100 (attempts)"),
        ("lease_secs", "x", "a whole number from 1 to 86400 (seconds)"),
        ("allowed_origins", "shop.example", "empty, `*`, or origins"),
        ("s3_path_style", "yes", "true or false"),
        ("link_secret", "hunter2", "empty, or secrets of 32"),
    ] {
        let (error, causes) = refused(&[(name, value)]).await;
        assert!(error.contains("`resize` refuses its settings"), "{error}");
        let [cause] = &causes[..] else { panic!("{causes:?}") };
        assert!(cause.starts_with(&format!("the variable {name} must be {must_be}")), "{cause}");
    }
    let (_, causes) = refused(&[("api_keys", "shop:read:never:hunter2")]).await;
    assert!(causes[0].starts_with("the variable api_keys entry 1 (shop): the last part"), "{causes:?}");
    assert!(!causes[0].contains("hunter2"), "{causes:?}");
    let (_, causes) = refused(&[("max_frames", "-1"), ("max_side", "")]).await;
    assert_eq!(causes.len(), 2, "all of them at once: {causes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_contradict_a_limit_of_the_host_end_the_start() {
    for (name, value, limit) in [
        ("lease_secs", "28", "THUMBS_MESSAGE_TIMEOUT_MS"),
        ("max_batch_bytes", "3489660929", "THUMBS_MAX_REQUEST_BODY_BYTES"),
        ("max_upload_bytes", "67108865", "THUMBS_MAX_BLOB_BYTES"),
    ] {
        let (_, causes) = refused(&[(name, value)]).await;
        let named = causes.iter().any(|cause| cause.contains(name) && cause.contains(limit));
        assert!(named, "{causes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_ends_the_start_with_the_nearest_known_one() {
    let (error, _) = refused(&[("max_pixles", "1000")]).await;
    assert_eq!(error, "there is no variable `max_pixles` in the manifest; is `max_pixels` meant?");
}
