//! A bucket of some S3 server: what a client needs to know of it, and the variables that say so to the service.

use std::fmt::Write as _;

/// A bucket that exists.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// `http://127.0.0.1:port`.
    pub endpoint: String,
    /// Its name.
    pub name: String,
    /// The server's region.
    pub region: String,
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
}

impl Bucket {
    /// The Spin variables, with their values, that make the service keep its blobs here.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("blob_url", format!("s3://{}", self.name)),
            ("blob_outbound", self.endpoint.clone()),
            ("s3_endpoint_url", self.endpoint.clone()),
            ("s3_region", self.region.clone()),
            ("s3_path_style", "true".to_owned()),
            ("s3_access_key_id", self.access_key_id.clone()),
            ("s3_secret_access_key", self.secret_access_key.clone()),
            ("s3_session_token", String::new()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3.
pub(super) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes all");
        }
        encoded
    })
}
