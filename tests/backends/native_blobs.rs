//! The native store of S3 on a server of the tests, and what tests look for in its errors.

use std::collections::BTreeMap;
use std::fmt::Debug;

use thumbs::capabilities::blob::{Backend, S3Settings, S3Store, wit};
use thumbs::limits::Limits;
use thumbs_s3::InvalidSetting;
use thumbs_tests::servers::Bucket;

/// The variables that lead to this bucket, with changes.
fn variables(bucket: &Bucket, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    bucket.variables().into_iter().chain(changes).collect()
}

/// What the runtime reads from them.
fn settings(variables: &BTreeMap<String, String>) -> S3Settings {
    let value = |name: &str| Ok::<_, InvalidSetting>(variables[name].clone());
    S3Settings::read(&variables["blob_url"], value).unwrap()
}

/// The store in this bucket, with changed variables and limits.
pub(crate) fn store_with(bucket: &Bucket, changes: &[(&str, &str)], limits: &Limits) -> S3Store {
    S3Store::new(&settings(&variables(bucket, changes)), None, limits).unwrap()
}

/// The store in this bucket.
pub(crate) fn store(bucket: &Bucket) -> S3Store {
    store_with(bucket, &[], &Limits::default())
}

/// What each operation says where none can succeed: put, get, head, delete.
pub(crate) async fn refusals(store: &dyn Backend) -> [wit::Error; 4] {
    let (put, get, head, delete) = tokio::join!(
        store.put("a", "image/png", b"x".to_vec()),
        store.get("a", 10),
        store.head("a"),
        store.delete("a"),
    );
    [put.unwrap_err(), get.unwrap_err(), head.unwrap_err(), delete.unwrap_err()]
}

/// Checks that nothing secret is in what is shown, and gives it back as text.
pub(crate) fn clean(bucket: &Bucket, shown: &impl Debug) -> String {
    let shown = format!("{shown:?}");
    for secret in [bucket.secret_access_key.as_str(), "hunter2", "Signature", "Credential="] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
    shown
}

/// The sentence of an error that another attempt may mend.
pub(crate) fn unavailable(error: &wit::Error) -> &str {
    match error {
        wit::Error::Unavailable(text) => text,
        other => panic!("{other:?} is not unavailable"),
    }
}
