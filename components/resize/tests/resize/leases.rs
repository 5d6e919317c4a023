//! Workers that lose their lease or their life, and who reports it.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use thumbs_domain::format::AcceptedFormats;
use thumbs_domain::id::WorkerId;
use thumbs_domain::job::Status;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::machine::MAX_TIMED_OUT;
use thumbs_domain::message::{EndReason, Message};
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::owner::Reach;
use thumbs_domain::retention::Retention;
use thumbs_guest::blobs::{BlobError, BlobReader, BlobWriter, Blobs};
use thumbs_guest::clock::Clock;
use thumbs_guest::config;
use thumbs_guest::jobs::StoreError;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{Fate, FixedVariables, ManualClock, POLICY, ScriptedImaging};
use thumbs_resize::Resize;

use crate::kit::*;

#[test]
fn a_sandbox_that_was_ended_is_a_failed_attempt_of_its_job_alone() {
    for (reason, status, code, attempts) in [
        (EndReason::OutOfMemory, Status::Failed, "out-of-memory", 1),
        (EndReason::OutOfSharedMemory, Status::Processing, "out-of-shared-memory", 0),
        (EndReason::Deadline, Status::Processing, "deadline", 1),
        (EndReason::TimedOut, Status::Processing, "timed-out", 0),
        (EndReason::Stopped, Status::Processing, "worker-stopped", 0),
        (EndReason::Trap, Status::Processing, "trap", 1),
    ] {
        let (service, id) = Service::with_job();
        let worker = WorkerId::new("of-the-dead");
        service.store.claim(&worker, &POLICY, ManualClock::START).unwrap();
        let other = service.upload();
        let report = Message::Ended { worker, reason };
        assert_eq!(service.handle(report, &later(10), &ScriptedImaging::jpeg()), Ok(()));
        let job = service.job(&id);
        assert_eq!((job.status, service.code(&id).as_str(), job.attempts), (status, code, attempts));
        assert_eq!(service.job(&other).attempts, 0, "a report claims nothing");
    }
}

/// As an image does that needs nearly all of its processor time, where others take most of the processor.
#[test]
fn a_job_that_is_never_done_in_time_has_failed_in_the_end() {
    let (mut service, id) = Service::with_job();
    service.policy.max_job_age_secs = 24 * 3600;
    let service = service;
    let mut secs = 0;
    let mut end = |reason| {
        // Beyond any pause, and the job is not a day old.
        secs += 301;
        let clock = later(secs);
        let worker = WorkerId::new(secs.to_string());
        service.store.claim(&worker, &POLICY, clock.now()).unwrap();
        assert_eq!(
            service.handle(Message::Ended { worker, reason }, &clock, &ScriptedImaging::jpeg()),
            Ok(())
        );
        service.job(&id)
    };
    for setbacks in 1..MAX_TIMED_OUT {
        let job = end(EndReason::TimedOut);
        assert_eq!((job.status, job.attempts), (Status::Processing, 0), "{setbacks}");
    }
    assert_eq!(end(EndReason::Stopped).status, Status::Processing, "of another reason there are not so many");
    let job = end(EndReason::TimedOut);
    let failure = job.failure.unwrap();
    assert_eq!((job.status, failure.code.as_ref()), (Status::Failed, "timed-out"));
    assert!(failure.message.starts_with("None of 24 attempts was over in time"), "{}", failure.message);

    // Somebody has it tried again, and it begins anew.
    service.store.revive(&id, Reach::All, later(9000).now()).unwrap();
    let worker = WorkerId::new("anew");
    service.store.claim(&worker, &POLICY, later(9001).now()).unwrap();
    let report = Message::Ended { worker, reason: EndReason::TimedOut };
    assert_eq!(service.handle(report, &later(9002), &ScriptedImaging::jpeg()), Ok(()));
    assert_eq!(service.job(&id).status, Status::Processing);
}

#[test]
fn a_report_of_a_worker_that_holds_no_job_changes_nothing() {
    let (service, id) = Service::with_job();
    service.store.claim(&WorkerId::new("mine"), &POLICY, ManualClock::START).unwrap();
    let before = service.job(&id);
    let guessed = Message::Ended { worker: WorkerId::new("guessed"), reason: EndReason::OutOfMemory };
    assert_eq!(service.handle(guessed, &later(10), &ScriptedImaging::jpeg()), Ok(()));
    assert_eq!(service.job(&id), before);
}

#[test]
fn a_report_outlives_a_store_that_is_away_for_a_while() {
    let (service, id) = Service::with_job();
    let worker = WorkerId::new("of-the-dead");
    service.store.claim(&worker, &POLICY, ManualClock::START).unwrap();
    let mut left = 8;
    service.let_fate(move |_| {
        left -= 1;
        if left > 0 { Fate::Stopped } else { Fate::Done }
    });
    let report = Message::Ended { worker, reason: EndReason::TimedOut };
    let clock = later(28);
    assert_eq!(service.handle(report, &clock, &ScriptedImaging::jpeg()), Ok(()));
    let job = service.job(&id);
    assert_eq!((job.status, job.attempts, job.setbacks), (Status::Processing, 0, 1));
    assert!(clock.elapsed() < Duration::from_secs(28 + 30), "{:?}", clock.elapsed());
}

#[test]
fn a_claim_whose_answer_is_lost_costs_no_attempt() {
    let (service, id) = Service::with_job();
    let mut lost = false;
    service.let_fate(move |statement| {
        if statement.starts_with("UPDATE") && !lost {
            lost = true;
            return Fate::AnswerLost;
        }
        Fate::Done
    });
    service.wake_up(&ManualClock::default());
    let job = service.job(&id);
    assert_eq!((job.status, job.attempts), (Status::Succeeded, 1));
}

#[test]
fn a_worker_that_lost_its_lease_changes_nothing() {
    let (service, id) = Service::with_job();
    // While this worker decodes, its lease ends and another takes the job.
    let clock = ManualClock::with_others(|_| {
        let end = ManualClock::START.plus_millis(30_000);
        service.store.claim(&WorkerId::new("of-another"), &POLICY, end).unwrap();
    });
    service.wake_up(&clock);
    let job = service.job(&id);
    assert_eq!((job.status, job.attempts, job.thumbnail), (Status::Processing, 2, None));
}

/// Blobs that take their time to be written, and what another worker finds meanwhile.
struct Slow<'a> {
    service: &'a Service,
    clock: &'a ManualClock<'static>,
    found: RefCell<Vec<bool>>,
    /// What else happens while one is read.
    meanwhile: &'a dyn Fn(),
}

impl Slow<'_> {
    fn wake_up(&self) -> Result<(), StoreError> {
        let resize = Resize {
            store: self.service.store.as_ref(),
            blobs: self,
            imaging: &ScriptedImaging::jpeg(),
            wake: &self.service.wake,
            tell: &self.service.told,
            callbacks: &self.service.callbacks,
            clock: self.clock,
            worker: &WorkerId::new("slow"),
            limits: config::limits(&FixedVariables::small()).unwrap(),
            policy: POLICY,
            retention: Retention::FOREVER,
            log: &Log::new("test"),
        };
        resize.handle(Message::WakeUp)
    }
}

impl Blobs for Slow<'_> {
    fn put(&self, key: &ObjectKey, content_type: &str, data: &[u8]) -> Result<(), BlobError> {
        self.clock.advance(Duration::from_secs(25));
        self.found.borrow_mut().push(self.service.store.has_due(self.clock.now()).unwrap());
        self.service.blobs.put(key, content_type, data)
    }

    fn write<'a>(
        &'a self,
        key: &ObjectKey,
        content_type: &str,
    ) -> Result<Box<dyn BlobWriter + 'a>, BlobError> {
        self.service.blobs.write(key, content_type)
    }

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        self.service.blobs.get(key, max_bytes)
    }

    fn read<'a>(&'a self, key: &ObjectKey, max_bytes: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError> {
        self.clock.advance(Duration::from_secs(20));
        (self.meanwhile)();
        Blobs::read(&self.service.blobs, key, max_bytes)
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        self.service.blobs.delete(key)
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, BlobError> {
        self.service.blobs.list(prefix, after, limit)
    }
}

#[test]
fn a_store_that_is_slow_twice_lets_nobody_else_take_the_job() {
    let (service, id) = Service::with_job();
    let clock = ManualClock::default();
    let blobs = Slow { service: &service, clock: &clock, found: RefCell::default(), meanwhile: &|| {} };
    assert_eq!(blobs.wake_up(), Ok(()));
    assert!(clock.elapsed() > Duration::from_secs(u64::from(POLICY.lease_secs)));
    assert_eq!(*blobs.found.borrow(), [false]);
    assert_eq!((service.job(&id).status, service.job(&id).attempts), (Status::Succeeded, 1));
}

#[test]
fn a_format_that_was_turned_off_since_the_upload_is_not_decoded() {
    let (service, id) = Service::with_job();
    let formats = AcceptedFormats::parse("png,avif").unwrap();
    let resize = Resize {
        store: service.store.as_ref(),
        blobs: &service.blobs,
        imaging: &ScriptedImaging::jpeg(),
        wake: &service.wake,
        tell: &service.told,
        callbacks: &service.callbacks,
        clock: &ManualClock::default(),
        worker: &WorkerId::new("this-one"),
        limits: UploadLimits { formats, ..config::limits(&FixedVariables::small()).unwrap() },
        policy: POLICY,
        retention: Retention::FOREVER,
        log: &Log::new("test"),
    };
    assert_eq!(resize.handle(Message::WakeUp), Ok(()));
    assert_eq!(
        (service.job(&id).status, service.code(&id)),
        (Status::Failed, "unsupported-image".to_owned())
    );
}

#[test]
fn what_could_not_be_stored_within_the_lease_is_not_begun() {
    let (service, id) = Service::with_job();
    let clock = ManualClock::default();
    let taken = || {
        let end = ManualClock::START.plus_millis(30_000);
        service.store.claim(&WorkerId::new("of-another"), &POLICY, end).unwrap();
    };
    let blobs = Slow { service: &service, clock: &clock, found: RefCell::default(), meanwhile: &taken };
    assert_eq!(blobs.wake_up(), Ok(()));
    assert!(blobs.found.borrow().is_empty(), "nothing was stored");
    assert_eq!((service.job(&id).status, service.job(&id).attempts), (Status::Processing, 2));

    // A database that fails for a moment costs nothing of it.
    let (service, id) = Service::with_job();
    let clock = ManualClock::default();
    let left = Cell::new(2);
    service.let_fate(move |statement| {
        let extends = statement.starts_with("UPDATE thumbs_jobs SET due_at_ms =");
        if extends && left.get() > 0 {
            left.set(left.get() - 1);
            return Fate::Stopped;
        }
        Fate::Done
    });
    let blobs = Slow { service: &service, clock: &clock, found: RefCell::default(), meanwhile: &|| {} };
    assert_eq!(blobs.wake_up(), Ok(()));
    assert_eq!((service.job(&id).status, service.job(&id).attempts), (Status::Succeeded, 1));
}

#[test]
fn jobs_that_died_with_their_last_worker_do_not_keep_the_next_one_waiting() {
    let (service, dead) = Service::with_job();
    for attempt in 0..3 {
        let now = ManualClock::START.plus_millis(attempt * 30_000);
        service.store.claim(&WorkerId::new("dies"), &POLICY, now).unwrap();
    }
    let next = service.upload();
    service.wake_up(&later(3600));
    service.wake_up(&later(3600));
    assert_eq!((service.job(&dead).status, service.code(&dead).as_str()), (Status::Failed, "worker-lost"));
    assert_eq!(service.job(&next).status, Status::Succeeded);
}
