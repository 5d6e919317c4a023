//! Who may do what: API keys and the scopes they have, links that are signed, and signatures of callbacks.
//!
//! Both sides use it: the components decide by it whom they answer (`thumbs_guest::http::gate`), and the command line of `thumbs` makes
//! keys and links. So it knows neither jobs nor HTTP, and reads no clock and no random numbers; those come in as arguments. A secret
//! is compared in constant time, and no error and no `Debug` shows one.
//!
//! | file | subject |
//! |---|---|
//! | `name.rs` | the name of a key, which is whose the jobs are |
//! | `scope.rs` | what a key may do |
//! | `key.rs` | the key itself, as its holder has it |
//! | `keys.rs` | all keys, as the operator lists them: by their digests |
//! | `link.rs` | links that are good without a key for a while |
//! | `webhook.rs` | what is signed that the service sends by itself |

mod key;
mod keys;
mod link;
mod name;
mod scope;
mod webhook;

pub use key::Key;
pub use keys::{Entry, Found, Keys, KeysError, last_day};
pub use link::{LinkSecrets, NotSecrets, Signature};
pub use name::KeyName;
pub use scope::{Scope, Scopes};
pub use webhook::{CallbackSecrets, NotCallbackSecrets};
