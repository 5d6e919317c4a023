//! Inflates zlib streams (RFC 1950, RFC 1951) a window at a time, for images: what is wanted are the next so many bytes, and
//! of a damaged stream whatever comes before the damage.
//!
//! Faster than what is general because it knows both of its ends: the stream is copied to a buffer of a fixed size and
//! inflated into a window of a fixed size, so that indices need few checks; and one look into a table gives up to two literals,
//! or a literal and the length of the match behind it (`symbol`). Why it is here, and what that is worth: docs/decisions/0006.
//!
//! - `input`: the stream's bytes at hand; `window`: what was put out, and copies out of it
//! - `header`: what stands before a block's symbols; `code`: prefix codes, checked
//! - `symbol`, `distance`: codes as tables
//! - `block`: a block's symbols, fast and, at the end of the stream, with care
//! - `stream`: blocks after blocks
//!
//! Deliberately not here: the checksum, preset dictionaries, gzip. Work is bounded: see [`Inflate::take`].

mod block;
mod code;
mod distance;
mod header;
mod input;
mod stream;
mod symbol;
mod window;

pub use stream::Inflate;
