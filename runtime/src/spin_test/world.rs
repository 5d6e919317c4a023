//! What one test has: key-value stores, databases, variables and answers from outside, all of them empty or as the manifest says, none of
//! them shared with another test. The suite sees all of it, the component under test what the manifest grants.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{answers::Answers, calls::Calls};
use crate::{
    backends::LABELS,
    capabilities::{embedded::OpenError, key_value::MemoryStore, sqlite},
    limits::{Limits, length},
    manifest::Component,
};

/// What one test has.
#[derive(Debug)]
pub(super) struct World {
    /// By label: those that every runtime has, and those that are granted.
    pub(super) stores: BTreeMap<String, Arc<MemoryStore>>,
    /// What the component under test asked of them.
    pub(super) calls: Arc<Calls>,
    /// By label, as the stores.
    pub(super) databases: sqlite::Grants,
    /// Variables of the application that the suite set.
    pub(super) variables: BTreeMap<String, String>,
    /// What outgoing requests of the component under test meet.
    pub(super) answers: Arc<Answers>,
}

impl World {
    /// For a test of this component.
    ///
    /// # Errors
    /// SQLite refuses to make a database in memory.
    pub(super) fn new(component: &Component, limits: &Limits) -> Result<Self, OpenError> {
        // What a test keeps is memory of this process, as that of its guests is.
        let max_bytes = length(limits.max_total_memory_bytes);
        let databases = labels(&component.sqlite_databases)
            .map(|label| Ok((label, sqlite::in_memory(limits)?)))
            .collect::<Result<_, OpenError>>()?;
        Ok(Self {
            stores: labels(&component.key_value_stores)
                .map(|label| (label, Arc::new(MemoryStore::new(max_bytes))))
                .collect(),
            calls: Arc::new(Calls::new(max_bytes)),
            databases: Arc::new(databases),
            variables: BTreeMap::new(),
            answers: Arc::default(),
        })
    }
}

fn labels(granted: &BTreeSet<String>) -> impl Iterator<Item = String> {
    let all: BTreeSet<String> =
        LABELS.iter().map(|label| (*label).to_owned()).chain(granted.iter().cloned()).collect();
    all.into_iter()
}
