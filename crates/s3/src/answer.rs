//! What an answer that is not a success means: whose fault it is, in one sentence, and whether another attempt may help.
//!
//! The codes are those of the S3 API reference, "Error responses". The server's own message is never repeated: it may hold the string that was
//! signed, or whatever a stranger's server chose to say. Codes and regions are repeated only where they look like one.

use std::time::Duration;

use crate::document;
use crate::error::Error;
use crate::settings::Settings;
use crate::transport::{Answer, Fault};

/// The most of an error document that is read, in bytes; real ones have less than two thousand.
const MAX_DOCUMENT_BYTES: u64 = 64 << 10;
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
    /// Reads what the answer says. A body that is too long or breaks off leaves the status to judge by.
    pub async fn read(answer: impl Answer) -> Self {
        let mut refusal = Self {
            status: answer.status(),
            region: answer.header("x-amz-bucket-region").filter(|region| is_name(region)),
            // The other form of the header, a date, is rare and says nothing that the backoff does not do as well.
            retry_after: answer
                .header("retry-after")
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER)),
            code: None,
        };
        refusal.read_document(&answer.body(MAX_DOCUMENT_BYTES).await.unwrap_or_default());
        refusal
    }

    fn read_document(&mut self, document: &[u8]) {
        let [code, region, message] = document::elements(document, "Error", ["Code", "Region", "Message"]);
        let named = |text: Option<String>| text.filter(|text| is_name(text));
        self.code = named(code);
        let region = region.or_else(|| expected_region(&message?).map(str::to_owned));
        self.region = named(region).or_else(|| self.region.take());
    }

    /// The meaning. A 404 that is about the object is [`Error::NotFound`]; everything else is about the store.
    #[must_use]
    pub fn judge(&self, settings: &Settings) -> Failure {
        // Before the rest: with a wrong region S3 answers 301, 307, 400 or 403, by the kind of request.
        if let Some(region) = self.region.as_deref().filter(|region| *region != settings.region())
            && matches!(self.status, 301 | 307 | 400 | 403)
        {
            return denied(format!(
                "the bucket {} is in region {region}, and s3_region says {}",
                settings.bucket(),
                settings.region()
            ));
        }
        let (bucket, endpoint) = (settings.bucket(), settings.endpoint());
        match (self.status, self.code.as_deref()) {
            (_, Some("NoSuchUpload")) => Error::NotFound.into(),
            (_, Some("NoSuchBucket")) => other(format!("the bucket {bucket} does not exist at {endpoint}")),
            (404, Some("NoSuchKey")) => Error::NotFound.into(),
            (404, None) => {
                other(format!("{endpoint} answers 404 without saying what is missing: is it an S3 endpoint?"))
            }
            (_, Some("SignatureDoesNotMatch")) => {
                denied("the store refuses the signature: s3_secret_access_key is wrong".to_owned())
            }
            // The first is AWS's; servers without accounts of AWS's kind have chosen the others.
            (_, Some("InvalidAccessKeyId" | "NotSignedUp" | "XAdminUserNotFound")) => {
                denied("the store does not know s3_access_key_id".to_owned())
            }
            (_, Some("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired")) => {
                denied("the store refuses s3_session_token: it is wrong, or its time is over".to_owned())
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
                settings.region()
            )),
            (301 | 302 | 303 | 307 | 308, _) => {
                other(format!("{endpoint} redirects to another place: s3_endpoint_url or s3_region is wrong"))
            }
            (
                _,
                Some(
                    "RequestTimeout"
                    | "SlowDown"
                    | "OperationAborted"
                    | "BadDigest"
                    | "IncompleteBody"
                    | "XAmzContentSHA256Mismatch",
                ),
            )
            | (408 | 429 | 500 | 502..=599, _) => Failure {
                error: Error::Unavailable(format!(
                    "the store at {endpoint} answers {} ({})",
                    self.status,
                    self.reason()
                )),
                again: self.retry_after.map_or(Again::Soon, Again::After),
            },
            (401 | 403, _) if settings.credentials().is_none() => denied(format!(
                "the store lets nobody without credentials use the bucket {bucket}: set s3_access_key_id and \
                 s3_secret_access_key"
            )),
            (401 | 403, _) => denied(format!(
                "the store refuses these credentials access to the bucket {bucket} ({})",
                self.reason()
            )),
            (413, _) | (_, Some("EntityTooLarge")) => {
                other("the store takes no blob of this size".to_owned())
            }
            (status, _) => other(format!("the store answers {status} ({})", self.reason())),
        }
    }

    fn reason(&self) -> &str {
        self.code.as_deref().unwrap_or("no reason given")
    }
}

/// The meaning of an answer that did not come, or not to its end.
#[must_use]
pub fn judge_fault(fault: Fault, settings: &Settings) -> Failure {
    let endpoint = settings.endpoint();
    match fault {
        Fault::Denied => denied(format!(
            "allowed_outbound_hosts does not grant the store's address: blob_outbound must cover {}",
            settings.outbound()
        )),
        Fault::TooSlow => soon(format!("the store at {endpoint} did not answer in time")),
        Fault::Network(text) => soon(format!("the store at {endpoint} can't be reached: {text}")),
        Fault::Request(text) => other(format!("the store at {endpoint}: {text}")),
    }
}

/// The meaning of a success that no S3 server would have sent.
pub(crate) fn foreign(settings: &Settings) -> Failure {
    other(format!("the answer of {} is not one of S3", settings.endpoint()))
}

/// The meaning of a list that is not the one that was asked for.
pub(crate) fn out_of_order(settings: &Settings) -> Failure {
    other(format!(
        "{} lists names that were not asked for, or not in the order of their bytes",
        settings.endpoint()
    ))
}

/// The meaning of a document that takes back what its status said.
pub(crate) fn not_completed(settings: &Settings) -> Failure {
    soon(format!("the store at {} fails to put the parts of the blob together", settings.endpoint()))
}

/// The meaning of a body that is not as long as its head said.
pub(crate) fn wrong_length(settings: &Settings) -> Failure {
    soon(format!("the store at {} gives another number of bytes than it says", settings.endpoint()))
}

/// The meaning of a refused HEAD whose object a GET finds: it is also what a put between the two looks like.
pub(crate) fn head_refused() -> Failure {
    soon("the store refuses HEAD and allows GET".to_owned())
}

fn denied(text: String) -> Failure {
    Error::AccessDenied(text).into()
}

fn other(text: String) -> Failure {
    Error::Other(text).into()
}

fn soon(text: String) -> Failure {
    Failure { error: Error::Unavailable(text), again: Again::Soon }
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
    use crate::settings::tests::{ANONYMOUS, read};
    use crate::transport::{BodyFault, now};

    struct Refused<'a> {
        status: u16,
        headers: &'a [(&'a str, &'a str)],
        document: &'a [u8],
    }

    impl Answer for Refused<'_> {
        fn status(&self) -> u16 {
            self.status
        }
        fn header(&self, name: &str) -> Option<String> {
            let (_, value) = self.headers.iter().find(|(its_name, _)| *its_name == name)?;
            Some((*value).to_owned())
        }
        async fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
            let fits = self.document.len() as u64 <= max_bytes;
            fits.then(|| self.document.to_vec()).ok_or(BodyFault::TooLarge)
        }
    }

    fn settings() -> Settings {
        read("s3://blobs", &[]).unwrap()
    }

    fn refusal(status: u16, headers: &[(&str, &str)], document: &str) -> Refusal {
        now(Refusal::read(Refused { status, headers, document: document.as_bytes() }))
    }

    fn judge(status: u16, document: &str) -> Failure {
        refusal(status, &[], document).judge(&settings())
    }

    fn in_region(status: u16, region: &str) -> Failure {
        refusal(status, &[("x-amz-bucket-region", region)], "").judge(&settings())
    }

    fn document(code: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>hunter2</Message></Error>"
        )
    }

    #[test]
    fn a_missing_object_is_not_a_missing_bucket() {
        assert_eq!(judge(404, &document("NoSuchKey")).error, Error::NotFound);
        assert_eq!(
            judge(404, &document("NoSuchBucket")).error,
            Error::Other("the bucket blobs does not exist at http://localhost:9000".to_owned())
        );
    }

    #[test]
    fn a_404_of_something_else_is_not_a_missing_object() {
        assert!(matches!(judge(404, &document("NoSuchAccount")).error, Error::Other(_)));
        let endless = "<".repeat(1 << 20);
        for page in ["", "<html><body>404</body></html>", "<Error>", "\u{feff}nothing here", &endless] {
            let Error::Other(text) = judge(404, page).error else { panic!("it is no blob") };
            assert!(text.contains("is it an S3 endpoint?"), "{text}");
        }
    }

    #[test]
    fn each_refusal_says_what_to_look_at() {
        for (status, code, word) in [
            (403, "SignatureDoesNotMatch", "s3_secret_access_key"),
            (403, "InvalidAccessKeyId", "s3_access_key_id"),
            (403, "NotSignedUp", "s3_access_key_id"),
            (404, "XAdminUserNotFound", "s3_access_key_id"),
            (400, "ExpiredToken", "s3_session_token"),
            (400, "InvalidToken", "s3_session_token"),
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
    fn a_refusal_of_nobody_asks_for_credentials() {
        let open = read("s3://blobs", ANONYMOUS).unwrap();
        let failure = refusal(403, &[], &document("AccessDenied")).judge(&open);
        assert!(failure.error.to_string().contains("set s3_access_key_id"), "{}", failure.error);
    }

    #[test]
    fn a_wrong_region_names_the_right_one() {
        let in_message = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; \
            the region &#39;us-east-1&#39; is wrong; expecting &#39;eu-west-1&#39;</Message></Error>";
        let in_element = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        for failure in [judge(400, in_element), judge(400, in_message), in_region(301, "eu-west-1")] {
            let Error::AccessDenied(text) = failure.error else { panic!("the region is wrong") };
            assert!(text.contains("eu-west-1") && text.contains("us-east-1"), "{text}");
        }
        let headers = [("x-amz-bucket-region", "us-east-1")];
        let same = refusal(403, &headers, &document("AccessDenied")).judge(&settings());
        assert!(same.error.to_string().contains("AccessDenied"), "{}", same.error);
    }

    #[test]
    fn a_fault_of_the_server_is_worth_another_attempt() {
        for status in [408, 429, 500, 502, 503, 504, 507] {
            let failure = judge(status, "");
            assert_eq!(failure.again, Again::Soon, "{status}");
            assert!(matches!(failure.error, Error::Unavailable(_)), "{status}");
        }
        for code in ["RequestTimeout", "XAmzContentSHA256Mismatch"] {
            assert_eq!(judge(400, &document(code)).again, Again::Soon, "{code}");
        }
        for status in [400, 405, 411, 412, 501] {
            assert_eq!(judge(status, "").again, Again::Never, "{status}");
        }
    }

    #[test]
    fn retry_after_is_heard_and_bounded() {
        let after = |value| refusal(503, &[("retry-after", value)], "").judge(&settings()).again;
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
        let region = in_region(400, "http://evil/").error.to_string();
        assert!(!region.contains("evil"), "{region}");
    }

    #[test]
    fn a_denied_grant_names_the_address_to_grant() {
        let failure = judge_fault(Fault::Denied, &settings());
        assert_eq!(failure.again, Again::Never);
        assert!(failure.error.to_string().contains("http://localhost:9000"), "{}", failure.error);
    }
}
