//! Whole days by chance: `THUMBS_DAYS` of them (100), from `THUMBS_FAULT_SEED` on; a day that breaks a rule says which seed repeats it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use thumbs_machine::{Day, day};

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

#[test]
fn no_day_loses_a_job_or_leaves_anything() {
    let days = setting("THUMBS_DAYS").unwrap_or(100);
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = setting("THUMBS_FAULT_SEED").unwrap_or(since_1970.as_secs());
    let begin = Instant::now();
    let mut all = Day::default();
    for seed in seed..seed + days {
        match day(seed) {
            Ok(day) => all += day,
            Err(broken) => panic!("{broken}"),
        }
    }
    println!("THUMBS_FAULT_SEED={seed}: {days} days in {} ms: {all:?}", begin.elapsed().as_millis());
    assert!(all.accepted > days && all.succeeded > 0 && all.failed > 0, "{all:?}");
}

#[test]
fn a_day_is_the_same_again() {
    assert_eq!(day(1), day(1));
}
