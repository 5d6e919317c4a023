//! Where a Redis server is and who connects: a URL, read once at the edge, and never shown with its credentials.
//!
//! `redis[s]://[[user]:password@]host[:port][/database]`, and nothing after that: what a server would be asked for in a query or a
//! fragment (another protocol, an unverified certificate) is refused instead of ignored.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::secret::Secret;

const USUAL_PORT: u16 = 6379;

/// One server, one user, one database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) tls: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) login: Option<Login>,
    pub(super) database: u32,
}

/// What `AUTH` is told.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    /// None is the server's default user.
    pub(super) user: Option<String>,
    pub(super) password: Secret,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with what it is. Nothing of the URL is in the text: as long as it is not
    /// understood, any part may be a piece of a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
        let tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            // Not repeated: what stands before the first colon of a text that is no URL may be anything.
            _ => return Err("does not begin with redis:// or rediss://".into()),
        };
        // An unescaped separator in a password ends the authority early: then the rest of it stands where a path should.
        if url.path().contains('@') || url.query().is_some() || url.fragment().is_some() {
            return Err(
                "has more than a host, a port and a database; percent-encode `/`, `?`, `#` and `@` in a \
                        password, and leave out what follows a `?` or `#`"
                    .into(),
            );
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("names no host")?;
        // Read as the grants read it, so that what was allowed is what is connected to.
        let host = Host::parse(host).map_err(|error| format!("names a host that is none ({error})"))?;
        let path = url.path().trim_matches('/');
        let database = match path {
            "" => 0,
            number => number.parse().map_err(|_| "has a path that is not the number of a database")?,
        };
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (_, None) => return Err("has a user and no password; write user:password@ or :password@".into()),
            (user, Some(password)) => Some(Login {
                user: Some(decoded(user)?).filter(|user| !user.is_empty()),
                password: Secret::new(decoded(password)?),
            }),
        };
        Ok(Self { tls, host, port: url.port().unwrap_or(USUAL_PORT), login, database })
    }

    /// `host:port`, for sentences.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host as the system's resolver wants it: an IPv6 address without brackets.
    pub(super) fn host_name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }
}

fn decoded(text: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| "has a user or a password that is not UTF-8".to_owned())
}

/// The URL without its credentials.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)?;
        if self.database != 0 {
            write!(f, "/{}", self.database)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_who() {
        for (url, shown, host_name, user, password) in [
            ("redis://cache", "redis://cache:6379", "cache", None, None),
            ("redis://CACHE:1/0", "redis://cache:1", "cache", None, None),
            ("rediss://:p%40%2F%25@cache/3", "rediss://cache:6379/3", "cache", None, Some("p@/%")),
            (
                "redis://me:hunter2@10.0.0.1:7/12/",
                "redis://10.0.0.1:7/12",
                "10.0.0.1",
                Some("me"),
                Some("hunter2"),
            ),
            ("redis://[::1]:7", "redis://[::1]:7", "::1", None, None),
            ("redis://2130706433", "redis://127.0.0.1:6379", "127.0.0.1", None, None),
            ("redis://:@cache", "redis://cache:6379", "cache", None, None),
        ] {
            let address = Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(address.to_string(), shown, "{url}");
            assert_eq!(format!("{address:?}"), shown, "{url}");
            assert_eq!(address.host_name(), host_name, "{url}");
            let login = address.login.as_ref();
            assert_eq!(login.and_then(|login| login.user.as_deref()), user, "{url}");
            assert_eq!(login.map(|login| login.password.expose()), password, "{url}");
        }
    }

    #[test]
    fn a_wrong_url_is_refused_and_its_password_not_repeated() {
        for (url, word) in [
            ("hunter2", "not a URL"),
            ("http://cache", "begin with"),
            ("unix:///hunter2.sock", "begin with"),
            ("hunter2:6379", "begin with"),
            ("redis://", "host"),
            ("redis:///0", "host"),
            ("redis://cache:65536", "not a URL"),
            ("redis://cache/hunter2", "number of a database"),
            ("redis://cache/-1", "number of a database"),
            ("redis://cache/4294967296", "number of a database"),
            ("redis://hunter2@cache", "no password"),
            ("redis://cache?protocol=resp3", "percent-encode"),
            ("rediss://cache/0#insecure", "percent-encode"),
            // The password has a `/`, a `?` or a `#` in it: its first half is a port to a parser.
            ("redis://me:12/hunter2@cache", "percent-encode"),
            ("redis://me:12?hunter2@cache", "percent-encode"),
            ("redis://me:12#hunter2@cache", "percent-encode"),
            ("redis://:%ff@cache", "UTF-8"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(error.contains(word), "{url}: {error}");
            assert!(!error.contains("hunter2") && !error.contains("12"), "{url}: {error}");
        }
    }
}
