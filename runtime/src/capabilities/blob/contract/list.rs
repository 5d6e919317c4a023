//! The keys of a store, a page at a time.

use super::{PNG, Store, delete, done, put};

/// In the order of their bytes, of which that between two words is not the same as between two folders.
const KEYS: [&str; 9] =
    ["list/a-b", "list/a.b", "list/a/1", "list/a/2", "list/a/b/c", "list/a0", "list/b", "list/b-", "list0"];

async fn list(store: &Store, prefix: &str, after: &str, limit: usize) -> Vec<String> {
    done(store.list(prefix, after, limit).await, &format!("list {prefix} after {after}"))
}

/// Keys come in order, from any place on, none twice and none left out, whichever pages they come in; and what was deleted is not among them.
pub(super) async fn is_kept(store: &Store) {
    let none: [&str; 0] = [];
    assert_eq!(list(store, "list", "", 10).await, none);
    for key in KEYS.iter().rev() {
        put(store, key, PNG, key.as_bytes()).await;
    }
    assert_eq!(list(store, "list", "", 1000).await, KEYS);
    assert_eq!(list(store, "list", "", KEYS.len()).await, KEYS);
    for page in 1..KEYS.len() {
        let mut seen = Vec::<String>::new();
        loop {
            let after = seen.last().cloned().unwrap_or_default();
            let keys = list(store, "list", &after, page).await;
            let is_last = keys.len() < page;
            seen.extend(keys);
            if is_last {
                break;
            }
        }
        assert_eq!(seen, KEYS, "in pages of {page}");
    }
    assert_eq!(list(store, "list/a/", "", 10).await, KEYS[2..5]);
    assert_eq!(list(store, "list/a/", "list/a/1", 10).await, KEYS[3..5]);
    // Neither is a key, or that of a blob.
    assert_eq!(list(store, "list/a/b", "list/a/aa-", 10).await, [KEYS[4]]);
    assert_eq!(list(store, "list/", "list/b", 10).await, [KEYS[7]]);
    assert_eq!(list(store, "list/c", "", 10).await, none);
    assert_eq!(list(store, "list", "", 0).await, none);
    delete(store, KEYS[3]).await;
    assert_eq!(list(store, "list/a/", "", 10).await, [KEYS[2], KEYS[4]]);
    for key in KEYS {
        delete(store, key).await;
    }
    assert_eq!(list(store, "list", "", 10).await, none);
}
