//! A text that may hold a credential: it can be used, and never be printed by accident.
//!
//! `Debug` shows `[redacted]`, and there is no `Display`, so that none gets into an address unseen; the only way to the text is
//! [`Secret::expose`], which is easy to search for.

use std::fmt;

/// A value that must not reach a log, an error or the banner.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A URL as people may see it: scheme, host, port and path; user, password and query are left out, for each may be a credential.
#[must_use]
pub fn redacted_url(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            // Both fail only where a URL can't have them, and then there is nothing to hide.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        }
        // Not a URL, or one that the parser reads otherwise than its writer meant: nothing after the scheme is safe to show.
        _ => match text.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://[redacted]"),
            None => "[redacted]".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn a_url_keeps_its_place_and_loses_its_credentials() {
        for (url, shown) in [
            ("redis://user:hunter2@cache:6379/0", "redis://cache:6379/0"),
            ("postgres://db/x?password=hunter2", "postgres://db/x"),
            ("redis://:p:@/hunter2@cache", "redis://[redacted]"),
            ("hunter2", "[redacted]"),
        ] {
            assert_eq!(redacted_url(url), shown, "{url}");
        }
    }
}
