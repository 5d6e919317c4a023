//! Thumbnails that are there already.

use thumbs_domain::job::{Job, NewJob, Status};
use thumbs_domain::owner::Owner;

use super::kit::{
    POLICY, at, claim, cost, create, done, id, idempotent_job, new_job, read, read_as_created, recipe,
    thumbnail, worker,
};
use super::{TestDatabase, Whole};
use crate::jobs::{Claim, Created, Lease};
use crate::recipe::Recipe;

/// Makes the job that is due next.
fn make(store: &dyn Whole, recipe: &Recipe) {
    let worker = worker("makes");
    let job = claim(store, &worker, at(1000));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), recipe, at(1100)), Ok(true));
}

/// Of one owner and one recipe, whoever asks; neither of another's, nor of one that is not done, nor of one that is gone.
pub fn what_was_made_is_found_by_its_recipe_and_owner(database: &impl TestDatabase) {
    let (store, shop) = (database.connect(), Owner::parse("shop"));
    let other = Recipe::from_digest(thumbnail().sha256);
    create(store.as_ref(), &new_job(1));
    assert_eq!(store.find_made(&recipe(), None), Ok(None));
    make(store.as_ref(), &recipe());
    assert_eq!(done(store.find_made(&recipe(), None)), Some(read(database, 1)));
    assert_eq!(
        (store.find_made(&other, None), store.find_made(&recipe(), shop.as_ref())),
        (Ok(None), Ok(None))
    );

    create(store.as_ref(), &NewJob { owner: shop.clone(), ..new_job(2) });
    make(store.as_ref(), &recipe());
    create(store.as_ref(), &new_job(3));
    make(store.as_ref(), &recipe());
    let found = |owner: Option<&Owner>| done(store.find_made(&recipe(), owner)).map(|job| job.id);
    assert_eq!((found(shop.as_ref()), found(None)), (Some(id(2)), Some(id(3))));
    assert_eq!(store.delete(&id(3), thumbs_domain::owner::Reach::All), Ok(true));
    assert_eq!(found(None), Some(id(1)));
}

/// Who has the job from its creation finishes it without an attempt, which is counted; nobody claims it meanwhile.
pub fn a_job_that_is_held_from_the_beginning_is_its_holders(database: &impl TestDatabase) {
    let (store, holder) = (database.connect(), worker("upload"));
    assert_eq!(store.create_held(&new_job(1), &holder, at(31_000)), Ok(Created::New));
    assert_eq!(read(database, 1), Job { due_at: Some(at(31_000)), ..read_as_created(1, at(1)) });
    assert_eq!(store.claim(&worker("b"), &POLICY, at(1000)), Ok(Claim::Nothing));
    let job = id(1);
    let lease = Lease { job: &job, worker: &holder };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(5)), Ok(true));
    let made = read(database, 1);
    assert_eq!((made.status, made.attempts, made.is_cached()), (Status::Succeeded, 0, true));
    let cached = || done(store.tallies()).iter().map(|tally| tally.cached).sum::<i64>();
    assert_eq!(cached(), 1);
    create(store.as_ref(), &new_job(2));
    make(store.as_ref(), &recipe());
    assert_eq!((cached(), read(database, 2).is_cached()), (1, false));
}

/// Whoever breaks off in between leaves a job like any other.
pub fn a_job_that_its_holder_left_is_made_when_its_lease_ends(database: &impl TestDatabase) {
    let store = database.connect();
    let held = idempotent_job(1, "a-key");
    assert_eq!(store.create_held(&held, &worker("upload"), at(31_000)), Ok(Created::New));
    assert!(matches!(
        store.create_held(&idempotent_job(2, "a-key"), &worker("w"), at(9)),
        Ok(Created::Existing(_))
    ));
    let job = claim(store.as_ref(), &worker("b"), at(31_000));
    assert_eq!((job.id, job.attempts), (id(1), 1));
}
