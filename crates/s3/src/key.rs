//! Checked names: the key of a blob and the content type stored with it, by the rules of `wit/blob-store`.
//!
//! They are here because a bucket's prefix follows the rules of a key, and because nothing behind this module checks again: a key goes into a
//! URL path as it is, and a content type into a header.

/// The longest key of the interface, in bytes.
pub const MAX_KEY_BYTES: usize = 255;
/// The longest content type, in bytes: RFC 6838 section 4.2 allows 127 each for type and subtype.
pub const MAX_CONTENT_TYPE_BYTES: usize = 255;

/// A key. Invariants, so that it can be a path below a directory or a part of a URL as it is:
/// - 1 to 255 bytes of `a-z 0-9 . _ - /`;
/// - does not begin or end with `/`, and has no empty segment;
/// - no segment is `.` or `..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// The key, or `None` where `text` breaks a rule.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let fits = text.len() <= MAX_KEY_BYTES && text.bytes().all(is_allowed);
        // Splitting also finds a leading, trailing or doubled slash and the empty key: each gives an empty segment.
        (fits && text.split('/').all(|segment| !matches!(segment, "" | "." | ".."))).then_some(Self(text))
    }

    /// The key as text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// Whether `text` may be where the keys of a list begin: any bytes that a key may have, or none.
#[must_use]
pub fn is_start(text: &str) -> bool {
    text.len() <= MAX_KEY_BYTES && text.bytes().all(is_allowed)
}

const fn is_allowed(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/')
}

/// A content type that comes out of a header as it went in: 1 to 255 printable ASCII characters, no space at either end. Whether it names a
/// registered media type is the caller's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentType<'a>(&'a str);

impl<'a> ContentType<'a> {
    /// What a text must be that is none, as a sentence.
    pub const RULE: &'static str =
        "a content type has 1 to 255 printable ASCII characters and no space at an end";

    /// The content type, or `None` where `text` is none.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let fits = (1..=MAX_CONTENT_TYPE_BYTES).contains(&text.len());
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        (fits && printable && text.trim() == text).then_some(Self(text))
    }

    /// The content type as text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_the_rules_are_taken() {
        for key in ["a", "uploads/0197-ab", "a/b/c.png", "...", "a/.b", "_", &"k".repeat(MAX_KEY_BYTES)] {
            assert_eq!(Key::parse(key).map(Key::as_str), Some(key));
        }
    }

    #[test]
    fn other_keys_are_refused() {
        let too_long = "k".repeat(MAX_KEY_BYTES + 1);
        for key in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "A", "a b", "a%2fb", "ä", "a\0", "a\\b",
            &too_long,
        ] {
            assert_eq!(Key::parse(key), None, "{key:?}");
        }
    }

    #[test]
    fn content_types_that_would_break_a_header_are_refused() {
        assert!(ContentType::RULE.contains(&format!("1 to {MAX_CONTENT_TYPE_BYTES} ")));
        for bad in [
            "",
            " image/png",
            "image/png ",
            "image/png\r\nx-amz-acl: public-read",
            "image/pñg",
            &"a".repeat(MAX_CONTENT_TYPE_BYTES + 1),
        ] {
            assert_eq!(ContentType::parse(bad), None, "{bad:?}");
        }
        for good in ["a", "text/plain; charset=utf-8", &"a".repeat(MAX_CONTENT_TYPE_BYTES)] {
            assert_eq!(ContentType::parse(good).map(ContentType::as_str), Some(good));
        }
    }
}
