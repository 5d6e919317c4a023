//! What an answer that is not a success means: whose fault it is, in one sentence, and whether another attempt may help.
//!
//! The codes are those of the S3 API reference, "Error responses". The server's own message is never repeated: it may hold the
//! string that was signed, or whatever a stranger's server chose to say. Codes and regions are repeated only where they look
//! like one.

use std::time::Duration;

use crate::error::Error;
use crate::s3::host::Fault;
use crate::s3::settings::Settings;

/// The most of an error document that is read, in bytes; real ones have less than two thousand.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 10;
/// The most elements and texts of an error document that are looked at.
const MAX_DOCUMENT_NODES: u32 = 1000;
/// The longest code or region that is believed, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// The longest `Retry-After` that is believed; the policy's total time bounds it further.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the caller is told if no further attempt succeeds.
    pub error: Error,
    /// Whether there should be a further attempt.
    pub again: Again,
}

/// Whether a further attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It would fail in the same way.
    Never,
    /// It may, at the client's own pace.
    Soon,
    /// It may, and the server wants this much time first.
    After(Duration),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, again: Again::Never }
    }
}

/// What is known of an answer whose status is not a success.
#[derive(Debug, Default)]
pub struct Refusal {
    status: u16,
    code: Option<String>,
    region: Option<String>,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads the status, the body (empty where there was none or it broke off), and two headers by their values.
    #[must_use]
    pub fn read(
        status: u16,
        document: &[u8],
        bucket_region: Option<String>,
        retry_after: Option<&str>,
    ) -> Self {
        let mut refusal = Self {
            status,
            region: bucket_region.filter(|region| is_name(region)),
            // The other form of the header, a date, is rare and says nothing that the backoff does not do as well.
            retry_after: retry_after
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER)),
            ..Self::default()
        };
        refusal.read_document(document);
        refusal
    }

    fn read_document(&mut self, document: &[u8]) {
        let Ok(text) = str::from_utf8(document) else { return };
        let options = roxmltree::ParsingOptions {
            nodes_limit: MAX_DOCUMENT_NODES,
            ..roxmltree::ParsingOptions::default()
        };
        let Ok(document) = roxmltree::Document::parse_with_options(text, options) else { return };
        let root = document.root_element();
        if root.tag_name().name() != "Error" {
            return;
        }
        let child = |name: &str| {
            root.children().find(|child| child.tag_name().name() == name).and_then(|child| child.text())
        };
        let name = |text: &str| is_name(text).then(|| text.to_owned());
        self.code = child("Code").and_then(name);
        self.region = child("Region")
            .or_else(|| expected_region(child("Message")?))
            .and_then(name)
            .or_else(|| self.region.take());
    }

    /// The meaning. A 404 that is about the blob is [`Error::NotFound`]; everything else is about the store.
    #[must_use]
    pub fn judge(self, settings: &Settings) -> Failure {
        let bucket = settings.bucket.name();
        let endpoint = &settings.endpoint;
        let never = |error: Error| Failure { error, again: Again::Never };
        let denied = |text: String| never(Error::AccessDenied(text));

        // Before the rest: with a wrong region S3 answers 301, 307, 400 or 403, by the kind of request.
        if let Some(region) = self.region.as_deref().filter(|region| *region != settings.bucket.region())
            && matches!(self.status, 301 | 307 | 400 | 403)
        {
            let configured = settings.bucket.region();
            return denied(format!(
                "the bucket {bucket} is in region {region}, and s3_region says {configured}"
            ));
        }
        match (self.status, self.code.as_deref()) {
            (_, Some("NoSuchBucket")) => {
                never(Error::Other(format!("the bucket {bucket} does not exist at {endpoint}")))
            }
            (404, Some("NoSuchKey")) => never(Error::NotFound),
            (404, None) => never(Error::Other(format!(
                "{endpoint} answers 404 without saying what is missing: is it an S3 endpoint?"
            ))),
            (_, Some("SignatureDoesNotMatch")) => {
                denied("the store refuses the signature: s3_secret_access_key is wrong".to_owned())
            }
            // The first is AWS's; servers without accounts of AWS's kind have chosen the others.
            (_, Some("InvalidAccessKeyId" | "NotSignedUp" | "XAdminUserNotFound")) => {
                denied("the store does not know s3_access_key_id".to_owned())
            }
            (_, Some("RequestTimeTooSkewed")) => {
                denied("the clocks of this host and of the store are too far apart".to_owned())
            }
            (
                _,
                Some(
                    "AuthorizationHeaderMalformed"
                    | "AuthorizationQueryParametersError"
                    | "InvalidRegion"
                    | "IncorrectEndpoint",
                ),
            ) => denied(format!(
                "the store refuses the signature's scope: is s3_region, {}, its region?",
                settings.bucket.region()
            )),
            (301 | 302 | 303 | 307 | 308, _) => never(Error::Other(format!(
                "{endpoint} redirects to another place: s3_endpoint_url or s3_region is wrong"
            ))),
            (
                _,
                Some("RequestTimeout" | "SlowDown" | "OperationAborted" | "BadDigest" | "IncompleteBody"),
            )
            | (408 | 429 | 500 | 502..=599, _) => self.transient(endpoint),
            (401 | 403, code) => denied(format!(
                "the store refuses these credentials access to the bucket {bucket} ({})",
                code.unwrap_or("no reason given")
            )),
            (413, _) | (_, Some("EntityTooLarge")) => {
                never(Error::Other("the store takes no blob of this size".to_owned()))
            }
            (status, code) => never(Error::Other(format!(
                "the store answers {status} ({})",
                code.unwrap_or("no reason given")
            ))),
        }
    }

    fn transient(&self, endpoint: &str) -> Failure {
        let code = self.code.as_deref().unwrap_or("no reason given");
        Failure {
            error: Error::Unavailable(format!("the store at {endpoint} answers {} ({code})", self.status)),
            again: self.retry_after.map_or(Again::Soon, Again::After),
        }
    }
}

/// The meaning of an answer that did not come.
#[must_use]
pub fn judge_fault(fault: Fault, settings: &Settings) -> Failure {
    let endpoint = &settings.endpoint;
    match fault {
        Fault::Denied => Failure::from(Error::AccessDenied(format!(
            "allowed_outbound_hosts does not grant the store's address: blob_outbound must cover {}",
            settings.bucket.base_url().origin().ascii_serialization()
        ))),
        Fault::Network(text) => Failure {
            error: Error::Unavailable(format!("the store at {endpoint} can't be reached: {text}")),
            again: Again::Soon,
        },
        Fault::Request(text) => Failure::from(Error::Other(format!("the store at {endpoint}: {text}"))),
    }
}

/// The region in "the region 'a' is wrong; expecting 'b'": AWS says it in an element as well, other servers only here.
fn expected_region(message: &str) -> Option<&str> {
    message.rsplit_once("expecting ")?.1.split(['\'', '"']).nth(1)
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::read("//blobs", |name| {
            Ok(match name {
                "s3_endpoint_url" => "http://localhost:9000",
                "s3_region" => "us-east-1",
                "s3_path_style" => "true",
                _ => "example",
            }
            .to_owned())
        })
        .unwrap()
    }

    fn judge(status: u16, document: &str) -> Failure {
        Refusal::read(status, document.as_bytes(), None, None).judge(&settings())
    }

    fn document(code: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>hunter2</Message></Error>"
        )
    }

    #[test]
    fn a_missing_blob_is_not_a_missing_bucket() {
        assert_eq!(judge(404, &document("NoSuchKey")).error, Error::NotFound);
        let error = judge(404, &document("NoSuchBucket")).error;
        assert_eq!(
            error,
            Error::Other("the bucket blobs does not exist at http://localhost:9000".to_owned())
        );
    }

    #[test]
    fn a_404_of_something_else_is_not_a_missing_blob() {
        assert!(matches!(judge(404, &document("NoSuchAccount")).error, Error::Other(_)));
        for page in ["", "<html><body>404</body></html>", "<Error>", "\u{feff}nothing here"] {
            assert!(matches!(judge(404, page).error, Error::Other(_)), "{page}");
        }
    }

    #[test]
    fn each_refusal_says_what_to_look_at() {
        for (status, code, word) in [
            (403, "SignatureDoesNotMatch", "s3_secret_access_key"),
            (403, "InvalidAccessKeyId", "s3_access_key_id"),
            (403, "NotSignedUp", "s3_access_key_id"),
            (404, "XAdminUserNotFound", "s3_access_key_id"),
            (403, "RequestTimeTooSkewed", "clocks"),
            (400, "AuthorizationHeaderMalformed", "s3_region"),
            (400, "AuthorizationQueryParametersError", "s3_region"),
            (403, "AccessDenied", "AccessDenied"),
            (401, "Whatever", "Whatever"),
        ] {
            let Failure { error: Error::AccessDenied(text), again: Again::Never } =
                judge(status, &document(code))
            else {
                panic!("{code} is a refusal")
            };
            assert!(text.contains(word), "{code}: {text}");
        }
    }

    #[test]
    fn a_wrong_region_names_the_right_one() {
        let in_message = "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential \
            parameter; the region &#34;us-east-1&#34; is wrong; expecting &#34;eu-west-1&#34;</Message></Error>";
        let with_region =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        for failure in [
            judge(400, with_region),
            judge(400, in_message),
            Refusal::read(301, b"", Some("eu-west-1".to_owned()), None).judge(&settings()),
        ] {
            let text = failure.error.to_string();
            assert!(text.contains("eu-west-1") && text.contains("us-east-1"), "{text}");
            assert!(matches!(failure.error, Error::AccessDenied(_)));
        }
        let same =
            Refusal::read(403, document("AccessDenied").as_bytes(), Some("us-east-1".to_owned()), None);
        assert!(same.judge(&settings()).error.to_string().contains("AccessDenied"));
    }

    #[test]
    fn a_fault_of_the_server_is_worth_another_attempt() {
        for status in [408, 429, 500, 502, 503, 504, 507] {
            let failure = judge(status, "");
            assert_eq!(failure.again, Again::Soon, "{status}");
            assert!(matches!(failure.error, Error::Unavailable(_)), "{status}");
        }
        assert_eq!(judge(400, &document("RequestTimeout")).again, Again::Soon);
        for status in [400, 405, 411, 412, 501] {
            assert_eq!(judge(status, "").again, Again::Never, "{status}");
        }
    }

    #[test]
    fn retry_after_is_heard_and_bounded() {
        let after = |value| Refusal::read(503, b"", None, Some(value)).judge(&settings()).again;
        assert_eq!(after("3"), Again::After(Duration::from_secs(3)));
        assert_eq!(after("999999999"), Again::After(MAX_RETRY_AFTER));
        for other in ["-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999999"] {
            assert_eq!(after(other), Again::Soon, "{other}");
        }
    }

    #[test]
    fn what_a_server_says_is_never_repeated() {
        let nested = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
        let bomb =
            "<!DOCTYPE e [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><Error><Code>&b;</Code></Error>";
        let code = format!("<Error><Code>{}</Code></Error>", "A".repeat(65));
        let line = "<Error><Code>Slow\nDown hunter2</Code></Error>";
        for text in [nested.as_str(), bomb, &code, line, &document("x y")] {
            for status in [400, 403, 418, 503] {
                let said = judge(status, text).error.to_string();
                assert!(said.contains("no reason given"), "{said}");
                assert!(!said.contains("hunter2") && !said.contains("aaaa"), "{said}");
            }
        }
        let region = Refusal::read(400, b"", Some("http://evil/".to_owned()), None).judge(&settings());
        assert!(!region.error.to_string().contains("evil"), "{}", region.error);
    }

    #[test]
    fn a_denied_grant_names_the_address_to_grant() {
        let failure = judge_fault(Fault::Denied, &settings());
        assert_eq!(failure.again, Again::Never);
        assert!(failure.error.to_string().contains("http://localhost:9000"), "{}", failure.error);
    }
}
