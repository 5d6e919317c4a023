//! One key that sends ten times what the service can do, and what three others see of it, each of which sends a job a second.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use thumbs_access::{Entry, Key, KeyName, Scopes};

use crate::{
    client::Client,
    images::Images,
    open::{self, Known, Mix},
    service::Service,
    tally::{End, Kind, Times},
};

/// Others beside the one that floods.
const OTHERS: u8 = 3;

/// Of what the service can do.
const FLOOD: f64 = 10.0;

/// After a refusal a client tries again then.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A client gives a job up then.
const PATIENCE: Duration = Duration::from_secs(60);

const HEAD: &str = "\
| three keys, each a job a second | jobs | done | tries refused | errors | upload to thumbnail, p50 ms | p90 | most |
|---|---|---|---|---|---|---|---|";

/// What the others saw.
#[derive(Default)]
struct Told {
    done: Vec<Duration>,
    jobs: usize,
    tries: Tries,
}

/// Those that came to nothing.
#[derive(Clone, Copy, Default)]
struct Tries {
    refused: usize,
    errors: usize,
}

/// Runs the others alone, and then beside the flood; a table.
pub(crate) async fn run(
    images: &Arc<Images>,
    capacity: f64,
    length: Duration,
    variables: &[String],
) -> Result<String> {
    let keys: Vec<_> = (0..=OTHERS).map(|number| Key::from_random([number; 24])).collect();
    let entries = keys.iter().zip(0..).map(|(key, number)| entry(key, number)).collect::<Result<Vec<_>>>()?;
    let variables = [variables, &[format!("api_keys={}", entries.join(","))]].concat();
    let service = Service::start(&variables)?;
    let clients: Vec<_> =
        keys.iter().map(|key| Client::new(service.address(), Some(key.expose().to_owned()))).collect();
    let (flooder, others) = clients.split_first().context("there are keys")?;

    let idle = all(others, images, length / 2).await;
    let mix = Mix { uploads_per_sec: capacity * FLOOD, polls: 0.0, thumbnails: 0.0 };
    let known = Arc::new(Known::default());
    let flood = open::run(flooder, images, &known, mix, length, 1);
    let (flood, flooded) = tokio::join!(flood, all(others, images, length));
    let flood = flood?;
    let count = |end: fn(End) -> bool| flood.times(|_, how| end(how)).count();
    let refused = flood.times(|_, end| matches!(end, End::Refused(_)));
    Ok(format!(
        "{HEAD}\n{}\n{}\n\nThe flood: {} uploads sent in {} s, {} taken, {} refused (p50 {} ms, p99 {} ms), {} errors; {} of its jobs or the others' were still to be done at the end.",
        idle.row("alone"),
        flooded.row("beside the flood of a fourth"),
        flood.times(|kind, _| kind == Kind::Upload).count(),
        length.as_secs(),
        count(|end| end == End::Good),
        refused.count(),
        refused.ms(500),
        refused.ms(990),
        count(|end| end == End::Error),
        service.queued()?,
    ))
}

fn entry(key: &Key, number: u8) -> Result<String> {
    let name = KeyName::parse(&format!("key-{number}")).context("a name of a key")?;
    let scopes = Scopes::parse("read+write").context("scopes")?;
    Ok(Entry::new(key, name, scopes, None).to_string())
}

impl Told {
    fn row(self, when: &str) -> String {
        let done = Times::new(self.done);
        let [p50, p90, most] = [500, 900, 1000].map(|share| done.ms(share));
        let Tries { refused, errors } = self.tries;
        format!(
            "| {when} | {} | {} | {refused} | {errors} | {p50} | {p90} | {most} |",
            self.jobs,
            done.count()
        )
    }
}

/// All of the others, each a job a second, whatever becomes of the earlier ones.
async fn all(others: &[Client], images: &Arc<Images>, length: Duration) -> Told {
    let told = Arc::new(Mutex::new(Told::default()));
    let begin = Instant::now();
    let mut jobs = Vec::new();
    for second in 0..length.as_secs() {
        for (client, number) in others.iter().zip(0..) {
            let due = begin
                + Duration::from_secs(second)
                + Duration::from_secs(1) / others.len().max(1) as u32 * number;
            tokio::time::sleep_until(due.into()).await;
            let (client, images, told) = (client.clone(), Arc::clone(images), Arc::clone(&told));
            jobs.push(tokio::spawn(async move {
                let mut tries = Tries::default();
                let done = tokio::time::timeout(PATIENCE, one(&client, &images, &mut tries)).await;
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                told.jobs += 1;
                told.tries.refused += tries.refused;
                told.tries.errors += tries.errors;
                if done.is_ok_and(|done| done) {
                    told.done.push(due.elapsed());
                }
            }));
        }
    }
    for job in jobs {
        // One that panicked is not among those that are done.
        let _ = job.await;
    }
    std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One job, from its upload to its thumbnail, however often it has to be asked for; whether there is a thumbnail.
async fn one(client: &Client, images: &Images, tries: &mut Tries) -> bool {
    let image = images.next();
    let id = loop {
        let answer = client.upload(image.clone()).await;
        match End::of(&answer) {
            End::Good => match answer.ok().and_then(|answer| answer.job()) {
                Some((id, _)) => break id,
                None => return false,
            },
            end => tries.pause(end).await,
        }
    };
    loop {
        let answer = client.get(&format!("/jobs/{id}?wait=10")).await;
        match End::of(&answer) {
            End::Good => match answer.ok().and_then(|answer| answer.job()) {
                Some((_, status)) if status == "succeeded" => break,
                Some((_, status)) if status == "processing" => {}
                _ => return false,
            },
            end => tries.pause(end).await,
        }
    }
    loop {
        match End::of(&client.get(&format!("/thumbnails/{id}")).await) {
            End::Good => return true,
            end => tries.pause(end).await,
        }
    }
}

impl Tries {
    /// Before the next one, after one that ended so.
    async fn pause(&mut self, end: End) {
        match end {
            End::Good => {}
            End::Refused(_) => self.refused += 1,
            End::Error => self.errors += 1,
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}
