//! The job store that the configuration names.

use super::store::SqlJobStore;
use super::{JobStore, Numbers};
use crate::config::Database;
use crate::sql::{HostPostgres, HostSqlite, Postgres, Sqlite};

/// Connects to nothing yet: that is left to the first statement.
pub fn open(database: &Database) -> Box<dyn JobStore> {
    open_numbers(database)
}

/// The same for who counts jobs as well.
pub fn open_numbers(database: &Database) -> Box<dyn Numbers> {
    match database {
        Database::Sqlite { label } => {
            Box::new(SqlJobStore::<_, Sqlite>::new(HostSqlite::new(label.as_str())))
        }
        Database::Postgres { address } => {
            Box::new(SqlJobStore::<_, Postgres>::new(HostPostgres::new(address.as_str())))
        }
    }
}
