//! Whose turn it is: which of the callbacks that are due is sent next, and how many attempts one receiver may keep waiting.
//!
//! An attempt takes as long as its receiver likes, up to [`super::ATTEMPT_TIMEOUT_MS`]. So no receiver may have all places: each may hold as
//! many as half of those that are free, and one in any case. Alone it has a third of them, and a second one finds room at once. (Shared
//! buffers of switches are divided so: A. K. Choudhury and E. L. Hahne, Dynamic Queue Length Thresholds, 1998.)
//!
//! Not here: what is due, which the store says, and who is at it.

use std::collections::BTreeMap;

use crate::id::JobId;

use super::CallbackUrl;

/// How many attempts a process has under way at a time, at most: `workers` of the component in `spin.toml`.
pub const PLACES: usize = 24;

/// How long after its claim an attempt counts as under way, in milliseconds: its own time, and what is written behind it. One that has not been
/// settled by then was left by its worker.
pub const UNDER_WAY_MS: i64 = 20_000;

/// How many of the callbacks that are due are looked at: so many that have been due longest, and as many that came to be due last, which are
/// found behind any number that wait for one receiver.
pub const LOOKED_AT: u32 = 100;

/// Who is told: a host and a port. What is asked of it, and how, makes no other of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receiver {
    host: String,
    port: u16,
}

impl Receiver {
    /// Of this address, as a row has it. What is none, as a newer version may know it, is a receiver as well: it must not hide the others.
    pub fn of(url: &str) -> Self {
        match CallbackUrl::parse(url) {
            Some(url) => Self { host: url.host().to_owned(), port: url.port() },
            None => Self { host: url.to_owned(), port: 0 },
        }
    }
}

/// What follows from what is due and what is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Of this job somebody is told next.
    pub job: JobId,
    /// Another may be sent at the same time.
    pub more_due: bool,
}

/// Chooses among those that are `due`, longest first: of the receivers that may have another attempt those that have the fewest, of these one
/// by `lot`, and of its callbacks the one that has been due longest. None where nothing is due, or whoever is to be told keeps as many attempts
/// waiting as it may.
pub fn turn(due: &[(JobId, Receiver)], under_way: &[Receiver], lot: u64) -> Option<Turn> {
    let mut held = BTreeMap::<&Receiver, usize>::new();
    for receiver in under_way {
        *held.entry(receiver).or_default() += 1;
    }
    let of = |receiver: &Receiver| held.get(receiver).copied().unwrap_or(0);
    let mut first = BTreeMap::<&Receiver, &JobId>::new();
    for (job, receiver) in due {
        first.entry(receiver).or_insert(job);
    }
    let free = free(under_way.len());
    let mut may: Vec<_> = first.into_iter().filter(|(receiver, _)| may_hold(of(receiver), free)).collect();
    let fewest = may.iter().map(|(receiver, _)| of(receiver)).min()?;
    may.retain(|(receiver, _)| of(receiver) == fewest);
    let at = usize::try_from(lot % may.len() as u64).unwrap_or(0);
    let (chosen, job) = *may.get(at)?;
    let free = self::free(under_way.len() + 1);
    let more_due = due.iter().any(|(other, receiver)| {
        let held = of(receiver) + usize::from(receiver == chosen);
        other != job && may_hold(held, free)
    });
    Some(Turn { job: *job, more_due })
}

/// The places that are free where so many are taken and one asks that has none of these: of as many processes as there must be for that.
fn free(taken: usize) -> usize {
    PLACES - taken % PLACES
}

/// Whether who holds so many places may have one more.
fn may_hold(held: usize, free: usize) -> bool {
    held < (free / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(name: &str) -> Receiver {
        Receiver::of(&format!("https://{name}.example/a"))
    }

    fn job(number: usize) -> JobId {
        JobId::parse(&format!("01932c07-20a4-7b3c-8d4e-{number:012x}")).unwrap()
    }

    /// A callback each for these, due in this order.
    fn due(names: &[&str]) -> Vec<(JobId, Receiver)> {
        names.iter().enumerate().map(|(number, name)| (job(number), receiver(name))).collect()
    }

    /// How many places of so many processes each of these silent receivers gets, where any number of callbacks to each has been due before one to
    /// the next.
    fn places_of_silent(receivers: usize, processes: usize) -> Vec<usize> {
        let names: Vec<String> = (0..receivers).map(|number| format!("r{number}")).collect();
        let mut under_way = Vec::new();
        for name in &names {
            while under_way.len() < PLACES * processes
                && let Some(turn) = turn(&due(&[name, name]), &under_way, 0)
            {
                under_way.push(receiver(name));
                let more = self::turn(&due(&[name]), &under_way, 0).is_some();
                assert_eq!(turn.more_due, more, "{name} of {under_way:?}");
            }
        }
        let held = |name: &String| under_way.iter().filter(|held| **held == receiver(name)).count();
        names.iter().map(held).collect()
    }

    #[test]
    fn a_receiver_that_never_answers_leaves_places_to_others() {
        for processes in 1..=3 {
            assert_eq!(places_of_silent(1, processes), [8]);
            assert_eq!(places_of_silent(7, processes), [8, 5, 4, 2, 2, 1, 1]);
        }
        assert_eq!(places_of_silent(9, 1), [8, 5, 4, 2, 2, 1, 1, 1, 0]);
    }

    #[test]
    fn where_the_places_of_a_process_are_taken_those_of_another_are_shared_out_as_well() {
        assert_eq!(places_of_silent(12, 2), [8, 5, 4, 2, 2, 1, 1, 8, 6, 4, 2, 2]);
        let taken: usize = places_of_silent(12, 2).iter().sum();
        assert!(taken < 2 * PLACES, "{taken}");
        assert_eq!(free(0), PLACES);
        assert_eq!((free(PLACES - 1), free(PLACES), free(PLACES + 1)), (1, PLACES, PLACES - 1));
    }

    /// However many processes there are: those who are silent come first, each with any number of callbacks, until none of them gets another.
    #[test]
    fn who_is_well_has_more_than_one_place_beside_silent_receivers_where_processes_are_added() {
        let silent: Vec<String> = (0..8).map(|number| format!("silent{number}")).collect();
        let names: Vec<&str> = silent.iter().flat_map(|name| vec![name.as_str(); 60]).collect();
        let due_to_silent = due(&names);
        for processes in 2..=4 {
            let places = PLACES * processes;
            let mut under_way = Vec::new();
            while under_way.len() < places
                && let Some(turn) = turn(&due_to_silent, &under_way, 0)
            {
                let (_, receiver) = due_to_silent.iter().find(|(job, _)| *job == turn.job).unwrap();
                under_way.push(receiver.clone());
            }
            let taken = under_way.len();
            while under_way.len() < places && turn(&due(&["good"]), &under_way, 0).is_some() {
                under_way.push(receiver("good"));
            }
            assert!(under_way.len() > taken + 1, "{processes} processes: {taken} taken");
        }
    }

    #[test]
    fn who_keeps_the_fewest_waiting_is_next_whatever_has_been_due_longer() {
        let due = due(&["slow", "slow", "slow", "good", "slow"]);
        let under_way = vec![receiver("slow"); 3];
        assert_eq!(turn(&due, &under_way, 7), Some(Turn { job: job(3), more_due: true }));
        assert_eq!(turn(&due[..1], &vec![receiver("slow"); 8], 0), None);
        assert_eq!(turn(&[], &[], 0), None);
    }

    #[test]
    fn receivers_that_keep_equally_many_waiting_take_turns_by_lot_and_each_gets_its_oldest() {
        let due = due(&["a", "a", "b", "b"]);
        let drawn: Vec<_> = (0..4).filter_map(|lot| turn(&due, &[], lot)).map(|turn| turn.job).collect();
        assert_eq!(drawn, [job(0), job(2), job(0), job(2)]);
    }

    #[test]
    fn a_receiver_is_its_host_and_port_whatever_is_asked_of_it() {
        assert_eq!(Receiver::of("https://a.example/x"), Receiver::of("https://A.example:443/y?z"));
        for other in ["https://a.example:8443", "https://b.example", "a.example", ""] {
            assert_ne!(Receiver::of("https://a.example"), Receiver::of(other), "{other}");
        }
    }
}
