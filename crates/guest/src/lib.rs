//! What the four components share: one small client for each capability of the host, and the HTTP and log habits of the service.
//!
//! Every capability is a trait with one implementation over the host's imports, so that handlers are tested natively against
//! fakes and the SQL against real databases. The rules of the service are not here but in `thumbs-domain`; image code is not
//! here at all, only the client of the imaging component.
//!
//! Invariants: an error text of a driver goes to the log and never into a response; nothing is kept between two calls of a
//! component, for each runs in an instance of its own.

mod bindings;
pub mod blobs;
pub mod clock;
pub mod config;
pub mod digest;
pub mod effort;
pub mod garbage;
mod grant;
pub mod http;
pub mod ids;
pub mod imaging;
pub mod intake;
pub mod jobs;
pub mod log;
pub mod orphans;
pub mod recipe;
pub mod redact;
pub mod sql;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wait;
pub mod wake;
