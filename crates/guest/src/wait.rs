//! Waiting until a job is done: what a request says of it, and the one loop in which it is held.

mod batch;
mod memo;

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, Status};
use thumbs_domain::owner::Reach;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::wait::{preferred_seconds, seconds};

use crate::clock::Clock;
use crate::http::{Failed, Request, Response};
use crate::jobs::{JobStore, StoreError};
use crate::log::Log;
use crate::wake::{Wake, wake_for_overdue};

pub use batch::WaitedBatch;
pub use memo::Memo;

/// The parameter of the query.
pub const PARAMETER: &str = "wait";

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Between two looks at the row: short at first, when most jobs finish, then gentle.
const FIRST_POLL: Duration = Duration::from_millis(10);
const SLOWEST_POLL: Duration = Duration::from_millis(250);

/// How long a request would be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    secs: u64,
    /// It was asked for by `Prefer`, whose answer says whether it was obeyed.
    is_preference: bool,
}

impl Wait {
    /// By the parameter `wait`, whatever else the query has, or where there is none by `Prefer`.
    ///
    /// # Errors
    /// [`Failed::Problem`] where the parameter is no number of seconds, or comes twice. A preference is no demand, and never wrong.
    pub fn of(request: &Request) -> Result<Self, Failed> {
        let pairs = request.query_pairs();
        let mut values = pairs.iter().filter(|(name, _)| name == PARAMETER).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Ok(Self::preferred(request)),
            (Some(value), None) => {
                let secs = seconds(value).ok_or_else(wrong)?;
                Ok(Self { secs, is_preference: false })
            }
            _ => Err(wrong()),
        }
    }

    /// As [`Wait::of`], for an address whose query has this parameter alone.
    ///
    /// # Errors
    /// [`Failed::Problem`] where it has another as well.
    pub fn alone(request: &Request) -> Result<Self, Failed> {
        match request.query_pairs().iter().find(|(name, _)| name != PARAMETER) {
            Some((name, _)) => Err(unknown(name)),
            None => Self::of(request),
        }
    }

    fn preferred(request: &Request) -> Self {
        let headers = request.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let secs = preferred_seconds(&headers.collect::<Vec<_>>().join(","));
        Self { secs: secs.unwrap_or(0), is_preference: secs.is_some() }
    }

    /// Whether the answer is to be held at all.
    pub fn is_asked(self) -> bool {
        self.secs > 0
    }

    /// How much of the wait is over that ends as a memo says, of a request that is so old.
    pub fn spent(self, memo: &Memo, age: Duration) -> Duration {
        Duration::from_secs(self.secs).saturating_sub(memo.until.saturating_sub(age))
    }

    /// Tells a client that preferred to wait for how long it did at most (RFC 7240, section 3).
    pub fn say(self, response: &mut Response) {
        if self.is_preference
            && let Ok(applied) = HeaderValue::from_str(&format!("wait={}", self.secs))
        {
            response.headers_mut().insert(PREFERENCE_APPLIED, applied);
        }
    }
}

fn wrong() -> Failed {
    let detail = "The parameter \"wait\" is given once, in whole seconds: how long the answer is held until the job is done.";
    Failed::problem(ProblemKind::InvalidOption, detail)
}

fn unknown(name: &str) -> Failed {
    let name: String = name.chars().take(40).collect();
    let detail =
        format!("There is no parameter \"{name}\" here. The only one is \"wait\", in whole seconds.");
    Failed::problem(ProblemKind::InvalidOption, detail)
}

/// What it takes to wait for a job.
pub struct Waiter<'a> {
    /// The rows.
    pub store: &'a dyn JobStore,
    /// The way to the workers, for a client that is not to wait for it.
    pub wake: &'a dyn Wake,
    /// The same, for one that waits for the job.
    pub wake_now: &'a dyn Wake,
    /// How much of the wait is over for which the host keeps the request; none where it can't, and this instance has to wait by itself.
    pub parked: Option<Duration>,
    /// Time.
    pub clock: &'a dyn Clock,
    /// The log of this request.
    pub log: &'a Log,
}

/// A job that was waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Waited {
    /// As it stands.
    pub job: Job,
    /// For how long the host is to keep the request yet; zero where it can be answered.
    pub left: Duration,
}

impl Waiter<'_> {
    /// The job once it is done, or as it stands when the wait is over, or at once where the host can wait; none where there is none of this id
    /// within reach. A job that nobody works on makes it wake the workers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(&self, id: &JobId, reach: Reach<'_>, wait: Wait) -> Result<Option<Waited>, StoreError> {
        let wait = Duration::from_secs(wait.secs).saturating_sub(self.parked.unwrap_or_default());
        let give_up_at = self.clock.elapsed() + wait;
        let mut pause = FIRST_POLL;
        let mut has_woken = false;
        loop {
            let Some(job) = self.store.get(id, reach)? else { return Ok(None) };
            if job.status != Status::Processing {
                return Ok(Some(Waited { job, left: Duration::ZERO }));
            }
            let left = give_up_at.saturating_sub(self.clock.elapsed());
            let is_over = left.is_zero() || self.parked.is_some();
            let wake = if is_over { self.wake } else { self.wake_now };
            // Once is enough for one client, and all there is where the store can't note it.
            has_woken = has_woken || wake_for_overdue([&job], self.store, wake, self.clock.now(), self.log);
            if is_over {
                return Ok(Some(Waited { job, left }));
            }
            self.clock.sleep(pause.min(left));
            pause = (pause * 2).min(SLOWEST_POLL);
        }
    }
}
