//! How often one client may ask: a token for each request that the gate let in, of its key's bucket, or where it has none of its address's.
//!
//! Who is not let in costs no token, and nobody else's either. Requests that need nothing (pages, health) or run the service (the scope
//! `admin`) cost none. Where the job store can't count, requests are let through: a bound protects the service, and must not be what stops it.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use thumbs_access::Scope;
use thumbs_domain::address::{TrustedProxies, bucket};
use thumbs_domain::event::Event;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::rate::{Class, Rate, Tokens};
use thumbs_domain::route::{self, Needs};
use thumbs_domain::timestamp::Timestamp;

use super::park::Offer;
use super::{Failed, Request, Response};
use crate::clock::Clock;
use crate::config::{ConfigError, Database, HostVariables, RateBounds};
use crate::jobs::{self, StoreError};
use crate::log::Log;

/// Set by the host. Spin leaves one of the client's before its own.
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where it is counted how often somebody asks.
pub trait Meter {
    /// Takes a token out of a bucket, if there is one. None where the request took one before.
    ///
    /// # Errors
    /// [`StoreError`].
    fn take(&self, bucket: &str, rate: Rate, now: Timestamp) -> Result<Option<Tokens>, StoreError>;
}

/// The job store's database, which is looked for only where there is a bound.
#[derive(Clone, Copy, Debug)]
pub struct HostMeter;

impl Meter for HostMeter {
    fn take(&self, bucket: &str, rate: Rate, now: Timestamp) -> Result<Option<Tokens>, StoreError> {
        // One that the host has kept and brings again is still the same request.
        if Offer::of_host().is_kept() {
            return Ok(None);
        }
        let database =
            Database::read(&HostVariables).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        jobs::open_rates(&database).take(bucket, rate, now).map(Some)
    }
}

/// Counts no request.
#[derive(Clone, Copy, Debug)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn take(&self, _: &str, _: Rate, _: Timestamp) -> Result<Option<Tokens>, StoreError> {
        Ok(None)
    }
}

/// What a request was told of its bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Throttled {
    class: Class,
    rate: Rate,
    tokens: Tokens,
}

/// Takes a token for a request that the gate let in; none where its kind has no bound.
///
/// # Errors
/// [`Failed::Config`], where what bounds it makes no sense.
pub(super) fn take(
    request: &Request,
    bounds: Result<RateBounds, ConfigError>,
    meter: &dyn Meter,
    clock: &dyn Clock,
    log: &Log,
) -> Result<Option<Throttled>, Failed> {
    // What pages and probes ask has no bound, so none that makes no sense stops it.
    let Some(class) = class(request) else { return Ok(None) };
    let bounds = bounds?;
    let Some(rate) = bounds.of(class) else { return Ok(None) };
    let bucket = match (request.caller.owner(), client(request, &bounds.proxies)) {
        (Some(owner), _) => format!("{} key {owner}", class.name()),
        (None, Some(address)) => format!("{} address {}", class.name(), bucket(address)),
        // The host tells none: all such clients are one.
        (None, None) => format!("{} address unknown", class.name()),
    };
    let tokens = match meter.take(&bucket, rate, clock.now()) {
        Ok(Some(tokens)) => tokens,
        Ok(None) => return Ok(None),
        Err(error) => {
            log.event(Event::RateNotCounted { cause: &error.to_string() });
            return Ok(None);
        }
    };
    if !tokens.is_taken {
        let key = request.caller.owner().map(|owner| owner.as_str());
        log.event(Event::RateExceeded { class: class.name(), key });
    }
    Ok(Some(Throttled { class, rate, tokens }))
}

fn class(request: &Request) -> Option<Class> {
    match route::find(&request.path)?.needs(request.method.as_str())? {
        Needs::Key(Scope::Write) | Needs::KeyOrLink(Scope::Write) => Some(Class::Writes),
        Needs::Key(Scope::Read) | Needs::KeyOrLink(Scope::Read) => Some(Class::Reads),
        Needs::Key(Scope::Admin)
        | Needs::KeyOrLink(Scope::Admin)
        | Needs::KeyAlways(_)
        | Needs::Anything(_)
        | Needs::Nothing => None,
    }
}

/// Whose address a request comes from, as the host and proxies that are trusted tell it.
fn client(request: &Request, proxies: &TrustedProxies) -> Option<IpAddr> {
    let told = request.headers.get_all(CLIENT_ADDR).iter().next_back()?;
    let peer = told.to_str().ok()?.parse::<SocketAddr>().ok()?.ip();
    let all = |name: HeaderName| {
        // What is no text is no address, and so is what stands for it.
        let values: Vec<_> =
            request.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect();
        (!values.is_empty()).then(|| values.join(","))
    };
    Some(proxies.client(peer, all(X_FORWARDED_FOR).as_deref(), all(FORWARDED).as_deref()))
}

impl Throttled {
    /// Lets the request on, or not.
    pub(super) fn pass(&self) -> Result<(), Failed> {
        if self.tokens.is_taken {
            return Ok(());
        }
        let (class, secs) = (self.class.name(), self.rate.next_in_secs());
        let detail = format!("More {class} came than one client may send. Send this again after {secs} s.");
        Err(Failed::problem(ProblemKind::TooManyRequests, detail))
    }

    /// Says in an answer how much is left.
    pub(super) fn say(&self, response: &mut Response) {
        let is_refusal = !self.tokens.is_taken && response.status() == StatusCode::TOO_MANY_REQUESTS;
        let headers = response.headers_mut();
        let values = [
            (RATE_LIMIT_POLICY, self.rate.policy_header(self.class)),
            (RATE_LIMIT, self.tokens.header(self.class)),
        ];
        for (name, value) in values {
            headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
        }
        if is_refusal {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.rate.next_in_secs()));
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
