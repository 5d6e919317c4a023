//! Who asks, and whether they may: decided once, before a handler sees the request, by what the route needs
//! (`thumbs_domain::route`) and the keys that the operator lists (`thumbs_access`). Where none is listed, everybody may do everything.
//!
//! What is not among the routes is refused, so that a new address is open to nobody by mistake. That a job is another's is not decided
//! here: the store gives each caller the jobs within its reach, and others are not there.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;
use thumbs_access::{Entry, Found, Key, Keys, Scope, Signature};
use thumbs_domain::event::Event;
use thumbs_domain::job::Job;
use thumbs_domain::owner::{Owner, Reach};
use thumbs_domain::problem::{Problem, ProblemKind};
use thumbs_domain::route::{self, Needs};
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::view::{JobView, SignedLink};

use super::{Failed, Request};
use crate::clock::Clock;
use crate::config::{self, Links, Variables};
use crate::log::Log;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Links that are made within a tenth of their life are the same, so that a browser that asks for the job again need not ask for its
/// picture again.
const LINKS_OF_A_LIFE: i64 = 10;

/// Who asks.
#[derive(Clone, Debug, Default)]
pub enum Caller {
    /// Nobody needs a key here.
    #[default]
    Anybody,
    /// Who holds this key.
    Holder(Box<Holder>),
    /// Who has a signed link to what is asked for.
    LinkUntil(Timestamp),
    /// Who showed nothing, for what needs nothing.
    Stranger,
}

/// Who holds a key.
#[derive(Clone, Debug)]
pub struct Holder {
    entry: Entry,
    links: Links,
    now: Timestamp,
}

impl Caller {
    /// Whether who asks has this scope.
    pub fn may(&self, scope: Scope) -> bool {
        match self {
            Self::Anybody => true,
            Self::Holder(holder) => holder.entry.may(scope),
            Self::LinkUntil(_) | Self::Stranger => false,
        }
    }

    /// Whose jobs who asks may come upon.
    pub fn reach(&self) -> Reach<'_> {
        match self {
            // A link is to one thumbnail, and got here for that one.
            Self::Anybody | Self::LinkUntil(_) => Reach::All,
            Self::Holder(holder) if holder.entry.may(Scope::Admin) => Reach::All,
            Self::Holder(holder) => Reach::Of(holder.entry.name()),
            Self::Stranger => Reach::Nothing,
        }
    }

    /// Whose a job is that who asks makes.
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Holder(holder) => Some(holder.entry.name()),
            Self::Anybody | Self::LinkUntil(_) | Self::Stranger => None,
        }
    }

    /// `Cache-Control` of bytes that never change under their address: for so many seconds they may be kept by all, where a key was
    /// needed by who asked alone, and under a signed link no longer than that is good.
    pub fn keep(&self, secs: i64, now: Timestamp) -> HeaderValue {
        let (who, secs) = match self {
            Self::Anybody | Self::Stranger => ("public", secs),
            Self::Holder(_) => ("private", secs),
            Self::LinkUntil(end) => ("public", secs.min(end.millis_since(now) / 1000).max(0)),
        };
        let value = HeaderValue::try_from(format!("{who}, max-age={secs}, immutable"));
        value.unwrap_or(HeaderValue::from_static("no-store"))
    }

    /// A job as who asks may see it.
    pub fn view<'a>(&self, job: &'a Job) -> JobView<'a> {
        let view = JobView::new(job);
        match self {
            Self::Holder(holder) => {
                let owner = job.owner.as_ref().filter(|_| holder.entry.may(Scope::Admin));
                view.signed(|path| holder.link(path)).owned(owner)
            }
            Self::Anybody | Self::LinkUntil(_) | Self::Stranger => view,
        }
    }
}

impl Holder {
    fn link(&self, path: &str) -> Option<SignedLink> {
        signed_link(&self.links, path, self.now)
    }
}

/// A link to the thumbnail at this path that is good without a key; none where links are not signed.
pub fn signed_link(links: &Links, path: &str, now: Timestamp) -> Option<SignedLink> {
    let now = now.unix_millis().div_euclid(1000);
    let step = (links.secs / LINKS_OF_A_LIFE).max(1);
    let expires = (now + links.secs).div_euclid(step) * step;
    let signature = links.secrets.sign(path, expires)?;
    let expires_at = Timestamp::from_unix_millis(expires.saturating_mul(1000));
    Some(SignedLink { href: format!("{path}{}", signature.query()), expires_at })
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// No key came.
    #[error("no key")]
    NoKey,
    /// What came is no key, or more than one.
    #[error("malformed key")]
    Malformed,
    /// Nobody has this key.
    #[error("unknown key")]
    Unknown,
    /// The key was good once.
    #[error("expired key")]
    Expired,
    /// The key is good, and not for this.
    #[error("missing scope")]
    Scope(Scope),
    /// The link is not the service's.
    #[error("wrong signature")]
    Signature,
    /// The link was the service's once.
    #[error("expired link")]
    LinkExpired,
}

impl Refused {
    /// As the client reads it, and the value of `WWW-Authenticate` (RFC 6750, section 3) where a key would help.
    pub(super) fn told(self) -> (Problem, Option<HeaderValue>) {
        let needed = |detail: &'static str, challenge: &'static str| {
            (Problem::new(ProblemKind::KeyNeeded, detail), Some(HeaderValue::from_static(challenge)))
        };
        let invalid = "Bearer realm=\"thumbs\", error=\"invalid_token\"";
        match self {
            Self::NoKey => needed(
                "This service needs an API key. Send it as \"Authorization: Bearer <key>\" or \"X-Api-Key: <key>\".",
                "Bearer realm=\"thumbs\"",
            ),
            Self::Malformed => needed(
                "What was sent is not one API key. A key begins with \"thumbs_\" and has 46 characters; send it once.",
                invalid,
            ),
            Self::Unknown => needed("This API key is not known here.", invalid),
            Self::Expired => needed("This API key has expired. Ask the operator for a new one.", invalid),
            Self::Scope(scope) => {
                let detail =
                    format!("This API key has not the scope \"{}\", which the request needs.", scope.name());
                let challenge = format!(
                    "Bearer realm=\"thumbs\", error=\"insufficient_scope\", scope=\"{}\"",
                    scope.name()
                );
                (Problem::new(ProblemKind::ScopeMissing, detail), HeaderValue::try_from(challenge).ok())
            }
            Self::Signature => {
                (Problem::new(ProblemKind::LinkRefused, "This link was not signed by this service."), None)
            }
            Self::LinkExpired => (
                Problem::new(ProblemKind::LinkRefused, "This link has expired. Ask for the job again."),
                None,
            ),
        }
    }
}

/// Lets a request in, or not.
///
/// # Errors
/// [`Failed`]: who asks may not, there is nothing at this path, or the keys of the operator make no sense, and then nobody may.
pub fn admit(
    request: &Request,
    variables: &dyn Variables,
    clock: &dyn Clock,
    log: &Log,
) -> Result<Caller, Failed> {
    let row = route::find(&request.path)
        .ok_or_else(|| Failed::problem(ProblemKind::NotFound, "There is nothing at this path."))?;
    let needs = row.needs(request.method.as_str()).ok_or(Failed::Method(row.allow))?;
    if needs == Needs::Nothing {
        return Ok(Caller::Stranger);
    }
    let keys = config::keys(variables)?;
    if keys.is_empty() {
        return match needs {
            Needs::KeyAlways(_) => Err(Failed::problem(
                ProblemKind::NotFound,
                "This is only there where the service has API keys (\"api_keys\"), for one with the scope \"admin\".",
            )),
            _ => Ok(Caller::Anybody),
        };
    }
    let gate = Gate { keys: &keys, variables, now: clock.now(), log };
    let caller = match needs {
        Needs::Nothing => Caller::Stranger,
        Needs::Key(scope) | Needs::KeyAlways(scope) => gate.holder(request, Some(scope), needs)?,
        Needs::Anything(_) if shown(&request.headers).next().is_none() => Caller::Stranger,
        Needs::Anything(_) => gate.holder(request, None, needs)?,
        Needs::KeyOrLink(scope) => match signature(request) {
            Some(signature) if shown(&request.headers).next().is_none() => gate.link(request, signature)?,
            _ => gate.holder(request, Some(scope), needs)?,
        },
    };
    Ok(caller)
}

struct Gate<'a> {
    keys: &'a Keys,
    variables: &'a dyn Variables,
    now: Timestamp,
    log: &'a Log,
}

impl Gate<'_> {
    fn holder(&self, request: &Request, scope: Option<Scope>, needs: Needs) -> Result<Caller, Failed> {
        let key = key(&request.headers).map_err(|refused| self.refuse(refused, None))?;
        let entry = match self.keys.find(&key, self.now.unix_millis().div_euclid(1000)) {
            Found::Good(entry) => entry,
            Found::Expired(entry) => return Err(self.refuse(Refused::Expired, Some(entry))),
            Found::Nothing => return Err(self.refuse(Refused::Unknown, None)),
        };
        if let Some(scope) = scope.filter(|scope| !entry.may(*scope)) {
            return Err(self.refuse(Refused::Scope(scope), Some(entry)));
        }
        // What only runs the service shows no job, and is not given what signs links to them.
        let shows_jobs =
            !matches!(needs, Needs::Key(Scope::Admin) | Needs::KeyAlways(_) | Needs::Anything(_));
        let links = if shows_jobs { Links::read(self.variables)? } else { Links::default() };
        Ok(Caller::Holder(Box::new(Holder { entry: entry.clone(), links, now: self.now })))
    }

    fn link(&self, request: &Request, signature: Option<Signature>) -> Result<Caller, Failed> {
        let links = Links::read(self.variables)?;
        let path = format!("/{}", route::segments(&request.path).collect::<Vec<_>>().join("/"));
        let signature = signature
            .filter(|signature| links.secrets.have_signed(&path, signature))
            .ok_or_else(|| self.refuse(Refused::Signature, None))?;
        let until = Timestamp::from_unix_millis(signature.expires.saturating_mul(1000));
        if until < self.now {
            return Err(self.refuse(Refused::LinkExpired, None));
        }
        Ok(Caller::LinkUntil(until))
    }

    fn refuse(&self, refused: Refused, entry: Option<&Entry>) -> Failed {
        let key = entry.map(|entry| entry.name().as_str());
        self.log.event(Event::CallerRefused { reason: &refused.to_string(), key });
        Failed::Refused(refused)
    }
}

/// What was sent as keys. Another scheme than `Bearer` is none: browsers and proxies add theirs by themselves.
fn shown(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| bearer(value.to_str().ok()?));
    // One that is no text is no key either.
    let bare = headers.get_all(X_API_KEY).iter().map(|value| value.to_str().unwrap_or_default());
    bearer.chain(bare).map(str::trim)
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.trim_start().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The one key that came.
fn key(headers: &HeaderMap) -> Result<Key, Refused> {
    let mut shown = shown(headers);
    let other = if headers.contains_key(AUTHORIZATION) { Refused::Malformed } else { Refused::NoKey };
    let key = Key::parse(shown.next().ok_or(other)?).ok_or(Refused::Malformed)?;
    if shown.next().is_some() { Err(Refused::Malformed) } else { Ok(key) }
}

/// The signature of a request that has one, or half of one: then it is not a good one.
fn signature(request: &Request) -> Option<Option<Signature>> {
    let pairs = request.query_pairs();
    let only = |wanted: &str| {
        let mut values = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
        let first = values.next();
        first.filter(|_| values.next().is_none())
    };
    if !pairs.iter().any(|(name, _)| name == "expires" || name == "signature") {
        return None;
    }
    let whole = || {
        let (expires, text) = (only("expires")?, only("signature")?);
        let digits = expires.bytes().all(|byte| byte.is_ascii_digit());
        let expires = expires.parse().ok().filter(|_| digits)?;
        Some(Signature { expires, text: text.to_string() })
    };
    Some(whole())
}

#[cfg(all(test, feature = "testing"))]
mod tests;
