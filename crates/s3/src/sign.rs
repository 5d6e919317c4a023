//! AWS Signature Version 4 in the `Authorization` header ("Authenticating Requests: Using the Authorization Header" of the S3 API reference).
//!
//! A header rather than a presigned URL: a URL is written into the access logs of servers and proxies, and whoever reads it there may use it
//! for as long as it is valid. And the signature covers the payload's digest, so bytes that were changed on the way are refused.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::credentials::Credentials;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signature is good for: one service of one region, on one day.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The region that the server is, or says to be, in.
    pub region: &'a str,
    /// `s3`, but in the examples of the specification.
    pub service: &'a str,
    /// When the request is made. Servers allow a quarter of an hour between the clocks.
    pub at: SystemTime,
}

/// A request as a signature sees it.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// In capitals.
    pub method: &'a str,
    /// From the first slash on, encoded as it is sent.
    pub path: &'a str,
    /// What is behind the question mark, encoded as it is sent and sorted by name; a name without a value with its `=`.
    pub query: &'a str,
    /// Name in lower case and value of each header that is covered, `host` among them, sorted by name.
    pub headers: &'a [(&'a str, &'a str)],
    /// The digest of the body, as [`digest`] writes it.
    pub payload: &'a str,
}

/// The value of the header `authorization`.
#[must_use]
pub fn authorization(request: &Signable<'_>, scope: &Scope<'_>, credentials: &Credentials) -> String {
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let signed_headers = names.join(";");
    let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
    for (name, value) in request.headers {
        canonical.push_str(name);
        canonical.push(':');
        canonical.push_str(value.trim());
        canonical.push('\n');
    }
    canonical.push_str(&format!("\n{signed_headers}\n{}", request.payload));

    let day = DateTime::<Utc>::from(scope.at).format("%Y%m%d").to_string();
    let (region, service) = (scope.region, scope.service);
    let named_scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign =
        format!("{ALGORITHM}\n{}\n{named_scope}\n{}", timestamp(scope.at), digest(canonical.as_bytes()));
    let mut key = keyed(format!("AWS4{}", credentials.secret_access_key).as_bytes(), &day);
    for part in [region, service, "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature = base16ct::lower::encode_string(&keyed(&key, &to_sign));
    let access_key_id = &credentials.access_key_id;
    format!(
        "{ALGORITHM} Credential={access_key_id}/{named_scope},SignedHeaders={signed_headers},Signature={signature}"
    )
}

/// The value of the header `x-amz-date`.
#[must_use]
pub fn timestamp(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).format("%Y%m%dT%H%M%SZ").to_string()
}

/// The SHA-256 of `data` in hexadecimal: the value of the header `x-amz-content-sha256`.
#[must_use]
pub fn digest(data: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(data))
}

fn keyed(key: &[u8], text: &str) -> [u8; 32] {
    // Any length of key is one: longer ones are hashed, shorter ones filled up (RFC 2104). So this never is an empty digest.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    hmac.update(text.as_bytes());
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn credentials(access_key_id: &str, secret_access_key: &str) -> Credentials {
        Credentials {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            session_token: None,
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The S3 API reference, "Signature Calculations for the Authorization Header", "Examples".
    fn of_the_s3_reference(method: &str, path: &str, headers: &[(&str, &str)], payload: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let credentials = credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let scope = Scope { region: "us-east-1", service: "s3", at: at(1_369_353_600) };
        authorization(&Signable { method, path, query, headers, payload }, &scope, &credentials)
    }

    #[test]
    fn a_get_of_a_range_is_signed_as_in_the_reference() {
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", EMPTY),
            ("x-amz-date", "20130524T000000Z"),
        ];
        assert_eq!(
            of_the_s3_reference("GET", "/test.txt", &headers, EMPTY),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }

    #[test]
    fn a_put_is_signed_as_in_the_reference() {
        let payload = digest(b"Welcome to Amazon S3.");
        assert_eq!(payload, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
        let headers = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", &payload),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ];
        let signed = of_the_s3_reference("PUT", "/test%24file.text", &headers, &payload);
        let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
        assert!(signed.ends_with(&format!("Signature={signature}")), "{signed}");
    }

    #[test]
    fn queries_are_signed_as_in_the_reference() {
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", EMPTY),
            ("x-amz-date", "20130524T000000Z"),
        ];
        for (path, signature) in [
            ("/?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let signed = of_the_s3_reference("GET", path, &headers, EMPTY);
            assert!(signed.ends_with(&format!("Signature={signature}")), "{path}: {signed}");
        }
    }

    /// The suite of requests that AWS publishes for implementations of Signature Version 4.
    fn of_the_suite(method: &str, headers: &[(&str, &str)]) -> String {
        let credentials = credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let scope = Scope { region: "us-east-1", service: "service", at: at(1_440_938_160) };
        let signed = authorization(
            &Signable { method, path: "/", query: "", headers, payload: EMPTY },
            &scope,
            &credentials,
        );
        signed.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    #[test]
    fn requests_of_the_suite_get_the_signatures_of_the_suite() {
        const DATE: &str = "20150830T123600Z";
        const HOST: (&str, &str) = ("host", "example.amazonaws.com");
        // get-vanilla
        assert_eq!(
            of_the_suite("GET", &[HOST, ("x-amz-date", DATE)]),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        // post-vanilla
        assert_eq!(
            of_the_suite("POST", &[HOST, ("x-amz-date", DATE)]),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        assert_eq!(timestamp(at(1_440_938_160)), DATE);
    }

    #[test]
    fn each_part_of_a_request_moves_the_signature() {
        let headers: &[_] = &[("host", "a"), ("x-amz-date", "20150830T123600Z")];
        let known = of_the_suite("GET", headers);
        assert_ne!(of_the_suite("HEAD", headers), known);
        assert_ne!(of_the_suite("GET", &[("host", "b"), headers[1]]), known);
        assert_eq!(
            of_the_suite("GET", &[("host", " a "), headers[1]]),
            known,
            "white space around is not covered"
        );
    }
}
