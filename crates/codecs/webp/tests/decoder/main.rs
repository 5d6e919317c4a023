//! All tests of the decoder, and of the encoder by it, from outside. One binary, since each one links anew.
//!
//! Modules: `exact` (full size against what libwebp decodes, by digest), `reduced` (averages against averages of full
//! size), `animations`, `encoded` (what the encoder writes), `hostile` (mutated and truncated files), and `fixtures`,
//! which they share.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

mod animations;
mod encoded;
mod exact;
mod fixtures;
mod hostile;
mod reduced;
