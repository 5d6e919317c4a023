//! What rav1d asks of `libc`, for `wasm32-unknown-unknown`, where that crate has nothing: types and numbers, no function. The numbers are those
//! of Linux, but any would do: they never leave the decoder.

#![no_std]
#![expect(non_camel_case_types, reason = "the names are those of C")]

/// An address as a number.
pub type intptr_t = isize;
/// An address as a number.
pub type uintptr_t = usize;
/// How far two addresses are apart.
pub type ptrdiff_t = isize;
/// A place in a file.
pub type off_t = i64;

/// There is no such thing.
pub const ENOENT: i32 = 2;
/// Reading or writing failed.
pub const EIO: i32 = 5;
/// Not yet.
pub const EAGAIN: i32 = 11;
/// There is no memory left.
pub const ENOMEM: i32 = 12;
/// An argument makes no sense.
pub const EINVAL: i32 = 22;
/// A number is out of its range.
pub const ERANGE: i32 = 34;
/// A feature is not there.
pub const ENOPROTOOPT: i32 = 92;
