//! The key of a blob, as wit/blob-store defines it.

/// Invariants, so that a key can be a path below a directory or a part of a URL as it is:
/// - 1 to 255 bytes of `a-z 0-9 . _ - /`;
/// - does not begin or end with `/`, and has no empty segment;
/// - no segment is `.` or `..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a>(&'a str);

/// The longest key, in bytes.
pub(super) const MAX_BYTES: usize = 255;

impl<'a> Key<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/');
        let fits = (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        (fits && text.split('/').all(|segment| !matches!(segment, "" | "." | ".."))).then_some(Self(text))
    }

    pub(super) fn as_str(self) -> &'a str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_plain_path() {
        let longest = "a".repeat(255);
        for key in ["a", "originals/0190-x.y_z", "...", "a/..b", longest.as_str()] {
            assert!(Key::parse(key).is_some(), "{key}");
        }
        let too_long = "a".repeat(256);
        for key in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/.",
            "A",
            "a b",
            "ä",
            "a\\b",
            "a%2fb",
            "a\0",
            too_long.as_str(),
        ] {
            assert!(Key::parse(key).is_none(), "{key}");
        }
    }
}
