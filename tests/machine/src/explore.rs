//! All orders of the steps of a few actors: depth first, each state once. The database goes back by savepoints, so it is one connection.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use thumbs_domain::id::JobId;

use crate::actor::{Actor, Program, Sees, Stage, Stepped, Target};
use crate::rules;
use crate::snapshot::{Row, Snapshot};
use crate::turn::Fate;
use crate::world::World;

/// Who meets whom.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is about.
    pub name: &'static str,
    /// What happened before, one after the other.
    pub before: Vec<Program>,
    /// Who may begin, go on and stop at any time.
    pub actors: Vec<Program>,
    /// By how many milliseconds the clock moves, each once, at any time.
    pub clock: Vec<i64>,
    /// Of how many calls the outcome is unknown, at most.
    pub faults: u32,
    /// How many states are looked at, at most.
    pub most_states: usize,
}

/// A rule that was broken, and how to get there.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What does not hold.
    pub rule: String,
    /// The steps, first to last.
    pub path: Vec<String>,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "{}", self.rule)?;
        for (number, step) in self.path.iter().enumerate() {
            writeln!(formatter, "{:3}. {step}", number + 1)?;
        }
        Ok(())
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Different states, of all together.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// Different states of the stores, from each of which the service came to a good end with all actors gone.
    pub ends: usize,
    /// Steps on the longest path.
    pub depth: usize,
    /// Whether there are more states than were to be looked at.
    pub is_cut: bool,
}

/// A handler that makes more calls than this, while nothing goes wrong, never ends.
const MAX_CALLS: u32 = 1_000;
/// How often the service is woken in a row while it has something to do, and how often the clock moves on then.
const MAX_WAKE_UPS: u32 = 400;
/// Longer than a lease, and than the pause between two sweeps.
const PAUSE_MS: i64 = 61_000;
/// Longer than blobs are kept that nobody names.
const ORPHANS_MS: i64 = 8 * 24 * 3_600_000;

/// Tries all orders of a scenario.
///
/// # Errors
/// The first rule that is broken.
///
/// # Panics
/// When the database fails.
pub fn explore(world: &World, scenario: &Scenario) -> Result<Explored, Broken> {
    let mut explorer = Explorer {
        world,
        scenario,
        first: None,
        seen: HashSet::new(),
        ended: HashSet::new(),
        path: Vec::new(),
        explored: Explored::default(),
    };
    world.run("BEGIN");
    let result = explorer.begin();
    world.run("ROLLBACK");
    let Explorer { path, explored, .. } = explorer;
    result.map(|()| explored).map_err(|rule| Broken { rule, path })
}

/// All that is not in the stores.
#[derive(Clone)]
struct State {
    actors: Vec<Actor>,
    /// Which moves of the clock were made.
    moved: Vec<bool>,
    faults_left: u32,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Step(usize, Fate),
    Clock(usize),
}

struct Explorer<'w> {
    world: &'w World,
    scenario: &'w Scenario,
    /// The job that was there before.
    first: Option<JobId>,
    seen: HashSet<u64>,
    ended: HashSet<u64>,
    path: Vec<String>,
    explored: Explored,
}

impl Explorer<'_> {
    fn begin(&mut self) -> Result<(), String> {
        // Once swept, so that what lies there later is looked at.
        let before =
            [Program::Worker(Sees::Pictures)].into_iter().chain(self.scenario.before.iter().copied());
        for (number, program) in before.enumerate() {
            let mut actor = Actor::new(program, 100 + u32::try_from(number).expect("a few"));
            whole(self.world, &mut actor, self.first)?;
            self.first = self.first.or(actor.accepted());
            self.path.push(format!("before: {program:?}"));
            self.world.move_clock(10);
        }
        let programs = self.scenario.actors.iter().zip(1..);
        let state = State {
            actors: programs.map(|(program, serial)| Actor::new(*program, serial)).collect(),
            moved: vec![false; self.scenario.clock.len()],
            faults_left: self.scenario.faults,
        };
        let snapshot = Snapshot::take(self.world);
        self.visit(&state, &snapshot)
    }

    /// The path stands as it is where a rule is broken.
    fn visit(&mut self, state: &State, snapshot: &Snapshot) -> Result<(), String> {
        let stores = snapshot.digest(self.world);
        if self.explored.states == self.scenario.most_states {
            self.explored.is_cut = true;
            return Ok(());
        }
        if !self.seen.insert(digest(state, stores)) {
            return Ok(());
        }
        self.explored.states += 1;
        self.explored.depth = self.explored.depth.max(self.path.len());
        rules::at_a_moment(self.world, snapshot)?;
        rules::of_promises(snapshot, &state.actors, self.world)?;
        if self.ended.insert(stores) {
            self.explored.ends += 1;
            self.aside(|explorer| explorer.end())?;
        }
        for choice in self.choices(state) {
            let mut next = state.clone();
            self.aside(|explorer| {
                let after = explorer.take(&mut next, choice, snapshot)?;
                explorer.visit(&next, &after)?;
                explorer.path.pop();
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Does something, and has the world as it was then. Where it fails, all stays as it is.
    fn aside(&mut self, act: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        let moment = self.world.moment();
        let name = format!("at_{}", self.path.len());
        self.world.run(&format!("SAVEPOINT {name}"));
        act(self)?;
        self.world.run(&format!("ROLLBACK TO SAVEPOINT {name}"));
        self.world.run(&format!("RELEASE SAVEPOINT {name}"));
        self.world.go_back(&moment);
        Ok(())
    }

    fn choices(&self, state: &State) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (index, actor) in state.actors.iter().enumerate() {
            let may = match actor.stage {
                Stage::UnderWay => true,
                Stage::Waiting => self.may_begin(state, index),
                Stage::Ended(_) | Stage::Killed => false,
            };
            let fates = if state.faults_left > 0 { &Fate::ALL[..] } else { &[Fate::Done] };
            choices.extend(fates.iter().filter(|_| may).map(|fate| Choice::Step(index, *fate)));
        }
        for (index, moved) in state.moved.iter().enumerate() {
            // Of moves that are the same, the first that is left.
            let is_next = index == 0
                || self.scenario.clock[index - 1] != self.scenario.clock[index]
                || state.moved[index - 1];
            if !moved && is_next {
                choices.push(Choice::Clock(index));
            }
        }
        choices
    }

    fn may_begin(&self, state: &State, index: usize) -> bool {
        let program = state.actors[index].program;
        // Of actors that do the same, the first that is left.
        let same = state.actors[..index].iter().filter(|other| other.program == program);
        if same.clone().any(|other| other.stage == Stage::Waiting) {
            return false;
        }
        match program {
            Program::Delete(Target::Of(of)) | Program::Retry(Target::Of(of)) => {
                state.actors[of].accepted().is_some()
            }
            Program::Report { of, .. } => state.actors[of].stage == Stage::UnderWay,
            _ => true,
        }
    }

    fn take(&mut self, state: &mut State, choice: Choice, before: &Snapshot) -> Result<Snapshot, String> {
        self.explored.steps += 1;
        let by = match choice {
            Choice::Clock(index) => {
                state.moved[index] = true;
                let millis = self.scenario.clock[index];
                self.path.push(format!("the clock moves by {millis} ms"));
                self.world.move_clock(millis);
                None
            }
            Choice::Step(index, fate) => {
                self.step(state, index, fate)?;
                Some(index)
            }
        };
        let after = Snapshot::take(self.world);
        rules::over_a_step(before, &after, by.map(|index| &state.actors[index]), &state.actors, self.world)?;
        Ok(after)
    }

    fn step(&mut self, state: &mut State, index: usize, fate: Fate) -> Result<(), String> {
        state.faults_left -= u32::from(fate != Fate::Done);
        let program = state.actors[index].program;
        let of = match program {
            Program::Report { of, .. } => {
                if state.actors[of].stage == Stage::UnderWay {
                    state.actors[of].stage = Stage::Killed;
                }
                Some(state.actors[of].serial)
            }
            _ => None,
        };
        let target = match program {
            Program::Delete(Target::Of(of)) | Program::Retry(Target::Of(of)) => state.actors[of].accepted(),
            _ => self.first,
        };
        let who = format!("actor {index} ({program:?})");
        let actor = &mut state.actors[index];
        let stepped = actor.go_on(self.world, (target, of), 1, fate);
        let did = stepped.as_ref().map_or_else(|_| "panics".to_owned(), |stepped| stepped.did.join("; "));
        let end = match &actor.stage {
            Stage::Ended(end) => format!(" and ends: {end:?}"),
            _ => String::new(),
        };
        self.path.push(format!("{who}: {did}{end}"));
        stepped.map(drop)
    }

    /// Everybody is gone, nothing goes wrong any more, and workers are woken now and then.
    fn end(&mut self) -> Result<(), String> {
        let snapshot = settle(self.world)?;
        rules::when_it_is_quiet(&snapshot)?;
        self.world.move_clock(ORPHANS_MS);
        let snapshot = settle(self.world)?;
        rules::in_the_end(self.world, &snapshot)?;
        for (row, serial) in snapshot.rows.iter().zip(2000..) {
            let job = JobId::parse(&row.id).ok();
            let mut actor = Actor::new(Program::Delete(Target::First), serial);
            whole(self.world, &mut actor, job)?;
        }
        let snapshot = settle(self.world)?;
        rules::when_all_is_deleted(self.world, &snapshot)
    }
}

/// From the actor's beginning to its end, without anybody else.
fn whole(world: &World, actor: &mut Actor, target: Option<JobId>) -> Result<Stepped, String> {
    let stepped = actor.go_on(world, (target, None), MAX_CALLS, Fate::Done)?;
    match actor.stage {
        Stage::Ended(_) => Ok(stepped),
        _ => Err(format!("{:?} never ends: {:?}", actor.program, &stepped.did[..10])),
    }
}

/// Wakes workers until there is nothing to do, whatever the time: nothing goes wrong meanwhile.
pub(crate) fn settle(world: &World) -> Result<Snapshot, String> {
    let mut last = Snapshot::take(world);
    for serial in 1_000_000..1_000_000 + MAX_WAKE_UPS {
        let mut actor = Actor::new(Program::Worker(Sees::Pictures), serial);
        let stepped = whole(world, &mut actor, None)?;
        last = Snapshot::take(world);
        rules::at_a_moment(world, &last)?;
        // One that only looked.
        if stepped.did.len() == 1 {
            if last.rows.iter().all(Row::is_done) && last.garbage.is_empty() {
                return Ok(last);
            }
            world.move_clock(PAUSE_MS);
        }
    }
    Ok(last)
}

/// Of what is not in the stores, with what is.
fn digest(state: &State, stores: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    stores.hash(&mut hasher);
    state.moved.hash(&mut hasher);
    state.faults_left.hash(&mut hasher);
    for actor in &state.actors {
        actor.stage.hash(&mut hasher);
        if actor.stage == Stage::UnderWay {
            actor.past.digest().hash(&mut hasher);
        }
    }
    hasher.finish()
}
