//! Open files: how many this process may have, and how many connections that leaves room for.
//!
//! A process that has used all up can't open a database, a blob or a module's image, so some are kept from the connections.

use rustix::process::{Resource, getrlimit, setrlimit};

/// What is kept for files, for servers, and for connections that components open; never more than half.
const RESERVED_FILES: u64 = 512;

/// Raises this process's limit to what the system lets it have. For the process as a whole, so only its command line does it.
pub fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where the system refuses, the limit stays, and is what connections are bounded by.
    let _stays = setrlimit(Resource::Nofile, limit);
}

/// How many files this process may have open; none where there is no limit.
#[must_use]
pub fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How many connections may be open where so many are wanted.
#[must_use]
pub fn connections(wanted: u64, limit: Option<u64>) -> u64 {
    limit.map_or(wanted, |files| wanted.min(files - RESERVED_FILES.min(files / 2)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(connections(4096, None), 4096);
        assert_eq!(connections(4096, Some(1_048_576)), 4096);
        assert_eq!(connections(4096, Some(1024)), 512);
        assert_eq!(connections(4096, Some(120)), 60);
        assert_eq!(connections(10, Some(120)), 10);
        assert_eq!(connections(10, Some(0)), 1);
    }
}
