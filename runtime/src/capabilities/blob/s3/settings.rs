//! What is configured about the bucket, checked: name, prefix, endpoint, region, style of address, credentials.
//!
//! The rules and the sentences are those of the component `blob-store`, which reads the same variables on hosts that have no blobs: what is
//! right for one is right for the other, and both find the same objects. One thing is allowed here alone: no credentials at all, for a
//! bucket that is open to everybody.

use std::net::Ipv4Addr;

use url::{Host, Url};

use super::super::key::Key;
use crate::secret::Secret;

/// The longest name of a region that is taken, in bytes; the longest of AWS has 16.
const MAX_REGION_BYTES: usize = 63;

/// A bucket that can be addressed. Made by [`S3Settings::read`] alone, so all of it fits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    bucket: String,
    prefix: Option<String>,
    endpoint: Url,
    region: String,
    path_style: bool,
    credentials: Option<Credentials>,
}

/// What requests are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) access_key_id: Secret,
    pub(super) secret_access_key: Secret,
}

impl S3Settings {
    /// Reads the settings of `blob_url`, which is `s3://<bucket>[/<prefix>]`; `variable` gives the value of one of the variables `s3_*`, and
    /// `None` where the application declares none of this name.
    ///
    /// # Errors
    /// A sentence that names the variable that is wrong. It repeats no credential and no URL.
    pub fn read<'a>(blob_url: &str, variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, String> {
        let value = |name: &str| {
            variable(name)
                .ok_or_else(|| format!("blob_url names an S3 bucket, and there is no variable {name}"))
        };
        let (bucket, prefix) = location(blob_url)?;
        let region = region(value("s3_region")?)?;
        let path_style = match value("s3_path_style")? {
            "true" => true,
            "false" => false,
            _ => return Err(wrong("s3_path_style", "true or false")),
        };
        let endpoint = endpoint(value("s3_endpoint_url")?, &region)?;
        if !path_style {
            fits_a_host_name(&bucket, &endpoint)?;
        }
        let credentials = credentials(value("s3_access_key_id")?, value("s3_secret_access_key")?)?;
        Ok(Self { bucket, prefix, endpoint, region, path_style, credentials })
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Scheme, host and port of the server, for sentences.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    /// What a request to the bucket must be granted: `scheme://host:port`.
    #[must_use]
    pub fn outbound(&self) -> String {
        let bucket = if self.path_style { String::new() } else { format!("{}.", self.bucket) };
        let host = self.endpoint.host_str().unwrap_or_default();
        let port = self.endpoint.port_or_known_default().unwrap_or_default();
        format!("{}://{bucket}{host}:{port}", self.endpoint.scheme())
    }

    /// Bucket, prefix and server, for the banner.
    #[must_use]
    pub fn summary(&self) -> String {
        let prefix = self.prefix.as_ref().map(|prefix| format!("/{prefix}")).unwrap_or_default();
        format!("s3://{}{prefix} at {}", self.bucket, self.endpoint())
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Whether the server is spoken to by TLS.
    pub(super) fn is_https(&self) -> bool {
        self.endpoint.scheme() == "https"
    }

    /// The name of an object in the bucket.
    pub(super) fn object(&self, name: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{name}"),
            None => name.to_owned(),
        }
    }

    /// The URL that the names of objects are appended to, without the slash between.
    pub(super) fn bucket_url(&self) -> String {
        let host = &self.endpoint[url::Position::BeforeHost..url::Position::AfterPort];
        let path = self.endpoint.path().trim_end_matches('/');
        let scheme = self.endpoint.scheme();
        if self.path_style {
            format!("{scheme}://{host}{path}/{}", self.bucket)
        } else {
            format!("{scheme}://{}.{host}{path}", self.bucket)
        }
    }
}

fn wrong(variable: &str, rule: &str) -> String {
    format!("the variable {variable} must be {rule}")
}

fn location(blob_url: &str) -> Result<(String, Option<String>), String> {
    let path =
        blob_url.strip_prefix("s3://").ok_or_else(|| wrong("blob_url", "s3://<bucket>[/<prefix>] for S3"))?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let (bucket, prefix) = match path.split_once('/') {
        Some((bucket, prefix)) => (bucket, Some(prefix)),
        None => (path, None),
    };
    if !is_bucket_name(bucket) {
        return Err(wrong(
            "blob_url",
            "s3://<bucket>[/<prefix>], the bucket 3 to 63 lower-case letters, digits, dots and hyphens that begin and \
             end with a letter or digit",
        ));
    }
    if prefix.is_some_and(|prefix| Key::parse(prefix).is_none()) {
        return Err(wrong("blob_url", "s3://<bucket>[/<prefix>], the prefix by the rules of a blob's key"));
    }
    Ok((bucket.to_owned(), prefix.map(str::to_owned)))
}

/// The rules of S3 for general-purpose buckets ("Bucket naming rules" of its user guide), without the reserved prefixes and suffixes:
/// those concern who may create a bucket, and other servers do not have them.
fn is_bucket_name(name: &str) -> bool {
    let at_the_ends = |byte: Option<u8>| byte.is_some_and(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'));
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && at_the_ends(name.bytes().next())
        && at_the_ends(name.bytes().last())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
}

fn region(region: &str) -> Result<String, String> {
    let valid = (1..=MAX_REGION_BYTES).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if valid {
        Ok(region.to_owned())
    } else {
        Err(wrong("s3_region", "the region's name, for example us-east-1"))
    }
}

fn endpoint(text: &str, region: &str) -> Result<Url, String> {
    const RULE: &str = "empty (for AWS) or http(s)://host[:port], without user, query or fragment";
    if text.is_empty() {
        return Url::parse(&format!("https://s3.{region}.amazonaws.com"))
            .map_err(|_| wrong("s3_region", "the region's name, for example us-east-1"));
    }
    let url = Url::parse(text).map_err(|_| wrong("s3_endpoint_url", RULE))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(url) } else { Err(wrong("s3_endpoint_url", RULE)) }
}

/// Where the bucket is a part of the server's name.
fn fits_a_host_name(bucket: &str, endpoint: &Url) -> Result<(), String> {
    if !matches!(endpoint.host(), Some(Host::Domain(_))) {
        return Err(
            "the endpoint is an IP address, so the bucket can't be part of its name: set s3_path_style to true"
                .to_owned(),
        );
    }
    if endpoint.scheme() == "https" && bucket.contains('.') {
        return Err(
            "no TLS certificate covers a bucket with a dot in its name: set s3_path_style to true".to_owned()
        );
    }
    Ok(())
}

fn credentials(access_key_id: &str, secret_access_key: &str) -> Result<Option<Credentials>, String> {
    if access_key_id.is_empty() && secret_access_key.is_empty() {
        return Ok(None);
    }
    Ok(Some(Credentials {
        access_key_id: credential("s3_access_key_id", access_key_id)?,
        secret_access_key: credential("s3_secret_access_key", secret_access_key)?,
    }))
}

fn credential(variable: &str, value: &str) -> Result<Secret, String> {
    if value.is_empty() {
        return Err(format!("the variable {variable} is not set, and blob_url names an S3 bucket"));
    }
    // A newline at the end is what `echo` leaves in a secret's file; the server would only say that the signature is wrong.
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Secret::new(value))
    } else {
        Err(wrong(variable, "printable ASCII without spaces or line ends"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+hunter2";

    pub(in super::super) fn read(
        blob_url: &str,
        changes: &[(&str, &'static str)],
    ) -> Result<S3Settings, String> {
        let mut variables = BTreeMap::from([
            ("s3_endpoint_url", "http://localhost:9000"),
            ("s3_region", "us-east-1"),
            ("s3_path_style", "true"),
            ("s3_access_key_id", "AKIAEXAMPLE"),
            ("s3_secret_access_key", SECRET),
        ]);
        variables.extend(changes.iter().copied());
        S3Settings::read(blob_url, |name| variables.get(name).copied())
    }

    #[test]
    fn addresses_follow_the_style() {
        let path = read("s3://blobs/a/b/", &[]).unwrap();
        assert_eq!(path.bucket_url(), "http://localhost:9000/blobs");
        assert_eq!(path.object("x/y.png"), "a/b/x/y.png");
        assert_eq!(path.summary(), "s3://blobs/a/b at http://localhost:9000");
        let below = read("s3://blobs", &[("s3_endpoint_url", "https://gate.example.com:8443/s3/")]).unwrap();
        assert_eq!(below.bucket_url(), "https://gate.example.com:8443/s3/blobs");
        assert_eq!(below.object("x"), "x");
        let aws = [("s3_endpoint_url", ""), ("s3_region", "eu-west-1"), ("s3_path_style", "false")];
        let virtual_host = read("s3://blobs", &aws).unwrap();
        assert_eq!(virtual_host.bucket_url(), "https://blobs.s3.eu-west-1.amazonaws.com");
        assert_eq!(virtual_host.endpoint(), "https://s3.eu-west-1.amazonaws.com");
        let six = read("s3://blobs", &[("s3_endpoint_url", "http://[::1]:9000")]).unwrap();
        assert_eq!(six.bucket_url(), "http://[::1]:9000/blobs");
    }

    #[test]
    fn a_bucket_name_that_is_not_one_is_refused() {
        let long = "b".repeat(64);
        let names = [
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
        ];
        for name in names {
            let error = read(&format!("s3://{name}"), &[]).unwrap_err();
            assert!(error.contains("blob_url"), "{name}: {error}");
        }
        for name in ["abc", "my.bucket-1", "0ab", &"b".repeat(63)] {
            assert!(read(&format!("s3://{name}"), &[]).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_wrong_location_is_refused() {
        for blob_url in [
            "s3:",
            "s3:blobs",
            "s3:/blobs",
            "s3://blobs/../other",
            "s3://blobs//a",
            "s3://blobs/A",
            "s3://u:p@blobs/a",
        ] {
            let error = read(blob_url, &[]).unwrap_err();
            assert!(error.contains("blob_url"), "{blob_url}: {error}");
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
            ("s3_endpoint_url", "http://"),
            ("s3_access_key_id", ""),
            ("s3_access_key_id", "hunter2 "),
            ("s3_secret_access_key", ""),
            ("s3_secret_access_key", "hunter2\n"),
        ] {
            let error = read("s3://blobs", &[(variable, value)]).unwrap_err();
            assert!(error.contains(variable), "{variable}={value:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_variable_that_is_not_declared_is_named() {
        let error = S3Settings::read("s3://blobs", |_| None).unwrap_err();
        assert!(error.contains("s3_region"), "{error}");
    }

    #[test]
    fn without_any_credentials_requests_are_anonymous() {
        let open = read("s3://blobs", &[("s3_access_key_id", ""), ("s3_secret_access_key", "")]).unwrap();
        assert_eq!(open.credentials(), None);
    }

    #[test]
    fn what_no_virtual_host_can_be_is_refused() {
        let style = ("s3_path_style", "false");
        for endpoint in ["http://127.0.0.1:9000", "http://[::1]:9000"] {
            let error = read("s3://blobs", &[style, ("s3_endpoint_url", endpoint)]).unwrap_err();
            assert!(error.contains("s3_path_style"), "{error}");
        }
        let dotted =
            read("s3://my.blobs", &[style, ("s3_endpoint_url", "https://s3.example.com")]).unwrap_err();
        assert!(dotted.contains("s3_path_style"), "{dotted}");
    }

    #[test]
    fn debug_shows_no_credentials() {
        let shown = format!("{:?}", read("s3://blobs", &[]).unwrap());
        assert!(shown.contains("blobs") && !shown.contains("hunter2") && !shown.contains("AKIA"), "{shown}");
    }
}
