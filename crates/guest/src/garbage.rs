//! Deleting the blobs that no row names any more. The notes of them are the job store's ([`crate::jobs::Garbage`]).
//!
//! A thumbnail has a note where its row said that it is there. One that a worker stored, and did not come to say so, has none; it is looked for
//! when the original of its job goes, if that job never came to have a thumbnail.

use std::collections::BTreeMap;

use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::object_key::{Kind, Listed};
use thumbs_domain::timestamp::Timestamp;

use crate::blobs::{BlobError, Blobs};
use crate::clock::Clock;
use crate::effort::{Cleared, Effort, MAX_FAILURES};
use crate::jobs::{Garbage, Holder, Life, Search, StoreError};
use crate::log::Log;

/// More attempts leave no more thumbnails behind: each makes the same.
const MAX_LEFT_BEHIND: u32 = 100;

/// Where the notes begin.
const BEGINNING: Timestamp = Timestamp::from_unix_millis(0);

/// Deletes at most `limit` of the blobs that are noted, as far as its time goes, and strikes them off the notes. What can't be deleted now stays
/// noted, and is tried again once all others were: the next sweep goes on behind it.
///
/// # Errors
/// [`StoreError`] where a note could not be struck off: its blob is deleted once more then, which does no harm.
pub fn clear(
    store: &dyn Life,
    blobs: &dyn Blobs,
    limit: u32,
    clock: &dyn Clock,
    now: Timestamp,
    log: &Log,
) -> Result<Cleared, StoreError> {
    let effort = Effort::new(clock, now);
    let from = store.looked(Search::Garbage)?.unwrap_or(BEGINNING);
    let mut notes = store.garbage(from, limit)?;
    if let Some(first) = notes.first().map(|note| note.job.created_at()) {
        // The next sweep goes on behind their moment, so each of them is to have its turn at being among those that are tried.
        let together = notes.iter().take_while(|note| note.job.created_at() == first).count();
        effort.draw(notes.split_at_mut(together).0);
    }
    let without = without_a_thumbnail(store, &notes)?;
    let (mut gone, mut kept, mut tried) = (Vec::new(), Vec::new(), 0);
    for note in &notes {
        effort.begin();
        let is_left_behind = note.thumbnail.is_none() && without.contains(&note.job);
        let cleared = blobs.delete(&note.key()).and_then(|()| match is_left_behind {
            true => clear_left_behind(blobs, &note.job, &effort),
            false => Ok(()),
        });
        tried += 1;
        match cleared {
            Ok(()) => gone.push(note.clone()),
            Err(error) => kept.push((note, error)),
        }
        if kept.len() == MAX_FAILURES || effort.is_spent() {
            break;
        }
    }
    if let Some((note, error)) = kept.first() {
        log.event(Event::GarbageKept { key: note.key().as_str(), cause: &error.to_string() });
    }
    store.forget(&gone)?;
    let is_last = tried == notes.len() && notes.len() < limit as usize;
    match kept.last() {
        _ if is_last && from > BEGINNING => store.look(Search::Garbage, BEGINNING)?,
        // Never the same place twice, however many jobs were made in one millisecond.
        Some((last, _)) if !is_last => {
            store.look(Search::Garbage, last.job.created_at().max(from.plus_millis(1)))?;
        }
        _ => {}
    }
    let more = kept.is_empty() && (tried < notes.len() || notes.len() >= limit as usize);
    Ok(Cleared { gone: u32::try_from(gone.len()).unwrap_or(u32::MAX), more })
}

/// Those of the jobs whose originals go that have no thumbnail, and never will: who holds such a job finds its row gone, and removes what it made.
fn without_a_thumbnail(store: &dyn Life, notes: &[Garbage]) -> Result<Vec<JobId>, StoreError> {
    let has_one = |job: &JobId| notes.iter().any(|note| note.job == *job && note.thumbnail.is_some());
    let originals = notes.iter().filter(|note| note.thumbnail.is_none()).map(|note| note.job);
    let mut jobs: Vec<JobId> = originals.filter(|job| !has_one(job)).collect();
    let holders = store.holders(&jobs)?;
    let holders: BTreeMap<&str, &Holder> =
        holders.iter().map(|holder| (holder.job.as_str(), holder)).collect();
    jobs.retain(|job| holders.get(job.to_string().as_str()).is_none_or(|holder| holder.has_none()));
    Ok(jobs)
}

fn clear_left_behind(blobs: &dyn Blobs, job: &JobId, effort: &Effort<'_>) -> Result<(), BlobError> {
    let in_time = || match effort.is_spent() {
        true => Err(BlobError::Unavailable("the sweep's time is up".to_owned())),
        false => Ok(()),
    };
    let prefix = format!("{}/{job}/", Kind::Thumbnail.folder());
    in_time()?;
    let keys = blobs.list(&prefix, &prefix, MAX_LEFT_BEHIND)?;
    keys.iter().filter_map(|key| Listed::parse(key)).try_for_each(|blob| {
        in_time()?;
        blobs.delete(&blob.key)
    })
}
