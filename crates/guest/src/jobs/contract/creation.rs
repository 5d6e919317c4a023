//! New jobs, and requests that are one request.

use std::thread;

use thumbs_domain::job::{IdempotencyKey, NewJob};
use thumbs_domain::options::Draft;
use thumbs_domain::trace::TraceParent;

use super::TestDatabase;
use super::kit::{all, create, done, id, idempotent_job, new_job, read};
use crate::jobs::Created;

/// Every field of a new job comes back, through another connection.
pub fn gives_back_what_was_created(database: &impl TestDatabase) {
    let mut draft = Draft::new(2048);
    for (name, value) in
        [("width", "320"), ("fit", "contain"), ("background", "#102030"), ("preset", "slack")]
    {
        assert_eq!(draft.set(name, value), Ok(()));
    }
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let job = NewJob {
        options: draft.finish(3),
        trace_parent: TraceParent::parse(trace).ok(),
        ..idempotent_job(1, "a-key")
    };
    create(database.connect().as_ref(), &job);
    assert_eq!(read(database, 1), job.stored());
}

/// The second request under a key finds the first one's job; requests without a key have nothing to do with each other.
pub fn one_idempotency_key_makes_one_job(database: &impl TestDatabase) {
    let store = database.connect();
    let first = idempotent_job(1, "a-key");
    create(store.as_ref(), &first);
    let existing = Created::Existing(Box::new(first.clone().stored()));
    assert_eq!(store.create(&idempotent_job(2, "a-key")), Ok(existing));
    let key = IdempotencyKey::parse("a-key").expect("usable");
    assert_eq!(store.find_by_idempotency_key(&key), Ok(Some(first.stored())));
    create(store.as_ref(), &idempotent_job(3, "A-key"));
    create(store.as_ref(), &new_job(4));
    create(store.as_ref(), &new_job(5));
    assert_eq!(store.get(&id(2)), Ok(None));
}

/// The unique column decides, not a look before the write.
pub fn one_idempotency_key_makes_one_job_however_many_try_at_once(database: &impl TestDatabase) {
    let created: Vec<Created> = thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn(move || done(database.connect().create(&idempotent_job(number, "a-key"))))
            })
            .collect();
        tries.into_iter().map(|attempt| attempt.join().expect("the thread ends")).collect()
    });
    assert_eq!(created.iter().filter(|created| **created == Created::New).count(), 1);
    assert_eq!(done(database.connect().list(&all(100))).jobs.len(), 1);
}
