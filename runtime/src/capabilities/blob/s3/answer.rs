//! What an answer that is not a success means: whose fault it is, in one sentence.
//!
//! The codes are those of the S3 API reference, "Error responses", and the sentences those of the component `blob-store`. The server's own
//! message is never repeated: it may hold the string that was signed, or whatever a stranger's server chose to say. Codes and regions
//! are repeated only where they look like one.

use thiserror::Error;

use super::super::wit;
use super::settings::S3Settings;

/// The most of an error document that is read, in bytes; real ones have less than two thousand.
pub(super) const MAX_DOCUMENT_BYTES: usize = 64 << 10;
/// The most elements and texts of an error document that are looked at.
const MAX_DOCUMENT_NODES: u32 = 1000;
/// The longest code or region that is believed, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Why an operation on the bucket came to nothing. The texts hold no secret and nothing that a server wrote.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Fault {
    /// The bucket has no such object.
    #[error("no blob has this key")]
    NotFound,
    /// The object has more bytes than this, the bound of the call.
    #[error("the blob has more than {0} bytes")]
    TooLarge(u64),
    /// The server refuses the credentials, or what they may do.
    #[error("{0}")]
    Denied(String),
    /// The server is away or at fault. The only kind that another attempt may mend.
    #[error("{0}")]
    Unavailable(String),
    /// A setting is wrong, or the answer makes no sense.
    #[error("{0}")]
    Other(String),
    /// A HEAD was refused. Its answer has no body, so a missing bucket looks like a missing object: a GET says which.
    #[error("the store refuses HEAD without saying why")]
    Unexplained,
}

impl From<Fault> for wit::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotFound => Self::NotFound,
            Fault::TooLarge(max_bytes) => Self::TooLarge(max_bytes),
            Fault::Denied(text) => Self::AccessDenied(text),
            Fault::Unavailable(text) => Self::Unavailable(text),
            Fault::Other(text) => Self::Other(text),
            Fault::Unexplained => Self::Unavailable(fault.to_string()),
        }
    }
}

/// What is known of an answer whose status is not a success.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    status: u16,
    code: Option<String>,
    region: Option<String>,
}

impl Refusal {
    /// Reads the status, the body (empty where there was none or it broke off), and the header that names the bucket's region.
    pub(super) fn read(status: u16, document: &[u8], bucket_region: Option<&str>) -> Self {
        let named = bucket_region.filter(|region| is_name(region)).map(str::to_owned);
        let mut refusal = Self { status, region: named, code: None };
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

    /// The meaning. A 404 that is about the object is [`Fault::NotFound`]; everything else is about the store.
    pub(super) fn judge(self, settings: &S3Settings) -> Fault {
        let bucket = settings.bucket();
        let endpoint = settings.endpoint();

        // Before the rest: with a wrong region S3 answers 301, 307, 400 or 403, by the kind of request.
        if let Some(region) = self.region.as_deref().filter(|region| *region != settings.region())
            && matches!(self.status, 301 | 307 | 400 | 403)
        {
            let configured = settings.region();
            return Fault::Denied(format!(
                "the bucket {bucket} is in region {region}, and s3_region says {configured}"
            ));
        }
        match (self.status, self.code.as_deref()) {
            (_, Some("NoSuchBucket")) => {
                Fault::Other(format!("the bucket {bucket} does not exist at {endpoint}"))
            }
            (404, Some("NoSuchKey")) => Fault::NotFound,
            (404, None) => Fault::Other(format!(
                "{endpoint} answers 404 without saying what is missing: is it an S3 endpoint?"
            )),
            (_, Some("SignatureDoesNotMatch")) => {
                Fault::Denied("the store refuses the signature: s3_secret_access_key is wrong".to_owned())
            }
            // The first is AWS's; servers without accounts of AWS's kind have chosen the others.
            (_, Some("InvalidAccessKeyId" | "NotSignedUp" | "XAdminUserNotFound")) => {
                Fault::Denied("the store does not know s3_access_key_id".to_owned())
            }
            (_, Some("RequestTimeTooSkewed")) => {
                Fault::Denied("the clocks of this host and of the store are too far apart".to_owned())
            }
            (
                _,
                Some(
                    "AuthorizationHeaderMalformed"
                    | "AuthorizationQueryParametersError"
                    | "InvalidRegion"
                    | "IncorrectEndpoint",
                ),
            ) => Fault::Denied(format!(
                "the store refuses the signature's scope: is s3_region, {}, its region?",
                settings.region()
            )),
            (301 | 302 | 303 | 307 | 308, _) => Fault::Other(format!(
                "{endpoint} redirects to another place: s3_endpoint_url or s3_region is wrong"
            )),
            (
                _,
                Some("RequestTimeout" | "SlowDown" | "OperationAborted" | "BadDigest" | "IncompleteBody"),
            )
            | (408 | 429 | 500 | 502..=599, _) => Fault::Unavailable(format!(
                "the store at {endpoint} answers {} ({})",
                self.status,
                self.reason()
            )),
            (401 | 403, _) if settings.credentials().is_none() => Fault::Denied(format!(
                "the store lets nobody without credentials use the bucket {bucket}: set s3_access_key_id and \
                 s3_secret_access_key"
            )),
            (401 | 403, _) => Fault::Denied(format!(
                "the store refuses these credentials access to the bucket {bucket} ({})",
                self.reason()
            )),
            (413, _) | (_, Some("EntityTooLarge")) => {
                Fault::Other("the store takes no blob of this size".to_owned())
            }
            (status, _) => Fault::Other(format!("the store answers {status} ({})", self.reason())),
        }
    }

    fn reason(&self) -> &str {
        self.code.as_deref().unwrap_or("no reason given")
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
    use super::super::settings::tests::read;
    use super::*;

    fn settings() -> S3Settings {
        read("s3://blobs", &[]).unwrap()
    }

    fn judge(status: u16, document: &str) -> Fault {
        Refusal::read(status, document.as_bytes(), None).judge(&settings())
    }

    fn document(code: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>hunter2</Message></Error>"
        )
    }

    #[test]
    fn a_missing_blob_is_not_a_missing_bucket() {
        assert_eq!(judge(404, &document("NoSuchKey")), Fault::NotFound);
        assert_eq!(
            judge(404, &document("NoSuchBucket")),
            Fault::Other("the bucket blobs does not exist at http://localhost:9000".to_owned())
        );
    }

    #[test]
    fn a_404_of_something_else_is_not_a_missing_blob() {
        assert!(matches!(judge(404, &document("NoSuchAccount")), Fault::Other(_)));
        for page in ["", "<html><body>404</body></html>", "<Error>", "\u{feff}nothing here"] {
            assert!(matches!(judge(404, page), Fault::Other(_)), "{page}");
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
            let Fault::Denied(text) = judge(status, &document(code)) else { panic!("{code} is a refusal") };
            assert!(text.contains(word), "{code}: {text}");
        }
    }

    #[test]
    fn a_refusal_of_nobody_asks_for_credentials() {
        let open = read("s3://blobs", &[("s3_access_key_id", ""), ("s3_secret_access_key", "")]).unwrap();
        let fault = Refusal::read(403, document("AccessDenied").as_bytes(), None).judge(&open);
        assert!(fault.to_string().contains("set s3_access_key_id"), "{fault}");
    }

    #[test]
    fn a_wrong_region_names_the_right_one() {
        let in_message = "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential \
            parameter; the region &#34;us-east-1&#34; is wrong; expecting &#34;eu-west-1&#34;</Message></Error>";
        let with_region =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        for fault in [
            judge(400, with_region),
            judge(400, in_message),
            Refusal::read(301, b"", Some("eu-west-1")).judge(&settings()),
        ] {
            let text = fault.to_string();
            assert!(text.contains("eu-west-1") && text.contains("us-east-1"), "{text}");
            assert!(matches!(fault, Fault::Denied(_)));
        }
        let same = Refusal::read(403, document("AccessDenied").as_bytes(), Some("us-east-1"));
        assert!(same.judge(&settings()).to_string().contains("AccessDenied"));
    }

    #[test]
    fn a_fault_of_the_server_is_worth_another_attempt() {
        for status in [408, 429, 500, 502, 503, 504, 507] {
            assert!(matches!(judge(status, ""), Fault::Unavailable(_)), "{status}");
        }
        assert!(matches!(judge(400, &document("RequestTimeout")), Fault::Unavailable(_)));
        for status in [400, 405, 411, 412, 501] {
            assert!(matches!(judge(status, ""), Fault::Other(_)), "{status}");
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
                let said = judge(status, text).to_string();
                assert!(said.contains("no reason given"), "{said}");
                assert!(!said.contains("hunter2") && !said.contains("aaaa"), "{said}");
            }
        }
        let region = Refusal::read(400, b"", Some("http://evil/")).judge(&settings());
        assert!(!region.to_string().contains("evil"), "{region}");
    }
}
