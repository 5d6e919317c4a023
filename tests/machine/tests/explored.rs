//! All orders of the scenarios over SQLite, and mistakes that must be found.
//!
//! `THUMBS_MODEL_FAULTS` is of how many calls in each scenario the outcome may be unknown (1), `THUMBS_MODEL_STATES` how many states are looked at in
//! each (20,000, which takes some seconds): `make test-machine` looks at more.

use thumbs_machine::{Broken, Explored, MUTATIONS, Mutation, World, explore, scenarios};

use std::time::Instant;

fn setting(name: &str) -> Option<usize> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

fn faults() -> u32 {
    setting("THUMBS_MODEL_FAULTS").map_or(1, |faults| u32::try_from(faults).unwrap_or(1))
}

/// The first rule that is broken in any scenario.
fn first_broken(
    faults: u32,
    most_states: usize,
    mutation: Option<Mutation>,
) -> Result<Explored, (String, Broken)> {
    let mut all = Explored::default();
    for (scenario, retention) in scenarios(faults, most_states) {
        let begin = Instant::now();
        let world = World::in_memory(retention, mutation);
        let explored = explore(&world, &scenario).map_err(|broken| (scenario.name.to_owned(), broken))?;
        if mutation.is_none() {
            println!("{}: {explored:?} in {} ms", scenario.name, begin.elapsed().as_millis());
        }
        all.states += explored.states;
        all.steps += explored.steps;
        all.ends += explored.ends;
        all.depth = all.depth.max(explored.depth);
        all.is_cut |= explored.is_cut;
    }
    Ok(all)
}

#[test]
fn no_order_of_steps_breaks_a_rule() {
    match first_broken(faults(), setting("THUMBS_MODEL_STATES").unwrap_or(20_000), None) {
        Ok(explored) => {
            println!("in all: {explored:?}");
            assert!(explored.states > 10_000, "{explored:?}");
        }
        Err((scenario, broken)) => panic!("{scenario}: {broken}"),
    }
}

#[test]
fn each_mistake_is_found() {
    let mut unseen = Vec::new();
    for mutation in MUTATIONS {
        match first_broken(0, 5_000, Some(*mutation)) {
            Err((scenario, broken)) => println!("{}: {scenario}: {broken}", mutation.name),
            Ok(_) => unseen.push(mutation.name),
        }
    }
    assert!(unseen.is_empty(), "no rule sees that {unseen:?}");
}
