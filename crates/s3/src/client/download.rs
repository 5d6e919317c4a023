//! A blob that is read in pieces, each by a request of its own: nothing is held in between, and each may be tried again.

use bytes::Bytes;

use super::{Client, Metadata, NO_CONTENT_TYPE};
use crate::answer::{self, Failure};
use crate::error::Error;
use crate::key::Key;
use crate::request::Request;
use crate::transport::{Answer, BodyFault, Transport};

/// What is read at once, in bytes.
const PIECE_BYTES: u64 = 1 << 20;

/// A blob that is being read.
#[derive(Debug)]
pub struct Download {
    key: String,
    metadata: Metadata,
    /// Of the object that was opened: no piece is of another.
    etag: Option<String>,
    /// Read and not handed out yet. More than a piece only of a server that knows no ranges.
    held: Vec<u8>,
    /// Where what is not read yet begins.
    at: u64,
}

/// A part of an object, or all of it.
struct Range {
    data: Vec<u8>,
    whole: Metadata,
    etag: Option<String>,
}

impl Download {
    /// Opens a blob of at most `max_bytes`. Its first piece is read with it.
    ///
    /// # Errors
    /// Every kind.
    pub async fn open<T: Transport>(
        client: &Client<'_, T>,
        key: Key<'_>,
        max_bytes: u64,
    ) -> Result<Self, Error> {
        let key = key.as_str().to_owned();
        let first = match client.range(&key, 0, PIECE_BYTES, None, max_bytes).await? {
            Some(range) => range,
            // There is not even a first byte.
            None => Range { data: Vec::new(), whole: client.head_object(&key).await?, etag: None },
        };
        let Range { data, whole, etag } = first;
        Ok(Self { key, metadata: whole, etag, at: data.len() as u64, held: data })
    }

    /// What was known of it when it was opened.
    #[must_use]
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// Every kind but [`Error::TooLarge`].
    pub async fn read<T: Transport>(&mut self, client: &Client<'_, T>) -> Result<Vec<u8>, Error> {
        let piece_len = usize::try_from(PIECE_BYTES).unwrap_or(usize::MAX);
        if self.held.is_empty() && self.at < self.metadata.size_bytes {
            let end = self.metadata.size_bytes.min(self.at.saturating_add(PIECE_BYTES));
            let range = client.range(&self.key, self.at, end, self.etag.as_deref(), u64::MAX).await?;
            let replaced = || Error::Unavailable("the blob was replaced while it was read".to_owned());
            let Range { data, whole, etag } = range.ok_or_else(replaced)?;
            // Not every server looks at the condition.
            let is_another = etag != self.etag || whole.size_bytes != self.metadata.size_bytes;
            if is_another || data.len() as u64 != end - self.at {
                return Err(replaced());
            }
            self.held = data;
            self.at = end;
        }
        let rest = self.held.split_off(self.held.len().min(piece_len));
        Ok(std::mem::replace(&mut self.held, rest))
    }
}

impl<T: Transport> Client<'_, T> {
    pub(super) async fn head_object(&self, object: &str) -> Result<Metadata, Error> {
        let key = Key::parse(object).ok_or(Error::NotFound)?;
        self.head(key).await
    }

    /// The bytes from `begin` up to `end`, or as many as there are; none where there is none there.
    async fn range(
        &self,
        object: &str,
        begin: u64,
        end: u64,
        etag: Option<&str>,
        max_bytes: u64,
    ) -> Result<Option<Range>, Error> {
        let mut attempts = self.attempts();
        loop {
            let at = self.transport.time_of_day();
            let request = Request::range(self.settings, object, begin, end, etag, at);
            let read = match self.exchange(request, Bytes::new(), &attempts).await {
                Ok(answer) if answer.status() == 416 => return Ok(None),
                Ok(answer) if answer.status() == 412 => return Ok(None),
                Ok(answer) => self.part(answer, begin, end, max_bytes).await,
                Err(failure) => Err(failure),
            };
            match read {
                Ok(range) => return Ok(Some(range)),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    async fn part(&self, answer: T::Answer, begin: u64, end: u64, max_bytes: u64) -> Result<Range, Failure> {
        if !matches!(answer.status(), 200..=299) {
            return Err(answer::Refusal::read(answer).await.judge(self.settings));
        }
        let length = answer.header("content-length").and_then(|length| length.parse::<u64>().ok());
        let content_range = answer.header("content-range");
        let size_bytes = match (answer.status(), length, content_range.as_deref().and_then(whole_bytes)) {
            (206, Some(length), Some((from, whole)))
                if from == begin && begin.checked_add(length).is_some_and(|to| to <= end.min(whole)) =>
            {
                whole
            }
            // All of it, from a server that knows no ranges.
            (200, Some(length), _) if begin == 0 => length,
            _ => return Err(answer::foreign(self.settings)),
        };
        let content_type = answer.header("content-type").unwrap_or_else(|| NO_CONTENT_TYPE.to_owned());
        let whole = Metadata { size_bytes, content_type };
        if size_bytes > max_bytes {
            return Err(Error::TooLarge(max_bytes).into());
        }
        let (length, etag) = (length.unwrap_or_default(), answer.header("etag"));
        match answer.body(length).await {
            Ok(data) if data.len() as u64 == length => Ok(Range { data, whole, etag }),
            Ok(_) | Err(BodyFault::TooLarge) => Err(answer::wrong_length(self.settings)),
            Err(BodyFault::Fault(fault)) => Err(answer::judge_fault(fault, self.settings)),
        }
    }
}

/// The first byte and the length of the whole, out of `bytes 0-9/100`.
fn whole_bytes(content_range: &str) -> Option<(u64, u64)> {
    let (range, whole) = content_range.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, whole.parse().ok()?))
}
