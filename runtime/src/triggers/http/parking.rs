//! Requests that wait without an instance.
//!
//! A guest that has nothing to say yet may hand its request back: it answers at once, and with a header asks to be asked again when a
//! message with a certain key arrives, or when its time is over. Its instance ends, the host keeps the request, and a fresh instance gets
//! it later. To the client it is one request that takes long.
//!
//! | who | says | by |
//! |---|---|---|
//! | the manifest | which channel carries the keys | `[component.<id>.tool.thumbs] park = { channel }` |
//! | the host | that it can keep this request, and for how long it has | [`PARKED_MS`] in the guest's environment |
//! | the guest | the key, and for how long | [`PARK`] in its response, which no client gets to see |
//! | the guest | that its answer is a beginning, and what the next instance has to know | [`PARK_NOTE`] there, likewise |
//! | the host | what the one before had to say | [`PARKED_NOTE`] in the environment |
//! | the host | that it can keep this request by a note alone | [`PARK_BY_NOTE`] in the environment |
//!
//! A request can be asked again as it was where its method is safe and it has no body. Any other is kept by a note: its guest does what is to be
//! done once, and with the wish leaves a note of it; its answer is not sent, and the next instance finds the request without its body, and the
//! note. Without a note there is no wish.
//!
//! No client can forge the one or the other: neither is in a request. What arrives while a guest is still about to ask counts, so no
//! message falls between. A message may be lost, so a request that waits is tried again after pauses that grow with its age.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    limits::{Limits, length, millis},
    messages::Subscription,
};

/// In the environment of a guest whose request the host can keep: how many milliseconds it has kept it so far.
pub const PARKED_MS: &str = "PARKED_MS";
/// By which a guest asks to be asked again: for how many milliseconds at most, a space, and the key.
pub const PARK: HeaderName = HeaderName::from_static("thumbs-park");

/// By which a guest that asks to be asked again has its answer sent at once, to go on with what the next one answers; its value is for that one.
pub const PARK_NOTE: HeaderName = HeaderName::from_static("thumbs-park-note");
/// In the environment of a guest whose answer goes on: the note of the one before.
pub const PARKED_NOTE: &str = "PARKED_NOTE";

/// In the environment of a guest whose request can't be asked again as it was.
pub(super) const PARK_BY_NOTE: &str = "PARK_BY_NOTE";

/// The longest note, in bytes.
const MAX_NOTE_BYTES: usize = 1_024;

/// The last keys that came: a guest takes a moment between its look at the state and its asking.
const MAX_RECENT_KEYS: usize = 1_024;

/// The requests of one component that wait.
#[derive(Debug)]
pub struct ParkingLot {
    places: Arc<Semaphore>,
    max: usize,
    min_pause: Duration,
    max_pause: Duration,
    bells: Mutex<Bells>,
}

#[derive(Debug, Default)]
struct Bells {
    /// By key.
    waiting: HashMap<Box<str>, Bell>,
    /// The newest last.
    recent: VecDeque<Box<str>>,
    /// How many keys came so far.
    count: u64,
}

#[derive(Debug, Default)]
struct Bell {
    rung: Arc<Notify>,
    waiting: usize,
}

/// What a guest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Park {
    key: Box<str>,
    time: Duration,
    note: Option<Box<str>>,
}

/// A request that may wait.
#[derive(Debug)]
pub(super) struct Parked {
    lot: Arc<ParkingLot>,
    since: Instant,
    /// How many keys had come when its guest was last asked.
    count: u64,
    _place: OwnedSemaphorePermit,
}

impl Park {
    /// Takes the wish out of a response's header. One that makes no sense is none.
    pub(super) fn take(headers: &mut HeaderMap) -> Option<Self> {
        let note = headers.remove(PARK_NOTE);
        let value = headers.remove(PARK)?;
        let (time_ms, key) = value.to_str().ok()?.split_once(' ')?;
        let note = note.as_ref().and_then(|note| note.to_str().ok());
        let note = note.filter(|note| note.len() <= MAX_NOTE_BYTES).map(Box::from);
        Some(Self { key: key.into(), time: millis(time_ms.parse().ok()?), note })
    }

    /// What the next instance has to know; some where the answer is sent as it is and goes on.
    pub(super) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// For how long at most.
    pub(super) fn time(&self) -> Duration {
        self.time
    }
}

impl ParkingLot {
    /// With nobody in it.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(length(limits.max_parked_requests))),
            max: length(limits.max_parked_requests),
            min_pause: millis(limits.min_parked_pause_ms),
            max_pause: millis(limits.max_parked_pause_ms.max(limits.min_parked_pause_ms)),
            bells: Mutex::default(),
        }
    }

    /// Wakes by the keys of a channel until stopped.
    pub async fn listen(self: Arc<Self>, keys: Subscription, stop: CancellationToken) {
        let listening = async {
            while let Some(key) = keys.next().await {
                self.ring(&key);
            }
        };
        tokio::select! {
            () = listening => {}
            () = stop.cancelled() => {}
        }
    }

    /// Wakes whoever waits for this key; an empty one is every key.
    fn ring(&self, key: &[u8]) {
        let Ok(key) = std::str::from_utf8(key) else { return };
        let mut bells = self.lock();
        bells.count += 1;
        if key.is_empty() {
            // What came before is forgotten, so nobody can rule it out.
            bells.recent.clear();
            for bell in bells.waiting.values() {
                bell.rung.notify_waiters();
            }
            return;
        }
        if bells.recent.len() == MAX_RECENT_KEYS {
            bells.recent.pop_front();
        }
        bells.recent.push_back(key.into());
        if let Some(bell) = bells.waiting.get(key) {
            bell.rung.notify_waiters();
        }
    }

    /// How many requests wait, and how many may.
    pub(crate) fn taken(&self) -> (usize, usize) {
        (self.max.saturating_sub(self.places.available_permits()), self.max)
    }

    /// Lets a request wait, where there is room for one more.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Parked> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Parked { lot: Arc::clone(self), since: Instant::now(), count: 0, _place: place })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Bells> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parked {
    /// Its guest is about to be asked: what comes from now on, it may not see.
    pub(super) fn asks(&mut self) {
        self.count = self.lot.lock().count;
    }

    /// For how long it has been here.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Waits until the key comes, its age is `end`, it is time to try again all the same, or the host stops.
    pub(super) async fn wait(&self, park: &Park, end: Duration, stop: &CancellationToken) {
        let rung = Rung::of(&self.lot, &park.key);
        let notified = rung.bell.notified();
        if self.lot.lock().has_come_since(self.count, &park.key) {
            return;
        }
        let age = self.age();
        let pause = age.clamp(self.lot.min_pause, self.lot.max_pause);
        tokio::select! {
            () = notified => {}
            () = tokio::time::sleep(pause.min(end.saturating_sub(age))) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Bells {
    fn has_come_since(&self, count: u64, key: &str) -> bool {
        let came = usize::try_from(self.count - count).unwrap_or(usize::MAX);
        came > self.recent.len() || self.recent.iter().rev().take(came).any(|recent| **recent == *key)
    }
}

/// One who waits for a key. Leaves nothing behind when dropped.
struct Rung<'a> {
    lot: &'a ParkingLot,
    key: &'a str,
    bell: Arc<Notify>,
}

impl<'a> Rung<'a> {
    fn of(lot: &'a ParkingLot, key: &'a str) -> Self {
        let mut bells = lot.lock();
        let bell = bells.waiting.entry(key.into()).or_default();
        bell.waiting += 1;
        let bell = Arc::clone(&bell.rung);
        Self { lot, key, bell }
    }
}

impl Drop for Rung<'_> {
    fn drop(&mut self) {
        let mut bells = self.lot.lock();
        if let Some(bell) = bells.waiting.get_mut(self.key) {
            bell.waiting -= 1;
            if bell.waiting == 0 {
                bells.waiting.remove(self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const FOR_EVER: Duration = Duration::from_secs(600);

    /// No pause ends within a test.
    fn lot() -> Arc<ParkingLot> {
        let limits = Limits { max_parked_requests: 2, min_parked_pause_ms: 600_000, ..Limits::default() };
        Arc::new(ParkingLot::new(&limits))
    }

    fn parked(lot: &Arc<ParkingLot>) -> Parked {
        let mut parked = lot.enter().unwrap();
        parked.asks();
        parked
    }

    fn park(key: &str) -> Park {
        Park { key: key.into(), time: FOR_EVER, note: None }
    }

    #[tokio::test]
    async fn a_key_wakes_whoever_waits_for_it_and_nobody_else() {
        let (lot, stop) = (lot(), CancellationToken::new());
        let (a, b) = (parked(&lot), parked(&lot));
        let (for_a, for_b) = (park("a"), park("b"));
        let (mut a, mut b) =
            (Box::pin(a.wait(&for_a, Duration::MAX, &stop)), Box::pin(b.wait(&for_b, Duration::MAX, &stop)));
        assert!((&mut a).now_or_never().is_none() && (&mut b).now_or_never().is_none());
        lot.ring(b"a");
        a.await;
        assert!((&mut b).now_or_never().is_none());
        lot.ring(b"");
        b.await;
        assert!(lot.lock().waiting.is_empty(), "who is gone leaves nothing");
    }

    #[tokio::test]
    async fn what_came_while_the_guest_was_asked_counts_and_what_came_before_does_not() {
        let (lot, stop) = (lot(), CancellationToken::new());
        lot.ring(b"a");
        let mut parked = parked(&lot);
        assert!(parked.wait(&park("a"), Duration::MAX, &stop).now_or_never().is_none());
        lot.ring(b"a");
        lot.ring(b"b");
        parked.wait(&park("a"), Duration::MAX, &stop).await;
        assert!(parked.wait(&park("c"), Duration::MAX, &stop).now_or_never().is_none());
        parked.asks();
        assert!(parked.wait(&park("a"), Duration::MAX, &stop).now_or_never().is_none());
        for _ in 0..=MAX_RECENT_KEYS {
            lot.ring(b"other");
        }
        parked.wait(&park("a"), Duration::MAX, &stop).await;
        parked.asks();
        lot.ring(b"");
        parked.wait(&park("a"), Duration::MAX, &stop).await;
    }

    #[tokio::test]
    async fn the_time_of_the_guest_and_the_end_of_the_host_end_a_wait() {
        let (lot, stop) = (lot(), CancellationToken::new());
        let parked = parked(&lot);
        parked.wait(&park("a"), Duration::ZERO, &stop).await;
        stop.cancel();
        parked.wait(&park("a"), Duration::MAX, &stop).await;
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let lot = lot();
        let waiting = [lot.enter(), lot.enter()];
        assert!(waiting.iter().all(Option::is_some) && lot.enter().is_none());
        drop(waiting);
        assert!(lot.enter().is_some());
    }

    #[test]
    fn a_wish_is_taken_out_of_the_response_whether_it_makes_sense_or_not() {
        for (value, wish) in [
            ("1500 the key", Some(("the key", 1_500))),
            ("0 k", Some(("k", 0))),
            ("", None),
            ("1500", None),
            ("-1 k", None),
            ("1.5 k", None),
        ] {
            let mut headers = HeaderMap::from_iter([(PARK, value.parse().unwrap())]);
            let wish = |note: Option<&str>| {
                let note = note.map(Box::from);
                wish.map(|(key, ms)| Park { key: key.into(), time: Duration::from_millis(ms), note })
            };
            let mut noted = headers.clone();
            noted.insert(PARK_NOTE, "7".parse().unwrap());
            assert_eq!(Park::take(&mut headers), wish(None), "{value:?}");
            assert_eq!(Park::take(&mut noted), wish(Some("7")), "{value:?}");
            assert!(headers.is_empty() && noted.is_empty());
        }
        assert_eq!(Park::take(&mut HeaderMap::new()), None);
    }
}
