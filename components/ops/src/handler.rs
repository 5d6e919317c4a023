//! Which path gives what.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use thumbs_access::Scope;
use thumbs_domain::dependency::Health;
use thumbs_domain::metric;
use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::clock::Clock;
use thumbs_guest::config::Variables;
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Failed, Request, Response};
use thumbs_guest::jobs::Numbers;
use thumbs_guest::log::Log;
use thumbs_guest::wake::Publish;

use crate::health;

/// What the component works with, for one request.
pub struct Ops<'a> {
    /// The rows.
    pub store: &'a dyn Numbers,
    /// The images.
    pub blobs: &'a dyn Blobs,
    /// The way to the workers.
    pub wake: &'a dyn Publish,
    /// The settings.
    pub variables: &'a dyn Variables,
    /// The last lines of the host's log, where it gives them; long, so asked for by who shows them.
    pub log_tail: fn() -> Option<String>,
    /// Time.
    pub clock: &'a dyn Clock,
    /// The log of this request.
    pub log: &'a Log,
}

impl Ops<'_> {
    /// Answers one request.
    ///
    /// # Errors
    /// [`Failed`], which becomes a problem.
    pub fn handle(&self, request: &Request) -> Result<Response, Failed> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Failed::Method(route::HEALTHZ.allow));
        }
        match request.path.trim_end_matches('/') {
            // That there is an answer is all of it: a database that is down is no reason to start the service anew.
            "/healthz" => Ok(json(StatusCode::OK, &json!({ "status": Health::Ok.name() }))),
            "/readyz" => self.ready(),
            "/healthz/detailed" => Ok(self.detailed(request.caller.may(Scope::Admin))),
            "/metrics" => self.metrics(),
            "/debug/info" => self.info(),
            "/debug/connectivity" => self.connectivity(),
            "/debug/jobs" => self.jobs(request),
            "/debug/logs" => Ok(self.logs()),
            _ => Err(Failed::problem(ProblemKind::NotFound, "There is nothing at this path.")),
        }
    }

    /// The first thing that is needed and does not answer is the reason.
    fn ready(&self) -> Result<Response, Failed> {
        health::database(self.store, self.clock)?;
        health::blobs(self.blobs)?;
        Ok(json(StatusCode::OK, &json!({ "status": Health::Ok.name() })))
    }

    fn metrics(&self) -> Result<Response, Failed> {
        let text = metric::exposition(
            &self.store.tallies()?,
            &self.store.queue(self.clock.now())?,
            env!("CARGO_PKG_VERSION"),
        );
        let mut response = Response::new(text.into_bytes());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(metric::CONTENT_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    fn detailed(&self, with_details: bool) -> Response {
        let probes = health::probes(self);
        let health = Health::of(&probes);
        let dependencies: Vec<_> = probes
            .iter()
            .map(|probe| {
                let row = probe.dependency.row();
                json!({
                    "name": row.name,
                    "is_needed": row.is_needed,
                    "state": if probe.is_up { "up" } else { "down" },
                    "latency_ms": probe.latency_ms,
                    "remedy": (!probe.is_up).then(|| format!("{}.", row.remedy)),
                })
            })
            .collect();
        let status = match health {
            Health::Down => StatusCode::SERVICE_UNAVAILABLE,
            Health::Ok | Health::Degraded => StatusCode::OK,
        };
        match with_details {
            true => json(status, &json!({ "status": health.name(), "dependencies": dependencies })),
            false => json(status, &json!({ "status": health.name() })),
        }
    }
}
