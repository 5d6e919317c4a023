//! Where a component may connect to: `allowed_outbound_hosts`, with Spin's grammar, denied by default.
//!
//! | part of `scheme://host[:port]` | forms |
//! |---|---|
//! | scheme | letters, or `*` |
//! | host | a name, an address, `*.domain` (not the domain itself), `*`, a network in CIDR notation |
//! | port | a number, `a..b` (without b), `*`; none is the scheme's usual port |
//!
//! Paths, credentials and lists are refused. Not supported, and refused when the application starts: `self` and service chaining
//! (`http://<component>.spin.internal`), for components of this application never call each other.

use std::net::IpAddr;

use url::Host;

/// The domain of Spin's service chaining.
const CHAINING_DOMAIN: &str = "spin.internal";

/// Where a component may connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// None is any.
    scheme: Option<String>,
    host: HostPattern,
    ports: Ports,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// With the dot in front.
    Below(String),
    Exact(Host),
    Network {
        address: IpAddr,
        bits: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ports {
    Any,
    /// First and the one after the last.
    Range(u32, u32),
}

impl AllowedHosts {
    /// Reads the entries of a component, templates already resolved.
    ///
    /// # Errors
    /// A clause that quotes the entry and says what is wrong with it. An entry never holds credentials, for those are refused first and
    /// not quoted.
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, String> {
        entries.into_iter().map(|entry| Entry::parse(entry.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a connection to this place is granted. `port` none is the scheme's usual one.
    #[must_use]
    pub fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let (Ok(host), Some(port)) = (Host::parse(host), port.or_else(|| well_known_port(scheme))) else {
            return false;
        };
        self.0.iter().any(|entry| {
            entry.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
                && entry.host.matches(&host)
                && entry.ports.contains(port)
        })
    }

    /// Whether a connection to this URL is granted; one that is no URL is not.
    #[must_use]
    pub fn allows_url(&self, url: &str) -> bool {
        url::Url::parse(url)
            .is_ok_and(|url| url.host_str().is_some_and(|host| self.allows(url.scheme(), host, url.port())))
    }
}

impl Entry {
    fn parse(entry: &str) -> Result<Self, String> {
        let entry = entry.trim();
        if entry.contains('@') {
            return Err("an entry has credentials; write scheme://host:port alone".into());
        }
        let wrong = |reason: &str| format!("{entry:?} {reason}");
        let (scheme, rest) =
            entry.split_once("://").ok_or_else(|| wrong("has no scheme; write scheme://host:port"))?;
        let scheme = match scheme {
            "*" => None,
            name if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Some(name.to_ascii_lowercase())
            }
            _ => return Err(wrong("has a scheme that is neither letters nor `*`")),
        };
        if let Some(network) = HostPattern::network(rest) {
            let ports = Ports::parse("", scheme.as_deref()).ok_or_else(|| wrong("needs a port"))?;
            return Ok(Self { scheme, host: network, ports });
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // A colon in brackets belongs to an IPv6 address.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (rest, ""),
        };
        let host = match HostPattern::network(host) {
            Some(network) => network,
            None if host.contains('/') || port.contains('/') => {
                return Err(wrong("has a path, which can't be granted"));
            }
            None => HostPattern::parse(host).map_err(wrong)?,
        };
        let ports = Ports::parse(port, scheme.as_deref())
            .ok_or_else(|| wrong("needs a port: a number, a range `a..b` or `*`"))?;
        Ok(Self { scheme, host, ports })
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self, &'static str> {
        let bare = host.strip_prefix("*.").unwrap_or(host);
        if bare == "self" || bare == "self.alt" || bare == CHAINING_DOMAIN || bare.ends_with(".spin.internal")
        {
            return Err(
                "grants calls between components, which this runtime does not serve; remove the entry",
            );
        }
        match host {
            "*" => Ok(Self::Any),
            _ if bare.contains(['*', '{', '}']) => Err("has a `*` or a list where none may be"),
            _ => match (Host::parse(bare), bare.len() < host.len()) {
                (Ok(host), false) => Ok(Self::Exact(host)),
                (Ok(Host::Domain(domain)), true) => Ok(Self::Below(format!(".{domain}"))),
                _ => Err("has a host that is none"),
            },
        }
    }

    /// `address/bits`.
    fn network(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self::Network { address, bits })
    }

    fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Below(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Below(_), _) | (Self::Network { .. }, Host::Domain(_)) => false,
            (Self::Exact(exact), host) => exact == host,
            (Self::Network { address: IpAddr::V4(net), bits }, Host::Ipv4(ip)) => {
                same_prefix(u128::from(u32::from(*net)) << 96, u128::from(u32::from(*ip)) << 96, *bits)
            }
            (Self::Network { address: IpAddr::V6(net), bits }, Host::Ipv6(ip)) => {
                same_prefix(u128::from(*net), u128::from(*ip), *bits)
            }
            (Self::Network { .. }, _) => false,
        }
    }
}

fn same_prefix(a: u128, b: u128, bits: u8) -> bool {
    // A shift by all 128 bits would overflow: an empty prefix is always the same.
    bits == 0 || (a ^ b) >> (128 - u32::from(bits.min(128))) == 0
}

impl Ports {
    fn parse(port: &str, scheme: Option<&str>) -> Option<Self> {
        let single = |port: u16| Self::Range(port.into(), u32::from(port) + 1);
        match port {
            "" => scheme.and_then(well_known_port).map(single),
            "*" => Some(Self::Any),
            _ => match port.split_once("..") {
                Some((first, end)) => {
                    Some(Self::Range(first.parse::<u16>().ok()?.into(), end.parse::<u16>().ok()?.into()))
                }
                None => port.parse().ok().map(single),
            },
        }
    }

    fn contains(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Range(first, end) => (*first..*end).contains(&port.into()),
        }
    }
}

/// The port of a scheme where a URL names none.
#[must_use]
pub fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "postgres" | "postgresql" => Some(5432),
        "redis" | "rediss" => Some(6379),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, url: &str) -> bool {
        AllowedHosts::parse([entry]).unwrap_or_else(|error| panic!("{error}")).allows_url(url)
    }

    #[test]
    fn an_entry_grants_its_scheme_host_and_port_and_no_other() {
        for (entry, granted, refused) in [
            ("redis://localhost:6379", "redis://localhost/0", "redis://localhost:6380"),
            ("redis://localhost", "redis://:pw@localhost:6379", "rediss://localhost:6379"),
            ("https://api.example.com", "https://api.example.com/v1?x", "https://example.com"),
            ("https://api.example.com", "https://API.example.com", "http://api.example.com:443x"),
            ("http://*.example.com:8080", "http://a.b.example.com:8080", "http://example.com:8080"),
            ("http://*.example.com:8080", "http://a.example.com:8080", "http://aexample.com:8080"),
            ("*://db:1000..1002", "postgres://db:1001", "postgres://db:1002"),
            ("http://10.1.0.0/16:80", "http://10.1.255.7", "http://10.2.0.1"),
            ("http://10.1.0.0/16", "http://10.1.2.3", "http://name"),
            ("http://[::1]:80", "http://[::1]/", "http://[::2]/"),
            ("*://*:*", "postgres://anything:1/x", "not a url"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/bucket", "http://127.0.0.2:9000"),
        ] {
            assert!(allows(entry, granted), "{entry} should grant {granted}");
            assert!(!allows(entry, refused), "{entry} should not grant {refused}");
        }
    }

    #[test]
    fn nothing_is_granted_by_default() {
        assert!(!AllowedHosts::default().allows("http", "localhost", Some(80)));
    }

    #[test]
    fn a_number_that_is_read_as_an_address_is_held_against_the_address() {
        // 2130706433 is 127.0.0.1 to every URL parser.
        assert!(!allows("http://example.com:80", "http://2130706433/"));
        assert!(allows("http://127.0.0.1:80", "http://2130706433/"));
    }

    #[test]
    fn wrong_entries_are_refused_and_credentials_not_repeated() {
        for entry in [
            "",
            "*",
            "example.com",
            "example.com:80",
            "http://example.com/path",
            "http://a.*.com:80",
            "ht-tp://a:1",
            "redis2://a",
            "x://a",
            "http://a:99999",
            "http://a:b",
            "http://{a,b}:80",
            "http://self",
            "http://*.spin.internal",
            "http://upload.spin.internal",
            "http://10.0.0.0/33:80",
            "http://:80",
        ] {
            assert!(AllowedHosts::parse([entry]).is_err(), "{entry}");
        }
        let error = AllowedHosts::parse(["redis://:hunter2@host:6379"]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
