//! What a blob operation can fail with, by whose fault it is: the interface's own list (`wit/blob-store`), usable natively.
//!
//! The sentences go to the operator's log. Nothing here may hold a secret, so texts that come from a host or a server pass
//! through [`foreign_text`]. How an S3 answer becomes one of these is not here: see `s3::response`.

/// The longest piece of a host's or server's text that is repeated in one of our sentences, in bytes.
const MAX_FOREIGN_TEXT_BYTES: usize = 200;

/// The errors of `thumbs:blob-store/store`, one for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No blob has this key.
    #[error("no blob has this key")]
    NotFound,
    /// The key breaks the interface's rules.
    #[error("the key is not valid")]
    InvalidKey,
    /// The blob has more bytes than this bound.
    #[error("the blob has more than {0} bytes")]
    TooLarge(u64),
    /// Credentials or a grant are missing or refused; trying again does not help.
    #[error("{0}")]
    AccessDenied(String),
    /// The store is away or at fault; trying again may help.
    #[error("{0}")]
    Unavailable(String),
    /// Settings are wrong or the store's answer makes no sense; trying again does not help.
    #[error("{0}")]
    Other(String),
}

/// A text that somebody else wrote, made fit for one log line: bounded, without control characters, and dropped as a whole
/// where it holds a URL, because a URL may carry a password.
pub fn foreign_text(text: &str) -> String {
    if text.contains("://") {
        return "(a text with a URL, not repeated)".to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        if kept.len() + character.len_utf8() > MAX_FOREIGN_TEXT_BYTES {
            break;
        }
        kept.push(if character.is_control() { ' ' } else { character });
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_bounded_and_one_line() {
        let text = foreign_text(&format!("first\nsecond\u{1b}[31m{}", "ü".repeat(500)));
        assert!(text.len() <= MAX_FOREIGN_TEXT_BYTES);
        assert!(text.starts_with("first second"));
        assert!(!text.chars().any(char::is_control));
    }

    #[test]
    fn foreign_text_repeats_no_url() {
        let text = foreign_text("could not connect to redis://:hunter2@redis:6379");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
