//! Texts that a host wrote, made fit for the operator's log. Errors themselves are [`thumbs_s3::Error`], whichever store is asked: one for one
//! those of the interface, but for a key that breaks the rules, which is found before.

/// The longest piece of a host's or server's text that is repeated in one of our sentences, in bytes.
const MAX_FOREIGN_TEXT_BYTES: usize = 200;

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
