//! The provider's settings: which store, and where. Read from Spin variables once for each call, checked here and in
//! [`thumbs_s3::settings`] and nowhere else.
//!
//! A setting that is wrong gives one sentence that names the variable. The value is repeated only where it can't be a secret.

use thumbs_s3::{Error, Settings};

/// The longest label of a key-value store that is taken, in bytes; Spin itself has no bound.
const MAX_LABEL_BYTES: usize = 63;

/// Where blobs are kept, by the variable `blob_url`.
#[derive(Debug)]
pub enum Backend {
    /// `kv:<label>`: the host's key-value store with this label.
    KeyValue {
        /// The label, as the manifest's `key_value_stores` lists it.
        label: String,
    },
    /// `s3://<bucket>[/<prefix>]`: a bucket, by the variables `s3_*`.
    S3(Box<Settings>),
}

impl Backend {
    /// Reads the settings through `variable`, which gives the value of a variable by its name.
    ///
    /// # Errors
    /// What `variable` gives; [`Error::Other`] where a value is wrong.
    pub fn read(mut variable: impl FnMut(&str) -> Result<String, Error>) -> Result<Self, Error> {
        let blob_url = variable("blob_url")?;
        match blob_url.split_once(':') {
            Some(("kv", label)) => key_value(label),
            Some(("s3", _)) => Ok(Self::S3(Box::new(Settings::read(&blob_url, variable)?))),
            _ => Err(Error::Other(
                "the variable blob_url must be kv:<label> or s3://<bucket>[/<prefix>]".to_owned(),
            )),
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
        Backend::read(|name| match name {
            "blob_url" => Ok(blob_url.to_owned()),
            other => Err(Error::Other(format!("{other} was asked for"))),
        })
    }

    #[test]
    fn a_key_value_label_is_read_and_no_other_variable() {
        assert!(matches!(read("kv:default"), Ok(Backend::KeyValue { label }) if label == "default"));
    }

    #[test]
    fn a_wrong_label_is_refused() {
        for url in ["kv:", "kv:a b", "kv://default", &format!("kv:{}", "l".repeat(64))] {
            assert!(matches!(read(url), Err(Error::Other(_))), "{url}");
        }
    }

    #[test]
    fn a_wrong_url_is_not_repeated() {
        for url in ["", "default", "file:/var/blobs", "https://user:hunter2@host/bucket"] {
            let error = read(url).unwrap_err();
            assert!(error.to_string().contains("blob_url"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
