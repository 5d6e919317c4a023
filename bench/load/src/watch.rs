//! The service while a part of the load goes on, and how it comes back to rest.

use std::{
    pin::pin,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;

use crate::{service::Service, tally::Times};

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// No longer is a queue waited for that does not get empty.
const REST_PATIENCE: Duration = Duration::from_secs(90);

/// What was seen of a service.
pub(crate) struct Seen {
    /// Jobs that ended while the load went on.
    pub(crate) ended: u64,
    /// How long these took, from being taken to their end.
    pub(crate) turnarounds: Times,
    /// The most jobs that waited or were being made.
    pub(crate) queued: u64,
    /// The most resident memory.
    pub(crate) resident_bytes: u64,
    /// From the last moment at which a request was to start until nothing waited; none where that took longer than anybody looked.
    pub(crate) rest: Option<Duration>,
}

/// Looks on while requests start for `length` and until the service is at rest again. What comes of `load` is given back.
pub(crate) async fn during<T>(
    service: &Service,
    length: Duration,
    load: impl Future<Output = Result<T>>,
) -> Result<(T, Seen)> {
    let (begin, begin_ms, ended_before) = (Instant::now(), now_ms()?, service.ended()?);
    let mut seen =
        Seen { ended: 0, turnarounds: Times::new(Vec::new()), queued: 0, resident_bytes: 0, rest: None };
    let mut end_ms = None;
    let mut load = pin!(load);
    let mut result = None;
    while seen.rest.is_none() && begin.elapsed() < length + REST_PATIENCE {
        tokio::select! {
            done = &mut load, if result.is_none() => result = Some(done?),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let queued = service.queued()?;
        seen.queued = seen.queued.max(queued);
        seen.resident_bytes = seen.resident_bytes.max(service.resident_bytes()?);
        if begin.elapsed() >= length && end_ms.is_none() {
            end_ms = Some(now_ms()?);
            seen.ended = service.ended()? - ended_before;
        }
        if end_ms.is_some() && queued == 0 && result.is_some() {
            seen.rest = Some(begin.elapsed().saturating_sub(length));
        }
    }
    let result = match result {
        Some(result) => result,
        None => load.await?,
    };
    seen.turnarounds = service.turnarounds(begin_ms, end_ms.unwrap_or(i64::MAX))?;
    Ok((result, seen))
}

fn now_ms() -> Result<i64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?)
}
