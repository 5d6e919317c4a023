//! Checked names: the key of a blob, and the content type stored with it.
//!
//! Everything behind this module relies on the invariants and checks nothing again: a key can be put into a URL path or a
//! key-value key as it is, and a content type into an HTTP header or one line of text.

use crate::error::Error;

/// The longest key of the interface, in bytes.
pub const MAX_KEY_BYTES: usize = 255;
/// The longest content type, in bytes: RFC 6838 section 4.2 allows 127 each for type and subtype.
pub const MAX_CONTENT_TYPE_BYTES: usize = 255;

/// A key by the interface's rules: 1 to 255 bytes of `a-z 0-9 . _ - /`, segments neither empty nor `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Checks `key`.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] for every key that breaks a rule.
    pub fn parse(key: String) -> Result<Self, Error> {
        if is_valid_path(&key) { Ok(Self(key)) } else { Err(Error::InvalidKey) }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `path` follows the rules of a key; a bucket's prefix follows the same.
#[must_use]
pub fn is_valid_path(path: &str) -> bool {
    path.len() <= MAX_KEY_BYTES
        && path.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/'))
        // Splitting also refuses a leading, trailing or doubled slash and the empty key: each gives an empty segment.
        && path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

/// A content type that fits in a header and on one line: 1 to 255 printable ASCII characters, no space at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType(String);

impl ContentType {
    /// Checks `content_type`; whether it names a registered media type is the caller's business.
    ///
    /// # Errors
    /// [`Error::Other`] where it would not survive as a header value.
    pub fn parse(content_type: String) -> Result<Self, Error> {
        let printable = content_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let length_fits = (1..=MAX_CONTENT_TYPE_BYTES).contains(&content_type.len());
        if printable && length_fits && content_type.trim() == content_type {
            Ok(Self(content_type))
        } else {
            Err(Error::Other(format!(
                "a content type has 1 to {MAX_CONTENT_TYPE_BYTES} printable ASCII characters and no space at an end"
            )))
        }
    }

    /// The content type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_the_rules_are_taken() {
        for key in ["a", "uploads/0197-ab", "a/b/c.png", "...", "a/.b", "_", &"k".repeat(MAX_KEY_BYTES)] {
            assert_eq!(ObjectKey::parse(key.to_owned()).map(|key| key.0), Ok(key.to_owned()));
        }
    }

    #[test]
    fn other_keys_are_refused() {
        let too_long = "k".repeat(MAX_KEY_BYTES + 1);
        for key in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "A", "a b", "a%2f", "ä", "a\0", "a\\b",
            &too_long,
        ] {
            assert_eq!(ObjectKey::parse(key.to_owned()), Err(Error::InvalidKey), "{key:?}");
        }
    }

    #[test]
    fn content_types_that_would_break_a_header_are_refused() {
        for bad in ["", " image/png", "image/png\r\nx-amz-acl: public-read", "image/pñg", &"a".repeat(256)] {
            assert!(matches!(ContentType::parse(bad.to_owned()), Err(Error::Other(_))), "{bad:?}");
        }
        assert!(ContentType::parse("text/plain; charset=utf-8".to_owned()).is_ok());
    }
}
