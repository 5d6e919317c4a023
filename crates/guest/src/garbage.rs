//! Deleting the blobs that no row names any more. The notes of them are the job store's ([`crate::jobs::Garbage`]).
//!
//! A thumbnail has a note where its row said that it is there. One that a worker stored, and did not come to say so, has none; it is looked for
//! when the original of its job goes, if that job never came to have a thumbnail.

use std::collections::BTreeMap;

use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::object_key::{Kind, Listed};

use crate::blobs::{BlobError, Blobs};
use crate::jobs::{Garbage, Holder, Life, StoreError};
use crate::log::Log;

/// More attempts leave no more thumbnails behind: each makes the same.
const MAX_LEFT_BEHIND: u32 = 100;

/// Deletes these blobs and strikes them off the notes. Gives how many are gone; what can't be deleted now stays noted, for the next sweep.
///
/// # Errors
/// [`StoreError`] where a note could not be struck off: its blob is deleted once more then, which does no harm.
pub fn clear(
    store: &dyn Life,
    blobs: &dyn Blobs,
    notes: Vec<Garbage>,
    log: &Log,
) -> Result<usize, StoreError> {
    let without = without_a_thumbnail(store, &notes)?;
    let mut failure = None;
    let gone: Vec<Garbage> = notes
        .into_iter()
        .filter(|note| {
            let is_left_behind = note.thumbnail.is_none() && without.contains(&note.job);
            let cleared = blobs.delete(&note.key()).and_then(|()| match is_left_behind {
                true => clear_left_behind(blobs, &note.job),
                false => Ok(()),
            });
            cleared.map_err(|error| failure.get_or_insert((note.key(), error)).0.clone()).is_ok()
        })
        .collect();
    if let Some((key, error)) = failure {
        log.event(Event::GarbageKept { key: key.as_str(), cause: &error.to_string() });
    }
    store.forget(&gone)?;
    Ok(gone.len())
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

fn clear_left_behind(blobs: &dyn Blobs, job: &JobId) -> Result<(), BlobError> {
    let prefix = format!("{}/{job}/", Kind::Thumbnail.folder());
    let keys = blobs.list(&prefix, &prefix, MAX_LEFT_BEHIND)?;
    keys.iter().filter_map(|key| Listed::parse(key)).try_for_each(|blob| blobs.delete(&blob.key))
}
