//! The job machine, in every order: the handlers and the SQL that ship, run natively, one call to the job store or to the blobs at a time.
//!
//! | file | subject |
//! |---|---|
//! | `world.rs` | what all share: a real database, blobs, the clock |
//! | `turn.rs` | the surroundings of one handler, which stop it after a call and take it up again there |
//! | `actor.rs` | a request or a message: which handler it runs, and how far it is |
//! | `snapshot.rs` | what the store has, at one moment |
//! | `rules.rs` | what must hold at each moment, over each step, and in the end |
//! | `explore.rs` | all orders of the steps of a few actors |
//! | `scenarios.rs` | which actors |
//! | `simulate.rs` | whole days, with chance in the place of all orders |
//! | `mutation.rs` | statements that are wrong on purpose: what the rules must catch |
//!
//! A handler is stopped by running it again from its beginning: what its calls gave is remembered, so that it comes to the same point, makes one
//! call more, and is left there by unwinding. So an actor is a value, which can be copied, and no thread is held.
//!
//! Not here: pixels, HTTP, the host, and what a database does with statements at the same moment: each is atomic, which is what `backends/` and the
//! contract kit of the job store are for.
#![expect(clippy::expect_used, clippy::panic, reason = "a test kit fails loudly")]

mod actor;
mod explore;
mod mutation;
mod rules;
mod scenarios;
mod simulate;
mod snapshot;
mod turn;
mod world;

pub use actor::{Actor, End, Program, Sees, Stage, Target};
pub use explore::{Broken, Explored, Scenario, explore};
pub use mutation::{MUTATIONS, Mutation};
pub use scenarios::scenarios;
pub use simulate::{Day, day};
pub use turn::Fate;
pub use world::{Engine, World};
