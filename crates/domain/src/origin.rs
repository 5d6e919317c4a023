//! Which web pages may use the service: the variable `allowed_origins`.

/// Origins (RFC 6454) whose pages a browser lets read answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// None but the service's own.
    #[default]
    None,
    /// All. No answer depends on a cookie, so every page gets what anybody gets.
    Any,
    /// These, as browsers send them: in lower case, without a path.
    Of(Vec<String>),
}

impl Origins {
    /// Reads the variable: empty, `*`, or origins with commas between them. None where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "" => Some(Self::None),
            "*" => Some(Self::Any),
            list => {
                list.split(',').map(|origin| origin_of(origin.trim())).collect::<Option<_>>().map(Self::Of)
            }
        }
    }

    /// Whether a page of this origin is allowed.
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Of(list) => list.iter().any(|allowed| allowed == origin),
        }
    }
}

/// As a browser sends it, where the text is an origin of the web.
fn origin_of(text: &str) -> Option<String> {
    let (scheme, host) = text.split_once("://")?;
    let is_host =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@*,;".contains(&byte));
    (matches!(scheme, "http" | "https") && is_host).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_everything_or_a_list() {
        assert_eq!(Origins::parse(""), Some(Origins::None));
        assert_eq!(Origins::parse(" * "), Some(Origins::Any));
        let two = Origins::parse("https://Shop.example, http://localhost:5173").unwrap();
        assert!(two.allows("https://shop.example") && two.allows("http://localhost:5173"));
        for other in ["https://shop.example:444", "http://shop.example", "https://evil.example", "null", ""] {
            assert!(!two.allows(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://shop.example/path",
            "https://*.example",
            "*, https://shop.example",
            "https://a.example,,https://b.example",
            "ftp://a.example",
            "https://user@a.example",
        ] {
            assert_eq!(Origins::parse(text), None, "{text}");
        }
    }
}
