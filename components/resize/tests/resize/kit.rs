//! A service in memory whose statements have the fate that a test gives them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Job, NewJob};
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::message::Message;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::owner::Reach;
use thumbs_domain::retention::Retention;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::clock::Clock;
use thumbs_guest::config;
use thumbs_guest::imaging::Imaging;
use thumbs_guest::jobs::{Life, SqlJobStore, StoreError};
use thumbs_guest::log::Log;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{
    CountingWake, Fate, Faulty, FixedVariables, ManualClock, MemoryBlobs, POLICY, ScriptedImaging, Told,
    new_job,
};
use thumbs_resize::Resize;

pub(crate) const IMAGE: &[u8] = b"an image";

/// What becomes of each statement.
pub(crate) type Fates = Rc<RefCell<Box<dyn FnMut(&str) -> Fate>>>;

pub(crate) struct Service {
    pub(crate) store: Box<dyn Life>,
    pub(crate) fates: Fates,
    pub(crate) blobs: MemoryBlobs,
    pub(crate) wake: CountingWake,
    pub(crate) told: Told,
    pub(crate) callbacks: CountingWake,
    pub(crate) retention: Retention,
    pub(crate) policy: RetryPolicy,
}

impl Service {
    /// Over an empty database, in which nobody sweeps but in tests of that.
    pub(crate) fn new() -> Self {
        let service = Self::over_nothing();
        let never = ManualClock::START.plus_millis(i64::from(u32::MAX));
        service.store.claim_sweep(ManualClock::START, never).unwrap();
        service
    }

    /// Over a database without a table.
    pub(crate) fn over_nothing() -> Self {
        let fates: Fates = Rc::new(RefCell::new(Box::new(|_: &str| Fate::Done)));
        let current = fates.clone();
        let sql = Faulty::new(move |statement: &str| current.borrow_mut()(statement));
        let store = Box::new(SqlJobStore::<_, Sqlite>::new(sql));
        let (blobs, wake) = (MemoryBlobs::default(), CountingWake::default());
        Self {
            store,
            fates,
            blobs,
            wake,
            told: Told::default(),
            callbacks: CountingWake::default(),
            retention: Retention::FOREVER,
            policy: POLICY,
        }
    }

    pub(crate) fn with_job() -> (Self, JobId) {
        let service = Self::new();
        let job = service.upload();
        (service, job)
    }

    /// From here on each statement has the fate that this function gives it.
    pub(crate) fn let_fate(&self, fate: impl FnMut(&str) -> Fate + 'static) {
        *self.fates.borrow_mut() = Box::new(fate);
    }

    pub(crate) fn upload(&self) -> JobId {
        self.upload_job(&new_job())
    }

    pub(crate) fn upload_job(&self, job: &NewJob) -> JobId {
        self.store.create(job).unwrap();
        self.blobs.put(&ObjectKey::upload(&job.id), "image/jpeg", IMAGE).unwrap();
        job.id
    }

    pub(crate) fn handle(
        &self,
        message: Message,
        clock: &dyn Clock,
        imaging: &dyn Imaging,
    ) -> Result<(), StoreError> {
        self.handle_with(&self.blobs, message, clock, imaging)
    }

    /// Over blobs that have ways of their own.
    pub(crate) fn handle_with(
        &self,
        blobs: &dyn Blobs,
        message: Message,
        clock: &dyn Clock,
        imaging: &dyn Imaging,
    ) -> Result<(), StoreError> {
        let resize = Resize {
            store: self.store.as_ref(),
            blobs,
            imaging,
            wake: &self.wake,
            tell: &self.told,
            callbacks: &self.callbacks,
            clock,
            worker: &WorkerId::new("this-one"),
            limits: config::limits(&FixedVariables::small()).unwrap(),
            policy: self.policy,
            retention: self.retention,
            log: &Log::new("test"),
        };
        resize.handle(message)
    }

    pub(crate) fn wake_up(&self, clock: &dyn Clock) {
        assert_eq!(self.handle(Message::WakeUp, clock, &ScriptedImaging::jpeg()), Ok(()));
    }

    pub(crate) fn job(&self, id: &JobId) -> Job {
        self.store.get(id, Reach::All).unwrap().unwrap()
    }

    pub(crate) fn code(&self, id: &JobId) -> String {
        self.job(id).failure.map(|failure| failure.code.into_owned()).unwrap_or_default()
    }
}

pub(crate) fn later(secs: u64) -> ManualClock<'static> {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(secs));
    clock
}
