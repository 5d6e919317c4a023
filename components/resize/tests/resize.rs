//! The resize handler over the real job store and blobs in memory: each way a message can end, and what the row says then.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use thumbs_domain::format::AcceptedFormats;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Job, Status};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::message::{EndReason, Message};
use thumbs_domain::object_key::{Kind, ObjectKey};
use thumbs_domain::owner::Reach;
use thumbs_domain::retention::{Keep, Retention};
use thumbs_domain::variable::Variable;
use thumbs_guest::blobs::{BlobError, BlobReader, BlobWriter, Blobs};
use thumbs_guest::clock::Clock;
use thumbs_guest::config;
use thumbs_guest::digest::sha256;
use thumbs_guest::imaging::{Imaging, ImagingError};
use thumbs_guest::jobs::{Life, SqlJobStore, StoreError};
use thumbs_guest::log::Log;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{
    CountingWake, Fate, Faulty, FixedVariables, ManualClock, MemoryBlobs, POLICY, ScriptedImaging, Told,
    put_job,
};
use thumbs_resize::{Resize, look_at_settings};

const IMAGE: &[u8] = b"an image";

/// What becomes of each statement.
type Fates = Rc<RefCell<Box<dyn FnMut(&str) -> Fate>>>;

struct Service {
    store: Box<dyn Life>,
    fates: Fates,
    blobs: MemoryBlobs,
    wake: CountingWake,
    told: Told,
    retention: Retention,
}

impl Service {
    /// Over an empty database, in which nobody sweeps but in tests of that.
    fn new() -> Self {
        let service = Self::over_nothing();
        let never = ManualClock::START.plus_millis(i64::from(u32::MAX));
        service.store.claim_sweep(ManualClock::START, never).unwrap();
        service
    }

    /// Over a database without a table.
    fn over_nothing() -> Self {
        let fates: Fates = Rc::new(RefCell::new(Box::new(|_: &str| Fate::Done)));
        let current = fates.clone();
        let sql = Faulty::new(move |statement: &str| current.borrow_mut()(statement));
        let store = Box::new(SqlJobStore::<_, Sqlite>::new(sql));
        let (blobs, wake) = (MemoryBlobs::default(), CountingWake::default());
        Self { store, fates, blobs, wake, told: Told::default(), retention: Retention::FOREVER }
    }

    fn with_job() -> (Self, JobId) {
        let service = Self::new();
        let job = service.upload();
        (service, job)
    }

    /// From here on each statement has the fate that this function gives it.
    fn let_fate(&self, fate: impl FnMut(&str) -> Fate + 'static) {
        *self.fates.borrow_mut() = Box::new(fate);
    }

    fn upload(&self) -> JobId {
        let job = put_job(self.store.as_ref());
        self.blobs.put(&ObjectKey::upload(&job), "image/jpeg", IMAGE).unwrap();
        job
    }

    fn handle(&self, message: Message, clock: &dyn Clock, imaging: &dyn Imaging) -> Result<(), StoreError> {
        let resize = Resize {
            store: self.store.as_ref(),
            blobs: &self.blobs,
            imaging,
            wake: &self.wake,
            tell: &self.told,
            clock,
            worker: &WorkerId::new("this-one"),
            limits: config::limits(&FixedVariables::small()).unwrap(),
            policy: POLICY,
            retention: self.retention,
            log: &Log::new("test"),
        };
        resize.handle(message)
    }

    fn wake_up(&self, clock: &dyn Clock) {
        assert_eq!(self.handle(Message::WakeUp, clock, &ScriptedImaging::jpeg()), Ok(()));
    }

    fn job(&self, id: &JobId) -> Job {
        self.store.get(id, Reach::All).unwrap().unwrap()
    }

    fn code(&self, id: &JobId) -> String {
        self.job(id).failure.map(|failure| failure.code.into_owned()).unwrap_or_default()
    }
}

fn later(secs: u64) -> ManualClock<'static> {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(secs));
    clock
}

#[test]
fn a_due_job_gets_its_thumbnail_and_its_receipt() {
    let (service, id) = Service::with_job();
    service.wake_up(&ManualClock::default());
    let job = service.job(&id);
    let thumbnail = job.thumbnail.unwrap();
    let data = b"egami na".to_vec();
    assert_eq!(
        (job.status, job.attempts, thumbnail.bytes, thumbnail.sha256),
        (Status::Succeeded, 1, 8, sha256(&data))
    );
    let key = ObjectKey::thumbnail(&id, &thumbnail.sha256);
    assert_eq!(service.blobs.read(key.as_str()), Some(("image/png".to_owned(), data)));
    let cost = job.cost.unwrap();
    assert_eq!((cost.decode_ms, cost.finish_ms, cost.encode_ms), (1000.0, 2000.0, 3000.0));
    assert_eq!((cost.total_ms, cost.pixels), (6000.0, 1200));
    assert_eq!(service.told.jobs(), [id]);
}

#[test]
fn no_job_no_work() {
    let service = Service::new();
    service.wake_up(&ManualClock::default());
    assert_eq!(service.wake.count(), 0);
}

#[test]
fn more_work_wakes_one_more_worker_before_this_one_begins() {
    let service = Service::new();
    for _ in 0..3 {
        service.upload();
    }
    let woken_at_work = std::cell::Cell::new(0);
    // The decoder sleeps while it works.
    let clock = ManualClock::with_others(|_| woken_at_work.set(service.wake.count()));
    service.wake_up(&clock);
    assert_eq!((woken_at_work.get(), service.wake.count()), (1, 1));
    service.wake_up(&clock);
    service.wake_up(&clock);
    assert_eq!(service.wake.count(), 2, "the last job leaves nobody to wake");
}

#[test]
fn of_a_job_that_was_deleted_meanwhile_nothing_is_left() {
    let (service, id) = Service::with_job();
    let clock = ManualClock::with_others(|_| {
        if service.store.delete(&id, Reach::All).unwrap() {
            service.blobs.delete(&ObjectKey::upload(&id)).unwrap();
        }
    });
    service.wake_up(&clock);
    assert_eq!(service.store.get(&id, Reach::All), Ok(None));
    assert_eq!(service.blobs.keys(), Vec::<String>::new());
}

#[test]
fn what_imaging_refuses_fails_at_once() {
    for (error, code) in [
        (ImagingError::Malformed("the data ends early".into()), "malformed-image"),
        (ImagingError::BudgetUnreachable, "budget-unreachable"),
        (ImagingError::UnsupportedFormat(None), "unsupported-image"),
    ] {
        let (service, id) = Service::with_job();
        let imaging = ScriptedImaging(Err(error));
        assert_eq!(service.handle(Message::WakeUp, &ManualClock::default(), &imaging), Ok(()));
        assert_eq!((service.job(&id).status, service.code(&id).as_str()), (Status::Failed, code));
        assert_eq!(service.blobs.keys(), [ObjectKey::upload(&id).to_string()]);
        assert_eq!(service.told.jobs(), [id]);
    }
}

#[test]
fn an_image_that_is_gone_fails_at_once() {
    let (service, id) = Service::with_job();
    service.blobs.delete(&ObjectKey::upload(&id)).unwrap();
    service.wake_up(&ManualClock::default());
    assert_eq!((service.job(&id).status, service.code(&id).as_str()), (Status::Failed, "source-missing"));
}

#[test]
fn storage_that_is_down_costs_no_attempt_and_is_tried_again_with_growing_pauses() {
    let (service, id) = Service::with_job();
    service.blobs.set_down(true);
    for (setbacks, at_secs, due_at_secs) in [(1, 0, 1), (2, 1, 3), (3, 3, 7), (4, 7, 15)] {
        service.wake_up(&later(at_secs));
        let job = service.job(&id);
        assert_eq!((job.status, job.attempts, job.setbacks), (Status::Processing, 0, setbacks));
        assert_eq!(job.due_at, Some(ManualClock::START.plus_millis(due_at_secs * 1000)));
        assert_eq!(service.code(&id), "storage-unavailable");
        assert!(!job.failure.unwrap().message.contains("secret"));
    }
    assert!(service.told.jobs().is_empty(), "it goes on");
    service.wake_up(&later(14));
    assert_eq!(service.job(&id).setbacks, 4, "nothing is due between the attempts");
    service.blobs.set_down(false);
    service.wake_up(&later(15));
    let job = service.job(&id);
    assert_eq!((job.status, job.attempts, job.failure), (Status::Succeeded, 1, None));
}

#[test]
fn storage_that_stays_down_fails_a_job_once_it_is_old() {
    let (service, id) = Service::with_job();
    service.blobs.set_down(true);
    service.wake_up(&later(u64::from(POLICY.max_job_age_secs) - 1));
    assert_eq!(service.job(&id).status, Status::Processing);
    service.wake_up(&later(u64::from(POLICY.max_job_age_secs)));
    assert_eq!(
        (service.job(&id).status, service.code(&id).as_str()),
        (Status::Failed, "storage-unavailable")
    );
}

#[test]
fn a_job_that_waited_long_in_the_queue_is_tried_all_the_same() {
    let (service, id) = Service::with_job();
    service.wake_up(&later(2 * u64::from(POLICY.max_job_age_secs)));
    assert_eq!(service.job(&id).status, Status::Succeeded);
}

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
        service.blobs.delete(&ObjectKey::upload(&id)).unwrap();
        service.let_fate(first_endings(2, fate));
        service.wake_up(&ManualClock::default());
        assert_eq!((service.job(&id).status, service.code(&id).as_str()), (Status::Failed, "source-missing"));
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

/// Jobs that are done, each with its original and its thumbnail, and a sweep that is due.
fn with_done_jobs(jobs: u32, retention: Retention) -> Service {
    let mut service = Service::new();
    service.retention = retention;
    for _ in 0..jobs {
        service.upload();
        service.wake_up(&ManualClock::default());
    }
    service.store.call_for_sweep(ManualClock::START).unwrap();
    service
}

fn kinds(service: &Service) -> [usize; 2] {
    let keys = service.blobs.keys();
    ["uploads/", "thumbnails/"].map(|kind| keys.iter().filter(|key| key.starts_with(kind)).count())
}

#[test]
fn nothing_goes_that_nobody_said_should() {
    let service = with_done_jobs(3, Retention::FOREVER);
    service.wake_up(&later(100 * 365 * 24 * 3600));
    assert_eq!((kinds(&service), service.wake.count()), ([3, 3], 0));
}

#[test]
fn originals_go_when_their_jobs_are_done_and_those_of_others_stay() {
    let service = with_done_jobs(3, Retention { originals: Keep::UntilDone, ..Retention::FOREVER });
    service.upload();
    let (before, clock) = (service.wake.count(), later(10));
    service.wake_up(&clock);
    assert_eq!(kinds(&service), [1, 3]);
    assert_eq!(service.wake.count() - before, 1, "the job that waits is for another worker");
    service.wake_up(&clock);
    assert_eq!(kinds(&service), [1, 4], "no other sweep within the minute, so the job is made");
    service.wake_up(&later(80));
    assert_eq!(kinds(&service), [0, 4]);
}

#[test]
fn jobs_go_with_all_that_is_theirs_when_they_are_old() {
    let service = with_done_jobs(2, Retention { jobs: Keep::Days(2), ..Retention::FOREVER });
    service.upload();
    service.store.claim(&WorkerId::new("another"), &POLICY, ManualClock::START).unwrap();
    service.wake_up(&later(2 * DAY_SECS));
    assert_eq!(kinds(&service), [3, 2]);
    service.store.call_for_sweep(ManualClock::START).unwrap();
    service.wake_up(&later(2 * DAY_SECS + 1));
    assert_eq!(kinds(&service), [1, 0], "one is not done");
}

#[test]
fn a_sweep_takes_a_little_and_calls_for_another() {
    let service = with_done_jobs(120, Retention { originals: Keep::UntilDone, ..Retention::FOREVER });
    let mut left = Vec::new();
    for _ in 0..3 {
        let before = service.wake.count();
        service.wake_up(&later(10));
        left.push((kinds(&service)[0], service.wake.count() - before));
    }
    assert_eq!(left, [(70, 1), (20, 1), (0, 0)]);
}

#[test]
fn a_blob_that_can_not_be_deleted_is_deleted_by_a_later_sweep() {
    let service = with_done_jobs(60, Retention { originals: Keep::UntilDone, ..Retention::FOREVER });
    service.blobs.set_down(true);
    service.wake_up(&later(10));
    assert_eq!((kinds(&service), service.store.garbage(100).unwrap().len()), ([60, 60], 50));
    service.blobs.set_down(false);
    service.wake_up(&later(11));
    assert_eq!((kinds(&service), service.store.garbage(100).unwrap().len()), ([0, 60], 0));
}

const DAY_SECS: u64 = 24 * 3600;

/// A blob that was stored for a job of this number, so many seconds after the start, of which there never was a row.
fn orphan(service: &Service, number: u64, secs: u64) -> ObjectKey {
    let millis = u64::try_from(ManualClock::START.unix_millis()).unwrap() + 1000 * secs;
    let digits = format!("{millis:012x}");
    let (high, low) = digits.split_at(8);
    let job = JobId::parse(&format!("{high}-{low}-7000-8000-{number:012x}")).unwrap();
    let key = match number % 2 {
        0 => ObjectKey::upload(&job),
        _ => ObjectKey::thumbnail(&job, &sha256(IMAGE)),
    };
    service.blobs.put(&key, "image/jpeg", IMAGE).unwrap();
    key
}

fn sweep(service: &Service, secs: u64) {
    service.store.call_for_sweep(ManualClock::START).unwrap();
    service.wake_up(&later(secs));
}

fn is_there(service: &Service, key: &ObjectKey) -> bool {
    service.blobs.read(key.as_str()).is_some()
}

#[test]
fn a_blob_that_no_job_ever_had_goes_when_it_is_old_and_no_other() {
    let service = with_done_jobs(3, Retention { orphans: Keep::Days(7), ..Retention::FOREVER });
    let waits = service.upload();
    service.store.claim(&WorkerId::new("another"), &POLICY, ManualClock::START).unwrap();
    let before = orphan(&service, 1, 0);
    sweep(&service, 10);
    let (upload, thumbnail) = (orphan(&service, 2, 20), orphan(&service, 3, 20));
    let done = service.blobs.keys().into_iter().find(|key| key.starts_with("thumbnails/")).unwrap();
    let young = orphan(&service, 4, 2 * DAY_SECS);
    sweep(&service, 7 * DAY_SECS);
    assert!(is_there(&service, &upload) && is_there(&service, &thumbnail), "not yet");
    sweep(&service, 8 * DAY_SECS);
    assert!(!is_there(&service, &upload) && !is_there(&service, &thumbnail));
    assert!(is_there(&service, &young));
    assert!(is_there(&service, &before), "it lay there before anybody swept, and may be another's");
    assert!(is_there(&service, &ObjectKey::upload(&waits)) && service.blobs.read(&done).is_some());
    assert_eq!(kinds(&service), [5, 4]);
}

#[test]
fn a_thumbnail_that_its_job_does_not_name_goes_too() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    let id = service.upload();
    let other = ObjectKey::thumbnail(&id, &sha256(b"of a worker that came late"));
    service.blobs.put(&other, "image/png", b"late").unwrap();
    service.store.look(Kind::Thumbnail, ManualClock::START.plus_millis(-1000)).unwrap();
    sweep(&service, 2 * DAY_SECS);
    assert!(is_there(&service, &other), "the job may have it yet");
    service.wake_up(&later(1));
    service.store.look(Kind::Thumbnail, ManualClock::START.plus_millis(-1000)).unwrap();
    sweep(&service, 2 * DAY_SECS);
    assert_eq!((is_there(&service, &other), kinds(&service)), (false, [1, 1]));
}

#[test]
fn orphans_go_a_page_at_a_time_and_what_fails_is_looked_at_again() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    for number in 0..1200 {
        orphan(&service, 2 * number, 1 + number);
    }
    let mut left = Vec::new();
    for _ in 0..4 {
        let before = service.wake.count();
        sweep(&service, 2 * DAY_SECS);
        left.push((kinds(&service)[0], service.wake.count() - before));
    }
    assert_eq!(left, [(700, 1), (200, 1), (0, 0), (0, 0)]);
    let late = orphan(&service, 2, 2 * DAY_SECS);
    service.blobs.set_down(true);
    sweep(&service, 4 * DAY_SECS);
    service.blobs.set_down(false);
    assert!(is_there(&service, &late));
    sweep(&service, 4 * DAY_SECS);
    assert!(!is_there(&service, &late));
}

#[test]
fn a_clock_that_was_far_ahead_hides_no_orphan() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 400 * DAY_SECS);
    sweep(&service, 1);
    let key = orphan(&service, 2, 5);
    sweep(&service, 2 * DAY_SECS);
    assert!(!is_there(&service, &key));
}
