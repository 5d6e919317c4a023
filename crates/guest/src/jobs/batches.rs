//! Several jobs that came in one request. A batch is the rows that name it, so it needs no row and no statement of its own to be made, and
//! is gone when its last job is.

use thumbs_domain::batch::{BatchId, Member};
use thumbs_domain::job::IdempotencyKey;
use thumbs_domain::owner::{Owner, Reach};

use super::row;
use super::statements;
use super::store::{SqlJobStore, key_of};
use super::{JobStore, StoreError};
use crate::sql::{Dialect, Sql, SqlValue};

/// The jobs of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// In the order of the form; none where there is no such batch within reach.
    pub members: Vec<Member>,
    /// Why other rows are not among them, as in a [`super::Page`].
    pub unreadable: Vec<StoreError>,
}

/// Jobs that were made together.
pub trait Batches: JobStore {
    /// The jobs of this batch, as far as they are within reach.
    ///
    /// # Errors
    /// [`StoreError`].
    fn batch(&self, batch: &BatchId, reach: Reach<'_>) -> Result<Batch, StoreError>;

    /// The batch that a request of this owner with this key made.
    ///
    /// # Errors
    /// [`StoreError`].
    fn batch_of_key(
        &self,
        key: &IdempotencyKey,
        owner: Option<&Owner>,
    ) -> Result<Option<BatchId>, StoreError>;
}

impl<S: Sql, D: Dialect> Batches for SqlJobStore<S, D> {
    fn batch(&self, batch: &BatchId, reach: Reach<'_>) -> Result<Batch, StoreError> {
        let mut found = Batch::default();
        for row in self.run(statements::BATCH, &[batch.to_string().into()])? {
            match row::member(row) {
                Ok(member) if reach.covers(member.job.owner.as_ref()) => found.members.push(member),
                Ok(_) => {}
                Err(error) => found.unreadable.push(error),
            }
        }
        Ok(found)
    }

    fn batch_of_key(
        &self,
        key: &IdempotencyKey,
        owner: Option<&Owner>,
    ) -> Result<Option<BatchId>, StoreError> {
        let (before, behind) = key.of_parts();
        let parameters = [key_of(&before, owner).into(), key_of(&behind, owner).into()];
        match self.run(statements::BATCH_OF_KEY, &parameters)?.first().map(Vec::as_slice) {
            None => Ok(None),
            Some([SqlValue::Text(batch)]) => match BatchId::parse(batch) {
                Ok(batch) => Ok(Some(batch)),
                Err(_) => Err(StoreError::Corrupt("column batch".to_owned())),
            },
            Some(_) => Err(StoreError::Corrupt("column batch".to_owned())),
        }
    }
}
