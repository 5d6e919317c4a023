//! One wake-up: claim a callback, send it, settle it.
//!
//! Whatever breaks in between leaves a lease that ends, and then it is sent again: at least once, as the receiver is told to expect.

use std::time::Duration;

use thumbs_access::CallbackSecrets;
use thumbs_domain::callback::{
    Answer, Callback, CallbackFault, CallbackHosts, CallbackPolicy, CallbackState, CallbackUrl, Envelope,
    LEASE_MS, message_id,
};
use thumbs_domain::event::Event;
use thumbs_domain::id::WorkerId;
use thumbs_domain::job::Job;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::view::JobView;
use thumbs_guest::clock::Clock;
use thumbs_guest::config::Links;
use thumbs_guest::http::signed_link;
use thumbs_guest::jobs::{Callbacks, ClaimedCallback, Lease, StoreError};
use thumbs_guest::log::Log;
use thumbs_guest::wake::Wake;

/// How often a settlement is tried to be written down, and how long between: else what was delivered is delivered once more.
const WRITES: u32 = 5;
const BETWEEN_WRITES: Duration = Duration::from_secs(1);

/// One message, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `webhook-id`: the same in each attempt.
    pub id: String,
    /// `webhook-timestamp`: of this attempt, in seconds since 1970.
    pub timestamp_secs: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// JSON.
    pub body: Vec<u8>,
}

/// Carries a message to a receiver.
pub trait Carry {
    /// Sends it, follows no redirect, and reads no more of the answer than its head.
    ///
    /// # Errors
    /// Why there is no answer.
    fn carry(&self, url: &CallbackUrl, message: &Message) -> Result<Answer, CallbackFault>;
}

/// What the component works with, for one message.
pub struct Teller<'a> {
    /// The rows.
    pub store: &'a dyn Callbacks,
    /// The way to receivers.
    pub carry: &'a dyn Carry,
    /// The way to others that do this.
    pub wake: &'a dyn Wake,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who works: the id under which this message takes its lease.
    pub worker: &'a WorkerId,
    /// Any number.
    pub lot: u32,
    /// Whom it may tell.
    pub hosts: CallbackHosts,
    /// What it signs with.
    pub secrets: CallbackSecrets,
    /// How links to thumbnails are signed.
    pub links: Links,
    /// How often and how long it is tried.
    pub policy: CallbackPolicy,
    /// The log of this message.
    pub log: &'a Log,
}

impl Teller<'_> {
    /// Tells one receiver, if any is to be told. One that does not listen is no error of this call: it is written down.
    ///
    /// # Errors
    /// [`StoreError`] where not even that could be done; the end of the lease makes it good.
    pub fn handle(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let claimed = self.store.claim_callback(self.worker, now.plus_millis(LEASE_MS), now)?;
        let Some(ClaimedCallback { job, more_due }) = claimed else { return Ok(()) };
        let log = self.log.clone().with_correlation_id(job.correlation_id.as_str()).with_job(job.id);
        if more_due {
            self.wake.wake(&log);
        }
        let Some(callback) = &job.callback else {
            return Err(StoreError::Corrupt("a callback without its address".to_owned()));
        };
        self.tell(&job, callback, &log)?;
        // What waited for its receiver to have a place: this was one.
        if self.store.has_due_callback(self.clock.now())? {
            self.wake.wake(&log);
        }
        Ok(())
    }

    fn tell(&self, job: &Job, callback: &Callback, log: &Log) -> Result<(), StoreError> {
        let begun = self.clock.elapsed();
        let answered = match callback.attempts > self.policy.max_attempts {
            // The last one was begun, and nobody knows how it went.
            true => Err(CallbackFault::WorkerLost),
            false => self.attempt(job, callback),
        };
        let took = self.clock.elapsed().saturating_sub(begun);
        let settlement = self.policy.settle(callback.attempts, answered, self.lot, self.clock.now());
        let in_time = self.write_down(|| {
            self.store.settle_callback(Lease { job: &job.id, worker: self.worker }, &settlement)
        })?;
        let (attempt, status, error) =
            (callback.attempts, settlement.status, settlement.fault.map(CallbackFault::name));
        log.event(match settlement.state {
            // Its job was deleted meanwhile, or it is another's by now.
            _ if !in_time => Event::CallbackLeaseLost { attempt, status },
            CallbackState::Delivered => Event::CallbackDelivered {
                attempt,
                status,
                took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            },
            CallbackState::Failed => Event::CallbackFailed { attempt, status, error },
            CallbackState::Pending | CallbackState::Waiting => {
                Event::CallbackPostponed { attempt, status, error }
            }
        });
        Ok(())
    }

    fn attempt(&self, job: &Job, callback: &Callback) -> Result<Answer, CallbackFault> {
        // The operator may have thought better of it since the upload.
        if self.secrets.is_empty() || !self.hosts.allow(&callback.url) {
            return Err(CallbackFault::HostNotAllowed);
        }
        let message = self.message(job, self.clock.now()).ok_or(CallbackFault::BrokenAnswer)?;
        self.carry.carry(&callback.url, &message)
    }

    /// None never happens: everything that a job has can be written as JSON.
    fn message(&self, job: &Job, now: Timestamp) -> Option<Message> {
        // Without keys nobody needs a link that is signed, as where the job is read.
        let link = |path: &str| job.owner.as_ref().and_then(|_| signed_link(&self.links, path, now));
        let envelope = Envelope::new(job, JobView::new(job).signed(link));
        let body = serde_json::to_vec(&envelope).ok()?;
        let (id, timestamp_secs) = (message_id(job), now.unix_millis().div_euclid(1000));
        let signature = self.secrets.sign(&id, timestamp_secs, &body);
        Some(Message { id, timestamp_secs, signature, body })
    }

    /// Asks the store again while it is away.
    fn write_down(&self, write: impl Fn() -> Result<bool, StoreError>) -> Result<bool, StoreError> {
        let mut left = WRITES;
        loop {
            left = left.saturating_sub(1);
            match write() {
                Err(StoreError::Unavailable(_)) if left > 0 => self.clock.sleep(BETWEEN_WRITES),
                written => return written,
            }
        }
    }
}
