//! Ports for servers that can't be told "any free one" and that must come back on the same one after a restart.
//!
//! They lie below the range from which Linux gives out ports by itself (32768 and up), so no outgoing connection of another test
//! takes one while its server is down. Two test processes may still pick the same: a start that fails is tried on the next port.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;

const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;
/// So many ports in a row that are all taken mean that something else is wrong.
const MAX_TRIES: u32 = 1000;

static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port of 127.0.0.1 that nobody listens on, and that no other call in this process was given.
pub(super) fn free() -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..MAX_TRIES {
        // Each `RandomState` has its own random keys, which is all the chance that is needed here.
        let random = RandomState::new().hash_one(0_u8) % u64::from(LAST - FIRST);
        let port = FIRST + u16::try_from(random).expect("the span of ports fits in 16 bits");
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
    panic!("no free port between {FIRST} and {LAST}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let ports: HashSet<u16> = (0..100).map(|_| free()).collect();
        assert_eq!(ports.len(), 100);
        assert!(ports.iter().all(|port| (FIRST..LAST).contains(port)));
    }
}
