//! Buckets of tokens.

use std::thread;

use thumbs_domain::rate::Rate;

use super::TestDatabase;
use super::kit::{at, done, run};
use crate::sql::SqlRow;

/// One in ten seconds, three at once.
fn rate() -> Rate {
    Rate::new(6, 3).expect("a rate")
}

fn buckets(database: &impl TestDatabase) -> Vec<SqlRow> {
    run(database, "SELECT bucket FROM thumbs_buckets ORDER BY bucket")
}

/// As many as it holds at once, then one as each comes; a bucket that was left alone holds no more than it can.
pub fn a_bucket_gives_what_it_holds_and_then_what_comes(database: &impl TestDatabase) {
    let store = database.connect();
    for (now, is_taken, left) in [
        (1_000_001, true, 2),
        (1_000_001, true, 1),
        (1_000_001, true, 0),
        (1_000_001, false, 0),
        (1_010_000, false, 0),
        (1_010_001, true, 0),
        (1_010_002, false, 0),
        (9_000_001, true, 2),
        (9_000_001, true, 1),
    ] {
        let tokens = done(store.take("a", rate(), at(now)));
        assert_eq!((tokens.is_taken, tokens.left), (is_taken, left), "{now}");
    }
    assert_eq!(done(store.take("b", rate(), at(9_000_001))).left, 2, "another bucket is another's");
}

/// Whoever asks at the same time: no more tokens are given than there are.
pub fn no_token_is_given_twice(database: &impl TestDatabase) {
    done(database.connect().take("other", rate(), at(1_000_001)));
    let taken: usize = thread::scope(|scope| {
        let take = || done(database.connect().take("a", rate(), at(1_000_001))).is_taken;
        let tries: Vec<_> = (0..12).map(|_| scope.spawn(take)).collect();
        tries.into_iter().map(|one| usize::from(one.join().expect("the thread ends"))).sum()
    });
    assert_eq!(taken, 3);
}

/// A clock that goes an hour back locks nobody out for an hour, and one that is a little behind others gives nothing away.
pub fn a_clock_that_is_put_back_locks_nobody_out(database: &impl TestDatabase) {
    let store = database.connect();
    for _ in 0..3 {
        assert!(done(store.take("a", rate(), at(9_000_001))).is_taken);
    }
    assert!(!done(store.take("a", rate(), at(9_000_001 - 50_000))).is_taken);
    assert_eq!(done(store.take("a", rate(), at(9_000_001 - 3_600_000))).left, 2);
}

/// The table does not grow with all who ever asked.
pub fn full_buckets_are_swept(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 0..20 {
        done(store.take(&format!("client-{number}"), rate(), at(1_001)));
    }
    assert_eq!(buckets(database).len(), 20);
    // A moment at which one sweeps.
    done(store.take("another", rate(), at(32_000_000)));
    assert_eq!(buckets(database), [vec!["another".into()]]);
}
