//! What the view does before and after the backend is asked.

use super::wit::Host as _;
use super::*;
use crate::telemetry::{CaptureSink, Level};

#[derive(Debug)]
struct Hangs;

impl Backend for Hangs {
    fn summary(&self) -> String {
        String::new()
    }
    fn put<'a>(&'a self, _: &'a str, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<(), wit::Error>> {
        Box::pin(std::future::pending())
    }
    fn write<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
        Box::pin(std::future::pending())
    }
    fn read<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<Opened, wit::Error>> {
        Box::pin(std::future::pending())
    }
    fn get<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        Box::pin(std::future::pending())
    }
    fn head<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        Box::pin(std::future::pending())
    }
    fn delete<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        Box::pin(std::future::pending())
    }
    fn list<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
        Box::pin(std::future::pending())
    }
}

fn store() -> BlobStore {
    let limits = Limits { max_blob_bytes: 4, blob_timeout_ms: 1, ..Limits::default() };
    BlobStore::new(Arc::new(Hangs), &limits)
}

fn guest<T: fmt::Debug>(result: Result<T, BlobError>) -> wit::Error {
    match result {
        Err(Failure::Guest(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_sizes_and_types_are_checked_before_the_backend_is_asked() {
    let store = store();
    let mut memory = CallMemory::of_test(1_000);
    let mut table = ResourceTable::new();
    let mut view =
        BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
    assert!(matches!(guest(view.get("../etc/passwd".into(), 1).await), wit::Error::InvalidKey));
    assert!(matches!(guest(view.list_keys("A".into(), String::new(), 1).await), wit::Error::InvalidKey));
    assert!(matches!(guest(view.list_keys(String::new(), "a".repeat(256), 1).await), wit::Error::InvalidKey));
    assert!(matches!(
        guest(view.put("a".into(), "image/png".into(), vec![0; 5]).await),
        wit::Error::TooLarge(4)
    ));
    for content_type in ["", " image/png", "image/png ", "a\r\nb", "image/pñg", &"a".repeat(256)] {
        let refused = guest(view.put("a".into(), content_type.into(), vec![]).await);
        assert!(matches!(refused, wit::Error::Other(_)), "{content_type:?}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_unavailable() {
    let store = store();
    let mut memory = CallMemory::of_test(1_000);
    let mut table = ResourceTable::new();
    let mut view =
        BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
    assert!(matches!(guest(view.head("a".into()).await), wit::Error::Unavailable(_)));
    assert!(matches!(guest(view.delete("a".into()).await), wit::Error::Unavailable(_)));
}

/// Answers to `head` as it is told, one after another.
#[derive(Debug)]
struct Told(std::sync::Mutex<Vec<Result<wit::Metadata, wit::Error>>>);

impl Backend for Told {
    fn summary(&self) -> String {
        String::new()
    }
    fn put<'a>(&'a self, _: &'a str, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<(), wit::Error>> {
        unreachable!()
    }
    fn write<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
        unreachable!()
    }
    fn read<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<Opened, wit::Error>> {
        unreachable!()
    }
    fn get<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        unreachable!()
    }
    fn head<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        Box::pin(std::future::ready(self.0.lock().unwrap().remove(0)))
    }
    fn delete<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        unreachable!()
    }
    fn list<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
        unreachable!()
    }
}

#[tokio::test]
async fn a_store_that_refuses_us_is_said_once_and_so_is_that_it_no_longer_does() {
    let denied = || Err(wit::Error::AccessDenied("the store refuses s3_secret_access_key".into()));
    let answers = vec![
        Err(wit::Error::NotFound),
        denied(),
        denied(),
        Err(wit::Error::Unavailable("away".into())),
        denied(),
        Err(wit::Error::NotFound),
        Err(wit::Error::NotFound),
        denied(),
    ];
    let (log, count) = (CaptureSink::new(), answers.len());
    let store = BlobStore::new(Arc::new(Told(answers.into())), &Limits::default())
        .log_refusals("blob_url", &Logger::new(Arc::new(log.clone()), Level::Info));
    let mut memory = CallMemory::of_test(1_000);
    let mut table = ResourceTable::new();
    let mut view =
        BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
    for _ in 0..count {
        view.head("a".into()).await.unwrap_err();
    }
    let events: Vec<String> = log.lines().into_iter().map(|line| line.event).collect();
    assert_eq!(events, ["server-refuses", "server-answers", "server-refuses"]);
    assert_eq!(log.lines()[0].fields["setting"], "blob_url");
}

#[tokio::test]
async fn what_is_found_in_memory_does_not_say_that_the_store_takes_us_again() {
    let denied = || Err(wit::Error::AccessDenied("the store refuses s3_secret_access_key".into()));
    let behind = Arc::new(Told(vec![denied(), denied()].into()));
    let (log, kept) = (CaptureSink::new(), KeptBlobs::new(behind, vec!["thumbnails/".to_owned()], 1 << 20));
    kept.keep_of_test("thumbnails/a");
    let store = BlobStore::new(Arc::new(kept), &Limits::default())
        .log_refusals("blob_url", &Logger::new(Arc::new(log.clone()), Level::Info));
    let mut memory = CallMemory::of_test(1_000);
    let mut table = ResourceTable::new();
    let mut view =
        BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
    for _ in 0..2 {
        view.head("uploads/a".into()).await.unwrap_err();
        view.head("thumbnails/a".into()).await.unwrap();
        view.get("thumbnails/a".into(), 100).await.unwrap();
    }
    let events: Vec<String> = log.lines().into_iter().map(|line| line.event).collect();
    assert_eq!(events, ["server-refuses"]);
}

#[tokio::test]
async fn a_blob_is_memory_of_its_instance_and_no_more_than_it_is_long() {
    let store = BlobStore::new(Arc::new(MemoryStore::default()), &Limits::default());
    let get = async |max_memory_bytes: usize| {
        let mut memory = CallMemory::of_test(max_memory_bytes);
        let mut table = ResourceTable::new();
        let mut view =
            BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
        view.get("a".into(), 1_000_000).await.map(|object| object.data.len())
    };
    let mut memory = CallMemory::of_test(100);
    let mut table = ResourceTable::new();
    let mut view =
        BlobView { store: &store, table: &mut table, memory: &mut memory, trace: &CallTrace::default() };
    view.put("a".into(), "image/png".into(), vec![0; 100]).await.unwrap();
    assert!(matches!(view.put("b".into(), "image/png".into(), vec![0; 101]).await, Err(Failure::Trap(_))));
    assert_eq!(get(2_000_000).await.unwrap(), 100);
    assert_eq!(get(100).await.unwrap(), 100, "there is no room for the largest, but for this one");
    assert!(matches!(get(99).await, Err(Failure::Trap(_))));
}
