//! The component's entry: the generated bindings, and the exported interface over the backend that the variables name.
//!
//! No decision is made here; each function checks its arguments, picks the backend and translates.

use thumbs_s3::client::MAX_LISTED_KEYS;
use thumbs_s3::key::is_start;
use thumbs_s3::retry::Policy;
use thumbs_s3::transport::now;
use thumbs_s3::{Client, ContentType, Error, InvalidSetting, Key, Metadata, Settings};

use crate::config::Backend;
use crate::foreign::foreign_text;
use crate::kv::{self, KeyValueBlobs};
use crate::pieces::{OpenReader, OpenWriter};
use crate::s3::wasi_http::WasiHttp;

/// The largest blob of the interface, in bytes.
pub(crate) const MAX_BLOB_BYTES: u64 = 64 << 20;

pub(crate) mod bindings {
    #![expect(unsafe_code, reason = "generated from wit/, documented there")]
    wit_bindgen::generate!({
        path: ["../../wit/spin", "../../wit/blob-store"],
        // The world `blob-store` of wit/app, said again: that package needs every other one to resolve.
        inline: "
            package thumbs:blob-store-provider;
            world provider {
                import fermyon:spin/variables@2.0.0;
                import fermyon:spin/key-value@2.0.0;
                export thumbs:blob-store/store@1.0.0;
            }
        ",
        generate_all,
    });
    use super::Provider;
    export!(Provider);
}

use bindings::exports::thumbs::blob_store::store;
use bindings::fermyon::spin::{key_value, variables};

struct Provider;

impl store::Guest for Provider {
    type Writer = OpenWriter;
    type Reader = OpenReader;

    fn put(key: String, content_type: String, data: Vec<u8>) -> Result<(), store::Error> {
        let key = checked(&key)?;
        let content_type = checked_type(&content_type)?;
        if data.len() as u64 > MAX_BLOB_BYTES {
            return Err(store::Error::TooLarge(MAX_BLOB_BYTES));
        }
        match backend()? {
            Backend::KeyValue { label } => open(&label)?.put(key, content_type, &[data])?,
            Backend::S3(settings) => {
                now(s3(&settings).put(key, content_type, data.into()))?;
            }
        }
        Ok(())
    }

    fn get(key: String, max_bytes: u64) -> Result<store::Object, store::Error> {
        let key = checked(&key)?;
        let max_bytes = max_bytes.min(MAX_BLOB_BYTES);
        let (metadata, data) = match backend()? {
            Backend::KeyValue { label } => open(&label)?.get(key, max_bytes)?,
            Backend::S3(settings) => now(s3(&settings).get(key, max_bytes))?,
        };
        Ok(store::Object { metadata: metadata.into(), data })
    }

    fn head(key: String) -> Result<store::Metadata, store::Error> {
        let key = checked(&key)?;
        let metadata = match backend()? {
            Backend::KeyValue { label } => open(&label)?.head(key)?,
            Backend::S3(settings) => now(s3(&settings).head(key))?,
        };
        Ok(metadata.into())
    }

    fn delete(key: String) -> Result<(), store::Error> {
        let key = checked(&key)?;
        match backend()? {
            Backend::KeyValue { label } => open(&label)?.delete(key)?,
            Backend::S3(settings) => now(s3(&settings).delete(key))?,
        }
        Ok(())
    }

    fn list_keys(prefix: String, after: String, limit: u32) -> Result<Vec<String>, store::Error> {
        if !(is_start(&prefix) && is_start(&after)) {
            return Err(store::Error::InvalidKey);
        }
        let limit = usize::try_from(limit).unwrap_or(MAX_LISTED_KEYS).min(MAX_LISTED_KEYS);
        Ok(match backend()? {
            Backend::KeyValue { label } => open(&label)?.list(&prefix, &after, limit)?,
            Backend::S3(settings) => now(s3(&settings).list(&prefix, &after, limit))?,
        })
    }
}

pub(crate) fn checked(key: &str) -> Result<Key<'_>, store::Error> {
    Key::parse(key).ok_or(store::Error::InvalidKey)
}

pub(crate) fn checked_type(content_type: &str) -> Result<ContentType<'_>, store::Error> {
    ContentType::parse(content_type).ok_or_else(|| store::Error::Other(ContentType::RULE.to_owned()))
}

pub(crate) const fn s3(settings: &Settings) -> Client<'_, WasiHttp> {
    Client::new(settings, &WasiHttp, Policy::DEFAULT)
}

pub(crate) fn backend() -> Result<Backend, Error> {
    Backend::read(|name| {
        variables::get(name).map_err(|error| match error {
            variables::Error::Undefined(_) | variables::Error::InvalidName(_) => {
                InvalidSetting::missing(name).into()
            }
            variables::Error::Provider(text) | variables::Error::Other(text) => {
                Error::Unavailable(format!("the variable {name} can't be read: {}", foreign_text(&text)))
            }
        })
    })
}

pub(crate) struct SpinPairs(key_value::Store);

pub(crate) fn open(label: &str) -> Result<KeyValueBlobs<SpinPairs>, Error> {
    match key_value::Store::open(label) {
        Ok(pairs) => Ok(KeyValueBlobs::new(SpinPairs(pairs))),
        Err(error) => Err(key_value_error(error)),
    }
}

impl kv::Pairs for SpinPairs {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key).map_err(key_value_error)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.set(key, value).map_err(key_value_error)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key).map_err(key_value_error)
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        self.0.get_keys().map_err(key_value_error)
    }
}

fn key_value_error(error: key_value::Error) -> Error {
    match error {
        key_value::Error::AccessDenied => {
            Error::AccessDenied("key_value_stores does not grant the store that blob_url names".to_owned())
        }
        key_value::Error::NoSuchStore => {
            Error::Other("the host has no key-value store with the label that blob_url names".to_owned())
        }
        key_value::Error::StoreTableFull => {
            Error::Unavailable("too many key-value stores are open".to_owned())
        }
        key_value::Error::Other(text) => {
            Error::Unavailable(format!("the key-value store failed: {}", foreign_text(&text)))
        }
    }
}

impl From<Metadata> for store::Metadata {
    fn from(metadata: Metadata) -> Self {
        Self { size_bytes: metadata.size_bytes, content_type: metadata.content_type }
    }
}

impl From<Error> for store::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::TooLarge(max_bytes) => Self::TooLarge(max_bytes),
            Error::AccessDenied(text) => Self::AccessDenied(text),
            Error::Unavailable(text) => Self::Unavailable(text),
            Error::Other(text) => Self::Other(text),
        }
    }
}
