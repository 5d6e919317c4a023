//! What a host function answers with: an error of the WIT, which the guest deals with, or a trap, which ends it.
//!
//! A trap is for handles that are none and for tables that are full, which convert into one, and for memory that is not there, as where a
//! guest itself finds none.

use wasmtime::component::ResourceTableError;

use crate::memory::OutOfMemory;

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

/// As where the guest itself finds no memory: which bound it was decides what becomes of its call.
impl<E> From<OutOfMemory> for Failure<E> {
    fn from(error: OutOfMemory) -> Self {
        Self::Trap(error.into())
    }
}
