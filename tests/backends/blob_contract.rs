//! The contract of `thumbs:blob-store/store` on every store of it: the native ones, and the shipped component over S3 and over key-value.
//! What must hold is in the runtime's kit; here is only what it is run against.

use std::sync::Arc;

use tempfile::TempDir;
use thumbs::capabilities::blob::contract::{self, Abilities, Store};
use thumbs::capabilities::blob::{DirectoryStore, MemoryStore};
use thumbs::limits::Limits;
use thumbs_tests::servers::{Bucket, S3, VersityGw, available};

use super::component_blobs::ComponentBlobs;
use super::native_blobs::store_with;

/// The server in this process keeps an object's type in a second file, whose name holds the object's, encoded; and it opens a folder as if
/// it were an object.
const OF_S3_HERE: Abilities = Abilities {
    max_key_bytes: 150,
    max_blob_bytes: 64 << 20,
    replaces_types_with_bytes: false,
    knows_folders_from_blobs: false,
};

/// As the harness starts it, versitygw keeps an object's type in a second file.
fn of_versitygw() -> Abilities {
    Abilities { replaces_types_with_bytes: false, ..Abilities::default() }
}

/// With time enough for a large blob on a machine that is busy with other tests.
fn native(bucket: &Bucket) -> Store {
    Arc::new(store_with(bucket, &[], &Limits { blob_timeout_ms: 120_000, ..Limits::default() }))
}

fn component(bucket: &Bucket) -> Store {
    Arc::new(ComponentBlobs::over_s3(bucket))
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_it() {
    contract::is_kept(&(Arc::new(MemoryStore::default()) as Store), Abilities::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_keeps_it() {
    let folder = TempDir::new().unwrap();
    let open = || Arc::new(DirectoryStore::open(folder.path()).unwrap()) as Store;
    contract::is_kept(&open(), Abilities::default()).await;
    contract::is_shared(&open(), &open()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_native_client_of_s3_keeps_it() {
    let s3 = S3::start();
    contract::is_kept(&native(&s3.bucket()), OF_S3_HERE).await;
    assert_eq!(s3.objects(), [""; 0], "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_component_over_s3_keeps_it() {
    let s3 = S3::start();
    contract::is_kept(&component(&s3.bucket()), OF_S3_HERE).await;
    assert_eq!(s3.objects(), [""; 0], "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_component_over_key_value_keeps_it() {
    let folder = TempDir::new().unwrap();
    let store: Store = Arc::new(ComponentBlobs::over_key_value(folder.path()));
    contract::is_kept(&store, Abilities::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_native_client_and_the_component_share_a_bucket() {
    let s3 = S3::start();
    let (native, component) = (native(&s3.bucket()), component(&s3.bucket()));
    contract::is_shared(&native, &component).await;
    contract::is_shared(&component, &native).await;
    let (before, after) = (s3.objects(), "layout/by-both.png");
    native.put(after, "image/png", b"x".to_vec()).await.unwrap();
    assert_eq!((before.as_slice(), s3.objects()), ([].as_slice(), vec![after.to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an S3 server that takes minutes to build: make test-s3"]
async fn versitygw_keeps_it_by_the_native_client() {
    let Some(server) = available(VersityGw::start()) else { return };
    contract::is_kept(&native(&server.bucket()), of_versitygw()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an S3 server that takes minutes to build: make test-s3"]
async fn versitygw_keeps_it_by_the_component() {
    let Some(server) = available(VersityGw::start()) else { return };
    contract::is_kept(&component(&server.bucket()), of_versitygw()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an S3 server that takes minutes to build: make test-s3"]
async fn versitygw_is_shared_by_the_native_client_and_the_component() {
    let Some(server) = available(VersityGw::start()) else { return };
    contract::is_shared(&native(&server.bucket()), &component(&server.bucket())).await;
    contract::is_shared(&component(&server.bucket()), &native(&server.bucket())).await;
}
