//! Whole days of the service in a moment: clients that come and go, workers, and what goes wrong by chance, with a clock of its own. The same seed is
//! the same day.

use std::collections::{BTreeMap, BTreeSet};

use thumbs_domain::id::JobId;
use thumbs_domain::job::Status;
use thumbs_domain::retention::{Keep, Retention};

use crate::actor::{Actor, EndReasonName, Program, Sees, Stage, Target};
use crate::explore::settle;
use crate::rules;
use crate::snapshot::{Row, Snapshot};
use crate::turn::Fate;
use crate::world::World;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// A day that ends before its first job is old.
const DAY_MS: u64 = 22 * HOUR_MS;
const RETENTION: Retention =
    Retention { originals: Keep::Days(3), jobs: Keep::Days(2), orphans: Keep::Days(7) };
const ORPHANS_MS: i64 = 8 * 24 * 3_600_000;
/// From the first sweep of all to the day: longer than a clock is set back.
const SETTLED_MS: i64 = 3 * 3_600_000;
/// Workers at the same time.
const MAX_WORKERS: usize = 4;
/// Of so many steps, all rows are looked at after one.
const LOOK_EVERY: u64 = 16;
const IMAGES: [&str; 4] = ["a picture", "another picture", "a third", "a fourth"];
const KEYS: [&str; 6] = ["key-1", "key-2", "key-3", "key-4", "key-5", "key-6"];

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Calls of handlers to the stores.
    pub steps: u64,
    /// Uploads that were accepted, repetitions included.
    pub accepted: u64,
    /// Jobs that had succeeded and were there in the end.
    pub succeeded: u64,
    /// Jobs that had failed and were there in the end.
    pub failed: u64,
    /// Calls whose outcome nobody knew.
    pub faults: u64,
    /// Requests and workers that vanished.
    pub crashes: u64,
    /// Wake-ups that were lost.
    pub dropped: u64,
    /// How often the clock was set.
    pub clock_steps: u64,
}

impl std::ops::AddAssign for Day {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.accepted += other.accepted;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.faults += other.faults;
        self.crashes += other.crashes;
        self.dropped += other.dropped;
        self.clock_steps += other.clock_steps;
    }
}

/// Lives through the day of this seed.
///
/// # Errors
/// What rule was broken, and the last steps before.
pub fn day(seed: u64) -> Result<Day, String> {
    let live = |is_told| {
        let world = World::in_memory(RETENTION, None);
        let mut simulation = Simulation::new(&world, seed, is_told);
        let result = simulation.live();
        result.map(|()| simulation.day).map_err(|rule| (rule, simulation.told))
    };
    live(false).map_err(|(rule, _)| {
        let told = live(true).err().map(|(_, told)| told).unwrap_or_default();
        let last = told.len().saturating_sub(80);
        format!("the day of THUMBS_FAULT_SEED={seed}: {rule}\n{}", told[last..].join("\n"))
    })
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).expect("small")]
    }
}

#[derive(Clone, Debug)]
enum Event {
    /// Somebody begins, about this job or the end of this worker.
    Begin(Program, Option<JobId>, Option<u32>),
    /// An actor goes on.
    GoOn(u32),
    WakeUp,
    Tick,
    /// The clock is set.
    Clock(i64),
    /// So many calls of a hundred have an unknown outcome from here on.
    Weather(u64),
}

struct Live {
    actor: Actor,
    target: Option<JobId>,
    of: Option<u32>,
}

struct Simulation<'w> {
    world: &'w World,
    random: Random,
    /// What comes, by when and in which order it was called for.
    events: BTreeMap<(u64, u64), Event>,
    called: u64,
    /// Milliseconds since the day began.
    time: u64,
    live: BTreeMap<u32, Live>,
    serial: u32,
    weather: u64,
    accepted: BTreeMap<JobId, Option<&'static str>>,
    /// Jobs whose deletion somebody has begun.
    deleted: BTreeSet<JobId>,
    day: Day,
    is_told: bool,
    told: Vec<String>,
}

impl<'w> Simulation<'w> {
    fn new(world: &'w World, seed: u64, is_told: bool) -> Self {
        Self {
            world,
            random: Random(seed),
            events: BTreeMap::new(),
            called: 0,
            time: 0,
            live: BTreeMap::new(),
            serial: 0,
            weather: 0,
            accepted: BTreeMap::new(),
            deleted: BTreeSet::new(),
            day: Day::default(),
            is_told,
            told: Vec::new(),
        }
    }

    fn at(&mut self, in_ms: u64, event: Event) {
        self.called += 1;
        self.events.insert((self.time + in_ms, self.called), event);
    }

    /// At some moment before so many milliseconds are over.
    fn within(&mut self, ms: u64, event: Event) {
        let in_ms = self.random.below(ms);
        self.at(in_ms, event);
    }

    /// After a moment, and now and then after more than a lease.
    fn next_call(&mut self, serial: u32) {
        let is_stuck = self.random.below(200) == 0;
        self.within(if is_stuck { 90 * SECOND_MS } else { 30 }, Event::GoOn(serial));
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.is_told {
            self.told.push(format!("{:>9} ms, {}: {}", self.time, self.world.now(), what()));
        }
    }

    fn live(&mut self) -> Result<(), String> {
        // What lies there from before the first sweep is never looked at, and no clock is set so far back.
        settle(self.world)?;
        self.world.move_clock(SETTLED_MS);
        self.plan();
        while let Some(((time, _), event)) = self.events.pop_first() {
            if time > DAY_MS {
                break;
            }
            self.world.move_clock(i64::try_from(time - self.time).expect("a day"));
            self.time = time;
            self.happen(event)?;
        }
        self.end()
    }

    fn plan(&mut self) {
        self.at(0, Event::Tick);
        for _ in 0..1 + self.random.below(4) {
            let burst = self.random.below(DAY_MS - HOUR_MS);
            for _ in 0..1 + self.random.below(6) {
                let key = self.random.percent(50).then(|| self.random.of(&KEYS));
                let image = key.map_or_else(|| self.random.of(&IMAGES), |_| IMAGES[0]);
                let when = burst + self.random.below(SECOND_MS);
                self.at(when, Event::Begin(Program::Upload { image, key }, None, None));
            }
            if self.random.percent(60) {
                let (percent, before) = (self.random.of(&[5, 20, 100]), self.random.below(2 * SECOND_MS));
                let lasts = self.random.below(10 * MINUTE_MS);
                self.at(burst.saturating_sub(before), Event::Weather(percent));
                self.at(burst + lasts, Event::Weather(0));
            }
            if self.random.percent(30) {
                let by = i64::try_from(self.random.below(2 * HOUR_MS)).expect("hours") - 3_600_000;
                let (set, back) = (self.random.below(SECOND_MS), self.random.below(30 * MINUTE_MS));
                self.at(burst + set, Event::Clock(by));
                self.at(burst + back, Event::Clock(-by));
            }
        }
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Begin(program, target, of) => self.begin(program, target, of),
            Event::GoOn(serial) => self.go_on(serial)?,
            Event::WakeUp => self.wake_up(),
            Event::Tick => {
                self.wake_up();
                // Nobody waits: an idle service is looked at now and then.
                let is_busy = !self
                    .world
                    .run("SELECT 1 FROM thumbs_jobs WHERE due_at_ms IS NOT NULL LIMIT 1")
                    .is_empty();
                self.at(if is_busy { 30 * SECOND_MS } else { HOUR_MS }, Event::Tick);
            }
            Event::Clock(by) => {
                self.day.clock_steps += 1;
                self.world.set_clock(by);
                self.tell(|| format!("the clock was set by {by} ms"));
            }
            Event::Weather(percent) => {
                self.weather = percent;
                self.tell(|| format!("{percent} of 100 calls fail"));
            }
        }
        Ok(())
    }

    fn wake_up(&mut self) {
        let is_worker = |live: &&Live| matches!(live.actor.program, Program::Worker(_));
        if self.live.values().filter(is_worker).count() < MAX_WORKERS {
            let sees = if self.random.percent(10) { Sees::Rubbish } else { Sees::Pictures };
            self.begin(Program::Worker(sees), None, None);
        }
    }

    fn begin(&mut self, program: Program, target: Option<JobId>, of: Option<u32>) {
        self.serial += 1;
        if let (Program::Delete(_), Some(job)) = (program, target) {
            self.deleted.insert(job);
        }
        self.live.insert(self.serial, Live { actor: Actor::new(program, self.serial), target, of });
        self.next_call(self.serial);
    }

    fn go_on(&mut self, serial: u32) -> Result<(), String> {
        let Some(mut live) = self.live.remove(&serial) else { return Ok(()) };
        let program = live.actor.program;
        if self.random.below(150) == 0 {
            self.day.crashes += 1;
            self.tell(|| format!("{serial} ({program:?}) vanishes"));
            if matches!(program, Program::Worker(_)) && self.random.percent(50) {
                let reason = self.random.of(&[EndReasonName::Trap, EndReasonName::Stopped]);
                self.within(100, Event::Begin(Program::Report { of: 0, reason }, None, Some(serial)));
            }
            return Ok(());
        }
        let fate = match self.random.percent(self.weather) {
            true => self.random.of(&[Fate::AnswerLost, Fate::Stopped]),
            false => Fate::Done,
        };
        self.day.faults += u64::from(fate != Fate::Done);
        let stepped = live.actor.go_on(self.world, (live.target, live.of), 1, fate)?;
        self.day.steps += 1;
        self.tell(|| format!("{serial} ({program:?}): {} {:?}", stepped.did.join("; "), live.actor.stage));
        for _ in 0..stepped.wake_ups {
            if self.random.percent(20) {
                self.day.dropped += 1;
            } else {
                self.within(20, Event::WakeUp);
            }
        }
        if self.day.steps.is_multiple_of(LOOK_EVERY) {
            rules::at_a_moment(self.world, &Snapshot::take(self.world))?;
        }
        match live.actor.stage {
            Stage::UnderWay => {
                self.live.insert(serial, live);
                self.next_call(serial);
                Ok(())
            }
            _ => self.over(&live.actor),
        }
    }

    /// What a client does that has an answer.
    fn over(&mut self, actor: &Actor) -> Result<(), String> {
        let (Some(job), Program::Upload { key, .. }) = (actor.accepted(), actor.program) else {
            return Ok(());
        };
        self.day.accepted += 1;
        let same = self
            .accepted
            .iter()
            .find(|(other, its)| key.is_some() && **its == key && !self.deleted.contains(other));
        if let Some((other, _)) = same.filter(|(other, _)| **other != job && !self.deleted.contains(&job)) {
            return Err(format!("under the key {key:?} are two jobs, {other} and {job}"));
        }
        self.accepted.insert(job, key);
        if self.random.percent(15) {
            self.within(HOUR_MS, Event::Begin(Program::Delete(Target::First), Some(job), None));
        }
        if self.random.percent(25) {
            self.within(HOUR_MS, Event::Begin(Program::Retry(Target::First), Some(job), None));
        }
        Ok(())
    }

    /// The power goes, whoever is at what. Then nothing goes wrong any more.
    fn end(&mut self) -> Result<(), String> {
        self.live.clear();
        self.tell(|| "the end of the day".to_owned());
        let snapshot = settle(self.world)?;
        rules::when_it_is_quiet(&snapshot)?;
        for job in self.accepted.keys().filter(|job| !self.deleted.contains(job)) {
            let Some(row) = snapshot.row(&job.to_string()) else {
                return Err(format!("job {job} was accepted, and is not there"));
            };
            self.day.succeeded += u64::from(row.is(Status::Succeeded));
            self.day.failed += u64::from(row.is(Status::Failed));
        }
        self.world.move_clock(ORPHANS_MS);
        let snapshot = settle(self.world)?;
        rules::in_the_end(self.world, &snapshot)?;
        // By now they are old enough to go by themselves.
        let left: Vec<&Row> = snapshot.rows.iter().collect();
        if !left.is_empty() {
            return Err(format!("jobs that nobody keeps are there: {left:?}"));
        }
        rules::when_all_is_deleted(self.world, &snapshot)
    }
}
