//! Looks at all that an application needs to start, and starts nothing: what `thumbs doctor` asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
};

use tokio::net::TcpListener;

use super::{
    RuntimeBuilder, StartError,
    load::{Loaded, Ready},
    messages::Messages,
};
use crate::{blocking::blocking, clients::ServerFault, compose::compose, engine::PoolSize};

/// How it stands with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Well.
    Well,
    /// The application starts, and something may not be as it was meant.
    Doubtful,
    /// The application does not start, or does not work.
    Wrong,
}

/// What was found out about something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was looked at.
    pub subject: String,
    /// What was seen, in a sentence. No secret.
    pub text: String,
    /// What to do, in a sentence; none where it is well, or where the text says so.
    pub remedy: Option<String>,
}

impl Finding {
    /// It is well.
    pub fn well(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Well, subject: subject.into(), text: text.into(), remedy: None }
    }

    /// Somebody should look at it.
    pub fn doubtful(subject: impl Into<String>, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { verdict: Verdict::Doubtful, subject: subject.into(), text: text.into(), remedy }
    }

    /// It is in the way.
    pub fn wrong(subject: impl Into<String>, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into()).filter(|remedy| !remedy.is_empty());
        Self { verdict: Verdict::Wrong, subject: subject.into(), text: text.into(), remedy }
    }
}

impl RuntimeBuilder {
    /// Looks at the configuration, the components' files, the servers, what components say of their settings, and the address. Must be called within
    /// a Tokio runtime with I/O and time.
    pub async fn examine(self) -> Vec<Finding> {
        let listen = self.listen;
        let mut loaded = match Loaded::new(self) {
            Ok(loaded) => loaded,
            Err(error) => return vec![refused(&error)],
        };
        let triggered = loaded.triggered();
        if let Err(error) = loaded.contexts(&triggered, 1) {
            return vec![refused(&error)];
        }
        let mut findings = vec![configured(&loaded.manifest.path, triggered.len())];
        findings.push(components(&loaded, &triggered).await);
        for server in loaded.clients.take_servers() {
            let subject = server.setting().to_owned();
            findings.push(match server.look().await {
                Ok(()) => Finding::well(subject, "The server answers and lets us in."),
                Err(ServerFault::Unreachable(reason)) => Finding::doubtful(
                    subject,
                    reason,
                    "Look after the server. The application starts without it, and answers 503 to what needs it.",
                ),
                Err(ServerFault::Refused(reason)) => Finding::wrong(subject, reason, "Mend the setting."),
            });
        }
        findings.extend(settings(&mut loaded).await);
        findings.push(address(listen).await);
        let keys = loaded.manifest.application.backends.keys.as_ref();
        let open = keys.filter(|keys| loaded.variables.value(keys).is_none_or(str::is_empty));
        if let Some(variable) = open.filter(|_| !listen.ip().is_loopback()) {
            findings.push(Finding::doubtful(
                "keys",
                format!(
                    "Whoever reaches {listen} may do everything, for the variable `{variable}` is empty."
                ),
                "Make a key (`thumbs key new NAME`), or let a proxy in front decide who may ask.",
            ));
        }
        findings
    }
}

fn refused(error: &StartError) -> Finding {
    Finding::wrong("configuration", error.to_string(), "")
}

fn configured(manifest: &Path, components: usize) -> Finding {
    let text = format!("{} and the settings fit: {components} components.", manifest.display());
    Finding::well("configuration", text)
}

/// Whether each component's files are there and fit together. Nothing is compiled.
async fn components(loaded: &Loaded, triggered: &BTreeSet<String>) -> Finding {
    let composition = loaded.composition();
    let wanted: BTreeMap<_, _> = loaded
        .manifest
        .components
        .iter()
        .filter(|(id, _)| triggered.contains(*id))
        .map(|(id, component)| (id.clone(), component.clone()))
        .collect();
    let composed =
        blocking(move || wanted.values().try_for_each(|component| compose(component, composition).map(drop)));
    match composed.await {
        Ok(()) => Finding::well("components", "Their files are there and fit together."),
        Err(error) => Finding::wrong("components", error.to_string(), ""),
    }
}

/// What the components that look at settings say of them. Compiles these where the cache does not have them.
async fn settings(loaded: &mut Loaded) -> Option<Finding> {
    let checking = loaded.checking();
    if checking.is_empty() {
        return None;
    }
    let checked = async {
        let contexts = loaded.contexts(&checking, 1)?;
        // The clock runs until these are asked.
        let Ready { prepared, ticker: _ticker, .. } = loaded.ready(&contexts, PoolSize::of(1)).await?;
        Messages::new(loaded, &prepared)?.check().await
    };
    let subject = "settings";
    Some(match checked.await {
        Ok(()) => Finding::well(subject, "The components take them."),
        Err(error) => Finding::wrong(
            subject,
            error.to_string(),
            "Mend what the line above or below names (docs/configuration.md).",
        ),
    })
}

async fn address(listen: SocketAddr) -> Finding {
    match TcpListener::bind(listen).await {
        Ok(_) => Finding::well("address", format!("{listen} is free.")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::doubtful(
            "address",
            format!("Something listens on {listen} already."),
            "Nothing where that is `thumbs up`; else name another address with --listen.",
        ),
        Err(error) => Finding::wrong(
            "address",
            format!("{listen} can't be listened on: {error}."),
            "Name another with --listen.",
        ),
    }
}
