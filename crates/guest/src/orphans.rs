//! Blobs that no job has: what a process left behind that was killed between storing a blob and writing it down.
//!
//! They are found by listing the store. A blob's key has the moment at which its job was made, so nobody walks through all of them: a sweep goes
//! on where the one before ended, over keys whose jobs would be so old that none of them can still be on its way. What lay there before the
//! first sweep of a database is never looked at: it may be another's.

use std::collections::BTreeMap;

use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::object_key::{Kind, Listed};
use thumbs_domain::timestamp::Timestamp;

use crate::blobs::Blobs;
use crate::jobs::{Holder, Life, Search, StoreError};
use crate::log::Log;

/// How much has to have become old before somebody looks: a store may have to go through all its keys for a page of them.
const EVERY_MS: i64 = 15 * 60_000;
/// Keys of each kind that are looked at in one sweep.
const PAGE: u32 = 500;

/// For how long what can't be deleted holds up the search: it is tried again for a day, which is what an operator may take to mend a store, and then it
/// is left where it is.
const PATIENCE_MS: i64 = 24 * 3600 * 1000;
/// Of so many blobs that can't be deleted a sweep has enough: each may take as long as the store is waited for.
const MAX_FAILURES: u32 = 10;

/// What one look has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Blobs that were deleted.
    pub gone: u32,
    /// Whether there is more to look at.
    pub more: bool,
}

/// Looks at one page of each kind, and deletes the blobs in it that no job has. `old` is the moment up to which blobs are looked at.
///
/// # Errors
/// [`StoreError`]; the next look begins at the same place. That of the blob store is in the log.
pub fn clear(
    store: &dyn Life,
    blobs: &dyn Blobs,
    old: Timestamp,
    now: Timestamp,
    log: &Log,
) -> Result<Looked, StoreError> {
    let mut all = Looked::default();
    for kind in Kind::ALL {
        let looked = look(store, blobs, (kind, old), now, log)?;
        all = Looked { gone: all.gone + looked.gone, more: all.more || looked.more };
    }
    Ok(all)
}

fn look(
    store: &dyn Life,
    blobs: &dyn Blobs,
    (kind, old): (Kind, Timestamp),
    now: Timestamp,
    log: &Log,
) -> Result<Looked, StoreError> {
    let search = Search::Orphans(kind);
    let from = match store.looked(search)? {
        Some(from) if from <= now => from,
        // Nobody has looked yet, or with a clock that was far ahead.
        _ => {
            store.look(search, now)?;
            now
        }
    };
    if old.millis_since(from) < EVERY_MS {
        return Ok(Looked::default());
    }
    let keys = match blobs.list(&format!("{}/", kind.folder()), &kind.lowest_text_at(from), PAGE) {
        Ok(keys) => keys,
        Err(error) => {
            log.event(Event::OrphansUnseen { cause: &error.to_string() });
            return Ok(Looked::default());
        }
    };
    let is_last = keys.len() < PAGE as usize;
    let mut page: Vec<Listed> = keys.iter().filter_map(|key| Listed::parse(key)).collect();
    let looked_at = page.len();
    page.retain(|blob| blob.job.created_at() < old);
    let up_to = match page.last() {
        // Never the same place twice, however many were made in one millisecond.
        Some(last) if !is_last && page.len() == looked_at => {
            last.job.created_at().max(from.plus_millis(1)).min(old)
        }
        _ => old,
    };
    let is_patient = old.millis_since(from) <= PATIENCE_MS;
    let (mut gone, mut kept, mut tried_up_to) = (0, 0, up_to);
    for blob in without_a_job(store, page)? {
        let Err(error) = blobs.delete(&blob.key) else {
            gone += 1;
            continue;
        };
        let (key, cause) = (blob.key.as_str(), &error.to_string());
        match (is_patient, kept) {
            (true, 0) => log.event(Event::GarbageKept { key, cause }),
            (true, _) => {}
            (false, _) => log.event(Event::OrphanLeft { key, cause }),
        }
        kept += 1;
        if kept == MAX_FAILURES {
            tried_up_to = blob.job.created_at().max(from.plus_millis(1)).min(up_to);
            break;
        }
    }
    if kept > 0 && is_patient {
        return Ok(Looked { gone, more: false });
    }
    store.look(search, tried_up_to)?;
    Ok(Looked { gone, more: kept == 0 && old.millis_since(tried_up_to) > 0 })
}

fn without_a_job(store: &dyn Life, mut page: Vec<Listed>) -> Result<Vec<Listed>, StoreError> {
    let mut jobs: Vec<JobId> = page.iter().map(|blob| blob.job).collect();
    jobs.dedup();
    let holders: BTreeMap<String, Holder> =
        store.holders(&jobs)?.into_iter().map(|holder| (holder.job.clone(), holder)).collect();
    page.retain(|blob| !holders.get(&blob.job.to_string()).is_some_and(|holder| holder.may_have(blob)));
    Ok(page)
}
