//! The job store that the configuration names. Opening connects to nothing yet: that is left to the first statement.

use super::store::SqlJobStore;
use super::{Batches, Callbacks, JobStore, Life, Numbers, Rates};
use crate::config::Database;
use crate::sql::{HostPostgres, HostSqlite, Postgres, Sqlite};

/// All that a job store does.
pub trait Whole: Life + Numbers + Batches + Rates + Callbacks {}

impl<T: Life + Numbers + Batches + Rates + Callbacks> Whole for T {}

/// For who makes and reads jobs.
pub fn open(database: &Database) -> Box<dyn JobStore> {
    open_whole(database)
}

/// The same for who has jobs tried again, or go.
pub fn open_life(database: &Database) -> Box<dyn Life> {
    open_whole(database)
}

/// The same for who counts jobs as well.
pub fn open_numbers(database: &Database) -> Box<dyn Numbers> {
    open_whole(database)
}

/// Only what counts how often somebody asks.
pub fn open_rates(database: &Database) -> Box<dyn Rates> {
    open_whole(database)
}

/// The same for who makes and reads batches as well.
pub fn open_whole(database: &Database) -> Box<dyn Whole> {
    match database {
        Database::Sqlite { label } => {
            Box::new(SqlJobStore::<_, Sqlite>::new(HostSqlite::new(label.as_str())))
        }
        Database::Postgres { address } => {
            Box::new(SqlJobStore::<_, Postgres>::new(HostPostgres::new(address.as_str())))
        }
    }
}
