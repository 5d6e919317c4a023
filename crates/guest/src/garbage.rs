//! Deleting the blobs that no row names any more. The notes of them are the job store's ([`crate::jobs::Garbage`]).

use thumbs_domain::event::Event;

use crate::blobs::Blobs;
use crate::jobs::{Garbage, Life, StoreError};
use crate::log::Log;

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
    let mut failure = None;
    let gone: Vec<Garbage> = notes
        .into_iter()
        .filter(|note| match blobs.delete(&note.key()) {
            Ok(()) => true,
            Err(error) => {
                failure.get_or_insert((note.key(), error));
                false
            }
        })
        .collect();
    if let Some((key, error)) = failure {
        log.event(Event::GarbageKept { key: key.as_str(), cause: &error.to_string() });
    }
    store.forget(&gone)?;
    Ok(gone.len())
}
