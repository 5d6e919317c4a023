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
use crate::clock::Clock;
use crate::effort::{Cleared, Effort, MAX_FAILURES};
use crate::jobs::{Holder, Life, Search, StoreError};
use crate::log::Log;

/// How much has to have become old before somebody looks: a store may have to go through all its keys for a page of them.
const EVERY_MS: i64 = 15 * 60_000;
/// Keys of each kind that are looked at in one sweep.
const PAGE: u32 = 500;

/// For how long a page holds up the search because something in it can't be deleted: it is tried again for a day, which is what an operator may take
/// to mend a store, and then it is left where it is. How far the search is behind does not count.
const PATIENCE_MS: i64 = 24 * 3600 * 1000;
/// Since when a search is held up that is not.
const FREE: Timestamp = Timestamp::from_unix_millis(0);

/// Looks at one page of each kind, as far as its time goes, and deletes the blobs in it that no job has. `old` is the moment up to which blobs are
/// looked at. Which kind is first is drawn by lot.
///
/// # Errors
/// [`StoreError`]; the next look begins at the same place. That of the blob store is in the log.
pub fn clear(
    store: &dyn Life,
    blobs: &dyn Blobs,
    old: Timestamp,
    clock: &dyn Clock,
    now: Timestamp,
    log: &Log,
) -> Result<Cleared, StoreError> {
    let effort = Effort::new(clock, now);
    let mut kinds = Kind::ALL;
    effort.draw(&mut kinds);
    let mut all = Cleared::default();
    for kind in kinds {
        let cleared = look(store, blobs, (kind, old), (now, &effort), log)?;
        all = Cleared { gone: all.gone + cleared.gone, more: all.more || cleared.more };
        if effort.is_spent() {
            break;
        }
    }
    Ok(all)
}

fn look(
    store: &dyn Life,
    blobs: &dyn Blobs,
    (kind, old): (Kind, Timestamp),
    (now, effort): (Timestamp, &Effort<'_>),
    log: &Log,
) -> Result<Cleared, StoreError> {
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
        return Ok(Cleared::default());
    }
    effort.begin();
    let keys = match blobs.list(&format!("{}/", kind.folder()), &kind.lowest_text_at(from), PAGE) {
        Ok(keys) => keys,
        Err(error) => {
            log.event(Event::OrphansUnseen { cause: &error.to_string() });
            return Ok(Cleared::default());
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
    let mut orphans = without_a_job(store, page)?;
    effort.draw(&mut orphans);
    let (mut gone, mut kept) = (0, Vec::new());
    for blob in &orphans {
        match blobs.delete(&blob.key) {
            Ok(()) => gone += 1,
            Err(error) => kept.push((blob, error.to_string())),
        }
        if kept.len() == MAX_FAILURES || effort.is_spent() {
            break;
        }
    }
    let untried = orphans.iter().skip(gone + kept.len());
    let gone = u32::try_from(gone).unwrap_or(u32::MAX);
    let Some((blob, cause)) = kept.first() else {
        let is_done = untried.len() == 0;
        if is_done {
            go_on(store, kind, up_to)?;
        }
        return Ok(Cleared { gone, more: if is_done { old.millis_since(up_to) > 0 } else { gone > 0 } });
    };
    let held_ms = now.millis_since(held_since(store, kind, now)?);
    if held_ms <= PATIENCE_MS {
        log.event(Event::GarbageKept { key: blob.key.as_str(), cause });
        return Ok(Cleared { gone, more: false });
    }
    // What became old meanwhile was not tried for as long.
    let left_up_to = old.plus_millis(-held_ms).max(from.plus_millis(1)).min(up_to);
    let untried = untried.map(|blob| (blob, "others of its page can't be deleted"));
    for (blob, cause) in kept.iter().map(|(blob, cause)| (*blob, cause.as_str())).chain(untried) {
        if blob.job.created_at() < left_up_to {
            log.event(Event::OrphanLeft { key: blob.key.as_str(), cause });
        }
    }
    go_on(store, kind, left_up_to)?;
    Ok(Cleared { gone, more: false })
}

/// Since when something that can't be deleted holds up the search: from now on, where nothing did until now.
fn held_since(store: &dyn Life, kind: Kind, now: Timestamp) -> Result<Timestamp, StoreError> {
    match store.looked(Search::Held(kind))? {
        Some(since) if since > FREE && since <= now => Ok(since),
        // Or with a clock that was far ahead.
        _ => {
            store.look(Search::Held(kind), now)?;
            Ok(now)
        }
    }
}

/// To the next page, which may hold up the search for as long.
fn go_on(store: &dyn Life, kind: Kind, up_to: Timestamp) -> Result<(), StoreError> {
    // In this order: where the second fails, the page has its time once more.
    if store.looked(Search::Held(kind))?.is_some_and(|since| since > FREE) {
        store.look(Search::Held(kind), FREE)?;
    }
    store.look(Search::Orphans(kind), up_to)
}

fn without_a_job(store: &dyn Life, mut page: Vec<Listed>) -> Result<Vec<Listed>, StoreError> {
    let mut jobs: Vec<JobId> = page.iter().map(|blob| blob.job).collect();
    jobs.dedup();
    let holders: BTreeMap<String, Holder> =
        store.holders(&jobs)?.into_iter().map(|holder| (holder.job.clone(), holder)).collect();
    page.retain(|blob| !holders.get(&blob.job.to_string()).is_some_and(|holder| holder.may_have(blob)));
    Ok(page)
}
