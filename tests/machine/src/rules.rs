//! What must hold: at each moment, over each step, and in the end, when nothing goes wrong any more.

use std::collections::{BTreeMap, BTreeSet};

use thumbs_domain::history::{self, Outcome};
use thumbs_domain::job::Status;
use thumbs_domain::retention::Keep;

use crate::actor::{Actor, Program, Stage, Target};
use crate::snapshot::{Row, Snapshot};
use crate::turn::Turn;
use crate::world::World;

/// What was broken, in words.
pub(crate) type Kept = Result<(), String>;

macro_rules! must {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}

/// At each moment, whoever is where.
pub(crate) fn at_a_moment(world: &World, snapshot: &Snapshot) -> Kept {
    let blobs = world.blobs.borrow();
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    for row in &snapshot.rows {
        *counted.entry(row.status.clone()).or_default() += 1;
        let id = &row.id;
        for key in row.blobs() {
            must!(
                blobs.contains_key(&key),
                "job {id} is {} and names the blob {key}, which is not there",
                row.status
            );
        }
        must!(
            row.is_done() == row.due_at_ms.is_none(),
            "job {id} is {} and due at {:?}",
            row.status,
            row.due_at_ms
        );
        must!(!row.is_done() || row.lease.is_none(), "job {id} is {} and held", row.status);
        must!(
            row.is_done() || row.source_gone_at_ms.is_none(),
            "job {id} is to be made, and its original was given up"
        );
        must!(
            row.is(Status::Succeeded) == row.thumbnail.is_some(),
            "job {id} is {} with {:?}",
            row.status,
            row.thumbnail
        );
        must!(row.is(Status::Failed) <= row.error_code.is_some(), "job {id} failed without a reason");
        let most = i64::from(world.policy.max_attempts);
        must!((0..=most).contains(&row.attempts), "job {id} has {} attempts of {most}", row.attempts);
        its_history_adds_up(row)?;
    }
    must!(counted == snapshot.tallies, "{counted:?} jobs are there, and {:?} are counted", snapshot.tallies);
    Ok(())
}

/// Each claim is an attempt, or was given back; each ended in one way, or is under way.
fn its_history_adds_up(row: &Row) -> Kept {
    let entries = history::read(&row.history);
    if row.history.len() >= history::KEPT_CHARS as usize {
        // The oldest are gone.
        return Ok(());
    }
    let since = entries.iter().rposition(|entry| entry.outcome == Outcome::Revived).map_or(0, |at| at + 1);
    let ended = i64::try_from(entries.len() - since).expect("a few");
    let claims = row.attempts + row.setbacks;
    let is_running = i64::from(row.lease.is_some());
    // Who took the job in may hold it from the beginning, which is no attempt.
    let is_told = ended + is_running == claims || since == 0 && ended + is_running == claims + 1;
    must!(
        is_told,
        "job {} was claimed {claims} times, and {ended} ends are told, {is_running} under way: {}",
        row.id,
        row.history
    );
    Ok(())
}

/// What clients were told is so.
pub(crate) fn of_promises(snapshot: &Snapshot, actors: &[Actor], world: &World) -> Kept {
    let began = |program: Program| {
        actors.iter().any(|actor| actor.program == program && actor.stage != Stage::Waiting)
    };
    let mut by_key = BTreeMap::new();
    for (index, actor) in actors.iter().enumerate() {
        let Some(job) = actor.accepted() else { continue };
        let is_deleted = began(Program::Delete(Target::Of(index))) || began(Program::Delete(Target::First));
        let may_expire = world.retention.jobs != Keep::Forever;
        if is_deleted || may_expire {
            continue;
        }
        must!(snapshot.row(&job.to_string()).is_some(), "job {job} was accepted, and is not there");
        let Program::Upload { key: Some(key), .. } = actor.program else { continue };
        let first = *by_key.entry(key).or_insert(job);
        must!(first == job, "under the key {key} are two jobs, {first} and {job}");
    }
    Ok(())
}

/// Over one step of this actor; none where the clock moved.
pub(crate) fn over_a_step(
    before: &Snapshot,
    after: &Snapshot,
    by: Option<&Actor>,
    actors: &[Actor],
    world: &World,
) -> Kept {
    let blobs = world.blobs.borrow();
    // Whose leases the actor may end: its own, or those of a worker whose end it reports.
    let mine = by.map(|actor| Turn::worker(actor.serial));
    let reported = match by.map(|actor| actor.program) {
        Some(Program::Report { of, .. }) => actors.get(of).map(|actor| Turn::worker(actor.serial)),
        _ => None,
    };
    let holds = |row: &Row| {
        let lease = row.lease.as_deref();
        // Who takes a job in that was made before holds it under an id of its own.
        let is_taken_in = matches!(by.map(|actor| actor.program), Some(Program::Upload { .. }));
        lease.is_some()
            && (is_taken_in
                || [&mine, &reported].into_iter().flatten().any(|worker| lease == Some(worker.as_str())))
    };
    let latest = world.latest().unix_millis();
    for old in &before.rows {
        let id = &old.id;
        let Some(new) = after.row(id) else {
            for key in old.blobs() {
                let is_noted = after
                    .garbage
                    .iter()
                    .any(|(job, content)| job == id && (key.starts_with("uploads/") == content.is_empty()));
                must!(
                    is_noted || !blobs.contains_key(&key),
                    "job {id} went, and nobody knows of its blob {key}"
                );
            }
            must!(
                matches!(by.map(|actor| actor.program), Some(Program::Delete(_) | Program::Worker(_))),
                "job {id} went, and nobody deleted it"
            );
            continue;
        };
        if old.is(Status::Succeeded) {
            let same = Row { source_gone_at_ms: new.source_gone_at_ms, ..old.clone() };
            must!(same == *new, "job {id} was done, and changed: {old:?} to {new:?}");
        }
        if old.is(Status::Failed) && !new.is(Status::Failed) {
            let is_retried = matches!(by.map(|actor| actor.program), Some(Program::Retry(_)));
            must!(is_retried && new.is(Status::Processing), "job {id} had failed, and is {}", new.status);
        }
        let was_over = old.due_at_ms.is_some_and(|due_at| due_at <= latest);
        if !old.is_done() && new.is(Status::Succeeded) {
            must!(holds(old), "job {id} was held by {:?}, and another finished it", old.lease);
        }
        if !old.is_done() && new.is(Status::Failed) {
            must!(holds(old) || was_over, "job {id} was held by {:?}, and another failed it", old.lease);
        }
        if !old.is_done() && !new.is_done() && old.lease.is_some() && old.lease != new.lease {
            must!(
                holds(old) || was_over,
                "job {id} was held by {:?} until {:?}, and another took it",
                old.lease,
                old.due_at_ms
            );
        }
        if !old.is_done() && !new.is_done() && old.lease.is_some() && old.lease == new.lease {
            let is_hastened = new.due_at_ms < old.due_at_ms;
            must!(
                holds(old) || is_hastened || old.due_at_ms == new.due_at_ms,
                "job {id} was held by {:?}, and another put its end off",
                old.lease
            );
        }
    }
    Ok(())
}

/// When nothing goes wrong any more: each job is done, and what was known to be garbage is gone.
pub(crate) fn when_it_is_quiet(snapshot: &Snapshot) -> Kept {
    for row in &snapshot.rows {
        must!(row.is_done(), "job {} never ends: {row:?}", row.id);
    }
    must!(snapshot.garbage.is_empty(), "what is noted as garbage is never deleted: {:?}", snapshot.garbage);
    Ok(())
}

/// When it is quiet, and blobs are old that no row names: none is left, but what a worker made that did not come to say so, of a job that failed
/// and can be tried again. That goes with the job.
pub(crate) fn in_the_end(world: &World, snapshot: &Snapshot) -> Kept {
    when_it_is_quiet(snapshot)?;
    let named: BTreeSet<String> = snapshot.rows.iter().flat_map(Row::blobs).collect();
    let may_come_back = |row: &&Row| row.is(Status::Failed) && row.source_gone_at_ms.is_none();
    let failed: Vec<String> =
        snapshot.rows.iter().filter(may_come_back).map(|row| format!("thumbnails/{}/", row.id)).collect();
    for key in world.blobs.borrow().keys() {
        let is_kept = named.contains(key) || failed.iter().any(|prefix| key.starts_with(prefix));
        must!(is_kept, "no row names the blob {key}, and no sweep deletes it");
    }
    Ok(())
}

/// When all jobs were deleted, and a sweep was made.
pub(crate) fn when_all_is_deleted(world: &World, snapshot: &Snapshot) -> Kept {
    must!(snapshot.rows.is_empty(), "a deleted job is there: {:?}", snapshot.rows);
    let blobs = world.blobs.borrow();
    must!(blobs.is_empty(), "all jobs are deleted, and there are blobs: {:?}", blobs.keys());
    Ok(())
}
