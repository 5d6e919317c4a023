//! A PostgreSQL URL, read once into what connecting needs. No text that comes out of here has a credential in it.
//!
//! `postgres://user:password@host:port/database?parameter=value`. It is read by the parser that `allowed_outbound_hosts` is held against, so
//! both see the same host; libpq's other ways to name one (`?host=`, lists, sockets) are refused, for a grant would not cover them.
//!
//! | parameter | values |
//! |---|---|
//! | `sslmode` | `disable`, `prefer` (the default), `require`, `verify-ca`, `verify-full`, with libpq's meaning |
//! | `sslrootcert` | a file of certificates (PEM), or `system`, the default where a mode verifies. With `require` it means `verify-ca`, as in libpq |
//! | `channel_binding` | `disable`, `prefer` (the default), `require` |
//! | `application_name` | how the server's views call the connections; `thumbs` by default |
//! | `options` | as in libpq |

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;
use tokio_postgres::config::ChannelBinding;
use url::{Host, Url};

use crate::{clients::ServerFault, secret::Secret};

/// Far above any real one; guests give addresses too.
const MAX_ADDRESS_BYTES: usize = 4096;
/// The port of a server where a URL names none.
const DEFAULT_PORT: u16 = 5432;
/// What the server's own views call a connection that does not say.
const APPLICATION_NAME: &str = "thumbs";
const FORM: &str = "write postgres://user:password@host:port/database";
const ENCODING: &str = "in the user and the password, write every character that is no letter or digit as % and its code, say %40 for @";

/// Where a database is and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: Host,
    port: u16,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) database: String,
    pub(super) encryption: Encryption,
    pub(super) channel_binding: ChannelBinding,
    pub(super) application_name: String,
    pub(super) options: Option<String>,
}

/// `sslmode`, and whom it trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// None.
    Disable,
    /// Where the server offers it; the server's certificate is not looked at.
    Prefer,
    /// Always; the server's certificate is not looked at.
    Require,
    /// Always, with a certificate from one of these authorities, whatever name it has.
    VerifyCa(Roots),
    /// Always, with a certificate from one of these authorities for the address's host.
    VerifyFull(Roots),
}

/// Certificate authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those of this machine.
    System,
    /// Those in a file.
    File(PathBuf),
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// A clause that says what is wrong, to follow "the address" or a variable's name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_ADDRESS_BYTES {
            return Err(format!("is longer than {MAX_ADDRESS_BYTES} bytes"));
        }
        let url = Url::parse(text).map_err(|_| format!("can't be read as a URL: {FORM}; {ENCODING}"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(format!("is not one of PostgreSQL: {FORM}"));
        }
        // A password with a bare `/`, `?` or `#` ends up behind the host, and the `@` that followed it gives that away.
        if url.fragment().is_some()
            || url.path().contains('@')
            || url.query().is_some_and(|q| q.contains('@'))
        {
            return Err(format!("has a `#`, or an `@` behind the host: {ENCODING}"));
        }
        let host = url.host_str().filter(|host| !host.is_empty() && !host.contains(','));
        let host = host
            .and_then(|host| Host::parse(host).ok())
            .ok_or_else(|| format!("names no single host: {FORM}"))?;
        let user = decoded(url.username())?;
        if user.is_empty() {
            return Err(format!("names no user: {FORM}"));
        }
        let password = url.password().map(decoded).transpose()?.map(Secret::new);
        let database = match decoded(url.path().trim_start_matches('/'))? {
            name if name.is_empty() => user.clone(),
            name => name,
        };
        let port = url.port().unwrap_or(DEFAULT_PORT);
        let mut address = Self {
            host,
            port,
            user,
            password,
            database,
            encryption: Encryption::Prefer,
            channel_binding: ChannelBinding::Prefer,
            application_name: APPLICATION_NAME.to_owned(),
            options: None,
        };
        address.take(url.query().unwrap_or_default())?;
        Ok(address)
    }

    /// Takes up parameters.
    fn take(&mut self, query: &str) -> Result<(), String> {
        let (mut mode, mut roots) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // A parameter without a value is not repeated: it may be a piece of a password.
            let (key, value) = pair.split_once('=').ok_or("has a parameter without a value")?;
            let value = decoded(value)?;
            match (key, value.as_str()) {
                ("sslmode", _) => mode = Some(value),
                ("sslrootcert", "system") => roots = Some(Roots::System),
                ("sslrootcert", _) => roots = Some(Roots::File(value.into())),
                ("channel_binding", "disable") => self.channel_binding = ChannelBinding::Disable,
                ("channel_binding", "prefer") => self.channel_binding = ChannelBinding::Prefer,
                ("channel_binding", "require") => self.channel_binding = ChannelBinding::Require,
                ("channel_binding", _) => {
                    return Err("has a channel_binding other than disable, prefer or require".into());
                }
                ("application_name", _) => self.application_name = value,
                ("options", _) => self.options = Some(value),
                _ => {
                    return Err("has a parameter that is not supported; those are sslmode, sslrootcert, channel_binding, \
                                application_name and options"
                        .into());
                }
            }
        }
        self.encryption = match (mode.as_deref(), roots) {
            (Some("disable"), _) => Encryption::Disable,
            (None | Some("prefer"), _) => Encryption::Prefer,
            (Some("require"), None) => Encryption::Require,
            (Some("require" | "verify-ca"), roots) => Encryption::VerifyCa(roots.unwrap_or(Roots::System)),
            (Some("verify-full"), roots) => Encryption::VerifyFull(roots.unwrap_or(Roots::System)),
            (Some(_), _) => {
                return Err(
                    "has an sslmode other than disable, prefer, require, verify-ca or verify-full".into()
                );
            }
        };
        Ok(())
    }

    /// The host, as it is looked up and as a certificate names it.
    pub(super) fn host(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        }
    }

    /// Whether both are on one server.
    pub(super) fn shares_server(&self, other: &Self) -> bool {
        (&self.host, self.port) == (&other.host, other.port)
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// A fault that time may mend. `clause` follows the name of the database.
    pub(crate) fn unreachable(&self, clause: impl fmt::Display) -> ServerFault {
        ServerFault::Unreachable(format!("{self} {clause}"))
    }

    /// A fault that a person has to mend.
    pub(super) fn refused(&self, clause: impl fmt::Display) -> ServerFault {
        ServerFault::Refused(format!("{self} {clause}"))
    }
}

/// The subject of a sentence about it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the PostgreSQL database {:?} at {}:{}", self.database, self.host, self.port)
    }
}

fn decoded(text: &str) -> Result<String, String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err("has a %-code that is no UTF-8 text".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|clause| panic!("{text} {clause}"))
    }

    #[test]
    fn a_url_names_server_user_password_and_database() {
        let full = address("postgres://me:p%40%3A%2F%3F%23%25%20%C3%A4@db.example.com:5433/my%20db");
        assert_eq!((full.host().as_str(), full.port()), ("db.example.com", 5433));
        assert_eq!((full.user.as_str(), full.database.as_str()), ("me", "my db"));
        assert_eq!(full.password.as_ref().map(Secret::expose), Some("p@:/?#% ä"));
        assert_eq!(full.encryption, Encryption::Prefer);

        let short = address("postgresql://me@LOCALHOST");
        assert_eq!((short.host().as_str(), short.port()), ("localhost", 5432));
        assert_eq!((short.database.as_str(), short.password.is_some()), ("me", false));

        let parameters =
            address("postgres://me@[::1]/db?application_name=a%26b&options=-c%20search_path%3Dx&");
        assert_eq!((parameters.host().as_str(), parameters.port()), ("::1", 5432));
        assert_eq!(
            (parameters.application_name.as_str(), short.application_name.as_str()),
            ("a&b", "thumbs")
        );
        assert_eq!(parameters.options.as_deref(), Some("-c search_path=x"));
    }

    #[test]
    fn an_address_is_the_host_that_a_grant_is_held_against() {
        // 2130706433 is 127.0.0.1 to a URL parser, and to a resolver.
        assert_eq!(address("postgres://me@2130706433/db").host(), "127.0.0.1");
        assert_eq!(address("postgres://me@%6cocalhost/db").host(), "localhost");
    }

    #[test]
    fn modes_of_encryption_mean_what_they_mean_to_libpq() {
        let file = || Roots::File("/etc/ca+1.pem".into());
        for (query, expected) in [
            ("", Encryption::Prefer),
            ("?sslmode=disable", Encryption::Disable),
            ("?sslmode=prefer&sslrootcert=/etc/ca+1.pem", Encryption::Prefer),
            ("?sslmode=require", Encryption::Require),
            ("?sslmode=require&sslrootcert=/etc/ca+1.pem", Encryption::VerifyCa(file())),
            ("?sslrootcert=%2Fetc/ca%2B1.pem&sslmode=verify-ca", Encryption::VerifyCa(file())),
            ("?sslmode=verify-full", Encryption::VerifyFull(Roots::System)),
            ("?sslmode=verify-full&sslrootcert=system", Encryption::VerifyFull(Roots::System)),
        ] {
            assert_eq!(address(&format!("postgres://me@db/x{query}")).encryption, expected, "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_a_credential() {
        let long = format!("postgres://me:hunter2@db/{}", "x".repeat(MAX_ADDRESS_BYTES));
        for (text, clause) in [
            ("hunter2", "can't be read as a URL"),
            ("host=db password=hunter2", "can't be read as a URL"),
            ("postgres://me:hunter2@db:99999/x", "can't be read as a URL"),
            ("postgres://me:hun/ter2@db/x", "can't be read as a URL"),
            ("postgres://me:123/hunter2@db/x", "an `@` behind the host"),
            ("postgres://me:123?hunter2@db/x", "an `@` behind the host"),
            ("postgres://me:123#hunter2@db/x", "a `#`"),
            ("mysql://me:hunter2@db/x", "not one of PostgreSQL"),
            ("postgres:me:hunter2", "names no single host"),
            ("postgres://me:hunter2@/x", "can't be read as a URL"),
            ("postgres://me:hunter2@a,b/x", "names no single host"),
            ("postgres://db/x", "names no user"),
            ("postgres://me:hunter2%ff@db/x", "no UTF-8"),
            ("postgres://me:hunter2%00@db/x", "no UTF-8"),
            ("postgres://me:hunter2@db/x?sslmode=hunter2", "has an sslmode other than"),
            ("postgres://me:hunter2@db/x?channel_binding=hunter2", "has a channel_binding other than"),
            ("postgres://me:hunter2@db/x?hunter2", "without a value"),
            ("postgres://me@db/x?password=hunter2", "not supported"),
            ("postgres://me@db/x?host=elsewhere", "not supported"),
            ("postgres://me@db/x?hostaddr=10.0.0.1", "not supported"),
            (&long, "longer than"),
        ] {
            let said = Address::parse(text).map(|_| ()).unwrap_err();
            assert!(said.contains(clause), "{text}: {said}");
            assert!(!said.contains("hunter2") && !said.contains("123"), "{text}: {said}");
        }
    }

    #[test]
    fn a_sentence_names_server_and_database_and_no_credential() {
        let address = address("postgres://me:hunter2@[::1]:7/a%0Ab");
        let fault = address.unreachable("is away");
        assert_eq!(fault.to_string(), "the PostgreSQL database \"a\\nb\" at [::1]:7 is away");
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}
