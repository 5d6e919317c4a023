//! The operations on a bucket: request, retries, bounds.
//!
//! Every operation is idempotent, a put of a whole object too, so each may be tried again whatever became of the attempt before. A body that
//! broke off is fetched anew, not from where it ended: the object may be another by then.

mod download;
mod list;
mod upload;

pub use download::Download;
pub use list::MAX_LISTED_KEYS;
pub use upload::{PART_BYTES, Upload};

use std::time::Duration;

use bytes::Bytes;

use crate::answer::{self, Again, Failure, Refusal};
use crate::error::Error;
use crate::key::{ContentType, Key};
use crate::request::{Method, Payload, Request};
use crate::retry::Policy;
use crate::settings::Settings;
use crate::sign;
use crate::transport::{Answer, BodyFault, Fault, Transport};

/// What S3 calls an object that was put without a content type.
const NO_CONTENT_TYPE: &str = "binary/octet-stream";
/// An object that no put of ours can have made, since no key has a capital: to be asked for where only the answer's kind matters.
const NO_OBJECT: &str = "CHECK";

/// What is known of a blob without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The blob's length in bytes.
    pub size_bytes: u64,
    /// As given to the put.
    pub content_type: String,
}

/// Blobs in one bucket, named `[<prefix>/]<key>`, each with its content type as the object's own.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a, T> {
    settings: &'a Settings,
    transport: &'a T,
    policy: Policy,
}

impl<'a, T: Transport> Client<'a, T> {
    /// Blobs in the bucket of `settings`; each operation has the time and the attempts of `policy`.
    pub const fn new(settings: &'a Settings, transport: &'a T, policy: Policy) -> Self {
        Self { settings, transport, policy }
    }

    /// Creates or replaces the blob. The digest of `data` goes with it, so bytes that were changed on the way are refused.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], [`Error::Unavailable`], [`Error::Other`].
    pub async fn put(&self, key: Key<'_>, content_type: ContentType<'_>, data: Bytes) -> Result<(), Error> {
        let digest = sign::digest(&data);
        let payload = Payload { content_type, size_bytes: data.len(), digest: &digest };
        let mut attempts = self.attempts();
        loop {
            let request = Request::put(self.settings, key.as_str(), &payload, self.transport.time_of_day());
            let put = match self.send(request, data.clone(), &attempts).await {
                // A web server that says yes to everything stores nothing.
                Ok(answer) if answer.header("etag").is_none() => Err(answer::foreign(self.settings)),
                answer => answer.map(drop),
            };
            match put {
                Ok(()) => return Ok(()),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    /// The whole blob; nothing is read of one with more than `max_bytes`.
    ///
    /// # Errors
    /// Every kind.
    pub async fn get(&self, key: Key<'_>, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
        let mut attempts = self.attempts();
        loop {
            match self.get_once(key.as_str(), max_bytes, &attempts).await {
                Ok(blob) => return Ok(blob),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    /// What is known of the blob, without its bytes.
    ///
    /// # Errors
    /// Every kind but [`Error::TooLarge`].
    pub async fn head(&self, key: Key<'_>) -> Result<Metadata, Error> {
        let mut attempts = self.attempts();
        loop {
            match self.head_once(key.as_str(), &attempts).await {
                Ok(metadata) => return Ok(metadata),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    /// Removes the blob, or succeeds where it is not there.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], [`Error::Unavailable`], [`Error::Other`].
    pub async fn delete(&self, key: Key<'_>) -> Result<(), Error> {
        let mut attempts = self.attempts();
        loop {
            match self.send_plain(Method::Delete, key.as_str(), &attempts).await {
                // S3 answers 204 to a delete of nothing, but not every server does.
                Ok(_) | Err(Failure { error: Error::NotFound, .. }) => return Ok(()),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    /// Asks the server for an object that is not there: whether it answers, knows the credentials, and has the bucket, in the region that is
    /// configured. Changes nothing.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], [`Error::Unavailable`], [`Error::Other`].
    pub async fn check(&self) -> Result<(), Error> {
        let mut attempts = self.attempts();
        loop {
            match self.send_plain(Method::Get, NO_OBJECT, &attempts).await {
                Ok(_) | Err(Failure { error: Error::NotFound, .. }) => return Ok(()),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    async fn get_once(
        &self,
        object: &str,
        max_bytes: u64,
        attempts: &Attempts,
    ) -> Result<(Metadata, Vec<u8>), Failure> {
        let answer = self.send_plain(Method::Get, object, attempts).await?;
        let metadata = self.metadata(&answer)?;
        if metadata.size_bytes > max_bytes {
            return Err(Error::TooLarge(max_bytes).into());
        }
        match answer.body(metadata.size_bytes).await {
            Ok(data) if data.len() as u64 == metadata.size_bytes => Ok((metadata, data)),
            Ok(_) | Err(BodyFault::TooLarge) => Err(answer::wrong_length(self.settings)),
            Err(BodyFault::Fault(fault)) => Err(answer::judge_fault(fault, self.settings)),
        }
    }

    async fn head_once(&self, object: &str, attempts: &Attempts) -> Result<Metadata, Failure> {
        let request = Request::plain(self.settings, Method::Head, object, self.transport.time_of_day());
        let answer = self.exchange(request, Bytes::new(), attempts).await?;
        match answer.status() {
            200..=299 => self.metadata(&answer),
            300..=499 => Err(self.explain(object, attempts).await),
            _ => Err(Refusal::read(answer).await.judge(self.settings)),
        }
    }

    /// Why a HEAD was refused. Its answer has no body, so a missing bucket looks like a missing object; a GET of one byte says.
    async fn explain(&self, object: &str, attempts: &Attempts) -> Failure {
        let request = Request::first_byte(self.settings, object, self.transport.time_of_day());
        match self.send(request, Bytes::new(), attempts).await {
            Err(failure) => failure,
            Ok(_) => answer::head_refused(),
        }
    }

    /// What a success says of an object. A whole one has a length, or no S3 server has sent it.
    fn metadata(&self, answer: &T::Answer) -> Result<Metadata, Failure> {
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        match (answer.status(), length) {
            (200, Some(size_bytes)) => Ok(Metadata {
                size_bytes,
                content_type: answer.header("content-type").unwrap_or_else(|| NO_CONTENT_TYPE.to_owned()),
            }),
            _ => Err(answer::foreign(self.settings)),
        }
    }

    async fn send_plain(
        &self,
        method: Method,
        object: &str,
        attempts: &Attempts,
    ) -> Result<T::Answer, Failure> {
        let request = Request::plain(self.settings, method, object, self.transport.time_of_day());
        self.send(request, Bytes::new(), attempts).await
    }

    /// The answer, if it is a success.
    async fn send(&self, request: Request, body: Bytes, attempts: &Attempts) -> Result<T::Answer, Failure> {
        let answer = self.exchange(request, body, attempts).await?;
        if matches!(answer.status(), 200..=299) {
            Ok(answer)
        } else {
            Err(Refusal::read(answer).await.judge(self.settings))
        }
    }

    /// The answer, whatever it is.
    async fn exchange(
        &self,
        request: Request,
        body: Bytes,
        attempts: &Attempts,
    ) -> Result<T::Answer, Failure> {
        let time_left = self.policy.total.saturating_sub(self.elapsed(attempts));
        let answer = if time_left.is_zero() {
            Err(Fault::TooSlow)
        } else {
            self.transport.send(request, body, time_left).await
        };
        answer.map_err(|fault| answer::judge_fault(fault, self.settings))
    }

    fn attempts(&self) -> Attempts {
        Attempts { begin: self.transport.monotonic(), number: 1 }
    }

    fn elapsed(&self, attempts: &Attempts) -> Duration {
        self.transport.monotonic().saturating_sub(attempts.begin)
    }

    /// Waits until it is time for another attempt, or says why there is none.
    async fn wait(&self, attempts: &mut Attempts, failure: Failure) -> Result<(), Error> {
        let wanted = match failure.again {
            Again::Never => return Err(failure.error),
            Again::Soon => None,
            Again::After(wanted) => Some(wanted),
        };
        let elapsed = self.elapsed(attempts);
        let Some(pause) = self.policy.pause(attempts.number, elapsed, wanted, self.transport.random()) else {
            return Err(match failure.error {
                Error::Unavailable(text) if attempts.number > 1 => {
                    Error::Unavailable(format!("{text} (attempts: {})", attempts.number))
                }
                error => error,
            });
        };
        self.transport.pause(pause).await;
        attempts.number += 1;
        Ok(())
    }
}

/// How far one operation has got.
struct Attempts {
    begin: Duration,
    /// Of the attempt that is made, from 1.
    number: u32,
}

#[cfg(test)]
mod tests;
