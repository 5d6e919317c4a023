//! An open loop: requests start at moments that were drawn before, whatever became of the earlier ones.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    client::Client,
    images::Images,
    random::Random,
    tally::{End, Kind, Tally},
};

/// Requests that are open at a time; one that would be more is not sent and counts as an error. Beyond it a machine is out of sockets.
const MAX_OPEN: usize = 8_000;

/// Jobs of which one is drawn to be asked for.
const MAX_KNOWN: usize = 500;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) uploads_per_sec: f64,
    /// Looks at a job, for each upload.
    pub(crate) polls: f64,
    /// Downloads, for each upload.
    pub(crate) thumbnails: f64,
}

impl Mix {
    pub(crate) fn per_sec(&self, kind: Kind) -> f64 {
        self.uploads_per_sec
            * match kind {
                Kind::Upload => 1.0,
                Kind::Poll => self.polls,
                Kind::Thumbnail => self.thumbnails,
            }
    }

    /// When which request starts, from the beginning. Clients know nothing of one another, so the pauses between them are drawn from an
    /// exponential distribution.
    fn moments(&self, length: Duration, random: &mut Random) -> Vec<(Duration, Kind)> {
        let mut moments = Vec::new();
        for kind in Kind::ALL.into_iter().filter(|kind| self.per_sec(*kind) > 0.0) {
            let mut at = pause(self.per_sec(kind), random);
            while at < length {
                moments.push((at, kind));
                at += pause(self.per_sec(kind), random);
            }
        }
        moments.sort_by_key(|(at, _)| *at);
        moments
    }
}

fn pause(per_sec: f64, random: &mut Random) -> Duration {
    Duration::from_secs_f64(random.exponential() / per_sec)
}

/// Jobs that clients may ask for: the last ones that were taken, and the last ones of which one saw the end.
#[derive(Default)]
pub(crate) struct Known {
    taken: Mutex<VecDeque<String>>,
    done: Mutex<VecDeque<String>>,
}

impl Known {
    pub(crate) fn taken(&self, id: &str) {
        push(&self.taken, id);
    }

    pub(crate) fn done(&self, id: &str) {
        push(&self.done, id);
    }

    fn draw(jobs: &Mutex<VecDeque<String>>, random: &mut Random) -> Option<String> {
        let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(random.below(jobs.len())).cloned()
    }
}

fn push(jobs: &Mutex<VecDeque<String>>, id: &str) {
    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.push_back(id.to_owned());
    if jobs.len() > MAX_KNOWN {
        jobs.pop_front();
    }
}

/// Sends all of it, and waits for the last answer.
pub(crate) async fn run(
    client: &Client,
    images: &Arc<Images>,
    known: &Arc<Known>,
    mix: Mix,
    length: Duration,
    seed: u64,
) -> Result<Arc<Tally>> {
    let tally = Arc::new(Tally::default());
    let mut random = Random::new(seed);
    let moments = mix.moments(length, &mut random);
    let sender = Sender {
        client: client.clone(),
        images: Arc::clone(images),
        known: Arc::clone(known),
        tally: Arc::clone(&tally),
        open: Arc::new(AtomicUsize::new(0)),
    };
    let runtime = tokio::runtime::Handle::current();
    // A thread of its own: Tokio's timers are good to a millisecond, and its threads have other things to do.
    let sent = tokio::task::spawn_blocking(move || {
        let begin = Instant::now();
        let send = |(at, kind)| {
            let due = begin + at;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let id = match kind {
                Kind::Upload => String::new(),
                // Before the first job is known there is nothing to ask for.
                Kind::Poll => Known::draw(&sender.known.taken, &mut random)?,
                Kind::Thumbnail => Known::draw(&sender.known.done, &mut random)?,
            };
            Some(runtime.spawn(sender.clone().send(kind, id, due)))
        };
        moments.into_iter().filter_map(send).collect::<Vec<_>>()
    });
    for request in sent.await? {
        request.await?;
    }
    Ok(tally)
}

#[derive(Clone)]
struct Sender {
    client: Client,
    images: Arc<Images>,
    known: Arc<Known>,
    tally: Arc<Tally>,
    open: Arc<AtomicUsize>,
}

impl Sender {
    async fn send(self, kind: Kind, id: String, due: Instant) {
        let end =
            if self.open.fetch_add(1, Relaxed) < MAX_OPEN { self.ask(kind, &id).await } else { End::Error };
        self.tally.add(kind, end, due.elapsed());
        self.open.fetch_sub(1, Relaxed);
    }

    async fn ask(&self, kind: Kind, id: &str) -> End {
        let answer = match kind {
            Kind::Upload => self.client.upload(self.images.next()).await,
            Kind::Poll => self.client.get(&format!("/jobs/{id}")).await,
            Kind::Thumbnail => self.client.get(&format!("/thumbnails/{id}")).await,
        };
        let end = End::of(&answer);
        if let (End::Good, Ok(answer)) = (end, &answer)
            && kind != Kind::Thumbnail
            && let Some((id, status)) = answer.job()
        {
            match (kind, status.as_str()) {
                (Kind::Upload, _) => self.known.taken(&id),
                (_, "succeeded") => self.known.done(&id),
                _ => {}
            }
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_start_as_are_asked_for_and_the_same_each_time() {
        let mix = Mix { uploads_per_sec: 100.0, polls: 4.0, thumbnails: 0.0 };
        let moments = |seed| mix.moments(Duration::from_secs(100), &mut Random::new(seed));
        let count = |kind| moments(1).iter().filter(|(_, of)| *of == kind).count();
        assert!((9_500..10_500).contains(&count(Kind::Upload)), "{}", count(Kind::Upload));
        assert!((39_000..41_000).contains(&count(Kind::Poll)), "{}", count(Kind::Poll));
        assert_eq!(count(Kind::Thumbnail), 0);
        assert_eq!(moments(1), moments(1));
        assert_ne!(moments(1), moments(2));
    }
}
