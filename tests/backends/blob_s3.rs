//! What goes wrong between the native store and an S3 server: settings that are wrong, a server that is away, slow or broken. Each has its
//! sentence, the same that the component `blob-store` gives on other hosts, and no sentence has a secret in it.

use std::cell::RefCell;
use std::time::Duration;

use thumbs::capabilities::blob::{Backend as _, S3Store, wit};
use thumbs::clients::ServerFault;
use thumbs::limits::Limits;
use thumbs_tests::servers::{Bucket, S3, VersityGw, available};

use super::component_blobs::ComponentBlobs;
use super::native_blobs::{clean, refusals, store, store_with, unavailable};

const PNG: &str = "image/png";
/// Nothing here needs longer; a call that hangs fails its test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

async fn unreachable(store: &S3Store) -> String {
    match store.check().await {
        Err(ServerFault::Unreachable(text)) => text,
        other => panic!("{other:?} is not unreachable"),
    }
}

/// Each wrong setting against a real server: what is denied, and the sentence's word for it.
async fn each_wrong_setting_has_its_sentence(bucket: &Bucket) {
    let wrong_secret =
        Bucket { secret_access_key: format!("{}x", bucket.secret_access_key), ..bucket.clone() };
    let wrong_key = Bucket { access_key_id: "nobody".to_owned(), ..bucket.clone() };
    let wrong_region = Bucket { region: "us-east-1".to_owned(), ..bucket.clone() };
    for (wrong, word) in [
        (&wrong_secret, "s3_secret_access_key"),
        (&wrong_key, "s3_access_key_id"),
        (&wrong_region, "s3_region"),
    ] {
        let store = store(wrong);
        for error in refusals(&store).await {
            assert!(matches!(error, wit::Error::AccessDenied(_)), "{word}: {error:?}");
            assert!(clean(wrong, &error).contains(word), "{word}: {error:?}");
        }
        let Err(ServerFault::Refused(text)) = store.check().await else { panic!("{word} is refused") };
        let place = format!("s3://{} at {}: ", bucket.name, bucket.endpoint);
        assert!(text.starts_with(&place) && text.contains(word), "{text}");
        clean(wrong, &text);
        clean(wrong, &store);
    }
    let Err(ServerFault::Refused(text)) = store(&wrong_region).check().await else { panic!("a region") };
    assert!(text.contains(&format!("is in region {}", bucket.region)), "{text}");

    let missing = Bucket { name: "no-such-bucket".to_owned(), ..bucket.clone() };
    let store = store(&missing);
    for error in refusals(&store).await {
        assert!(matches!(error, wit::Error::Other(_)), "{error:?}");
        assert!(clean(&missing, &error).contains("the bucket no-such-bucket does not exist"), "{error:?}");
    }
    let Err(ServerFault::Refused(text)) = store.check().await else { panic!("a missing bucket is refused") };
    assert!(text.contains("no-such-bucket does not exist"), "{text}");

    let store =
        store_with(bucket, &[("s3_access_key_id", ""), ("s3_secret_access_key", "")], &Limits::default());
    for error in refusals(&store).await {
        assert!(matches!(error, wit::Error::AccessDenied(_)), "{error:?}");
        assert!(error.to_string().contains("set s3_access_key_id"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_setting_has_a_sentence_without_a_secret() {
    let s3 = S3::start();
    store(&s3.bucket()).check().await.unwrap();
    each_wrong_setting_has_its_sentence(&s3.bucket()).await;
    assert_eq!(s3.objects(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_component_says_the_same_about_a_server() {
    let s3 = S3::start();
    let bucket = s3.bucket();
    for wrong in [
        Bucket { secret_access_key: "wrong".to_owned(), ..bucket.clone() },
        Bucket { access_key_id: "nobody".to_owned(), ..bucket.clone() },
        Bucket { region: "us-east-1".to_owned(), ..bucket.clone() },
        Bucket { name: "no-such-bucket".to_owned(), ..bucket.clone() },
    ] {
        let (native, component) = (store(&wrong), ComponentBlobs::over_s3(&wrong));
        let said = format!("{:?}", refusals(&native).await);
        assert_eq!(said, format!("{:?}", refusals(&component).await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_is_where_the_component_has_it() {
    let s3 = S3::start();
    let below = Bucket { name: format!("{}/deep/below", s3.bucket().name), ..s3.bucket() };
    let (native, component) = (store(&below), ComponentBlobs::over_s3(&below));
    native.check().await.unwrap();
    native.put("a/native.png", PNG, b"n".to_vec()).await.unwrap();
    component.put("a/component.png", PNG, b"c".to_vec()).await.unwrap();
    assert_eq!(s3.objects(), ["deep/below/a/component.png", "deep/below/a/native.png"]);
    assert_eq!(native.get("a/component.png", 1).await.unwrap().data, b"c");
    assert_eq!(component.get("a/native.png", 1).await.unwrap().data, b"n");
}

/// Stopped and killed, a server is missed, and used again once it is back.
async fn is_taken_up_again(
    store: &S3Store,
    bucket: &Bucket,
    mut stop: impl FnMut(),
    mut start: impl FnMut(),
) {
    store.put("a", PNG, b"before".to_vec()).await.unwrap();
    stop();
    for error in refusals(store).await {
        assert!(unavailable(&error).contains(&bucket.endpoint), "{error:?}");
        clean(bucket, &error);
    }
    let text = unreachable(store).await;
    assert!(text.contains("it refuses the connection"), "{text}");
    start();
    store.check().await.unwrap();
    assert_eq!(store.get("a", 10).await.unwrap().data, b"before");
    store.put("a", PNG, b"after".to_vec()).await.unwrap();
    store.delete("a").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_stopped_or_killed_is_used_again() {
    let s3 = RefCell::new(S3::start());
    let bucket = s3.borrow().bucket();
    let store = store(&bucket);
    is_taken_up_again(&store, &bucket, || s3.borrow_mut().stop(), || s3.borrow_mut().restart()).await;
    is_taken_up_again(&store, &bucket, || s3.borrow_mut().kill(), || s3.borrow_mut().restart()).await;
}

#[test]
fn a_runtime_that_is_busy_or_gone_holds_up_no_other() {
    let s3 = S3::start();
    let store = store(&s3.bucket());
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    first.block_on(store.put("a", PNG, b"x".to_vec())).unwrap();
    // The first is still there and runs nothing, so a connection of its own would never get an answer.
    assert_eq!(second.block_on(store.get("a", 1)).unwrap().data, b"x");
    drop(second);
    assert_eq!(first.block_on(store.head("a")).unwrap().size_bytes, 1);
    drop(first);
    runtime().block_on(store.delete("a")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_503_twice_is_asked_a_third_time() {
    let s3 = S3::start();
    let store = store(&s3.bucket());
    let mut expected = Vec::new();
    for method in ["PUT", "GET", "HEAD", "DELETE"] {
        s3.fail_next(2, 503);
        match method {
            "PUT" => store.put("a", PNG, b"x".to_vec()).await.unwrap(),
            "GET" => assert_eq!(store.get("a", 1).await.unwrap().data, b"x"),
            "HEAD" => assert_eq!(store.head("a").await.unwrap().size_bytes, 1),
            _ => store.delete("a").await.unwrap(),
        }
        let last = if method == "DELETE" { 204 } else { 200 };
        expected.extend([(method, 503), (method, 503), (method, last)]);
    }
    let handled = s3.handled();
    let handled: Vec<_> = handled.iter().map(|handled| (handled.method.as_str(), handled.status)).collect();
    assert_eq!(handled, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_on_failing_is_unavailable() {
    let s3 = S3::start();
    let store = store(&s3.bucket());
    for status in [503, 429] {
        s3.fail_next(u32::MAX, status);
        for error in refusals(&store).await {
            assert!(unavailable(&error).contains(&format!("answers {status}")), "{error:?}");
        }
        assert!(unreachable(&store).await.contains(&format!("answers {status}")));
    }
    s3.fail_next(0, 0);
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_cut_off_is_fetched_again() {
    let s3 = S3::start();
    let store = store(&s3.bucket());
    let data: Vec<u8> = (0..251).cycle().take(1 << 20).collect();
    store.put("a", PNG, data.clone()).await.unwrap();
    s3.cut_next(1);
    let got = store.get("a", 1 << 20).await.unwrap();
    assert!(got.data == data, "{} of {} bytes", got.data.len(), data.len());
    let statuses: Vec<u16> = s3.handled().iter().map(|handled| handled.status).collect();
    assert_eq!(statuses, [200, 200, 200]);

    s3.cut_next(u32::MAX);
    let error = store.get("a", 1 << 20).await.unwrap_err();
    assert!(unavailable(&error).contains("can't be reached"), "{error:?}");
    clean(&s3.bucket(), &error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_unavailable() {
    let s3 = S3::start();
    let limits = Limits { blob_timeout_ms: 1_000, ..Limits::default() };
    let store = store_with(&s3.bucket(), &[], &limits);
    s3.hang_next(u32::MAX);
    let errors = tokio::time::timeout(PATIENCE, refusals(&store)).await.expect("each call has its bound");
    for error in errors {
        assert!(unavailable(&error).contains("did not answer in time"), "{error:?}");
    }
    assert!(unreachable(&store).await.contains("did not answer in time"));
    s3.hang_next(0);
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an S3 server that takes minutes to build: make test-s3"]
async fn versitygw_gets_a_sentence_for_each_wrong_setting() {
    let Some(server) = available(VersityGw::start()) else { return };
    store(&server.bucket()).check().await.unwrap();
    each_wrong_setting_has_its_sentence(&server.bucket()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an S3 server that takes minutes to build: make test-s3"]
async fn versitygw_is_used_again_after_a_stop_and_a_kill() {
    let Some(server) = available(VersityGw::start()) else { return };
    let server = RefCell::new(server);
    let bucket = server.borrow().bucket();
    let store = store(&bucket);
    is_taken_up_again(&store, &bucket, || server.borrow_mut().stop(), || server.borrow_mut().restart()).await;
    is_taken_up_again(&store, &bucket, || server.borrow_mut().kill(), || server.borrow_mut().restart()).await;
}
