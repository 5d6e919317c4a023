//! Blobs in the virtual key-value store, in the layout of `components/blob-store` (its `kv.rs`): a record that names the data.

use crate::bindings::fermyon::spin_test_virt::key_value::Store;

/// Puts a blob there, as a finished put leaves it.
pub fn put(key: &str, content_type: &str, data: &[u8]) {
    let generation = format!("{:032x}", 7);
    let store = Store::open("default");
    store.set(&format!("blob/data/{key}/{generation}"), data);
    let record = format!("thumbs-blob 1\n{generation}\n{}\n{content_type}\n", data.len());
    store.set(&format!("blob/record/{key}"), record.as_bytes());
}

/// Whether a finished put left a blob of this key.
#[must_use]
pub fn is_there(key: &str) -> bool {
    Store::open("default").get(&format!("blob/record/{key}")).is_some()
}
