//! Beginning this program anew, in the process that it has.
//!
//! Compiling takes a few hundred megabytes, and the allocator keeps two thirds of them for as long as the process lives. What was compiled
//! is in the cache by then, so the program begins again in its place: the same process for whoever supervises it, with the memory of one
//! that had nothing to compile.

use std::{os::unix::process::CommandExt as _, process::Command};

/// Tells the second beginning from the first, so that there is no third where the cache keeps nothing.
pub(crate) const AGAIN: &str = "THUMBS_AFTER_COMPILING";

/// Begins anew, with the same arguments. Comes back only where the system refuses: then the process goes on as it is, with more memory.
pub(crate) fn afresh() {
    if let Ok(program) = std::env::current_exe() {
        let mut arguments = std::env::args_os();
        let mut command = Command::new(program);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        let _refused = command.args(arguments).env(AGAIN, "true").exec();
    }
}
