//! The four operations on a bucket: request, retries, bounds.
//!
//! Every operation is idempotent, puts of a whole object too, so each may be tried again whatever happened to the attempt
//! before. Redirects are not followed: a signature is for one host.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusty_s3::S3Action;

use crate::blob::Metadata;
use crate::error::Error;
use crate::key::{ContentType, ObjectKey};
use crate::retry::Policy;
use crate::s3::answer::{self, Again, Failure, Refusal};
use crate::s3::host::{Answer, BodyFault, Fault, Host, Request};
use crate::s3::settings::Settings;

/// How long a signature is valid. Servers compare it with their own clock; AWS allows the same quarter of an hour between
/// the clocks of a request that is signed by its headers.
const SIGNATURE_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// What S3 calls an object that was put without a content type.
const NO_CONTENT_TYPE: &str = "binary/octet-stream";

/// Blobs in one bucket.
pub struct S3Blobs<'a, H> {
    settings: &'a Settings,
    host: &'a H,
    policy: Policy,
}

impl<'a, H: Host> S3Blobs<'a, H> {
    /// Blobs in the bucket of `settings`.
    pub const fn new(settings: &'a Settings, host: &'a H, policy: Policy) -> Self {
        Self { settings, host, policy }
    }

    /// Creates or replaces the blob. A checksum goes with it, so that bytes that were damaged on the way are refused.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], [`Error::Unavailable`], [`Error::Other`].
    pub fn put(&self, key: &ObjectKey, content_type: &ContentType, data: &[u8]) -> Result<(), Error> {
        let object = self.settings.object(key);
        let checksum = BASE64.encode(crc32fast::hash(data).to_be_bytes());
        self.with_retries(|deadline| {
            let action = self.settings.bucket.put_object(Some(&self.settings.credentials), &object);
            let signed = vec![
                ("content-type", content_type.as_str().to_owned()),
                ("x-amz-checksum-crc32", checksum.clone()),
            ];
            let mut request = self.sign(action, signed);
            // Without it the body would go out in chunks, which S3 does not take.
            request.headers.push(("content-length", data.len().to_string()));
            self.send(&request, data, deadline).map(drop)
        })
    }

    /// The whole blob; gives up before the body, or within it where the server did not say its length.
    ///
    /// # Errors
    /// Every kind but [`Error::InvalidKey`].
    pub fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
        let object = self.settings.object(key);
        self.with_retries(|deadline| {
            let action = self.settings.bucket.get_object(Some(&self.settings.credentials), &object);
            let answer = self.send(&self.sign(action, Vec::new()), &[], deadline)?;
            if content_length(&answer).is_some_and(|length| length > max_bytes) {
                return Err(Error::TooLarge(max_bytes).into());
            }
            let content_type = content_type(&answer);
            let data = answer.body(max_bytes).map_err(|fault| match fault {
                BodyFault::TooLarge => Error::TooLarge(max_bytes).into(),
                BodyFault::Fault(fault) => answer::judge_fault(fault, self.settings),
            })?;
            Ok((Metadata { size_bytes: data.len() as u64, content_type }, data))
        })
    }

    /// What is known of the blob, without its bytes.
    ///
    /// # Errors
    /// As for [`S3Blobs::get`], without [`Error::TooLarge`].
    pub fn head(&self, key: &ObjectKey) -> Result<Metadata, Error> {
        let object = self.settings.object(key);
        self.with_retries(|deadline| {
            let action = self.settings.bucket.head_object(Some(&self.settings.credentials), &object);
            let answer = self.attempt(&self.sign(action, Vec::new()), &[], deadline)?;
            match answer.status() {
                200 => {
                    let size_bytes = content_length(&answer).ok_or_else(|| {
                        Error::Other("the store does not say how long the blob is".to_owned())
                    })?;
                    Ok(Metadata { size_bytes, content_type: content_type(&answer) })
                }
                300..=499 => Err(self.explain(&object, deadline)),
                _ => Err(read_refusal(answer).judge(self.settings)),
            }
        })
    }

    /// Removes the blob, or succeeds where it is not there.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], [`Error::Unavailable`], [`Error::Other`].
    pub fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        let object = self.settings.object(key);
        let deleted = self.with_retries(|deadline| {
            let action = self.settings.bucket.delete_object(Some(&self.settings.credentials), &object);
            self.send(&self.sign(action, Vec::new()), &[], deadline).map(drop)
        });
        match deleted {
            // S3 answers 204 here, but not every server does.
            Err(Error::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Why a HEAD was refused. Its answer has no body, so a missing bucket looks like a missing blob; a GET of one byte says.
    fn explain(&self, object: &str, deadline: Duration) -> Failure {
        let action = self.settings.bucket.get_object(Some(&self.settings.credentials), object);
        let request = self.sign(action, vec![("range", "bytes=0-0".to_owned())]);
        match self.send(&request, &[], deadline) {
            Err(failure) => failure,
            Ok(_) => Failure {
                error: Error::Unavailable("the store refuses HEAD and allows GET".to_owned()),
                // It is also what a put between the two looks like.
                again: Again::Soon,
            },
        }
    }

    /// Signs `action` together with `headers`.
    fn sign<'b, A: S3Action<'b>>(&self, mut action: A, headers: Vec<(&'static str, String)>) -> Request {
        for (name, value) in &headers {
            action.headers_mut().insert(*name, value.clone());
        }
        let url = action.sign_with_time(SIGNATURE_LIFETIME, &self.host.timestamp());
        Request { method: A::METHOD, url, headers }
    }

    fn attempt(&self, request: &Request, body: &[u8], deadline: Duration) -> Result<H::Answer, Failure> {
        let time_left = deadline.saturating_sub(self.host.monotonic());
        if time_left.is_zero() {
            return Err(answer::judge_fault(Fault::Network("no time is left"), self.settings));
        }
        self.host.send(request, body, time_left).map_err(|fault| answer::judge_fault(fault, self.settings))
    }

    fn send(&self, request: &Request, body: &[u8], deadline: Duration) -> Result<H::Answer, Failure> {
        let answer = self.attempt(request, body, deadline)?;
        if matches!(answer.status(), 200..=299) {
            Ok(answer)
        } else {
            Err(read_refusal(answer).judge(self.settings))
        }
    }

    fn with_retries<T>(&self, mut attempt: impl FnMut(Duration) -> Result<T, Failure>) -> Result<T, Error> {
        let start = self.host.monotonic();
        let deadline = start.saturating_add(self.policy.total);
        let mut attempts = 1;
        loop {
            let failure = match attempt(deadline) {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let wanted = match failure.again {
                Again::Never => return Err(failure.error),
                Again::Soon => None,
                Again::After(wanted) => Some(wanted),
            };
            let elapsed = self.host.monotonic().saturating_sub(start);
            let Some(pause) = self.policy.pause(attempts, elapsed, wanted, self.host.random()) else {
                return Err(match failure.error {
                    Error::Unavailable(text) => Error::Unavailable(format!("{text} (attempts: {attempts})")),
                    error => error,
                });
            };
            self.host.pause(pause);
            attempts += 1;
        }
    }
}

fn content_length(answer: &impl Answer) -> Option<u64> {
    answer.header("content-length")?.parse().ok()
}

fn content_type(answer: &impl Answer) -> String {
    answer.header("content-type").unwrap_or_else(|| NO_CONTENT_TYPE.to_owned())
}

fn read_refusal(answer: impl Answer) -> Refusal {
    let status = answer.status();
    let bucket_region = answer.header("x-amz-bucket-region");
    let retry_after = answer.header("retry-after");
    // A body that is too long or breaks off leaves the status to judge by.
    let document = answer.body(answer::MAX_DOCUMENT_BYTES).unwrap_or_default();
    Refusal::read(status, &document, bucket_region, retry_after.as_deref())
}

#[cfg(test)]
mod tests;
