//! Jobs that came together.

use thumbs_domain::batch::{BatchId, FileName, Member, Place};
use thumbs_domain::job::{IdempotencyKey, NewJob};
use thumbs_domain::owner::{Owner, Reach};

use super::TestDatabase;
use super::kit::{create, done, id, new_job, run};
use crate::jobs::Batch;

fn batch(number: u16) -> BatchId {
    BatchId::from(id(number))
}

fn part(job: u16, of: BatchId, part: u32) -> NewJob {
    let place = Place { batch: of, part, file_name: FileName::of(&format!("{part}.png")) };
    NewJob { place: Some(place), ..new_job(job) }
}

/// Whatever the order of their ids, and each caller comes upon its own.
pub fn a_batch_is_its_jobs_in_the_order_of_the_form(database: &impl TestDatabase) {
    let store = database.connect();
    let (one, other) = (batch(100), batch(101));
    let shop = Owner::parse("shop");
    for (job, number) in [(3, 1), (1, 2), (2, 11)] {
        create(store.as_ref(), &NewJob { owner: shop.clone(), ..part(job, one, number) });
    }
    create(store.as_ref(), &part(4, other, 1));
    create(store.as_ref(), &new_job(5));
    let found = done(store.batch(&one, Reach::All));
    assert!(found.unreadable.is_empty());
    let seen: Vec<_> = found.members.iter().map(|member| (member.job.id, member.part)).collect();
    assert_eq!(seen, [(id(3), 1), (id(1), 2), (id(2), 11)]);
    assert_eq!(found.members[2].file_name, FileName::of("11.png"));
    let web = Owner::parse("web").expect("a name");
    assert_eq!(store.batch(&one, Reach::Of(&web)), Ok(Batch::default()));
    assert_eq!(done(store.batch(&one, Reach::Of(&shop.expect("a name")))), found);
    assert_eq!(done(store.batch(&other, Reach::All)).members.len(), 1);
    assert_eq!(store.batch(&batch(102), Reach::All), Ok(Batch::default()));
    run(database, &format!("UPDATE thumbs_jobs SET source = '?' WHERE id = '{}'", id(1)));
    let found = done(store.batch(&one, Reach::All));
    assert_eq!((found.members.len(), found.unreadable.len()), (2, 1));
    let Member { job, .. } = &found.members[0];
    assert!(done(store.delete(&job.id, Reach::All)));
    assert_eq!(done(store.batch(&one, Reach::All)).members.len(), 1);
}

/// However many of its parts were refused, and nobody else's key leads there.
pub fn a_batch_is_found_by_its_key(database: &impl TestDatabase) {
    let store = database.connect();
    let key = IdempotencyKey::parse("a-key").expect("usable");
    let shop = Owner::parse("shop").expect("a name");
    let of = |job, batch, number, owner: Option<&Owner>| NewJob {
        idempotency_key: Some(key.of_part(number)),
        owner: owner.cloned(),
        ..part(job, batch, number)
    };
    create(store.as_ref(), &of(1, batch(100), 7, None));
    create(store.as_ref(), &of(2, batch(101), 12, Some(&shop)));
    create(store.as_ref(), &NewJob { idempotency_key: IdempotencyKey::parse("b-key"), ..new_job(3) });
    assert_eq!(store.batch_of_key(&key, None), Ok(Some(batch(100))));
    assert_eq!(store.batch_of_key(&key, Some(&shop)), Ok(Some(batch(101))));
    for other in ["a-ke", "a-key2", "b-key"] {
        let other = IdempotencyKey::parse(other).expect("usable");
        assert_eq!(store.batch_of_key(&other, None), Ok(None), "{other:?}");
    }
}
