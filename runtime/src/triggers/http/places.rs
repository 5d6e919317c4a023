//! Who may be there: how many requests run, send their bodies, and sleep, each within a bound of its own, so that none of the three keeps
//! the others out.
//!
//! | a request | has a place among | until |
//! |---|---|---|
//! | that begins, or whose body is there | those that run (`max_concurrent_requests`) | its end |
//! | whose body goes on arriving | those that upload (`max_uploading_requests`) | the body is there, and one that runs has made room |
//! | whose guest goes to sleep | those that wait (`max_waiting_requests`) | its end |
//!
//! Where no place comes free in time (`queue.rs`), a request is refused before it has an instance. One that wants to sleep and finds no place is
//! refused as well, at once, where that harms nobody: its method is safe (RFC 9110, section 9.2.1) and nothing was answered. Any other goes
//! on as one that runs.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::queue::Queue;
use crate::{
    capabilities::clock::OnSleep,
    limits::{Limits, length, millis},
    problem::Problem,
};

/// All places of a server.
#[derive(Debug)]
pub(super) struct Places {
    running: Queue,
    uploading: Queue,
    waiting: Arc<Semaphore>,
    /// How many there are of each.
    max: [usize; 3],
}

/// The place of one request. Free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    held: Mutex<Held>,
    /// The whole body is there, and the request uploads on only for want of a place among those that run.
    has_its_body: AtomicBool,
    /// Nothing is harmed by ending the request without an answer of its own.
    may_end: AtomicBool,
    crowded_out: CancellationToken,
}

#[derive(Debug)]
enum Held {
    Running { _permit: OwnedSemaphorePermit },
    Uploading { _permit: OwnedSemaphorePermit },
    Waiting { _permit: OwnedSemaphorePermit },
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let queue = |limit| Queue::new(length(limit), millis(limits.request_queue_ms));
        let max =
            [limits.max_concurrent_requests, limits.max_uploading_requests, limits.max_waiting_requests];
        Arc::new(Self {
            max: max.map(length),
            running: queue(limits.max_concurrent_requests),
            uploading: queue(limits.max_uploading_requests),
            waiting: Arc::new(Semaphore::new(length(limits.max_waiting_requests))),
        })
    }

    /// A place for a request whose body is there, or is not.
    ///
    /// # Errors
    /// None came free in time.
    pub(super) async fn enter(
        self: &Arc<Self>,
        body_is_there: bool,
        method_is_safe: bool,
    ) -> Result<Arc<Place>, Problem> {
        let held = if body_is_there {
            Held::Running { _permit: self.running.enter().await.ok_or(Problem::Busy)? }
        } else {
            Held::Uploading { _permit: self.uploading.enter().await.ok_or(Problem::TooManyUploads)? }
        };
        Ok(Arc::new(Place {
            places: Arc::clone(self),
            held: Mutex::new(held),
            has_its_body: AtomicBool::new(body_is_there),
            may_end: AtomicBool::new(method_is_safe),
            crowded_out: CancellationToken::new(),
        }))
    }

    /// By what they are for: how many are taken, and how many there are.
    pub(super) fn taken(&self) -> [(&'static str, usize, usize); 3] {
        let [running, uploading, waiting] = self.max;
        [
            ("running", self.running.free(), running),
            ("uploading", self.uploading.free(), uploading),
            ("waiting", self.waiting.available_permits(), waiting),
        ]
        .map(|(name, free, max)| (name, max.saturating_sub(free), max))
    }
}

impl Place {
    /// The whole body is there.
    pub(super) fn body_arrived(&self) {
        self.has_its_body.store(true, Relaxed);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Held::Uploading { .. } = *held
            && let Some(permit) = self.places.running.try_enter()
        {
            *held = Held::Running { _permit: permit };
        }
    }

    /// The answer has begun.
    pub(super) fn answered(&self) {
        self.may_end.store(false, Relaxed);
    }

    /// Comes when the request has to end for want of a place.
    pub(super) async fn crowded_out(&self) {
        self.crowded_out.cancelled().await;
    }

    /// Whether it came.
    pub(super) fn was_crowded_out(&self) -> bool {
        self.crowded_out.is_cancelled()
    }
}

impl OnSleep for Place {
    fn sleeps(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let may_wait = match *held {
            Held::Running { .. } => true,
            Held::Uploading { .. } => self.has_its_body.load(Relaxed),
            Held::Waiting { .. } => false,
        };
        if may_wait {
            match Arc::clone(&self.places.waiting).try_acquire_owned() {
                Ok(permit) => drop(mem::replace(&mut *held, Held::Waiting { _permit: permit })),
                Err(_) if self.may_end.load(Relaxed) => self.crowded_out.cancel(),
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Arc<Places> {
        Places::new(&Limits {
            max_concurrent_requests: 1,
            max_uploading_requests: 1,
            max_waiting_requests: 1,
            request_queue_ms: 0,
            ..Limits::default()
        })
    }

    #[tokio::test]
    async fn one_that_sleeps_makes_room_for_one_that_runs() {
        let places = places();
        let first = places.enter(true, true).await.unwrap();
        assert_eq!(places.enter(true, true).await.err(), Some(Problem::Busy));
        first.sleeps();
        let second = places.enter(true, true).await.unwrap();
        second.sleeps();
        second.crowded_out().await;
        assert!(!first.was_crowded_out());
        drop((first, second));
        assert!(places.enter(true, true).await.is_ok());
        assert_eq!(places.waiting.available_permits(), 1);
    }

    #[tokio::test]
    async fn what_may_not_be_ended_goes_on_as_one_that_runs() {
        let places = places();
        places.enter(true, true).await.unwrap().sleeps();
        let waiting = Arc::clone(&places.waiting).try_acquire_owned().unwrap();
        let unsafe_method = places.enter(true, false).await.unwrap();
        unsafe_method.sleeps();
        assert!(!unsafe_method.was_crowded_out());
        drop(unsafe_method);
        let answered = places.enter(true, true).await.unwrap();
        answered.answered();
        answered.sleeps();
        assert!(!answered.was_crowded_out());
        assert_eq!(places.enter(true, true).await.err(), Some(Problem::Busy));
        drop(waiting);
    }

    #[tokio::test]
    async fn one_that_uploads_runs_when_its_body_is_there() {
        let places = places();
        let upload = places.enter(false, false).await.unwrap();
        assert_eq!(places.enter(false, false).await.err(), Some(Problem::TooManyUploads));
        let running = places.enter(true, true).await.unwrap();
        upload.body_arrived();
        assert_eq!(places.uploading.free(), 0, "there was no room");
        drop(running);
        upload.body_arrived();
        assert_eq!((places.uploading.free(), places.running.free()), (1, 0));
    }

    #[tokio::test]
    async fn one_that_uploads_sleeps_apart_only_when_its_body_is_there() {
        let places = places();
        let _running = places.enter(true, true).await.unwrap();
        let upload = places.enter(false, false).await.unwrap();
        upload.sleeps();
        assert_eq!(places.uploading.free(), 0, "it sleeps until more of its body comes");
        upload.body_arrived();
        assert_eq!(places.uploading.free(), 0, "none that runs made room");
        upload.sleeps();
        assert_eq!((places.uploading.free(), places.waiting.available_permits()), (1, 0));
    }
}
