//! Whose address a request comes from, where proxies stand in front.
//!
//! What a proxy says of its client is believed only of proxies that the operator names, from the nearest on: what is further
//! to the left was said by somebody whom nobody knows (RFC 7239, section 8.1).

use std::net::{IpAddr, Ipv6Addr};

/// The proxies that are believed: addresses, and networks (`10.0.0.0/8`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<(IpAddr, u8)>);

impl TrustedProxies {
    /// Reads the variable, entries with commas or white space between them. None where one is no address and no network.
    pub fn parse(text: &str) -> Option<Self> {
        let between = |c: char| c == ',' || c.is_whitespace();
        text.split(between).filter(|entry| !entry.is_empty()).map(network).collect::<Option<_>>().map(Self)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0
            .iter()
            .any(|(network, bits)| common_bits(*network, address).is_some_and(|common| common >= *bits))
    }

    /// The client's address. `peer` is who opened the connection; the others are the values of `X-Forwarded-For` and `Forwarded`, all of
    /// a name joined by commas. Where both are there and tell different clients, neither is believed: a proxy sets one of them, and
    /// passes on the other as it came.
    pub fn client(&self, peer: IpAddr, x_forwarded_for: Option<&str>, forwarded: Option<&str>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let by_x = x_forwarded_for.map(|value| self.nearest(peer, value.split(',').map(address)));
        let by_standard = forwarded.map(|value| self.nearest(peer, value.split(',').map(forwarded_for)));
        match (by_x, by_standard) {
            (Some(client), None) | (None, Some(client)) => client,
            (Some(one), Some(other)) if one == other => one,
            _ => peer,
        }
    }

    /// From the right: the first that is no proxy of ours, or the last proxy before something that is no address.
    fn nearest(&self, peer: IpAddr, hops: impl DoubleEndedIterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        for hop in hops.rev() {
            let Some(hop) = hop else { return client };
            client = hop;
            if !self.trusts(hop) {
                return client;
            }
        }
        client
    }
}

/// What a bucket is named by: an address of version 4, or the network of 64 bits that a client of version 6 has for itself.
pub fn bucket(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= all)?,
        None => all,
    };
    Some((address, bits))
}

/// How many bits two addresses of one version have alike at their beginning.
fn common_bits(one: IpAddr, other: IpAddr) -> Option<u8> {
    let zeros = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return None,
    };
    u8::try_from(zeros).ok()
}

/// An address, with a port or without, in brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']')?.0.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    }
    let without_port = if text.matches(':').count() == 1 { text.split_once(':')?.0 } else { text };
    without_port.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The parameter `for` of an element of `Forwarded` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| address(value))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::parse("10.0.0.0/8, 192.0.2.1 2001:db8::/32").unwrap()
    }

    fn client(peer: &str, x: Option<&str>, forwarded: Option<&str>) -> String {
        proxies().client(peer.parse().unwrap(), x, forwarded).to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let says = Some("203.0.113.7");
        assert_eq!(client("198.51.100.9", says, None), "198.51.100.9");
        assert_eq!(client("10.1.2.3", says, None), "203.0.113.7");
        assert_eq!(client("::ffff:10.1.2.3", says, None), "203.0.113.7");
        assert_eq!(client("192.0.2.2", says, None), "192.0.2.2");
        assert_eq!(
            TrustedProxies::default().client("10.1.2.3".parse().unwrap(), says, None).to_string(),
            "10.1.2.3"
        );
    }

    #[test]
    fn the_nearest_that_is_no_proxy_is_the_client_whatever_it_says_itself() {
        for (x, expected) in [
            ("6.6.6.6, 203.0.113.7", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
            ("10.9.9.9", "10.9.9.9"),
            ("6.6.6.6, nonsense", "10.0.0.1"),
            ("6.6.6.6, nonsense, 10.2.2.2", "10.2.2.2"),
            ("", "10.0.0.1"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db9::7]:4711", "2001:db9::7"),
            ("2001:db9::7", "2001:db9::7"),
        ] {
            assert_eq!(client("10.0.0.1", Some(x), None), expected, "{x:?}");
        }
    }

    #[test]
    fn the_standards_header_is_read_as_well() {
        for (forwarded, expected) in [
            ("for=203.0.113.7", "203.0.113.7"),
            ("For=\"[2001:db9::7]:4711\";proto=https, for=10.1.1.1;by=10.0.0.1", "2001:db9::7"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", None, Some(forwarded)), expected, "{forwarded}");
        }
        assert_eq!(client("10.0.0.1", Some("203.0.113.7"), Some("for=203.0.113.7")), "203.0.113.7");
        assert_eq!(client("10.0.0.1", Some("203.0.113.7"), Some("for=6.6.6.6")), "10.0.0.1");
    }

    #[test]
    fn what_is_no_address_is_no_proxy() {
        for bad in ["10.0.0.0/33", "example.com", "10.0.0.1/x", "::/129", "10.0.0.1:80"] {
            assert_eq!(TrustedProxies::parse(bad), None, "{bad}");
        }
        assert_eq!(TrustedProxies::parse(" "), Some(TrustedProxies::default()));
    }

    #[test]
    fn a_bucket_is_of_what_one_client_has() {
        for (address, name) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(bucket(address.parse().unwrap()), name);
        }
    }
}
