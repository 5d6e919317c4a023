//! Clients of servers: how one is reached and let in to, how connections are shared, and when one is given up. Which of this a component
//! may ask for, and in whose words it is answered, is not here but in `capabilities/`, which are made of these.
//!
//! | here | subject |
//! |---|---|
//! | `postgres/` | connections to PostgreSQL that go from one borrower to the next |
//! | `redis/` | a connection to a Redis server that all share, and others that nobody shares |
//! | `account.rs` | who has the memory for what a connection reads |
//! | `inspect.rs` | a stream whose bytes are looked at before a protocol's parser keeps them |
//! | `tls.rs` | what both have of TLS |
//!
//! Sockets belong to one Tokio runtime, the client's home, whatever thread asks: one that decodes an image would keep everybody's waiting.
//! What of this is written by hand, and why, is decision 9.

mod account;
mod inspect;
pub mod postgres;
pub mod redis;
pub(crate) mod tls;

pub(crate) use account::Opened;
use thiserror::Error;

/// Why a server does not serve us, in a sentence that names no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServerFault {
    /// It does not answer, or says that it can't just now. It may yet: whoever needs it tries again.
    #[error("{0}")]
    Unreachable(String),
    /// It answers and refuses: credentials, a name, a region. The operator's to mend; time changes nothing.
    #[error("{0}")]
    Refused(String),
}
