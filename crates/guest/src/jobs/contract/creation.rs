//! New jobs, and requests that are one request.

use std::thread;

use thumbs_domain::job::{IdempotencyKey, NewJob};
use thumbs_domain::options::Draft;
use thumbs_domain::owner::{Owner, Reach};
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
    assert_eq!(store.find_by_idempotency_key(&key, None), Ok(Some(first.stored())));
    create(store.as_ref(), &idempotent_job(3, "A-key"));
    create(store.as_ref(), &new_job(4));
    create(store.as_ref(), &new_job(5));
    assert_eq!(store.get(&id(2), Reach::All), Ok(None));
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
    assert_eq!(done(database.connect().list(&all(100), Reach::All)).jobs.len(), 1);
}

/// What one owner calls its request is nothing to another, nor to who has none, whatever it looks like.
pub fn idempotency_keys_of_owners_are_apart(database: &impl TestDatabase) {
    let store = database.connect();
    let key = IdempotencyKey::parse("a-key").expect("usable");
    let owners = [None, Owner::parse("shop"), Owner::parse("web")];
    for (number, owner) in (1..).zip(&owners) {
        create(store.as_ref(), &NewJob { owner: owner.clone(), ..idempotent_job(number, "a-key") });
    }
    for (number, owner) in (1..).zip(&owners) {
        let found = done(store.find_by_idempotency_key(&key, owner.as_ref()));
        assert_eq!(found.map(|job| job.id), Some(id(number)));
        let again = NewJob { owner: owner.clone(), ..idempotent_job(9, "a-key") };
        assert!(matches!(store.create(&again), Ok(Created::Existing(job)) if job.id == id(number)));
    }
    assert_eq!(store.find_by_idempotency_key(&key, Owner::parse("other").as_ref()), Ok(None));
}
