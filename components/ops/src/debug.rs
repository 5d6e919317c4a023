//! What an operator asks who looks for a fault: how the service is set up, what it reaches, what its queue holds. For an admin's key alone
//! (`Needs::KeyAlways`), so addresses may be named here; what is secret is not shown to them either, and the words of drivers stay in the log.

use http::StatusCode;
use serde_json::{Value, json};
use thumbs_domain::dependency::{Dependency, Probe};
use thumbs_domain::job::{Job, Status};
use thumbs_domain::list::ListQuery;
use thumbs_domain::variable::{EDGE, Variable};
use thumbs_guest::config;
use thumbs_guest::http::response::json;
use thumbs_guest::http::{Failed, Request, Response};
use thumbs_guest::jobs::Page;

use crate::{Ops, health};

/// The component that this is, in spin.toml and the table of variables.
const COMPONENT: &str = "ops";

/// How often each dependency is asked: the first time may have to connect.
const QUESTIONS: usize = 3;

/// Jobs of each list.
const JOBS: u32 = 20;

impl Ops<'_> {
    /// Settings, as far as this component is given them.
    pub(crate) fn info(&self) -> Result<Response, Failed> {
        let mut settings = serde_json::Map::new();
        let given = |variable: &&Variable| {
            variable.row().components.contains(&COMPONENT) && !variable.row().is_grant()
        };
        let edge = self.variables.get_joined(&EDGE)?;
        for variable in Variable::ALL.iter().filter(given) {
            let row = variable.row();
            let value = match EDGE.part(&edge, *variable) {
                Some(part) => part.to_owned(),
                None => self.variables.get(*variable)?,
            };
            let is_default = value == row.default;
            let shown = if row.is_secret { Value::Null } else { value.into() };
            settings.insert(
                row.name.to_owned(),
                json!({ "value": shown, "is_secret": row.is_secret, "is_default": is_default }),
            );
        }
        let keys = config::keys(self.variables)?;
        let keys = keys.entries().iter().map(|entry| {
            json!({
                "name": entry.name().as_str(),
                "scopes": entry.scopes().to_string(),
                "last_day": entry.last_day().map(|day| day.to_string()),
            })
        });
        let document = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "now": self.clock.now(),
            "settings": settings,
            "keys": keys.collect::<Vec<_>>(),
        });
        Ok(json(StatusCode::OK, &document))
    }

    /// Where everything is, and how long an answer takes. What is down is asked once.
    pub(crate) fn connectivity(&self) -> Result<Response, Failed> {
        let mut found = Vec::new();
        for dependency in Dependency::ALL {
            let mut latencies = Vec::new();
            let mut last: Option<Probe> = None;
            while latencies.len() < QUESTIONS && last.is_none_or(|probe| probe.is_up) {
                let probe = health::probe(self, *dependency);
                latencies.push(probe.latency_ms);
                last = Some(probe);
            }
            let (row, is_up) = (dependency.row(), last.is_some_and(|probe| probe.is_up));
            found.push(json!({
                "name": row.name,
                "address": place(&self.variables.get(address(*dependency))?),
                "question": row.probe,
                "state": if is_up { "up" } else { "down" },
                "latencies_ms": latencies,
                "remedy": (!is_up).then(|| format!("{}.", row.remedy)),
            }));
        }
        Ok(json(StatusCode::OK, &json!({ "dependencies": found })))
    }

    /// What the process that answers wrote last, where the host gives it.
    pub(crate) fn logs(&self) -> Response {
        let tail = (self.log_tail)();
        let lines = tail.as_ref().map(|tail| {
            tail.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>()
        });
        let remedy = lines
            .is_none()
            .then_some("This host does not show its log here. Read it where the host writes it.");
        json(StatusCode::OK, &json!({ "lines": lines, "remedy": remedy }))
    }

    /// What waits, and what went wrong last.
    pub(crate) fn jobs(&self, request: &Request) -> Result<Response, Failed> {
        let queue = self.store.queue(self.clock.now())?;
        let failed = ListQuery { status: Some(Status::Failed), code: None, limit: JOBS, after: None };
        let failed = self.store.list(&failed, request.caller.reach())?;
        let open = self.store.longest_due(JOBS)?;
        let shown = |page: &Page| {
            let jobs: Vec<_> = page.jobs.iter().map(|job| inside(request, job)).collect();
            json!({ "jobs": jobs, "unreadable": page.unreadable.len() })
        };
        let document = json!({
            "queue": {
                "leased": queue.leased,
                "later": queue.later,
                "oldest_due_ms": queue.oldest_due_ms,
                "oldest_callback_ms": queue.oldest_callback_ms,
            },
            "longest_due": shown(&open),
            "last_failed": shown(&failed),
        });
        Ok(json(StatusCode::OK, &document))
    }
}

/// A job with what clients are not told.
fn inside(request: &Request, job: &Job) -> Value {
    json!({
        "job": request.caller.view(job),
        "due_at": job.due_at,
        "woken_at": job.woken_at,
        "retried_at": job.retried_at,
        "setbacks": job.setbacks,
    })
}

const fn address(dependency: Dependency) -> Variable {
    match dependency {
        Dependency::Database => Variable::DatabaseUrl,
        Dependency::Blobs => Variable::BlobUrl,
        Dependency::Messages => Variable::RedisUrl,
    }
}

/// An address without user, password and parameters, each of which may be secret. Where it can't be told which part is which, of the rest nothing.
fn place(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("//") else {
        return url.split(['?', '#']).next().unwrap_or_default().to_owned();
    };
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if behind.contains('@') {
        // A password that is not encoded may have any of these characters.
        return format!("{scheme}//...");
    }
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}//{host}{}", behind.split(['?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_secret() {
        for (url, shown) in [
            ("sqlite:default", "sqlite:default"),
            (
                "postgres://user:hunter2@db.example:5432/thumbs?password=hunter2",
                "postgres://db.example:5432/thumbs",
            ),
            ("redis://:hun@ter2@cache:6379/1", "redis://cache:6379/1"),
            ("redis://:hunter#2@cache:6379/1", "redis://..."),
            ("redis://:hun/ter?2@cache:6379/1", "redis://..."),
            ("postgres://db/thumbs?user=u@x&password=hunter2", "postgres://..."),
            ("s3://bucket/prefix", "s3://bucket/prefix"),
            ("kv:default", "kv:default"),
        ] {
            assert_eq!(place(url), shown);
        }
    }
}
