//! The contract test kit of blob stores: what `thumbs:blob-store/store` promises, one function for each behaviour, run against every backend.
//!
//! A new backend adds a call of [`is_kept`] and no test logic. What a server of the tests can't do, which is no fault of the backend that speaks
//! to it, is said in [`Abilities`] and is the only thing that is left out.
#![expect(clippy::panic, reason = "a contract that is broken fails its test loudly")]

mod list;
mod pieces;

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Backend, wit};

/// A store that several tasks use at once.
pub type Store = Arc<dyn Backend>;

/// How far the interface's promises hold. By default all the way; a server that the tests start may be built so that it can't keep one.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// The longest key. The interface has 255 bytes.
    pub max_key_bytes: usize,
    /// The largest blob that is tried. The interface has 64 MiB.
    pub max_blob_bytes: usize,
    /// A put replaces bytes and content type in one step.
    pub replaces_types_with_bytes: bool,
    /// A folder of a blob's key is not taken for a blob.
    pub knows_folders_from_blobs: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            max_key_bytes: thumbs_s3::key::MAX_KEY_BYTES,
            max_blob_bytes: 64 << 20,
            replaces_types_with_bytes: true,
            knows_folders_from_blobs: true,
        }
    }
}

/// All of the contract, on a store that is empty or whose keys the kit does not meet; leaves nothing in it. Wants a runtime with several
/// threads, or nothing ever meets.
///
/// # Panics
/// Where it is not kept.
pub async fn is_kept(store: &Store, abilities: Abilities) {
    keeps_what_was_put(store).await;
    keeps_an_empty_blob(store).await;
    keeps_content_types(store).await;
    keeps_to_the_bound_of_a_get(store).await;
    takes_keys_of(store, abilities.max_key_bytes).await;
    keeps_keys_apart(store).await;
    keeps_a_blob_that_could_be_a_folder(store).await;
    if abilities.knows_folders_from_blobs {
        takes_no_folder_for_a_blob(store).await;
    }
    keeps_large_blobs(store, abilities.max_blob_bytes).await;
    pieces::are_kept(store, abilities).await;
    list::is_kept(store).await;
    replaces_as_a_whole(store, abilities.replaces_types_with_bytes).await;
    puts_and_deletes_meet(store, abilities.replaces_types_with_bytes).await;
}

/// What one holder of a store writes, another finds: two processes, or two implementations of the interface.
///
/// # Panics
/// Where it is not so.
pub async fn is_shared(writer: &Store, reader: &Store) {
    put(writer, "shared/a_b-c.png", "text/plain; charset=utf-8", b"bytes").await;
    put(writer, "shared/empty", "application/octet-stream", b"").await;
    holds(reader, "shared/a_b-c.png", "text/plain; charset=utf-8", b"bytes").await;
    holds(reader, "shared/empty", "application/octet-stream", b"").await;
    put(reader, "shared/a_b-c.png", PNG, b"replaced by the other").await;
    holds(writer, "shared/a_b-c.png", PNG, b"replaced by the other").await;
    delete(reader, "shared/a_b-c.png").await;
    lacks(writer, "shared/a_b-c.png").await;
    delete(writer, "shared/empty").await;
    lacks(reader, "shared/empty").await;
}

const PNG: &str = "image/png";
/// No blob is larger.
const ANY_BYTES: u64 = 64 << 20;
/// How many blobs one writer writes where several meet. Each is larger than what a server reads or writes at once.
const ROUNDS: u8 = 12;
/// The bytes of the smallest of those.
const ROUND_BYTES: usize = 300_000;

fn done<T, E: Debug>(result: Result<T, E>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error:?}"))
}

async fn put(store: &Store, key: &str, content_type: &str, data: &[u8]) {
    done(store.put(key, content_type, data.to_vec()).await, &format!("put {key}"));
}

async fn get(store: &Store, key: &str) -> wit::Object {
    done(store.get(key, ANY_BYTES).await, &format!("get {key}"))
}

async fn delete(store: &Store, key: &str) {
    done(store.delete(key).await, &format!("delete {key}"));
}

/// The blob is there, by `get` and by `head`.
async fn holds(store: &Store, key: &str, content_type: &str, data: &[u8]) {
    let object = get(store, key).await;
    assert!(object.data == data, "{key} has {} other bytes", object.data.len());
    let head = done(store.head(key).await, &format!("head {key}"));
    for metadata in [object.metadata, head] {
        assert_eq!((metadata.size_bytes, metadata.content_type.as_str()), (data.len() as u64, content_type));
    }
}

/// The blob is not there, by `get` and by `head`.
async fn lacks(store: &Store, key: &str) {
    let got = store.get(key, 10).await;
    assert!(matches!(got, Err(wit::Error::NotFound)), "get {key}: {got:?}");
    let head = store.head(key).await;
    assert!(matches!(head, Err(wit::Error::NotFound)), "head {key}: {head:?}");
}

/// A blob is absent, put, replaced as a whole, and deleted; deleting what is not there succeeds.
async fn keeps_what_was_put(store: &Store) {
    lacks(store, "kept/a").await;
    delete(store, "kept/a").await;
    put(store, "kept/a", PNG, &[0, 255, 1]).await;
    holds(store, "kept/a", PNG, &[0, 255, 1]).await;
    put(store, "kept/a", "image/gif", b"other").await;
    holds(store, "kept/a", "image/gif", b"other").await;
    delete(store, "kept/a").await;
    lacks(store, "kept/a").await;
    delete(store, "kept/a").await;
    assert!(!store.summary().is_empty());
}

/// A blob without bytes is one, before and after one with some.
async fn keeps_an_empty_blob(store: &Store) {
    put(store, "empty", PNG, b"").await;
    holds(store, "empty", PNG, b"").await;
    let empty = done(store.get("empty", 0).await, "nothing is within every bound");
    assert_eq!(empty.data, b"");
    put(store, "empty", PNG, b"some").await;
    put(store, "empty", PNG, b"").await;
    holds(store, "empty", PNG, b"").await;
    delete(store, "empty").await;
    lacks(store, "empty").await;
}

/// A content type comes back as it went: short, with parameters and quotes, with what URLs and XML set apart, of the longest kind.
async fn keeps_content_types(store: &Store) {
    let longest = format!("image/{}", "t".repeat(thumbs_s3::key::MAX_CONTENT_TYPE_BYTES - "image/".len()));
    for content_type in [
        "a",
        "image/svg+xml",
        "text/plain; charset=utf-8",
        "application/x-y; quoted=\"a b\\\"c\"",
        "x/y; z=<&>%20+~'*",
        &longest,
    ] {
        put(store, "typed", content_type, b"x").await;
        holds(store, "typed", content_type, b"x").await;
    }
    delete(store, "typed").await;
}

/// What is over the bound of a `get` is told from what is just within it.
async fn keeps_to_the_bound_of_a_get(store: &Store) {
    put(store, "bounded", PNG, b"12345").await;
    let within = done(store.get("bounded", 5).await, "five bytes within five");
    assert_eq!(within.data, b"12345");
    for max_bytes in [4, 1, 0] {
        let over = store.get("bounded", max_bytes).await;
        assert!(matches!(over, Err(wit::Error::TooLarge(bound)) if bound == max_bytes), "{over:?}");
    }
    delete(store, "bounded").await;
}

/// Keys of this length, in one segment and in many, that differ in their last byte alone.
async fn takes_keys_of(store: &Store, key_bytes: usize) {
    let segments: String = "ab/".chars().cycle().take(key_bytes - 1).collect();
    for stem in ["k".repeat(key_bytes - 1), segments] {
        let (first, second) = (format!("{stem}y"), format!("{stem}z"));
        assert_eq!(first.len(), key_bytes);
        put(store, &first, PNG, b"first").await;
        lacks(store, &second).await;
        put(store, &second, "image/gif", b"second").await;
        holds(store, &first, PNG, b"first").await;
        holds(store, &second, "image/gif", b"second").await;
        delete(store, &first).await;
        holds(store, &second, "image/gif", b"second").await;
        delete(store, &second).await;
        lacks(store, &second).await;
    }
}

/// Keys that begin alike, or that a file system or a URL might read otherwise, are different keys.
async fn keeps_keys_apart(store: &Store) {
    let keys = [
        "k", "kk", "k.", "k..k", "k-", "k_", "k.png", ".k", "-k", "d/k", "d/kk", "d.k", "d-k", "e/d/k",
        ".../k",
    ];
    for key in keys {
        put(store, key, PNG, key.as_bytes()).await;
    }
    for key in keys {
        holds(store, key, PNG, key.as_bytes()).await;
    }
    for (index, key) in keys.iter().enumerate() {
        delete(store, key).await;
        lacks(store, key).await;
        if let Some(next) = keys.get(index + 1) {
            holds(store, next, PNG, next.as_bytes()).await;
        }
    }
}

/// Below a blob's key as if it were a folder there is nothing. A store may refuse to put something there, and the blob stays what it was.
async fn keeps_a_blob_that_could_be_a_folder(store: &Store) {
    put(store, "tree", PNG, b"trunk").await;
    lacks(store, "tree/leaf").await;
    delete(store, "tree/leaf").await;
    if store.put("tree/leaf", PNG, b"leaf".to_vec()).await.is_ok() {
        holds(store, "tree/leaf", PNG, b"leaf").await;
    } else {
        lacks(store, "tree/leaf").await;
    }
    holds(store, "tree", PNG, b"trunk").await;
    delete(store, "tree/leaf").await;
    holds(store, "tree", PNG, b"trunk").await;
    delete(store, "tree").await;
    lacks(store, "tree").await;
}

/// A folder of a blob's key is no blob. A store may refuse to put one there, and the blob below stays what it was.
async fn takes_no_folder_for_a_blob(store: &Store) {
    put(store, "folder/leaf", PNG, b"leaf").await;
    lacks(store, "folder").await;
    delete(store, "folder").await;
    holds(store, "folder/leaf", PNG, b"leaf").await;
    if store.put("folder", PNG, b"lid".to_vec()).await.is_ok() {
        holds(store, "folder", PNG, b"lid").await;
        delete(store, "folder").await;
    }
    lacks(store, "folder").await;
    holds(store, "folder/leaf", PNG, b"leaf").await;
    delete(store, "folder/leaf").await;
}

/// A blob of so many bytes comes back byte for byte, and a bound of one byte less refuses it.
async fn keeps_large_blobs(store: &Store, blob_bytes: usize) {
    // No period of it divides the sizes in which bytes travel, so a piece that is lost, doubled or swapped shows.
    let data: Vec<u8> = (0..251).cycle().take(blob_bytes).collect();
    done(store.put("large", PNG, data.clone()).await, "put large");
    let object = done(store.get("large", blob_bytes as u64).await, "get large");
    assert!(object.data == data, "a large blob comes back as it went");
    drop(object);
    assert_eq!(done(store.head("large").await, "head large").size_bytes, blob_bytes as u64);
    let bound = blob_bytes as u64 - 1;
    let over = store.get("large", bound).await.map(|object| object.metadata);
    assert!(matches!(over, Err(wit::Error::TooLarge(of)) if of == bound), "{over:?}");
    put(store, "large", PNG, b"small").await;
    holds(store, "large", PNG, b"small").await;
    delete(store, "large").await;
}

/// Lets the other tasks run: a store in memory never waits, and its readers would else keep its writers from ever beginning.
async fn give_way() {
    tokio::task::yield_now().await;
}

/// A blob whose bytes tell which version they are of.
fn version(number: u8) -> (String, Vec<u8>) {
    (format!("image/x-{number}"), vec![number; ROUND_BYTES + usize::from(number)])
}

/// All of the object is of one version.
fn is_of_one_version(object: &wit::Object, with_its_type: bool) {
    let number = object.data.first().copied().unwrap_or_default();
    let (content_type, data) = version(number);
    assert!(object.data == data, "{} bytes of several versions", object.data.len());
    assert_eq!(object.metadata.size_bytes, data.len() as u64);
    if with_its_type {
        assert_eq!(object.metadata.content_type, content_type);
    }
}

/// While two writers replace a blob again and again, every reader sees all of one put and nothing of another.
async fn replaces_as_a_whole(store: &Store, types_too: bool) {
    const KEY: &str = "contested/replaced";
    let (content_type, data) = version(0);
    put(store, KEY, &content_type, &data).await;
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (store, over) = (Arc::clone(store), Arc::clone(&over));
            tokio::spawn(async move {
                // Once more after the end, so that each reader has read at least once.
                let mut last = false;
                while !last {
                    last = over.load(Ordering::Acquire);
                    is_of_one_version(&get(&store, KEY).await, types_too);
                    give_way().await;
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..2_u8)
        .map(|writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    let (content_type, data) = version(1 + round * 2 + writer);
                    put(&store, KEY, &content_type, &data).await;
                    give_way().await;
                }
            })
        })
        .collect();
    for writer in writers {
        done(writer.await, "a writer");
    }
    over.store(true, Ordering::Release);
    for reader in readers {
        done(reader.await, "a reader");
    }
    let last = get(store, KEY).await;
    is_of_one_version(&last, types_too);
    let number = last.data.first().copied().unwrap_or_default();
    assert!(number > 2 * (ROUNDS - 1), "the last put of one of the writers stands, not {number}");
    delete(store, KEY).await;
}

/// While a blob is put and deleted again and again, every reader sees all of it or none, and the last word holds.
async fn puts_and_deletes_meet(store: &Store, types_too: bool) {
    const KEY: &str = "contested/deleted";
    let over = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, over) = (Arc::clone(store), Arc::clone(&over));
        tokio::spawn(async move {
            let mut last = false;
            while !last {
                last = over.load(Ordering::Acquire);
                match store.get(KEY, ANY_BYTES).await {
                    Ok(object) => is_of_one_version(&object, types_too),
                    Err(wit::Error::NotFound) => {}
                    Err(error) => panic!("get {KEY}: {error:?}"),
                }
                give_way().await;
            }
        })
    };
    let writer = {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for round in 1..=ROUNDS {
                let (content_type, data) = version(round);
                put(&store, KEY, &content_type, &data).await;
                give_way().await;
            }
        })
    };
    let deleter = {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                delete(&store, KEY).await;
                give_way().await;
            }
        })
    };
    done(writer.await, "the writer");
    done(deleter.await, "the deleter");
    over.store(true, Ordering::Release);
    done(reader.await, "the reader");
    let (content_type, data) = version(0);
    put(store, KEY, &content_type, &data).await;
    holds(store, KEY, &content_type, &data).await;
    delete(store, KEY).await;
    lacks(store, KEY).await;
}
