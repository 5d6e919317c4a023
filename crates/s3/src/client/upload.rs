//! A blob that is written in pieces: by one put where it is no longer than a part, else by a multipart upload, which is as atomic.

use bytes::Bytes;

use super::Client;
use crate::answer::{self, Failure};
use crate::document;
use crate::error::Error;
use crate::key::{ContentType, Key};
use crate::request::Request;
use crate::sign;
use crate::transport::{Answer, Transport};

/// The least that S3 takes as a part that is not the last, in bytes. No more of a blob is held.
pub const PART_BYTES: usize = 5 << 20;
/// What is reserved at first, at most.
const FIRST_BYTES: usize = 64 << 10;
/// The most of an answer's document that is read, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 64 << 10;

/// A blob in the making. It has to be aborted where it is not finished, or its parts stay.
#[derive(Debug)]
pub struct Upload {
    key: String,
    content_type: String,
    held: Vec<u8>,
    sent_bytes: u64,
    /// Once more than a part has come.
    parts: Option<Parts>,
}

#[derive(Debug)]
struct Parts {
    /// The server's name of the upload, encoded for a query.
    id: String,
    /// Of each part, as the server named it.
    etags: Vec<String>,
}

impl Upload {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(key: Key<'_>, content_type: ContentType<'_>) -> Self {
        Self {
            key: key.as_str().to_owned(),
            content_type: content_type.as_str().to_owned(),
            held: Vec::new(),
            sent_bytes: 0,
            parts: None,
        }
    }

    /// What of it is in memory.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Whether the server has something of it that only an abort or its end takes away.
    #[must_use]
    pub const fn has_sent(&self) -> bool {
        self.parts.is_some()
    }

    /// Takes the next bytes, and sends each part that is full once there is more.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], [`Error::Unavailable`], [`Error::Other`]; it can't be finished any more.
    pub async fn write<T: Transport>(
        &mut self,
        client: &Client<'_, T>,
        mut piece: &[u8],
    ) -> Result<(), Error> {
        loop {
            let room = PART_BYTES.saturating_sub(self.held.len());
            let Some((now, later)) = piece.split_at_checked(room).filter(|(_, later)| !later.is_empty())
            else {
                self.hold(piece);
                return Ok(());
            };
            self.hold(now);
            piece = later;
            self.send_part(client).await?;
        }
    }

    /// Doubles what is reserved up to a part, and never beyond.
    fn hold(&mut self, bytes: &[u8]) {
        if self.held.capacity() - self.held.len() < bytes.len() {
            let more = self.held.len().max(FIRST_BYTES).min(PART_BYTES.saturating_sub(self.held.len()));
            self.held.reserve_exact(more.max(bytes.len()));
        }
        self.held.extend_from_slice(bytes);
    }

    async fn send_part<T: Transport>(&mut self, client: &Client<'_, T>) -> Result<(), Error> {
        if self.parts.is_none() {
            let id = client.begin_parts(&self.key, &self.content_type).await?;
            self.parts = Some(Parts { id, etags: Vec::new() });
        }
        let Some(Parts { id, etags }) = &mut self.parts else { return Ok(()) };
        let part = Bytes::from(std::mem::take(&mut self.held));
        self.sent_bytes += part.len() as u64;
        etags.push(client.put_part(&self.key, id, etags.len() + 1, part).await?);
        Ok(())
    }

    /// Creates or replaces the blob.
    ///
    /// # Errors
    /// As [`Upload::write`]. The parts are aborted then.
    pub async fn finish<T: Transport>(mut self, client: &Client<'_, T>) -> Result<(), Error> {
        if self.parts.is_none() {
            // Both were checked when it was begun.
            let (Some(key), Some(content_type)) =
                (Key::parse(&self.key), ContentType::parse(&self.content_type))
            else {
                return Err(Error::Other("the blob has no name".to_owned()));
            };
            return client.put(key, content_type, std::mem::take(&mut self.held).into()).await;
        }
        let finished = match self.send_part(client).await {
            Ok(()) => self.complete(client).await,
            Err(error) => Err(error),
        };
        if finished.is_err() {
            self.abort(client).await;
        }
        finished
    }

    async fn complete<T: Transport>(&self, client: &Client<'_, T>) -> Result<(), Error> {
        let Some(Parts { id, etags }) = &self.parts else { return Ok(()) };
        match client.complete_parts(&self.key, id, etags).await {
            // Done by an attempt whose answer was lost, perhaps.
            Err(Error::NotFound) => match client.head_object(&self.key).await {
                Ok(metadata) if metadata.size_bytes == self.sent_bytes => Ok(()),
                _ => Err(Error::Unavailable("the store has lost the parts of the blob".to_owned())),
            },
            completed => completed,
        }
    }

    /// Takes away what was sent. Where that fails, the bucket's own rules for unfinished uploads have to.
    pub async fn abort<T: Transport>(self, client: &Client<'_, T>) {
        if let Some(Parts { id, .. }) = &self.parts {
            let _left_to_the_buckets_rules = client.abort_parts(&self.key, id).await;
        }
    }
}

impl<T: Transport> Client<'_, T> {
    async fn begin_parts(&self, object: &str, content_type: &str) -> Result<String, Error> {
        let mut attempts = self.attempts();
        loop {
            let at = self.transport.time_of_day();
            let request = Request::begin_parts(self.settings, object, content_type, at);
            let begun = match self.send(request, Bytes::new(), &attempts).await {
                Ok(answer) => self.upload_id(answer).await,
                Err(failure) => Err(failure),
            };
            match begun {
                Ok(id) => return Ok(id),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    async fn upload_id(&self, answer: T::Answer) -> Result<String, Failure> {
        let document = answer.body(MAX_DOCUMENT_BYTES).await.unwrap_or_default();
        let [id] = document::elements(&document, "InitiateMultipartUploadResult", ["UploadId"]);
        id.map(|id| encoded(&id)).ok_or_else(|| answer::foreign(self.settings))
    }

    async fn put_part(&self, object: &str, id: &str, number: usize, part: Bytes) -> Result<String, Error> {
        let digest = sign::digest(&part);
        let mut attempts = self.attempts();
        loop {
            let query = format!("partNumber={number}&uploadId={id}");
            let at = self.transport.time_of_day();
            let request = Request::put_part(self.settings, object, &query, part.len(), &digest, at);
            let put = match self.send(request, part.clone(), &attempts).await {
                Ok(answer) => answer.header("etag").ok_or_else(|| answer::foreign(self.settings)),
                Err(failure) => Err(failure),
            };
            match put {
                Ok(etag) => return Ok(etag),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    async fn complete_parts(&self, object: &str, id: &str, etags: &[String]) -> Result<(), Error> {
        let document = Bytes::from(parts_document(etags));
        let digest = sign::digest(&document);
        let mut attempts = self.attempts();
        loop {
            let query = format!("uploadId={id}");
            let at = self.transport.time_of_day();
            let request = Request::complete_parts(self.settings, object, &query, document.len(), &digest, at);
            let completed = match self.send(request, document.clone(), &attempts).await {
                // The status comes before the work is done: what became of that is in the document.
                Ok(answer) => match answer.body(MAX_DOCUMENT_BYTES).await.unwrap_or_default() {
                    document if document::is_of(&document, "CompleteMultipartUploadResult") => Ok(()),
                    document if document::is_of(&document, "Error") => {
                        Err(answer::not_completed(self.settings))
                    }
                    _ => Err(answer::foreign(self.settings)),
                },
                Err(failure) => Err(failure),
            };
            match completed {
                Ok(()) => return Ok(()),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    async fn abort_parts(&self, object: &str, id: &str) -> Result<(), Error> {
        let mut attempts = self.attempts();
        loop {
            let at = self.transport.time_of_day();
            let request = Request::abort_parts(self.settings, object, &format!("uploadId={id}"), at);
            match self.send(request, Bytes::new(), &attempts).await {
                Ok(_) | Err(Failure { error: Error::NotFound, .. }) => return Ok(()),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }
}

fn parts_document(etags: &[String]) -> String {
    let mut document =
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    for (index, etag) in etags.iter().enumerate() {
        let etag = etag.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let number = index + 1;
        document.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    document.push_str("</CompleteMultipartUpload>");
    document
}

/// As a value of a query, the way that signatures want it.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
