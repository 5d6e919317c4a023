//! An address that a client wants to be told at.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a callback goes: `https://` or `http://`, a host, perhaps a port, a path and a query.
///
/// Invariant: no user, no password, no fragment; visible ASCII of at most [`CallbackUrl::MAX_BYTES`]; the host is a name, or an address as it
/// is usually written, so that no two programs read another one out of it.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackUrl {
    text: String,
    is_https: bool,
    host: String,
    port: u16,
    path_at: usize,
}

impl std::fmt::Debug for CallbackUrl {
    /// Path and query may hold what only the receiver is to know.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CallbackUrl({})", self.authority())
    }
}

impl CallbackUrl {
    /// The longest one, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// None where the invariant is not met.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte);
        if text.len() > Self::MAX_BYTES || !text.bytes().all(is_plain) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_https = is_https(scheme)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, port) = place(rest.get(..end)?, is_https)?;
        Some(Self { text: text.to_owned(), is_https, host, port, path_at: scheme.len() + "://".len() + end })
    }

    /// As the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is asked by TLS.
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// In lower case; an address of version 6 without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port, or the scheme's.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as HTTP has them.
    pub fn authority(&self) -> &str {
        let begin = if self.is_https { "https://".len() } else { "http://".len() };
        self.text.get(begin..self.path_at).unwrap_or_default()
    }

    /// Path and query, as HTTP has them.
    pub fn path_and_query(&self) -> String {
        match self.text.get(self.path_at..).unwrap_or_default() {
            rest if rest.starts_with('/') => rest.to_owned(),
            rest => format!("/{rest}"),
        }
    }
}

/// Whether this scheme is that of TLS; none where it is another than the two. In any case of letters, as a scheme may be (RFC 3986, 3.1).
pub(super) fn is_https(scheme: &str) -> Option<bool> {
    match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => Some(true),
        _ if scheme.eq_ignore_ascii_case("http") => Some(false),
        _ => None,
    }
}

/// `host[:port]`. None where the host is none, or the port.
pub(super) fn place(authority: &str, is_https: bool) -> Option<(String, u16)> {
    // A colon in brackets belongs to an address of version 6.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        None if is_https => 443,
        None => 80,
        // `parse` alone would take a sign.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port > 0)?
        }
        Some(_) => return None,
    };
    Some((self::host(host)?, port))
}

fn host(text: &str) -> Option<String> {
    if let Some(address) = text.strip_prefix('[') {
        return address.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(|address| address.to_string());
    }
    let host = text.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_name = host.len() <= 253 && host.split('.').all(is_label);
    // Some read `2130706433` and `0x7f.1` as addresses, others as names: only four decimal numbers are one to all.
    let ends_in_a_number =
        host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    (is_name && (!ends_in_a_number || host.parse::<Ipv4Addr>().is_ok())).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_into_its_parts() {
        for (text, is_https, host, port, authority, path) in [
            ("https://hooks.example/a/b?c=d", true, "hooks.example", 443, "hooks.example", "/a/b?c=d"),
            ("https://Hooks.Example:8443", true, "hooks.example", 8443, "Hooks.Example:8443", "/"),
            ("HTTPS://hooks.example/A", true, "hooks.example", 443, "hooks.example", "/A"),
            ("Http://hooks.example", false, "hooks.example", 80, "hooks.example", "/"),
            ("http://127.0.0.1:80?x", false, "127.0.0.1", 80, "127.0.0.1:80", "/?x"),
            ("http://[::1]/", false, "::1", 80, "[::1]", "/"),
            ("https://[0:0::1]:1/", true, "::1", 1, "[0:0::1]:1", "/"),
            ("https://a_b.example/@:", true, "a_b.example", 443, "a_b.example", "/@:"),
        ] {
            let url = CallbackUrl::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((url.as_str(), url.is_https(), url.host(), url.port()), (text, is_https, host, port));
            assert_eq!((url.authority(), url.path_and_query().as_str()), (authority, path));
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_none() {
        for text in [
            "",
            "hooks.example",
            "//hooks.example",
            "ftp://hooks.example",
            "https://",
            "https:///path",
            "https://?query",
            "https://user@hooks.example",
            "https://user:password@hooks.example",
            "https://hooks.example/#fragment",
            "https://hooks.example#",
            "https://hooks.example\\@other.example",
            "https://hooks.example/a b",
            "https://hooks.example/\r\nx: y",
            "https://hööks.example",
            "https://hooks..example",
            "https://hooks.example.",
            "https://.example",
            "https://hooks.example:",
            "https://hooks.example:0",
            "https://hooks.example:65536",
            "https://hooks.example:+1",
            "https://hooks.example:a",
            "https://2130706433",
            "https://0x7f.1",
            "https://127.1",
            "https://0177.0.0.1",
            "https://[::1",
            "https://::1",
            "https://[127.0.0.1]",
            "https://[fe80::1%25eth0]",
            "https://%31",
            "https://*.example",
        ] {
            assert_eq!(CallbackUrl::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn its_length_is_bounded() {
        let longest = format!("https://a.example/{:x<1$}", "", CallbackUrl::MAX_BYTES - 18);
        assert!(CallbackUrl::parse(&longest).is_some());
        assert_eq!(CallbackUrl::parse(&format!("{longest}x")), None);
    }

    #[test]
    fn its_path_is_not_shown_by_accident() {
        let url = CallbackUrl::parse("https://hooks.example/secret").unwrap();
        assert_eq!(format!("{url:?}"), "CallbackUrl(hooks.example)");
    }
}
