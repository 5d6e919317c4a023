//! Keeping credentials out of the log: a driver that is angry about an address likes to quote it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// The text without `url`, and without the password in it, as written or decoded.
pub fn redact(text: &str, url: &str) -> String {
    let mut clean = text.to_owned();
    let password = password(url).unwrap_or_default();
    let decoded = percent_decode_str(password).decode_utf8_lossy();
    for secret in [Cow::Borrowed(url), Cow::Borrowed(password), decoded] {
        if !secret.is_empty() {
            clean = clean.replace(secret.as_ref(), REDACTED);
        }
    }
    clean
}

/// The password of a URL (RFC 3986, section 3.2.1). Taken from the text as it stands, for what is no valid URL may hold one too:
/// everything between the first colon after `//` and the last `@`.
fn password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("//")?;
    let (user_info, _) = rest.rsplit_once('@')?;
    let (_, password) = user_info.split_once(':')?;
    Some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_url_nor_password_is_left() {
        for url in [
            "postgres://user:hunter2@host:5432/db",
            "redis://:hunter2@host:6379",
            "postgres://user:hunter2@:/@host/db",
            "postgres://user:hunter2%40x@host/db?sslmode=disable",
            "not a scheme//user:hunter2@host",
        ] {
            let decoded = percent_decode_str(url).decode_utf8_lossy();
            let text = format!("{url} is not allowed; password is {}; {decoded}", password(url).unwrap());
            let clean = redact(&text, url);
            assert!(!clean.contains("hunter2"), "{url}: {clean}");
            assert!(clean.contains("is not allowed"), "{clean}");
        }
    }

    #[test]
    fn the_rest_of_the_text_stays() {
        for url in ["", "x", "redis://host:6379", "postgres://user@host/db", "postgres://user:@host/db"] {
            assert_eq!(
                redact("connection refused (os error 111)", url),
                "connection refused (os error 111)",
                "{url}"
            );
        }
    }
}
