//! What is configured about the bucket, checked: name, prefix, endpoint, region, style of address.
//!
//! No credential and no URL is repeated in a sentence.

use std::fmt;
use std::net::Ipv4Addr;

use url::{Host, Url};

use crate::credentials::Credentials;
use crate::key::Key;

/// The longest name of a region that is taken, in bytes; the longest of AWS has 16.
const MAX_REGION_BYTES: usize = 63;
const REGION_RULE: &str = "the region's name, for example us-east-1";
const ENDPOINT_RULE: &str = "empty (for AWS) or http(s)://host[:port], without user, query or fragment, and a path of plain characters at most";

/// A variable that is missing or wrong: one sentence that names it, and repeats no credential and no URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSetting(String);

impl InvalidSetting {
    /// The application has no variable of this name, or does not give it to who reads it.
    #[must_use]
    pub fn missing(variable: &str) -> Self {
        Self(format!("the blob store needs the variable {variable}, and there is none"))
    }

    /// The variable is not set, and S3 does not go without.
    pub(crate) fn unset(variable: &str) -> Self {
        Self(format!("the variable {variable} is not set, and blob_url names an S3 bucket"))
    }

    /// The variable breaks this rule: what it must be.
    pub(crate) fn rule(variable: &str, rule: &str) -> Self {
        Self(format!("the variable {variable} must be {rule}"))
    }
}

/// A bucket that can be addressed and signed for. Made by [`Settings::read`] alone, so all of it fits together.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    bucket: String,
    prefix: Option<String>,
    endpoint: Url,
    region: String,
    path_style: bool,
    credentials: Option<Credentials>,
}

impl Settings {
    /// Reads the settings of `blob_url`, which is `s3://<bucket>[/<prefix>]`; `variable` gives the value of one of the variables `s3_*`.
    ///
    /// # Errors
    /// What `variable` gives; [`InvalidSetting`] where a value is wrong.
    pub fn read<E: From<InvalidSetting>>(
        blob_url: &str,
        mut variable: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<Self, E> {
        let (bucket, prefix) = location(blob_url)?;
        let region = region(variable("s3_region")?)?;
        let path_style = match variable("s3_path_style")?.as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(InvalidSetting::rule("s3_path_style", "true or false").into()),
        };
        let endpoint = endpoint(&variable("s3_endpoint_url")?, &region)?;
        if !path_style {
            fits_a_host_name(&bucket, &endpoint)?;
        }
        let credentials = Credentials::read(variable)?;
        Ok(Self { bucket, prefix, endpoint, region, path_style, credentials })
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The region that requests are signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What requests are signed with. None where the bucket is open to everybody.
    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The same bucket, asked by somebody else.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// Scheme, host and port of the server, for sentences.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    /// Whether the server is spoken to by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.endpoint.scheme() == "https"
    }

    /// What a request to the bucket must be granted: `scheme://host:port`.
    #[must_use]
    pub fn outbound(&self) -> String {
        let host = self.endpoint.host_str().unwrap_or_default();
        let port = self.endpoint.port_or_known_default().unwrap_or_default();
        format!("{}://{}{host}:{port}", self.endpoint.scheme(), self.host_prefix())
    }

    /// Bucket, prefix and server, for the banner.
    #[must_use]
    pub fn summary(&self) -> String {
        let prefix = self.prefix.as_ref().map(|prefix| format!("/{prefix}")).unwrap_or_default();
        format!("s3://{}{prefix} at {}", self.bucket, self.endpoint())
    }

    /// The host of a request to the bucket, with the port where that is not the scheme's own: what the header `host` has.
    #[must_use]
    pub fn authority(&self) -> String {
        let authority = &self.endpoint[url::Position::BeforeHost..url::Position::AfterPort];
        format!("{}{authority}", self.host_prefix())
    }

    /// The path of a request for the object of this name.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        let mut path = self.bucket_path();
        path.push_str(&self.object(name));
        path
    }

    /// The path of a request that is about the bucket itself.
    #[must_use]
    pub fn bucket_path(&self) -> String {
        let path = self.endpoint.path().trim_end_matches('/');
        if self.path_style { format!("{path}/{}/", self.bucket) } else { format!("{path}/") }
    }

    /// What an object of this name is called in the bucket.
    #[must_use]
    pub fn object(&self, name: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{name}"),
            None => name.to_owned(),
        }
    }

    fn host_prefix(&self) -> String {
        if self.path_style { String::new() } else { format!("{}.", self.bucket) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Settings").field(&self.summary()).finish()
    }
}

fn location(blob_url: &str) -> Result<(String, Option<String>), InvalidSetting> {
    let path = blob_url
        .strip_prefix("s3://")
        .ok_or_else(|| InvalidSetting::rule("blob_url", "s3://<bucket>[/<prefix>] for S3"))?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let (bucket, prefix) = match path.split_once('/') {
        Some((bucket, prefix)) => (bucket, Some(prefix)),
        None => (path, None),
    };
    if !is_bucket_name(bucket) {
        return Err(InvalidSetting::rule(
            "blob_url",
            "s3://<bucket>[/<prefix>], the bucket 3 to 63 lower-case letters, digits, dots and hyphens that begin and \
             end with a letter or digit",
        ));
    }
    if prefix.is_some_and(|prefix| Key::parse(prefix).is_none()) {
        return Err(InvalidSetting::rule(
            "blob_url",
            "s3://<bucket>[/<prefix>], the prefix by the rules of a blob's key",
        ));
    }
    Ok((bucket.to_owned(), prefix.map(str::to_owned)))
}

/// The rules of S3 for general-purpose buckets ("Bucket naming rules" of its user guide), without the reserved prefixes and suffixes: those
/// concern who may create a bucket, and other servers do not have them.
fn is_bucket_name(name: &str) -> bool {
    let at_the_ends = |byte: Option<u8>| byte.is_some_and(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'));
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && at_the_ends(name.bytes().next())
        && at_the_ends(name.bytes().last())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
}

fn region(region: String) -> Result<String, InvalidSetting> {
    let valid = (1..=MAX_REGION_BYTES).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if valid { Ok(region) } else { Err(InvalidSetting::rule("s3_region", REGION_RULE)) }
}

fn endpoint(text: &str, region: &str) -> Result<Url, InvalidSetting> {
    if text.is_empty() {
        return Url::parse(&format!("https://s3.{region}.amazonaws.com"))
            .map_err(|_| InvalidSetting::rule("s3_region", REGION_RULE));
    }
    let invalid = || InvalidSetting::rule("s3_endpoint_url", ENDPOINT_RULE);
    let url = Url::parse(text).map_err(|_| invalid())?;
    // What a signature covers is encoded by rules of its own; a path without anything to encode is the same under all rules.
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path().bytes().all(|byte| byte == b'/' || is_unreserved(byte));
    if plain { Ok(url) } else { Err(invalid()) }
}

/// Where the bucket is a part of the server's name.
fn fits_a_host_name(bucket: &str, endpoint: &Url) -> Result<(), InvalidSetting> {
    let reason = if !matches!(endpoint.host(), Some(Host::Domain(_))) {
        "the endpoint is an IP address, so the bucket can't be part of its name"
    } else if endpoint.scheme() == "https" && bucket.contains('.') {
        "no TLS certificate covers a bucket with a dot in its name"
    } else {
        return Ok(());
    };
    Err(InvalidSetting(format!("{reason}: set s3_path_style to true")))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+hunter2";

    /// Settings of a server of one's own, with changes.
    pub(crate) fn read(blob_url: &str, changes: &[(&str, &str)]) -> Result<Settings, InvalidSetting> {
        let mut variables = BTreeMap::from([
            ("s3_endpoint_url", "http://localhost:9000"),
            ("s3_region", "us-east-1"),
            ("s3_path_style", "true"),
            ("s3_access_key_id", "AKIAEXAMPLE"),
            ("s3_secret_access_key", SECRET),
            ("s3_session_token", ""),
        ]);
        variables.extend(changes.iter().copied());
        Settings::read(blob_url, |name| Ok(variables[name].to_owned()))
    }

    /// Changes that leave no credentials.
    pub(crate) const ANONYMOUS: &[(&str, &str)] = &[("s3_access_key_id", ""), ("s3_secret_access_key", "")];

    fn url_of(settings: &Settings, name: &str) -> String {
        let scheme = if settings.is_https() { "https" } else { "http" };
        format!("{scheme}://{}{}", settings.authority(), settings.path(name))
    }

    #[test]
    fn addresses_follow_the_style() {
        let path = read("s3://blobs/a/b/", &[]).unwrap();
        assert_eq!(url_of(&path, "x/y.png"), "http://localhost:9000/blobs/a/b/x/y.png");
        assert_eq!(path.outbound(), "http://localhost:9000");
        assert_eq!(path.summary(), "s3://blobs/a/b at http://localhost:9000");

        let aws = [("s3_endpoint_url", ""), ("s3_region", "eu-west-1"), ("s3_path_style", "false")];
        let virtual_host = read("s3://blobs", &aws).unwrap();
        assert_eq!(url_of(&virtual_host, "x/y.png"), "https://blobs.s3.eu-west-1.amazonaws.com/x/y.png");
        assert_eq!(virtual_host.endpoint(), "https://s3.eu-west-1.amazonaws.com");
        assert_eq!(virtual_host.outbound(), "https://blobs.s3.eu-west-1.amazonaws.com:443");
        assert_eq!(virtual_host.summary(), "s3://blobs at https://s3.eu-west-1.amazonaws.com");

        let below = [("s3_endpoint_url", "https://gate.example.com:8443/below/")];
        let below = read("s3://blobs", &below).unwrap();
        assert_eq!(url_of(&below, "a"), "https://gate.example.com:8443/below/blobs/a");
        let default_port = read("s3://blobs", &[("s3_endpoint_url", "http://[::1]:80")]).unwrap();
        assert_eq!(default_port.authority(), "[::1]", "as it stands in the header host");
    }

    #[test]
    fn a_bucket_name_that_is_not_one_is_refused() {
        let long = "b".repeat(64);
        for name in [
            "",
            "ab",
            "Blobs",
            "blobs_1",
            "-blobs",
            "blobs-",
            ".blobs",
            "a..b",
            "192.168.0.1",
            "bl obs",
            "blöbs",
            "a@b",
            "..",
            &long,
        ] {
            let error = read(&format!("s3://{name}"), &[]).unwrap_err();
            assert!(error.to_string().contains("blob_url"), "{name}: {error}");
        }
        for name in ["abc", "my.bucket-1", "0ab", &"b".repeat(63)] {
            assert!(read(&format!("s3://{name}"), &[]).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_wrong_location_is_refused() {
        for blob_url in [
            "",
            "s3:blobs",
            "s3:/blobs",
            "blobs",
            "s3://blobs/../other",
            "s3://blobs//a",
            "s3://blobs/A",
            "s3://u:hunter2@blobs/a",
        ] {
            let error = read(blob_url, &[]).unwrap_err().to_string();
            assert!(error.contains("blob_url") && !error.contains("hunter2"), "{blob_url}: {error}");
        }
    }

    #[test]
    fn each_wrong_variable_is_named() {
        for (variable, value) in [
            ("s3_region", ""),
            ("s3_region", "us east"),
            ("s3_path_style", "yes"),
            ("s3_endpoint_url", "localhost:9000"),
            ("s3_endpoint_url", "ftp://localhost"),
            ("s3_endpoint_url", "http://user:hunter2@localhost"),
            ("s3_endpoint_url", "http://localhost/?a=hunter2"),
            ("s3_endpoint_url", "http://localhost/a b"),
            ("s3_endpoint_url", "http://localhost/a$b"),
            ("s3_endpoint_url", "http://"),
        ] {
            let error = read("s3://blobs", &[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(variable), "{variable}={value:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_said_by_its_reader() {
        let error = Settings::read("s3://blobs", |name| Err(InvalidSetting::missing(name))).unwrap_err();
        assert!(error.to_string().contains("s3_region"), "{error}");
    }

    #[test]
    fn what_no_virtual_host_can_be_is_refused() {
        let style = ("s3_path_style", "false");
        for endpoint in ["http://127.0.0.1:9000", "http://[::1]:9000"] {
            let error = read("s3://blobs", &[style, ("s3_endpoint_url", endpoint)]).unwrap_err();
            assert!(error.to_string().contains("s3_path_style"), "{error}");
        }
        let dotted = read("s3://my.blobs", &[style, ("s3_endpoint_url", "https://s3.example.com")]);
        assert!(dotted.unwrap_err().to_string().contains("s3_path_style"));
    }
}
