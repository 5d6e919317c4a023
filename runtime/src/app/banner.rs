//! What is said at start, to a person as a table and to the log as fields: address, routes, where data lies. No value of a variable is
//! among it, so no secret can be.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr, sync::Arc};

use serde_json::Value;

use crate::{
    backends::{Backends, Blobs, KeyValue, Messages},
    instance::ComponentContext,
    limits::Limits,
    manifest::Manifest,
    secret::{Secret, redacted_url},
    telemetry::{Event, Logger, json},
    triggers::{http::Target, router::Router},
    variables::Variables,
};

/// What is said at start.
pub(super) struct Banner {
    application: String,
    address: SocketAddr,
    admin: Option<SocketAddr>,
    routes: Vec<(String, String)>,
    data: Vec<(&'static str, String)>,
    bounds: Vec<(&'static str, String)>,
    /// The variable that would list who may ask, where nobody set it and others than this machine can.
    open_to_all: Option<String>,
}

impl Banner {
    pub(super) fn new(
        manifest: &Manifest,
        backends: &Backends,
        contexts: &BTreeMap<String, Arc<ComponentContext>>,
        router: &Router<Target>,
        workers: usize,
        address: SocketAddr,
        variables: &Variables,
    ) -> Self {
        let application = match &manifest.application.version {
            Some(version) => format!("{} {version}", manifest.application.name),
            None => manifest.application.name.clone(),
        };
        let mut routes: Vec<_> = router
            .routes()
            .map(|(pattern, target)| (pattern.as_str().to_owned(), target.to_string()))
            .collect();
        routes
            .extend(manifest.redis.iter().map(|trigger| ("(message)".to_owned(), trigger.component.clone())));
        let server = |url: &Secret| redacted_url(url.expose());
        let messages = match &backends.messages {
            Messages::InProcess => "within this process".to_owned(),
            Messages::Server(url) => server(url),
            Messages::Manifest => {
                let servers: Vec<_> = backends.message_servers.iter().map(|(_, url)| server(url)).collect();
                servers.join(", ")
            }
        };
        let blobs = match &backends.blobs {
            Blobs::Component(url) => Some(format!("{url}, by the component that is composed in")),
            _ => contexts.values().next().map(|context| context.blobs.summary()),
        };
        let mut data = Vec::new();
        if !manifest.redis.is_empty() {
            data.push(("messages", messages));
        }
        data.extend(blobs.map(|blobs| ("blobs", blobs)));
        data.push(match &backends.database {
            Some((_, url)) => ("PostgreSQL", server(url)),
            None => ("SQLite", format!("directory {}", backends.sqlite_dir.display())),
        });
        data.push(match &backends.key_value {
            KeyValue::Directory(folder) => ("key-value", format!("directory {}", folder.display())),
            KeyValue::Redis(url) => ("key-value", server(url)),
        });
        let limits = contexts.values().next().map(|context| (*context.limits).clone()).unwrap_or_default();
        let open_to_all =
            manifest.application.backends.keys.clone().filter(|keys| {
                !address.ip().is_loopback() && variables.value(keys).is_none_or(str::is_empty)
            });
        Self {
            application,
            address,
            admin: None,
            routes,
            data,
            bounds: bounds(&limits, workers),
            open_to_all,
        }
    }

    /// Numbers are told at this address.
    pub(super) fn with_admin(self, admin: Option<SocketAddr>) -> Self {
        Self { admin, ..self }
    }

    /// For a terminal.
    pub(super) fn text(&self, ready_ms: u64) -> String {
        let mut text =
            format!("{} is ready after {ready_ms} ms\n\n  http://{}\n", self.application, self.address);
        if let Some(admin) = self.admin {
            let _ = writeln!(text, "  http://{admin}/metrics (admin)");
        }
        for (title, rows) in [
            ("Routes", self.routes.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>()),
            ("Data", self.data.iter().map(|(a, b)| (*a, b.as_str())).collect()),
            ("Bounds", self.bounds.iter().map(|(a, b)| (*a, b.as_str())).collect()),
        ] {
            let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            // Writing to a String can't fail.
            let _ = write!(text, "\n{title}\n");
            for (name, value) in rows {
                let _ = writeln!(text, "  {name:width$}  {value}");
            }
        }
        if let Some(variable) = &self.open_to_all {
            let _ = write!(
                text,
                "\nWARNING: whoever reaches {} may do everything, for the variable `{variable}` is empty.\n\
                 `thumbs key new NAME` makes a key, and what belongs there.\n",
                self.address
            );
        }
        if let Some(admin) = self.open_admin() {
            let _ = write!(
                text,
                "\nWARNING: whoever reaches {admin} may read the numbers of this process: there are no keys there.\n"
            );
        }
        text.push_str("\nStop with Ctrl-C; a second one does not wait for what runs.\n");
        text
    }

    /// Where others than this machine may read the numbers.
    fn open_admin(&self) -> Option<SocketAddr> {
        self.admin.filter(|address| !address.ip().is_loopback())
    }

    /// For the log.
    pub(super) fn log(&self, log: &Logger, ready_ms: u64) {
        let object = |rows: Vec<(&str, &str)>| {
            Value::Object(rows.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
        };
        log.event(&Event::Started {
            application: &self.application,
            address: &self.address.to_string(),
            routes: json(&object(self.routes.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect())),
            data: json(&object(self.data.iter().map(|(a, b)| (*a, b.as_str())).collect())),
            bounds: json(&object(self.bounds.iter().map(|(a, b)| (*a, b.as_str())).collect())),
            ready_ms,
        });
        if let Some(variable) = &self.open_to_all {
            log.event(&Event::OpenToAll { address: &self.address.to_string(), variable });
        }
        if let Some(address) = self.admin {
            log.event(&Event::AdminListens { address: &address.to_string() });
        }
        if let Some(address) = self.open_admin() {
            log.event(&Event::AdminOpen { address: &address.to_string() });
        }
    }
}

fn bounds(limits: &Limits, workers: usize) -> Vec<(&'static str, String)> {
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    vec![
        ("workers", workers.to_string()),
        ("requests at a time", limits.max_concurrent_requests.to_string()),
        ("request body", mib(limits.max_request_body_bytes)),
        ("memory per request", mib(limits.max_request_memory_bytes)),
        ("memory per message", mib(limits.max_message_memory_bytes)),
        ("time per message", format!("{} ms", limits.message_cpu_ms)),
    ]
}
