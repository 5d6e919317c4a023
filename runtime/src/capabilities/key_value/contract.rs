//! What every key-value backend must do. A backend's tests call these and add nothing of their own about the contract.
#![expect(clippy::unwrap_used, reason = "a test kit fails loudly")]

use super::Backend;

/// Everything about one store, which must be empty.
///
/// # Panics
/// Where it does not hold.
pub async fn holds(store: &dyn Backend) {
    assert_eq!(store.get("a", 10).await.unwrap(), None);
    assert!(!store.exists("a").await.unwrap());
    assert_eq!(store.keys(10).await.unwrap(), Vec::<String>::new());
    store.delete("a").await.unwrap();

    store.set("a", vec![0, 255, 1]).await.unwrap();
    assert_eq!(store.get("a", 3).await.unwrap(), Some(vec![0, 255, 1]));
    assert!(store.exists("a").await.unwrap());
    assert!(store.get("a", 2).await.is_err(), "a value over the bound is not given");

    store.set("a", vec![]).await.unwrap();
    assert_eq!(store.get("a", 0).await.unwrap(), Some(vec![]), "an empty value is one");

    for key in ["", "ä/ö:*%_'", "b"] {
        store.set(key, key.as_bytes().to_vec()).await.unwrap();
        assert_eq!(store.get(key, 100).await.unwrap(), Some(key.as_bytes().to_vec()), "{key:?}");
    }
    let mut keys = store.keys(4).await.unwrap();
    keys.sort();
    assert_eq!(keys, ["", "a", "b", "ä/ö:*%_'"]);
    assert!(store.keys(3).await.is_err(), "a listing over the bound is not given");

    store.delete("b").await.unwrap();
    assert_eq!(store.get("b", 10).await.unwrap(), None);
    assert!(!store.summary().is_empty());
}

/// What one holder of a store writes, another of the same reads.
///
/// # Panics
/// Where it does not hold.
pub async fn survives(writer: &dyn Backend, reader: &dyn Backend) {
    writer.set("kept", vec![7]).await.unwrap();
    assert_eq!(reader.get("kept", 1).await.unwrap(), Some(vec![7]));
}
