//! All tests of the decoder from outside. One binary, since each one links anew.
//!
//! Modules: `exact` (full size against what libwebp decodes, by digest), `reduced` (averages against averages of full
//! size), `animations`, `hostile` (mutated and truncated files), and `fixtures`, which they share.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

mod animations;
mod exact;
mod fixtures;
mod hostile;
mod reduced;
