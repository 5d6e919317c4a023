//! Blobs in the virtual key-value store, in the layout of `components/blob-store` (its `kv.rs`): a record that names the data.

use crate::bindings::fermyon::spin_test_virt::key_value::{self, Call, Store};

/// Puts a blob there, as a finished put leaves it.
pub fn put(key: &str, content_type: &str, data: &[u8]) {
    let generation = format!("{:032x}", 7);
    let store = Store::open("default");
    store.set(&format!("blob/data/{key}/{generation}"), data);
    let record = format!("thumbs-blob 1\n{generation}\n{}\n{content_type}\n", data.len());
    store.set(&format!("blob/record/{key}"), record.as_bytes());
}

/// What a finished put left under this key.
///
/// # Panics
/// When its record is none, or names data that is not there.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    let store = Store::open("default");
    let record = String::from_utf8(store.get(&format!("blob/record/{key}"))?).expect("a record is text");
    let generation = record.lines().nth(1).expect("a record names a generation");
    Some(store.get(&format!("blob/data/{key}/{generation}")).expect("a record names data that is there"))
}

/// Keys of all that the component under test has set in any store.
#[must_use]
pub fn written() -> Vec<String> {
    let calls = key_value::calls().into_iter().flat_map(|(_, calls)| calls);
    calls
        .filter_map(|call| match call {
            Call::Set((key, _)) => Some(key),
            _ => None,
        })
        .collect()
}
