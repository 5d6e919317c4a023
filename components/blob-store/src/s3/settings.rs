//! What is configured about the bucket, checked: name, prefix, endpoint, region, style of address, credentials.
//!
//! The access key and the secret are never repeated in a sentence, and [`Settings`] has no `Debug` that shows them.

use std::fmt;

use rusty_s3::{Bucket, BucketError, Credentials, UrlStyle};
use url::{Host, Url};

use crate::error::Error;
use crate::key::{self, ObjectKey};

/// The longest name of a region that is taken, in bytes; the longest of AWS has 16.
const MAX_REGION_BYTES: usize = 63;

/// A bucket that can be addressed and signed for.
pub struct Settings {
    /// The bucket, its region and how it is addressed.
    pub bucket: Bucket,
    /// What requests are signed with.
    pub credentials: Credentials,
    /// Scheme, host and port, for sentences.
    pub endpoint: String,
    prefix: Option<String>,
}

impl Settings {
    /// Reads the settings: `after_scheme` is `blob_url` after `s3:`, the rest comes through `variable`.
    ///
    /// # Errors
    /// What `variable` gives; [`Error::Other`] with a sentence that names the variable that is wrong.
    pub fn read(
        after_scheme: &str,
        mut variable: impl FnMut(&str) -> Result<String, Error>,
    ) -> Result<Self, Error> {
        let (name, prefix) = location(after_scheme)?;
        let region = region(variable("s3_region")?)?;
        let style = match variable("s3_path_style")?.as_str() {
            "true" => UrlStyle::Path,
            "false" => UrlStyle::VirtualHost,
            _ => return Err(wrong("s3_path_style", "true or false")),
        };
        let endpoint = endpoint(&variable("s3_endpoint_url")?, &region)?;
        let shown = endpoint.origin().ascii_serialization();
        if matches!(style, UrlStyle::VirtualHost) {
            if !matches!(endpoint.host(), Some(Host::Domain(_))) {
                return Err(Error::Other(
                    "the endpoint is an IP address, so the bucket can't be part of its name: set s3_path_style to true"
                        .to_owned(),
                ));
            }
            if endpoint.scheme() == "https" && name.contains('.') {
                return Err(Error::Other(
                    "no TLS certificate covers a bucket with a dot in its name: set s3_path_style to true"
                        .to_owned(),
                ));
            }
        }
        let bucket = Bucket::new(endpoint, style, name, region).map_err(|error| {
            // Both other cases are excluded by the checks above.
            Error::Other(match error {
                BucketError::ParseError(_) => "bucket and endpoint make no valid URL".to_owned(),
                BucketError::UnsupportedScheme | BucketError::MissingHost => {
                    "s3_endpoint_url is no URL".to_owned()
                }
            })
        })?;
        let credentials = Credentials::new(
            credential("s3_access_key_id", variable("s3_access_key_id")?)?,
            credential("s3_secret_access_key", variable("s3_secret_access_key")?)?,
        );
        Ok(Self { bucket, credentials, endpoint: shown, prefix })
    }

    /// The name of the blob in the bucket.
    #[must_use]
    pub fn object(&self, key: &ObjectKey) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{}", key.as_str()),
            None => key.as_str().to_owned(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

fn wrong(variable: &str, rule: &str) -> Error {
    Error::Other(format!("the variable {variable} must be {rule}"))
}

fn location(after_scheme: &str) -> Result<(String, Option<String>), Error> {
    let path = after_scheme
        .strip_prefix("//")
        .ok_or_else(|| wrong("blob_url", "s3://<bucket>[/<prefix>] for S3"))?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let (name, prefix) = match path.split_once('/') {
        Some((name, prefix)) => (name, Some(prefix)),
        None => (path, None),
    };
    if !is_bucket_name(name) {
        return Err(wrong(
            "blob_url",
            "s3://<bucket>[/<prefix>], the bucket 3 to 63 lower-case letters, digits, dots and hyphens that begin and \
             end with a letter or digit",
        ));
    }
    if prefix.is_some_and(|prefix| !key::is_valid_path(prefix)) {
        return Err(wrong("blob_url", "s3://<bucket>[/<prefix>], the prefix by the rules of a blob's key"));
    }
    Ok((name.to_owned(), prefix.map(str::to_owned)))
}

/// The rules of S3 for general-purpose buckets ("Bucket naming rules" of its user guide), without the reserved prefixes and
/// suffixes: those concern who may create a bucket, and other servers do not have them.
fn is_bucket_name(name: &str) -> bool {
    let at_the_ends = |byte: Option<u8>| byte.is_some_and(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'));
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && at_the_ends(name.bytes().next())
        && at_the_ends(name.bytes().last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

fn region(region: String) -> Result<String, Error> {
    let valid = (1..=MAX_REGION_BYTES).contains(&region.len())
        && region.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-'));
    if valid { Ok(region) } else { Err(wrong("s3_region", "the region's name, for example us-east-1")) }
}

fn endpoint(text: &str, region: &str) -> Result<Url, Error> {
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

fn credential(variable: &str, value: String) -> Result<String, Error> {
    if value.is_empty() {
        return Err(Error::Other(format!(
            "the variable {variable} is not set, and blob_url names an S3 bucket"
        )));
    }
    // A newline at the end is what `echo` leaves in a secret's file; the server would only say that the signature is wrong.
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(wrong(variable, "printable ASCII without spaces or line ends"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+hunter2";

    fn read(location: &str, changes: &[(&str, &str)]) -> Result<Settings, Error> {
        let mut variables = BTreeMap::from([
            ("s3_endpoint_url", "http://localhost:9000"),
            ("s3_region", "us-east-1"),
            ("s3_path_style", "true"),
            ("s3_access_key_id", "AKIAEXAMPLE"),
            ("s3_secret_access_key", SECRET),
        ]);
        variables.extend(changes.iter().copied());
        Settings::read(location, |name| Ok(variables[name].to_owned()))
    }

    fn url_of(settings: &Settings, key: &str) -> String {
        let key = ObjectKey::parse(key.to_owned()).unwrap();
        settings.bucket.object_url(&settings.object(&key)).to_string()
    }

    #[test]
    fn addresses_follow_the_style() {
        let path = read("//blobs/a/b/", &[]).unwrap();
        assert_eq!(url_of(&path, "x/y.png"), "http://localhost:9000/blobs/a/b/x/y.png");
        let aws = [("s3_endpoint_url", ""), ("s3_region", "eu-west-1"), ("s3_path_style", "false")];
        let virtual_host = read("//blobs", &aws).unwrap();
        assert_eq!(url_of(&virtual_host, "x/y.png"), "https://blobs.s3.eu-west-1.amazonaws.com/x/y.png");
        assert_eq!(virtual_host.endpoint, "https://s3.eu-west-1.amazonaws.com");
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
            let error = read(&format!("//{name}"), &[]).unwrap_err();
            assert!(error.to_string().contains("blob_url"), "{name}: {error}");
        }
        for name in ["abc", "my.bucket-1", "0ab", &"b".repeat(63)] {
            assert!(read(&format!("//{name}"), &[]).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_wrong_location_is_refused() {
        for location in
            ["", "blobs", "/blobs", "//blobs/../other", "//blobs//a", "//blobs/A", "//u:p@blobs/a"]
        {
            assert!(read(location, &[]).is_err(), "{location}");
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
            let error = read("//blobs", &[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(variable), "{variable}={value:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_no_virtual_host_can_be_is_refused() {
        let style = ("s3_path_style", "false");
        for endpoint in ["http://127.0.0.1:9000", "http://[::1]:9000"] {
            let error = read("//blobs", &[style, ("s3_endpoint_url", endpoint)]).unwrap_err();
            assert!(error.to_string().contains("s3_path_style"), "{error}");
        }
        let dotted = read("//my.blobs", &[style, ("s3_endpoint_url", "https://s3.example.com")]).unwrap_err();
        assert!(dotted.to_string().contains("s3_path_style"), "{dotted}");
    }

    #[test]
    fn debug_shows_no_credentials() {
        let shown = format!("{:?}", read("//blobs", &[]).unwrap());
        assert!(shown.contains("blobs") && !shown.contains("hunter2") && !shown.contains("AKIA"), "{shown}");
    }
}
