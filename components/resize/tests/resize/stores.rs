//! A job store that is away for a moment or for long, and settings that make no sense.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use thumbs_domain::job::Status;
use thumbs_domain::message::Message;
use thumbs_domain::variable::Variable;
use thumbs_guest::clock::Clock;
use thumbs_guest::imaging::ImagingError;
use thumbs_guest::jobs::StoreError;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{Fate, FixedVariables, ManualClock, ScriptedImaging};
use thumbs_resize::look_at_settings;

use crate::kit::*;

#[test]
fn a_store_that_is_down_is_an_error_of_the_message() {
    let (service, id) = Service::with_job();
    service.let_fate(|_| Fate::Stopped);
    let result = service.handle(Message::WakeUp, &ManualClock::default(), &ScriptedImaging::jpeg());
    assert!(matches!(result, Err(StoreError::Unavailable(_))));
    service.let_fate(|_| Fate::Done);
    assert_eq!(service.job(&id).attempts, 0);
}

#[test]
fn a_wake_up_that_finds_nothing_costs_one_read() {
    let service = Service::new();
    service.store.migrate().unwrap();
    let statements = Rc::new(RefCell::new(Vec::new()));
    let seen = statements.clone();
    service.let_fate(move |statement| {
        seen.borrow_mut().push(statement.to_owned());
        Fate::Done
    });
    service.wake_up(&ManualClock::default());
    let statements = statements.borrow();
    assert!(matches!(&statements[..], [read] if read.starts_with("SELECT")), "{statements:?}");
}

/// Of the statements that write an ending, the first `count` have this fate.
fn first_endings(count: u32, fate: Fate) -> impl FnMut(&str) -> Fate {
    let mut left = count;
    move |statement| {
        let ends = statement.starts_with("UPDATE") && statement.contains("lease_token = NULL");
        if ends && left > 0 {
            left -= 1;
            return fate;
        }
        Fate::Done
    }
}

#[test]
fn a_thumbnail_outlives_a_store_that_fails_for_a_moment() {
    for fate in [Fate::Stopped, Fate::AnswerLost] {
        let (service, id) = Service::with_job();
        service.let_fate(first_endings(3, fate));
        let clock = ManualClock::default();
        service.wake_up(&clock);
        let job = service.job(&id);
        assert_eq!((job.status, job.attempts), (Status::Succeeded, 1), "{fate:?}");
        assert!(clock.elapsed() < Duration::from_secs(10), "{:?}", clock.elapsed());
    }
}

#[test]
fn a_failed_attempt_is_written_down_by_a_store_that_fails_for_a_moment() {
    for fate in [Fate::Stopped, Fate::AnswerLost] {
        let (service, id) = Service::with_job();
        service.blobs.set_down(true);
        service.let_fate(first_endings(2, fate));
        service.wake_up(&ManualClock::default());
        let job = service.job(&id);
        assert_eq!((job.status, service.code(&id).as_str()), (Status::Processing, "storage-unavailable"));
        assert_eq!(job.due_at, Some(ManualClock::START.plus_millis(1000)), "{fate:?}");

        let (service, id) = Service::with_job();
        service.let_fate(first_endings(2, fate));
        let imaging = ScriptedImaging(Err(ImagingError::BudgetUnreachable));
        assert_eq!(service.handle(Message::WakeUp, &ManualClock::default(), &imaging), Ok(()));
        assert_eq!(
            (service.job(&id).status, service.code(&id).as_str()),
            (Status::Failed, "budget-unreachable")
        );
    }
}

#[test]
fn a_store_is_asked_no_longer_than_the_lease_lasts() {
    let (service, id) = Service::with_job();
    service.let_fate(first_endings(u32::MAX, Fate::Stopped));
    let clock = ManualClock::default();
    let result = service.handle(Message::WakeUp, &clock, &ScriptedImaging::jpeg());
    assert!(matches!(result, Err(StoreError::Unavailable(_))));
    assert!(clock.elapsed() < Duration::from_secs(30), "{:?}", clock.elapsed());
    service.let_fate(|_| Fate::Done);
    service.wake_up(&later(30));
    assert_eq!((service.job(&id).status, service.job(&id).attempts), (Status::Succeeded, 2));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let defaults =
        Variable::ALL.iter().map(|variable| (variable.row().name, variable.row().default.to_owned()));
    let mut variables = FixedVariables(defaults.collect());
    let log = Log::new("test");
    let host = |name: &str| (name == "THUMBS_MESSAGE_TIMEOUT_MS").then(|| "28000".to_owned());
    assert_eq!(look_at_settings(&variables, host, &log), Ok(()));
    for (name, value) in [("max_attempts", "0"), ("lease_secs", "28"), ("redis_url", "everybody")] {
        let before = variables.0.insert(name, value.to_owned()).unwrap();
        let error = look_at_settings(&variables, host, &log).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        variables.0.insert(name, before);
    }
}

#[test]
fn a_migration_is_run_when_it_is_asked_for() {
    let service = Service::over_nothing();
    let made = Rc::new(Cell::new(false));
    let seen = made.clone();
    service.let_fate(move |statement| {
        seen.set(seen.get() || statement.starts_with("CREATE TABLE"));
        Fate::Done
    });
    assert_eq!(service.handle(Message::Migrate, &ManualClock::default(), &ScriptedImaging::jpeg()), Ok(()));
    assert!(made.get());
}
