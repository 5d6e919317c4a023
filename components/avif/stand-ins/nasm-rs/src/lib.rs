//! Nothing. The real one builds with crates that need the real `libc`.
