//! Integration tests of the decoder, in one binary: against libjpeg's results, against the general decoder, against itself (one
//! picture coded in different ways), and against damage.

#![expect(clippy::unwrap_used, reason = "a test fails loudly, its helpers too")]

mod conformance;
mod damage;
mod fixtures;
mod hostile;
mod pictures;
mod reduced;
mod writer;
