//! The keys of blobs, a page at a time.
//!
//! A page begins behind a key and not where the server says that the one before ended: a mark of the server's own means nothing to the other
//! kinds of store, and may be forgotten.

use std::time::Duration;

use bytes::Bytes;

use super::{Attempts, Client};
use crate::answer::{self, Failure};
use crate::document;
use crate::error::Error;
use crate::key::Key;
use crate::request::Request;
use crate::transport::{Answer, BodyFault, Transport};

/// The most that S3 gives in one answer.
pub const MAX_LISTED_KEYS: usize = 1000;
/// The most of an answer that is read, in bytes: a thousand names of 1,024 bytes, written as XML needs it, and as much again for what is said of each.
const MAX_LISTING_BYTES: u64 = 4 << 20;

impl<T: Transport> Client<'_, T> {
    /// The first `limit` keys, and no more than [`MAX_LISTED_KEYS`], that begin with `prefix` and come after `after`, in the order of their bytes;
    /// both have passed [`is_start`](crate::key::is_start). Objects of whose names no key of ours is one are passed over. However many pages it
    /// takes, they have the time of one operation.
    ///
    /// # Errors
    /// [`Error::AccessDenied`], [`Error::Unavailable`], [`Error::Other`].
    pub async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<String>, Error> {
        let limit = limit.min(MAX_LISTED_KEYS);
        let (own, prefix) = (self.settings.object(""), self.settings.object(prefix));
        let mut after = self.settings.object(after);
        let begin = self.transport.monotonic();
        let mut keys = Vec::new();
        while keys.len() < limit {
            let (names, more) = self.list_page(&prefix, &after, limit, begin).await?;
            // A page that does not go on would be asked for again without end.
            if !are_in_order(&names, &prefix, &after) {
                return Err(answer::out_of_order(self.settings).error);
            }
            let Some(last) = names.last() else { break };
            after.clone_from(last);
            let ours = names.iter().filter_map(|name| name.strip_prefix(&own));
            keys.extend(ours.filter(|key| Key::parse(key).is_some()).map(str::to_owned));
            if !more {
                break;
            }
        }
        keys.truncate(limit);
        Ok(keys)
    }

    async fn list_page(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
        begin: Duration,
    ) -> Result<(Vec<String>, bool), Error> {
        // In the order of the names of what is asked, as signatures want it.
        let mut query = format!("list-type=2&max-keys={limit}&prefix={}", super::upload::encoded(prefix));
        if !after.is_empty() {
            query.push_str(&format!("&start-after={}", super::upload::encoded(after)));
        }
        let mut attempts = Attempts { begin, number: 1 };
        loop {
            let request = Request::list(self.settings, &query, self.transport.time_of_day());
            let page = match self.send(request, Bytes::new(), &attempts).await {
                Ok(answer) => self.page(answer).await,
                Err(failure) => Err(failure),
            };
            match page {
                Ok(page) => return Ok(page),
                Err(failure) => self.wait(&mut attempts, failure).await?,
            }
        }
    }

    async fn page(&self, answer: T::Answer) -> Result<(Vec<String>, bool), Failure> {
        match answer.body(MAX_LISTING_BYTES).await {
            Ok(document) => document::listing(&document).ok_or_else(|| answer::foreign(self.settings)),
            Err(BodyFault::TooLarge) => Err(answer::foreign(self.settings)),
            Err(BodyFault::Fault(fault)) => Err(answer::judge_fault(fault, self.settings)),
        }
    }
}

/// Whether these are names of what was asked for: each begins with `prefix`, and comes after the one before, the first after `after`.
fn are_in_order(names: &[String], prefix: &str, after: &str) -> bool {
    let before = std::iter::once(after).chain(names.iter().map(String::as_str));
    names.iter().zip(before).all(|(name, before)| name.starts_with(prefix) && name.as_str() > before)
}
