//! The provider's settings: which store, and where. Read from Spin variables once for each call, checked here and nowhere else.
//!
//! A setting that is wrong gives one sentence that names the variable. The value is repeated only where it can't be a secret.

use crate::error::Error;

/// The longest label of a key-value store that is taken, in bytes; Spin itself has no bound.
const MAX_LABEL_BYTES: usize = 63;

/// Where blobs are kept, by the variable `blob_url`.
#[derive(Debug, PartialEq, Eq)]
pub enum Backend {
    /// `kv:<label>`: the host's key-value store with this label.
    KeyValue {
        /// The label, as the manifest's `key_value_stores` lists it.
        label: String,
    },
}

impl Backend {
    /// Reads the settings through `variable`, which gives the value of a variable by its name.
    ///
    /// # Errors
    /// What `variable` gives for `blob_url`; [`Error::Other`] where a value is wrong.
    pub fn read(mut variable: impl FnMut(&str) -> Result<String, Error>) -> Result<Self, Error> {
        let blob_url = variable("blob_url")?;
        match blob_url.split_once(':') {
            Some(("kv", label)) => key_value(label),
            _ => Err(Error::Other("the variable blob_url must be kv:<label>".to_owned())),
        }
    }
}

fn key_value(label: &str) -> Result<Backend, Error> {
    let valid = (1..=MAX_LABEL_BYTES).contains(&label.len())
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-'));
    if valid {
        Ok(Backend::KeyValue { label: label.to_owned() })
    } else {
        Err(Error::Other(format!(
            "the variable blob_url names a key-value store by 1 to {MAX_LABEL_BYTES} letters, digits, _ and - after kv:"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(blob_url: &str) -> Result<Backend, Error> {
        Backend::read(|_| Ok(blob_url.to_owned()))
    }

    #[test]
    fn a_key_value_label_is_read() {
        assert_eq!(read("kv:default"), Ok(Backend::KeyValue { label: "default".to_owned() }));
    }

    #[test]
    fn a_wrong_label_is_refused() {
        for url in ["kv:", "kv:a b", "kv://default", &format!("kv:{}", "l".repeat(64))] {
            assert!(matches!(read(url), Err(Error::Other(_))), "{url}");
        }
    }
}
