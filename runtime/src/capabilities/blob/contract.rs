//! What every blob backend must do. A backend's tests call this and add nothing of their own about the contract.

use super::{Backend, wit};

/// On an empty store.
pub(crate) async fn holds(store: &dyn Backend) {
    assert!(matches!(store.get("a", 10).await, Err(wit::Error::NotFound)));
    assert!(matches!(store.head("a").await, Err(wit::Error::NotFound)));
    store.delete("a").await.unwrap();

    store.put("a", "image/png", vec![0, 255, 1]).await.unwrap();
    let object = store.get("a", 3).await.unwrap();
    assert_eq!((object.data, object.metadata.size_bytes), (vec![0, 255, 1], 3));
    assert_eq!(object.metadata.content_type, "image/png");
    let head = store.head("a").await.unwrap();
    assert_eq!((head.size_bytes, head.content_type.as_str()), (3, "image/png"));
    assert!(matches!(store.get("a", 2).await, Err(wit::Error::TooLarge(2))));

    store.put("a", "", vec![]).await.unwrap();
    let empty = store.get("a", 0).await.unwrap();
    assert_eq!((empty.data.len(), empty.metadata.content_type.as_str()), (0, ""), "replaced as a whole");

    let longest = format!("deep/{}/x.y_z-1", "d".repeat(200));
    let data = vec![7; 1_000_000];
    store.put(&longest, &"t".repeat(255), data.clone()).await.unwrap();
    let object = store.get(&longest, 1_000_000).await.unwrap();
    assert!(object.data == data, "a megabyte comes back as it went");
    assert_eq!(object.metadata.content_type.len(), 255);
    assert_eq!(store.head(&longest).await.unwrap().size_bytes, 1_000_000);
    assert!(matches!(store.get(&longest, 999_999).await, Err(wit::Error::TooLarge(_))));

    store.delete("a").await.unwrap();
    assert!(matches!(store.get("a", 10).await, Err(wit::Error::NotFound)));
    store.get(&longest, 1_000_000).await.unwrap();
    assert!(!store.summary().is_empty());
}
