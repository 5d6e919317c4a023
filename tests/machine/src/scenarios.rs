//! Who meets whom.

use thumbs_domain::retention::{Keep, Retention};

use crate::actor::{EndReasonName, Program, Sees, Target};
use crate::explore::Scenario;

const LEASE_MS: i64 = 31_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

const UPLOAD: Program = Program::Upload { image: "a picture", key: None };
const UPLOAD_KEYED: Program = Program::Upload { image: "a picture", key: Some("a-key") };
const WORKER: Program = Program::Worker(Sees::Pictures);
const BAD_WORKER: Program = Program::Worker(Sees::Rubbish);
const DELETE: Program = Program::Delete(Target::First);
const RETRY: Program = Program::Retry(Target::First);

/// Nothing goes but what nobody names.
const ORPHANS: Retention = Retention { orphans: Keep::Days(7), ..Retention::FOREVER };
/// All goes.
const SHORT: Retention =
    Retention { originals: Keep::UntilDone, jobs: Keep::Days(1), orphans: Keep::Days(7) };

fn report(of: usize, reason: EndReasonName) -> Program {
    Program::Report { of, reason }
}

/// Scenarios, each with how long things are kept in it. `faults` is of how many calls in each the outcome is unknown, and no more than `most_states`
/// are looked at in each.
pub fn scenarios(faults: u32, most_states: usize) -> Vec<(Scenario, Retention)> {
    let scenario = |name, before: &[Program], actors: &[Program], clock: &[i64]| Scenario {
        name,
        before: before.to_vec(),
        actors: actors.to_vec(),
        clock: clock.to_vec(),
        faults,
        most_states,
    };
    vec![
        (
            scenario(
                "two workers and a lease that ends",
                &[UPLOAD],
                &[WORKER, WORKER],
                &[LEASE_MS, LEASE_MS],
            ),
            ORPHANS,
        ),
        (
            scenario("a worker that fails what another makes", &[UPLOAD], &[BAD_WORKER, WORKER], &[LEASE_MS]),
            ORPHANS,
        ),
        (
            scenario(
                "a worker that is ended, and the report of it",
                &[UPLOAD],
                &[WORKER, WORKER, report(0, EndReasonName::Trap), report(1, EndReasonName::Stopped)],
                &[LEASE_MS],
            ),
            ORPHANS,
        ),
        (
            scenario(
                "attempts that are used up",
                &[UPLOAD],
                &[WORKER, WORKER, BAD_WORKER],
                &[LEASE_MS, LEASE_MS],
            ),
            ORPHANS,
        ),
        (
            scenario(
                "a client that deletes what two workers have",
                &[UPLOAD],
                &[WORKER, WORKER, DELETE],
                &[LEASE_MS],
            ),
            ORPHANS,
        ),
        (
            scenario(
                "the same key at the same time",
                &[],
                &[UPLOAD_KEYED, UPLOAD_KEYED, WORKER, WORKER],
                &[],
            ),
            ORPHANS,
        ),
        (
            scenario(
                "what was made before, while that is deleted",
                &[UPLOAD, WORKER],
                &[UPLOAD_KEYED, UPLOAD_KEYED, DELETE, WORKER],
                &[LEASE_MS],
            ),
            ORPHANS,
        ),
        (
            scenario(
                "two clients have a failed job tried again, and one deletes it",
                &[UPLOAD, BAD_WORKER],
                &[RETRY, RETRY, DELETE, WORKER, WORKER],
                &[LEASE_MS],
            ),
            ORPHANS,
        ),
        (
            scenario(
                "sweeps of what is kept no longer, and who has it tried again meanwhile",
                &[UPLOAD, BAD_WORKER],
                &[RETRY, WORKER, WORKER],
                &[LEASE_MS * 2, DAY_MS],
            ),
            SHORT,
        ),
        (
            scenario(
                "the clock is set an hour back, and forth again",
                &[UPLOAD],
                &[WORKER, WORKER, WORKER],
                &[-HOUR_MS, HOUR_MS, LEASE_MS],
            ),
            ORPHANS,
        ),
    ]
}
