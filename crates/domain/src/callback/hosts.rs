//! Which hosts the operator lets callbacks go to.

use super::url::{CallbackUrl, is_https, place};

/// The variable `callback_hosts`: `hooks.example`, `*.example:8443` and the like, which are asked by TLS, or `http://` and the same, which is not.
/// Without a port it is the scheme's alone. Empty is nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackHosts(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    is_https: bool,
    /// All that is below `host`, and not `host` itself.
    is_below: bool,
    host: String,
    port: u16,
}

impl CallbackHosts {
    /// Reads entries with commas or white space between them. None where one is no such entry.
    pub fn parse(text: &str) -> Option<Self> {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        entries.map(Allowed::parse).collect::<Option<_>>().map(Self)
    }

    /// Whether no callback goes anywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this may be told.
    pub fn allow(&self, url: &CallbackUrl) -> bool {
        self.0.iter().any(|allowed| allowed.has(url))
    }
}

impl Allowed {
    fn parse(entry: &str) -> Option<Self> {
        let (is_https, rest) = match entry.split_once("://") {
            Some((scheme, rest)) => (is_https(scheme)?, rest),
            None => (true, entry),
        };
        let (is_below, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (host, port) = place(rest, is_https)?;
        // Below an address is nothing.
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        (!(is_below && is_address)).then_some(Self { is_https, is_below, host, port })
    }

    fn has(&self, url: &CallbackUrl) -> bool {
        let is_host = match self.is_below {
            true => url
                .host()
                .strip_suffix(self.host.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            false => url.host() == self.host,
        };
        is_host && url.is_https() == self.is_https && url.port() == self.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(hosts: &str, url: &str) -> bool {
        CallbackHosts::parse(hosts).unwrap().allow(&CallbackUrl::parse(url).unwrap())
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(CallbackHosts::parse("").unwrap().is_empty());
        assert!(!allow("", "https://hooks.example"));
    }

    #[test]
    fn an_entry_allows_its_scheme_host_and_port_alone() {
        for (hosts, good, bad) in [
            ("hooks.example", "https://HOOKS.example/x", "http://hooks.example/x"),
            ("hooks.example", "https://hooks.example:443", "https://hooks.example:8443"),
            ("hooks.example", "https://hooks.example", "https://a.hooks.example"),
            ("HTTPS://Hooks.Example", "https://hooks.example", "http://hooks.example"),
            ("http://hooks.example", "HTTP://HOOKS.EXAMPLE/x", "HTTPS://hooks.example"),
            ("hooks.example:8443", "https://hooks.example:8443", "https://hooks.example"),
            ("*.example.com", "https://a.example.com", "https://example.com"),
            ("*.example.com", "https://a.b.example.com", "https://aexample.com"),
            ("*.example.com:1", "https://a.example.com:1", "https://a.example.com.evil:1"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/x", "https://127.0.0.1:9000/x"),
            ("a.example, b.example\nc.example", "https://c.example", "https://d.example"),
            ("https://[::1]:1", "https://[0::1]:1", "https://[::2]:1"),
        ] {
            assert!(allow(hosts, good), "{hosts} should allow {good}");
            assert!(!allow(hosts, bad), "{hosts} should not allow {bad}");
        }
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for text in
            ["*", "*.", "*:443", "a.*.example", "ftp://a", "a/b", "user@a", "a:0", "*.127.0.0.1", "a;b"]
        {
            assert_eq!(CallbackHosts::parse(text), None, "{text}");
        }
    }
}
