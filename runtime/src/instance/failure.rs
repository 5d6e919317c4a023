//! Why a call ended without the guest's doing: what a client, or a fresh worker, is told depends on it.

use rustix::io::Errno;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use super::State;
use crate::memory::MemoryBound;

/// Longest text of a trap in the log: a backtrace of a deep recursion would fill it.
const MAX_TEXT_BYTES: usize = 4096;

/// By whose fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The guest wanted more memory than it may have.
    OutOfMemory,
    /// The guest wanted more memory than others have left, or than the system gave.
    OutOfSharedMemory,
    /// The guest ran too long.
    Deadline,
    /// The call took too long, though the guest may have been waiting.
    TimedOut,
    /// All instances are in use, or all files that the process may have.
    Busy,
    /// The guest trapped.
    Trap,
    /// The host stops.
    Stopped,
}

impl FailureKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::OutOfMemory,
        Self::OutOfSharedMemory,
        Self::Deadline,
        Self::TimedOut,
        Self::Busy,
        Self::Trap,
        Self::Stopped,
    ];

    /// As it stands in messages to guests and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OutOfMemory => "out-of-memory",
            Self::OutOfSharedMemory => "out-of-shared-memory",
            Self::Deadline => "deadline",
            Self::TimedOut => "timed-out",
            Self::Busy => "busy",
            Self::Trap => "trap",
            Self::Stopped => "stopped",
        }
    }
}

/// Whether the system has no files left, for this process or at all: an instance's memory begins as a file.
fn no_files_left(error: &wasmtime::Error) -> bool {
    let none_left = |cause: &(dyn std::error::Error + 'static)| {
        let number = match cause.downcast_ref::<std::io::Error>() {
            Some(error) => error.raw_os_error(),
            None => cause.downcast_ref::<Errno>().map(|error| error.raw_os_error()),
        };
        number.is_some_and(|number| [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error).contains(&number))
    };
    error.chain().any(none_left)
}

/// A call that ended so.
#[derive(Debug)]
pub struct CallFailure {
    /// Why.
    pub kind: FailureKind,
    /// wasmtime's words, for the log.
    pub text: String,
}

impl CallFailure {
    /// Judges what wasmtime says in the light of what the store knows.
    #[must_use]
    pub fn of(store: &Store<State>, error: &wasmtime::Error) -> Self {
        let kind = if error.is::<PoolConcurrencyLimitError>() || no_files_left(error) {
            FailureKind::Busy
        } else if store.data().out_of_time() {
            FailureKind::Deadline
        } else if error.downcast_ref::<Trap>().is_some_and(|trap| *trap != Trap::UnreachableCodeReached) {
            FailureKind::Trap
        } else {
            // What an allocator does that gets no memory is `unreachable`. One that was refused before, and went on, ends in others as well.
            match store.data().refused_memory() {
                Some(MemoryBound::Instance) => FailureKind::OutOfMemory,
                Some(MemoryBound::Shared) => FailureKind::OutOfSharedMemory,
                None => FailureKind::Trap,
            }
        };
        let mut text = format!("{error:?}");
        if let Some(end) = text.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_TEXT_BYTES) {
            text.truncate(end);
        }
        Self { kind, text }
    }

    /// The call's time was up.
    #[must_use]
    pub fn timed_out() -> Self {
        Self { kind: FailureKind::TimedOut, text: "the call took too long".to_owned() }
    }

    /// There is no place for it any more.
    #[must_use]
    pub fn crowded_out() -> Self {
        Self { kind: FailureKind::Busy, text: "too many wait already".to_owned() }
    }

    /// The time to finish what was begun is up.
    #[must_use]
    pub fn stopped() -> Self {
        Self { kind: FailureKind::Stopped, text: "the host stops".to_owned() }
    }
}
