//! Jobs that are tried again, and jobs that go.

use thumbs_domain::digest::Digest;
use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::history::{Entry, Outcome};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, MAX_CLOCK_LAG_MS, NamedThumbnail, NewJob, Status, Thumbnail};
use thumbs_domain::metric::Tally;
use thumbs_domain::object_key::{Kind, Listed, ObjectKey};
use thumbs_domain::owner::{Owner, Reach};
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::variant::VariantName;

use super::kit::{
    POLICY, at, claim, cost, create, done, id, idempotent_job, ids, new_job, read, read_as_created, recipe,
    run, thumbnail, worker,
};
use super::{TestDatabase, Whole, kit};
use crate::jobs::{Claim, Due, Garbage, Lease, Page, Revived, Search};

fn fail(store: &dyn Whole, now: Timestamp) -> JobId {
    let worker = worker("fails");
    let job = claim(store, &worker, now);
    let failure = Failure::from(JobCode::MalformedImage);
    assert_eq!(store.give_up(Lease { job: &job.id, worker: &worker }, &failure, now), Ok(true));
    job.id
}

fn succeed(store: &dyn Whole, now: Timestamp) -> JobId {
    let worker = worker("succeeds");
    let job = claim(store, &worker, now);
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), now), Ok(true));
    job.id
}

/// Later than any moment of these tests.
const NEVER: Timestamp = Timestamp::from_unix_millis(i64::MAX);

fn original(job: u16) -> Garbage {
    Garbage { job: id(job), thumbnail: None }
}

fn made(job: u16) -> Garbage {
    Garbage { job: id(job), thumbnail: Some(thumbnail().sha256) }
}

/// Attempts and age begin anew, whoever looks sees why it is tried again, and any worker gets it, however its clock goes.
pub fn a_failed_job_is_tried_again_as_if_it_were_new(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    fail(store.as_ref(), at(1000));
    let now = at(500_000);
    let revived = match done(store.revive(&id(1), Reach::All, now)) {
        Revived::Due(job) => *job,
        other => panic!("{other:?}"),
    };
    let expected = Job {
        failure: Some(Failure::from(JobCode::MalformedImage)),
        due_at: Some(now.plus_millis(-MAX_CLOCK_LAG_MS)),
        updated_at: now,
        retried_at: Some(now),
        ..read_as_created(1, at(1))
    };
    assert_eq!(revived, expected);
    assert_eq!(read(database, 1), expected);
    assert_eq!(expected.due_since(), Some(now), "nobody is late yet");
    let job = claim(store.as_ref(), &worker("b"), now.plus_millis(-MAX_CLOCK_LAG_MS));
    assert_eq!((job.id, job.attempts, job.history().begun_at), (id(1), 1, now));
}

/// Each attempt with its beginning, its end and how it ended; of very many, the last.
pub fn the_attempts_at_a_job_are_remembered(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    assert_eq!(store.history(&id(1), Reach::All), Ok(Some(vec![])));
    assert_eq!(store.history(&id(2), Reach::All), Ok(None));
    let failure = Failure::from(JobCode::StorageUnavailable);
    let held = |name: &str, now| (claim(store.as_ref(), &worker(name), at(now)).id, worker(name));
    let (job, a) = held("a", 1000);
    assert_eq!(store.retry(Lease { job: &job, worker: &a }, &failure, at(2000), at(1100)), Ok(true));
    let (job, b) = held("b", 2000);
    assert_eq!(store.give_back(Lease { job: &job, worker: &b }, &failure, at(3000), at(2100)), Ok(true));
    held("dies", 3000);
    let (job, c) = held("c", 100_000);
    let lease = Lease { job: &job, worker: &c };
    assert_eq!(store.extend(lease, at(200_000)), Ok(true));
    assert_eq!(store.note_wake_up(&job, at(100_050)), Ok(true));
    let entry = |began, ended, outcome, code: Option<JobCode>| Entry {
        began_at: at(began),
        ended_at: Some(at(ended)),
        outcome,
        code: code.map(|code| code.row().code.to_owned()),
    };
    let stored = Some(JobCode::StorageUnavailable);
    let mut expected = vec![
        entry(1000, 1100, Outcome::Postponed, stored),
        entry(2000, 2100, Outcome::GivenBack, stored),
        entry(3000, 100_000, Outcome::Lost, None),
        Entry::running(at(100_000)),
    ];
    assert_eq!(store.history(&job, Reach::All), Ok(Some(expected.clone())));
    assert_eq!(store.give_up(lease, &Failure::from(JobCode::Trap), at(100_200)), Ok(true));
    expected.pop();
    expected.push(entry(100_000, 100_200, Outcome::Failed, Some(JobCode::Trap)));
    assert!(matches!(store.revive(&job, Reach::All, at(500_000)), Ok(Revived::Due(_))));
    expected.push(entry(500_000, 500_000, Outcome::Revived, None));
    assert_eq!(store.history(&job, Reach::All), Ok(Some(expected)));
    for number in 0..100 {
        let (job, d) = held("d", 600_000 + number);
        let now = at(600_000 + number);
        assert_eq!(store.give_back(Lease { job: &job, worker: &d }, &failure, now, now), Ok(true));
    }
    let kept = done(store.history(&id(1), Reach::All)).expect("it is there");
    assert!((30..60).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last(), Some(&entry(600_099, 600_099, Outcome::GivenBack, stored)));
    let (job, e) = held("e", 700_000);
    let lease = Lease { job: &job, worker: &e };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(700_100)), Ok(true));
    let kept = done(store.history(&id(1), Reach::All)).expect("it is there");
    assert_eq!(kept.last(), Some(&entry(700_000, 700_100, Outcome::Succeeded, None)));
}

/// Neither one that is being made or done, nor one whose image is there no more, nor one that never was.
pub fn only_a_failed_job_with_its_original_is_tried_again(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=3 {
        create(store.as_ref(), &new_job(number));
    }
    assert_eq!(succeed(store.as_ref(), at(1000)), id(1));
    assert_eq!(fail(store.as_ref(), at(1000)), id(2));
    assert_eq!(store.expire_originals(at(1000), at(2000), 10), Ok(2));
    let before = [1, 2, 3].map(|job| read(database, job));
    assert_eq!(store.revive(&id(1), Reach::All, at(3000)), Ok(Revived::NotFailed(Status::Succeeded)));
    assert_eq!(store.revive(&id(2), Reach::All, at(3000)), Ok(Revived::OriginalGone));
    assert_eq!(store.revive(&id(3), Reach::All, at(3000)), Ok(Revived::NotFailed(Status::Processing)));
    assert_eq!(store.revive(&id(4), Reach::All, at(3000)), Ok(Revived::Unknown));
    assert_eq!([1, 2, 3].map(|job| read(database, job)), before);
}

/// The notes stay until somebody has done what they ask for.
pub fn a_deleted_job_leaves_a_note_of_each_blob(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=2 {
        create(store.as_ref(), &new_job(number));
    }
    succeed(store.as_ref(), at(1000));
    assert_eq!(store.delete(&id(1), Reach::All), Ok(true));
    assert_eq!(store.delete(&id(1), Reach::All), Ok(false));
    assert_eq!(store.get(&id(1), Reach::All), Ok(None));
    assert_eq!(store.delete(&id(2), Reach::All), Ok(true), "one that is not done");
    let other = database.connect();
    assert_eq!(other.garbage(at(0), 10), Ok(vec![original(1), made(1), original(2)]));
    assert_eq!(other.garbage(at(0), 2), Ok(vec![original(1), made(1)]));
    let made_at = id(1).created_at();
    assert_eq!(done(other.garbage(made_at, 10)).len(), 3);
    assert_eq!(other.garbage(made_at.plus_millis(1), 10), Ok(vec![]));
    assert_eq!(other.forget(&[original(1), original(2)]), Ok(()));
    assert_eq!(store.garbage(at(0), 10), Ok(vec![made(1)]));
    assert_eq!(store.forget(&[]), Ok(()));
    assert_eq!(store.forget(&[made(1)]), Ok(()));
    assert_eq!(store.garbage(at(0), 10), Ok(vec![]));
    // What no version wrote hides nothing.
    run(database, "INSERT INTO thumbs_garbage (job, sha256) VALUES ('0', 'x')");
    create(store.as_ref(), &new_job(3));
    assert_eq!(store.delete(&id(3), Reach::All), Ok(true));
    assert_eq!(store.garbage(at(0), 10), Ok(vec![original(3)]));
}

/// As from a backup: its blobs are no garbage then, whatever was noted when it went.
pub fn of_a_job_that_was_put_back_nothing_is_garbage(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=2 {
        create(store.as_ref(), &new_job(number));
    }
    succeed(store.as_ref(), at(1000));
    assert_eq!(store.expire_originals(at(1000), at(2000), 10), Ok(1));
    run(database, "CREATE TABLE backup AS SELECT * FROM thumbs_jobs");
    run(database, "DELETE FROM thumbs_jobs");
    assert_eq!(done(store.garbage(at(0), 10)), [original(1), made(1), original(2)]);
    run(database, "INSERT INTO thumbs_jobs SELECT * FROM backup");
    assert_eq!(done(store.garbage(at(0), 10)), [original(1)], "its row says that it is gone");
}

/// It finds out when it is done, and changes nothing.
pub fn a_job_may_be_deleted_under_its_worker(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let worker = worker("a");
    let job = claim(store.as_ref(), &worker, at(1000));
    assert_eq!(store.delete(&job.id, Reach::All), Ok(true));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(2000)), Ok(false));
    assert_eq!(store.give_up(lease, &Failure::from(JobCode::Trap), at(2000)), Ok(false));
    assert_eq!(store.get(&job.id, Reach::All), Ok(None));
    assert_eq!(store.claim(&worker, &POLICY, at(i64::MAX / 2)), Ok(Claim::Nothing));
}

/// Who deletes a job takes back the request.
pub fn of_a_deleted_job_the_idempotency_key_is_free(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &idempotent_job(1, "a-key"));
    assert_eq!(store.delete(&id(1), Reach::All), Ok(true));
    create(store.as_ref(), &idempotent_job(2, "a-key"));
}

/// Whoever comes upon it first puts it off for all.
pub fn one_sweep_is_for_one_worker(database: &impl TestDatabase) {
    let store = database.connect();
    assert_eq!(store.due(at(1000), NEVER), Ok(Due { job: false, sweep: true, stray: false }));
    create(store.as_ref(), &new_job(1));
    assert_eq!(store.claim_sweep(at(1000), at(61_000)), Ok(true));
    assert_eq!(database.connect().claim_sweep(at(1000), at(61_000)), Ok(false));
    assert_eq!(store.due(at(1000), NEVER), Ok(Due { job: true, sweep: false, stray: false }));
    claim(store.as_ref(), &worker("a"), at(1000));
    assert_eq!(
        store.due(at(60_999), NEVER),
        Ok(Due { job: true, sweep: false, stray: false }),
        "the lease is over"
    );
    assert_eq!(store.due(at(61_000), NEVER), Ok(Due { job: true, sweep: true, stray: false }));
    assert_eq!(store.claim_sweep(at(61_000), at(121_000)), Ok(true));
    assert_eq!(store.call_for_sweep(at(61_000)), Ok(()));
    assert_eq!(store.claim_sweep(at(61_000), at(121_000)), Ok(true), "more is left");
}

/// A clock that was far ahead, or has been set back since, holds up nobody.
pub fn a_job_that_is_due_later_than_can_be_meant_is_due_now(database: &impl TestDatabase) {
    let store = database.connect();
    for job in 1..=2 {
        create(store.as_ref(), &new_job(job));
    }
    let (ahead, latest) = (at(3_600_000), POLICY.latest_due(at(1000)));
    let job = claim(store.as_ref(), &worker("ahead"), ahead);
    assert!(done(store.due(at(1000), latest)).stray);
    assert_eq!(store.hasten(at(1000), latest), Ok(1));
    assert!(!done(store.due(at(1000), latest)).stray);
    let lease = Lease { job: &job.id, worker: &worker("ahead") };
    assert_eq!(store.extend(lease, at(2000)), Ok(true), "whoever has it has it still");
    assert_eq!(store.hasten(at(1000), latest), Ok(0));
}

/// A moment for each kind, which makes no sweep due.
pub fn who_looks_for_orphans_goes_on_where_another_ended(database: &impl TestDatabase) {
    let store = database.connect();
    assert_eq!(store.looked(Search::Orphans(Kind::Upload)), Ok(None));
    assert_eq!(store.claim_sweep(at(1000), at(61_000)), Ok(true));
    assert_eq!(store.look(Search::Orphans(Kind::Upload), at(500)), Ok(()));
    assert_eq!(store.look(Search::Orphans(Kind::Upload), at(600)), Ok(()));
    assert_eq!(database.connect().looked(Search::Orphans(Kind::Upload)), Ok(Some(at(600))));
    assert_eq!(store.looked(Search::Orphans(Kind::Thumbnail)), Ok(None));
    assert_eq!(store.look(Search::Held(Kind::Upload), at(650)), Ok(()));
    assert_eq!(store.look(Search::Held(Kind::Thumbnail), at(660)), Ok(()));
    assert_eq!(store.looked(Search::Held(Kind::Upload)), Ok(Some(at(650))));
    assert_eq!(store.looked(Search::Orphans(Kind::Upload)), Ok(Some(at(600))));
    assert_eq!(store.looked(Search::Orphans(Kind::Thumbnail)), Ok(None));
    assert_eq!(store.looked(Search::Garbage), Ok(None));
    assert_eq!(store.look(Search::Garbage, at(700)), Ok(()));
    assert_eq!(store.looked(Search::Garbage), Ok(Some(at(700))));
    assert_eq!(store.due(at(1000), NEVER), Ok(Due { job: false, sweep: false, stray: false }));
}

/// Any blob, until it has succeeded: then its original and the one thumbnail that its row names.
pub fn a_job_tells_which_blobs_it_may_have(database: &impl TestDatabase) {
    let store = database.connect();
    for job in 1..=3 {
        create(store.as_ref(), &new_job(job));
    }
    let done_one = succeed(store.as_ref(), at(1000));
    let failed = fail(store.as_ref(), at(1000));
    let waits = id(3);
    let blobs = |job: &JobId| {
        let made = ObjectKey::thumbnail(job, &thumbnail().sha256);
        let other = ObjectKey::thumbnail(job, &Digest::from_bytes([9; 32]));
        [ObjectKey::upload(job), made, other].map(|key| Listed::parse(key.as_str()).expect("it is ours"))
    };
    let holders = done(store.holders(&[done_one, failed, waits, id(9)]));
    assert_eq!(holders.len(), 3, "one is not there");
    for holder in holders {
        let job = JobId::parse(&holder.job).expect("an id");
        let expected = if job == done_one { [true, true, false] } else { [true; 3] };
        assert_eq!(blobs(&job).map(|blob| holder.may_have(&blob)), expected, "{job}");
    }
    assert_eq!(store.holders(&[]), Ok(vec![]));
}

/// The oldest first, so many at a time, by when they came.
pub fn what_is_done_and_old_goes_and_nothing_else(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=6 {
        create(store.as_ref(), &new_job(number));
    }
    for _ in [1, 2, 3] {
        succeed(store.as_ref(), at(1000));
    }
    for _ in [4, 5] {
        fail(store.as_ref(), at(1000));
    }
    let came = id(1).created_at();
    assert_eq!(store.expire_jobs(came, 10), Ok(0));
    let later = came.plus_millis(1);
    assert_eq!(store.expire_jobs(later, 2), Ok(4), "two of each state");
    assert_eq!(ids(&done(store.list(&kit::all(10), Reach::All))), [id(6), id(3)]);
    assert_eq!(store.expire_jobs(later, 2), Ok(1));
    assert_eq!(store.expire_jobs(later, 2), Ok(0), "what is not done stays");
    let noted = done(store.garbage(at(0), 100));
    assert_eq!(noted.iter().filter(|note| note.thumbnail.is_none()).count(), 5);
    assert_eq!(noted.len(), 8);
}

/// A job may outlive its image: it shows what it showed, and when it goes, only its thumbnail is left to delete.
pub fn originals_go_before_their_jobs(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=3 {
        create(store.as_ref(), &new_job(number));
    }
    succeed(store.as_ref(), at(1000));
    succeed(store.as_ref(), at(2000));
    let before = read(database, 1);
    assert_eq!(store.expire_originals(at(999), at(5000), 10), Ok(0));
    assert_eq!(store.expire_originals(at(2000), at(5000), 1), Ok(1), "one at a time");
    assert_eq!(store.garbage(at(0), 10), Ok(vec![original(1)]));
    assert_eq!(store.expire_originals(at(9000), at(5000), 10), Ok(1), "not of the one that is being made");
    assert_eq!(store.expire_originals(at(9000), at(5000), 10), Ok(0));
    assert_eq!(read(database, 1), before);
    assert_eq!(store.forget(&[original(1), original(2)]), Ok(()));
    assert_eq!(store.delete(&id(1), Reach::All), Ok(true));
    assert_eq!(store.garbage(at(0), 10), Ok(vec![made(1)]));
}

/// Whose a job is decides who has it tried again, deleted or told of: to others it is not there.
pub fn a_job_out_of_reach_is_none(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &NewJob { owner: Owner::parse("shop"), ..new_job(1) });
    fail(store.as_ref(), at(1000));
    let (shop, other) = (Owner::parse("shop").expect("a name"), Owner::parse("other").expect("a name"));
    for reach in [Reach::Of(&other), Reach::Nothing] {
        assert_eq!(store.revive(&id(1), reach, at(2000)), Ok(Revived::Unknown));
        assert_eq!(store.history(&id(1), reach), Ok(None));
        assert_eq!(store.delete(&id(1), reach), Ok(false));
        assert_eq!(store.find(&[id(1)], reach), Ok(Page::default()));
    }
    let own = Reach::Of(&shop);
    assert_eq!(done(store.history(&id(1), own)).map(|entries| entries.len()), Some(1));
    assert_eq!(ids(&done(store.find(&[id(1)], own))), [id(1)]);
    assert!(matches!(store.revive(&id(1), own, at(2000)), Ok(Revived::Due(_))));
    assert_eq!(store.delete(&id(1), own), Ok(true));
}

/// However many a job has made, all are noted when it goes, each content once, and their bytes are counted.
pub fn of_several_thumbnails_none_is_forgotten(database: &impl TestDatabase) {
    let store = database.connect();
    let of =
        |content: u8, bytes| Thumbnail { sha256: Digest::from_bytes([content; 32]), bytes, ..thumbnail() };
    let named = |number: u8, thumbnail| NamedThumbnail {
        name: VariantName::parse(&format!("v{number}")).expect("a name"),
        thumbnail,
    };
    // As many as there can be.
    let variants = (1..9_u8).map(|number| {
        let webp = Box::new(of(100 + number, 1_000_000_000));
        named(number, Thumbnail { webp: Some(webp), ..of(number, 1_000_000_000) })
    });
    let made = Thumbnail::of_variants(variants.collect()).expect("there are some");
    create(store.as_ref(), &new_job(1));
    create(store.as_ref(), &new_job(2));
    let worker = worker("a");
    let job = claim(store.as_ref(), &worker, at(1000));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.succeed(lease, &made, &cost(), &recipe(), at(1000)), Ok(true));
    assert_eq!(read(database, 1).thumbnail, Some(made));
    let sums = || {
        let tallies = done(store.tallies());
        [|tally: &Tally| tally.thumbnail_bytes, |tally: &Tally| tally.thumbnail_bytes_gone]
            .map(|of| tallies.iter().map(of).sum::<i64>() / 1_000_000_000)
    };
    assert_eq!(sums(), [16, 0]);
    let may_have = |content: u8| {
        let key = ObjectKey::thumbnail(&job.id, &Digest::from_bytes([content; 32]));
        let blob = Listed::parse(key.as_str()).expect("one of ours");
        done(store.holders(&[job.id])).iter().any(|holder| holder.may_have(&blob))
    };
    assert!(may_have(1) && may_have(8) && may_have(108) && !may_have(9));
    assert_eq!(store.delete(&job.id, Reach::All), Ok(true));
    assert_eq!(store.delete(&id(2), Reach::All), Ok(true));
    let noted = |content: u8| Garbage { job: id(1), thumbnail: Some(Digest::from_bytes([content; 32])) };
    let mut expected = vec![original(1), original(2)];
    expected.extend((1..9).chain(101..109).map(noted));
    let mut found = done(store.garbage(at(0), 100));
    for wanted in &expected {
        let at = found.iter().position(|note| note == wanted);
        found.swap_remove(at.unwrap_or_else(|| panic!("{wanted:?} is not noted")));
    }
    assert_eq!(found, []);
    assert_eq!(sums(), [16, 16]);
}
