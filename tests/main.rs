//! All tests of the shipped application in one binary (each further one would be linked with the whole runtime), a folder a kind.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod backends;
mod hosting;
mod service;
mod shipped;
