//! What an instance asked for and is not granted, said in the log: the component, and what it wanted.
//!
//! Each thing is said once an instance, and a few things at most; how often more was refused is said at the end, so that a guest that asks again
//! and again fills no log. Requests by HTTP are not here: `http.rs` says and counts them with those that are one too many.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::allowed_hosts::well_known_port;
use crate::{
    telemetry::{Event, Logger},
    traces::CallTrace,
};

/// Different things that one instance is said to have been refused.
pub const MAX_SAID: usize = 8;
/// What a guest calls the thing that it wants is cut there.
const MAX_WANTED_BYTES: usize = 128;

/// The refusals of one instance. Clones share what was said; the default says nothing.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Option<Arc<Told>>);

struct Told {
    component: Arc<str>,
    correlation_id: Option<Arc<str>>,
    log: Logger,
    trace: CallTrace,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    said: BTreeSet<(&'static str, String)>,
    unsaid: u64,
}

impl Refusals {
    /// Of an instance of this component.
    #[must_use]
    pub fn of(component: Arc<str>, correlation_id: Option<Arc<str>>, log: Logger, trace: CallTrace) -> Self {
        Self(Some(Arc::new(Told { component, correlation_id, log, trace, noted: Mutex::default() })))
    }

    /// It asked this interface for what it is not granted.
    pub fn note(&self, interface: &'static str, wanted: &str) {
        let Some(told) = &self.0 else { return };
        let wanted = &wanted[..wanted.floor_char_boundary(MAX_WANTED_BYTES)];
        let mut noted = told.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = noted.said.len() < MAX_SAID && noted.said.insert((interface, wanted.to_owned()));
        if !is_new {
            noted.unsaid += 1;
            return;
        }
        drop(noted);
        told.say(&Event::GrantRefused { interface: Some(interface), wanted: Some(wanted), times: None });
    }

    /// It asked for a connection to this address. What is said has its scheme, host and port: whom it is for, and with which password, is
    /// nobody's to read.
    pub fn note_address(&self, interface: &'static str, address: &str) {
        if self.0.is_some() {
            self.note(interface, &place(address));
        }
    }
}

/// Where an address leads.
fn place(address: &str) -> String {
    let Ok(url) = url::Url::parse(address) else { return "an address that is none".to_owned() };
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
    match url.port().or_else(|| well_known_port(scheme)) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

impl Told {
    fn say(&self, event: &Event<'_>) {
        self.log.within(&self.component, self.correlation_id.as_deref(), self.trace.context(), event);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let unsaid = self.noted.get_mut().unwrap_or_else(PoisonError::into_inner).unsaid;
        if unsaid > 0 {
            self.say(&Event::GrantRefused { interface: None, wanted: None, times: Some(unsaid) });
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("component", &self.component).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{CaptureSink, Level};

    fn refusals(sink: &CaptureSink) -> Refusals {
        let log = Logger::new(Arc::new(sink.clone()), Level::Debug);
        Refusals::of("prowler".into(), Some("req-1".into()), log, CallTrace::default())
    }

    #[test]
    fn a_thing_is_said_once_and_the_rest_is_counted() {
        let sink = CaptureSink::new();
        let refusals = refusals(&sink);
        for _ in 0..3 {
            refusals.note("sqlite", "other");
        }
        for number in 0..2 * MAX_SAID {
            refusals.clone().note("key-value", &number.to_string());
        }
        assert_eq!(sink.lines().len(), MAX_SAID);
        drop(refusals);
        let lines = sink.lines();
        let first = &lines[0];
        assert_eq!((&*first.component, first.correlation_id.as_deref()), ("prowler", Some("req-1")));
        assert_eq!(
            (&first.fields["interface"], &first.fields["wanted"]),
            (&"sqlite".into(), &"other".into())
        );
        let times = u64::try_from(2 + 2 * MAX_SAID - (MAX_SAID - 1)).unwrap();
        assert_eq!(lines[MAX_SAID].fields["times"], times, "{lines:?}");
        assert_eq!(lines.len(), MAX_SAID + 1);
    }

    #[test]
    fn what_a_guest_says_is_cut_and_of_an_address_no_secret_is_said() {
        let sink = CaptureSink::new();
        let refusals = refusals(&sink);
        refusals.note("variables", &"ä".repeat(MAX_WANTED_BYTES));
        refusals.note_address("postgres", "postgres://root:hunter2@db.example/secrets?options=hunter3");
        refusals.note_address("redis", "redis://:hunter2@[::1]:7000/1");
        refusals.note_address("redis", "hunter2");
        let wanted: Vec<_> = sink.lines().iter().map(|line| line.fields["wanted"].clone()).collect();
        assert_eq!(wanted[0].as_str().map(str::len), Some(MAX_WANTED_BYTES));
        assert_eq!(
            wanted[1..],
            ["postgres://db.example:5432", "redis://[::1]:7000", "an address that is none"]
        );
    }
}
