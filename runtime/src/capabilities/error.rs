//! What a host function answers with: an error of the WIT, which the guest deals with, or a trap, which ends it.
//!
//! A trap is for handles that are none and for tables that are full, and for nothing else: so only those convert into one.

use thiserror::Error;
use wasmtime::component::ResourceTableError;

/// The error type of host functions, over the WIT's own.
#[derive(Debug)]
pub enum Failure<E> {
    /// For the guest.
    Guest(E),
    /// The end of the guest.
    Trap(wasmtime::Error),
}

impl<E> Failure<E> {
    /// What wasmtime's generated code wants.
    ///
    /// # Errors
    /// The trap, if it is one.
    pub fn into_wit(self) -> wasmtime::Result<E> {
        match self {
            Self::Guest(error) => Ok(error),
            Self::Trap(trap) => Err(trap),
        }
    }
}

impl<E> From<ResourceTableError> for Failure<E> {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

/// What a look at a server showed, before any component asks. The texts name no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServerFault {
    /// It does not answer, or says that it can't just now. It may yet: whoever needs it tries again.
    #[error("{0}")]
    Unreachable(String),
    /// It answers and refuses: credentials, a name, a region. The operator's to mend; time changes nothing.
    #[error("{0}")]
    Refused(String),
}
