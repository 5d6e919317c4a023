//! One job, and lists.

use thumbs_domain::cursor::Cursor;
use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::job::{IdempotencyKey, NewJob, Status};
use thumbs_domain::list::ListQuery;
use thumbs_domain::owner::{Owner, Reach};

use super::TestDatabase;
use super::kit::{all, at, claim, cost, create, done, id, ids, new_job, recipe, run, thumbnail, worker};
use super::schema::make_schema_1;
use crate::jobs::{Lease, Page, StoreError};

/// What is not there is no error.
pub fn knows_no_other_job(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    assert_eq!(store.get(&id(2), Reach::All), Ok(None));
    let key = IdempotencyKey::parse("unknown").expect("usable");
    assert_eq!(store.find_by_idempotency_key(&key, None), Ok(None));
}

/// Whatever is not there is left out; each comes once.
pub fn finds_jobs_by_their_ids(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=3 {
        create(store.as_ref(), &new_job(number));
    }
    let mut found = ids(&done(store.find(&[id(3), id(9), id(1)], Reach::All)));
    found.sort();
    assert_eq!(found, [id(1), id(3)]);
    assert_eq!(store.find(&[], Reach::All), Ok(Page::default()));
    let many: Vec<_> = (0..100).map(id).collect();
    assert_eq!(done(store.find(&many, Reach::All)).jobs.len(), 3);
}

/// The dead letters of one kind, page by page.
pub fn lists_by_why_jobs_failed(database: &impl TestDatabase) {
    let store = database.connect();
    let codes = [JobCode::Trap, JobCode::SourceMissing, JobCode::Trap, JobCode::Trap];
    for number in 1..=5 {
        create(store.as_ref(), &new_job(number));
    }
    for code in codes {
        let worker = worker("a");
        let job = claim(store.as_ref(), &worker, at(1000));
        let lease = Lease { job: &job.id, worker: &worker };
        assert_eq!(store.give_up(lease, &Failure::from(code), at(1000)), Ok(true));
    }
    let query = ListQuery { status: Some(Status::Failed), code: Some(JobCode::Trap), ..all(2) };
    let first = done(store.list(&query, Reach::All));
    assert_eq!((ids(&first), first.next), (vec![id(4), id(3)], Some(Cursor(id(3)))));
    let second = done(store.list(&ListQuery { after: first.next, ..query }, Reach::All));
    assert_eq!((ids(&second), second.next), (vec![id(1)], None));
}

/// Pages are disjoint and complete, and a job that comes in between does not shift them.
pub fn lists_the_newest_first_page_by_page(database: &impl TestDatabase) {
    let store = database.connect();
    for number in [2, 1, 5, 4, 3] {
        create(store.as_ref(), &new_job(number));
    }
    let first = done(store.list(&all(2), Reach::All));
    assert_eq!((ids(&first), first.next), (vec![id(5), id(4)], Some(Cursor(id(4)))));
    create(store.as_ref(), &new_job(6));
    let second = done(store.list(&ListQuery { after: Some(Cursor(id(4))), ..all(2) }, Reach::All));
    assert_eq!((ids(&second), second.next), (vec![id(3), id(2)], Some(Cursor(id(2)))));
    let third = done(store.list(&ListQuery { after: Some(Cursor(id(2))), ..all(2) }, Reach::All));
    assert_eq!((ids(&third), third.next), (vec![id(1)], None));
    let whole = done(store.list(&all(6), Reach::All));
    assert_eq!((whole.jobs.len(), whole.next), (6, None));
}

/// The filter and the cursor work together.
pub fn lists_by_status(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=6 {
        create(store.as_ref(), &new_job(number));
    }
    for number in [1, 2, 3] {
        let worker = worker(&format!("t{number}"));
        let job = claim(store.as_ref(), &worker, at(100));
        assert_eq!(job.id, id(number));
        let lease = Lease { job: &job.id, worker: &worker };
        let kept = if number == 2 {
            store.give_up(lease, &Failure::from(JobCode::SourceMissing), at(200))
        } else {
            store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(200))
        };
        assert_eq!(kept, Ok(true));
    }
    for (status, after, expected) in [
        (Status::Succeeded, None, vec![id(3), id(1)]),
        (Status::Succeeded, Some(3), vec![id(1)]),
        (Status::Failed, None, vec![id(2)]),
        (Status::Failed, Some(2), vec![]),
        (Status::Processing, None, vec![id(6), id(5), id(4)]),
    ] {
        let query = ListQuery {
            status: Some(status),
            code: None,
            limit: 10,
            after: after.map(|number| Cursor(id(number))),
        };
        assert_eq!(ids(&done(store.list(&query, Reach::All))), expected, "{query:?}");
    }
}

/// Whoever wrote into the table by hand is told where.
pub fn a_row_that_makes_no_sense_is_an_error(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    run(database, "UPDATE thumbs_jobs SET options = '{'");
    assert_eq!(store.get(&id(1), Reach::All), Err(StoreError::Corrupt("column options".to_owned())));
}

/// A newer version beside this one may write what it does not know: pages show the others, and lead past it.
pub fn a_row_that_makes_no_sense_hides_no_other(database: &impl TestDatabase) {
    let store = database.connect();
    (1..=3).for_each(|number| create(store.as_ref(), &new_job(number)));
    run(database, &format!("UPDATE thumbs_jobs SET options = '{{' WHERE id = '{}'", id(2)));
    let unreadable = StoreError::Corrupt("column options".to_owned());
    let page = done(store.list(&all(10), Reach::All));
    assert_eq!(
        (ids(&page), page.unreadable, page.next),
        (vec![id(3), id(1)], vec![unreadable.clone()], None)
    );
    let first = done(store.list(&all(2), Reach::All));
    assert_eq!(
        (ids(&first), first.unreadable, first.next),
        (vec![id(3)], vec![unreadable], Some(Cursor(id(2))))
    );
    let rest = done(store.list(&ListQuery { after: first.next, ..all(2) }, Reach::All));
    assert_eq!((ids(&rest), rest.next), (vec![id(1)], None));
}

/// Another's job is not there, neither by its id nor in a list, and a page is as long as it would be without it.
pub fn each_owner_comes_upon_its_own_jobs(database: &impl TestDatabase) {
    let store = database.connect();
    let (shop, web) = (Owner::parse("shop"), Owner::parse("web"));
    for (number, owner) in [(1, &None), (2, &shop), (3, &web), (4, &shop), (5, &web), (6, &shop)] {
        create(store.as_ref(), &NewJob { owner: owner.clone(), ..new_job(number) });
    }
    let (shop, web) = (shop.as_ref().expect("a name"), web.as_ref().expect("a name"));
    for (reach, own) in [
        (Reach::All, &[6, 5, 4, 3, 2, 1][..]),
        (Reach::Of(shop), &[6, 4, 2]),
        (Reach::Of(web), &[5, 3]),
        (Reach::Nothing, &[]),
    ] {
        for number in 1..=6 {
            let found = done(store.get(&id(number), reach)).map(|job| job.id);
            assert_eq!(found, own.contains(&number).then(|| id(number)), "{reach:?} {number}");
        }
        for status in [None, Some(Status::Processing)] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = done(store.list(&ListQuery { status, code: None, after, limit: 2 }, reach));
                seen.extend(ids(&page));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(
                seen,
                own.iter().map(|&number| id(number)).collect::<Vec<_>>(),
                "{reach:?} {status:?}"
            );
        }
        let failed = ListQuery { status: Some(Status::Failed), code: None, after: None, limit: 10 };
        assert!(done(store.list(&failed, reach)).jobs.is_empty());
    }
}

/// Rows that were there before anybody had a key.
pub fn jobs_of_before_are_nobodys<D: TestDatabase>(database: &D) {
    let rows = make_schema_1(database);
    let store = database.connect();
    assert_eq!(store.migrate(), Ok(()));
    let all = done(store.list(&all(100), Reach::All)).jobs;
    assert_eq!(all.len(), rows.len());
    assert!(all.iter().all(|job| job.owner.is_none()));
    let shop = Owner::parse("shop").expect("a name");
    assert!(all.iter().all(|job| store.get(&job.id, Reach::Of(&shop)) == Ok(None)));
}
