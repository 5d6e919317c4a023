//! Blobs in the virtual key-value store, in the layout of `components/blob-store` (its `kv.rs`): the bytes, and behind them their type.

use crate::bindings::fermyon::spin_test_virt::key_value::{self, Call, Store};

/// What a blob's value ends with.
const MAGIC: &[u8] = b"thb1";

/// Puts a blob there, as a put leaves it.
///
/// # Panics
/// When the content type is longer than any.
pub fn put(key: &str, content_type: &str, data: &[u8]) {
    let length = u8::try_from(content_type.len()).expect("a content type is short");
    let value = [data, content_type.as_bytes(), &[length], MAGIC].concat();
    Store::open("default").set(&format!("blob/{key}"), &value);
}

/// What a put left under this key.
///
/// # Panics
/// When it is no blob.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    let mut value = Store::open("default").get(&format!("blob/{key}"))?;
    let (length, rest) =
        value.strip_suffix(MAGIC).and_then(<[u8]>::split_last).expect("a value ends as a blob's does");
    value.truncate(rest.len() - usize::from(*length));
    Some(value)
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
