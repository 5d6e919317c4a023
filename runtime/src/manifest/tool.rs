//! The `tool` tables, which Spin leaves alone: what an application tells this host that Spin's own keys have no word for.
//!
//! `tool.thumbs` is ours, so its keys are checked; of `tool.spin-test` the source is read, and other tools are nobody's business here.

use std::{collections::BTreeMap, time::Duration};

use thumbs_s3::key;

use super::{
    ManifestError, Template, Variable,
    read::declared_template,
    table::{Table, Value},
};

/// `[application.tool.thumbs]`: which variables say where the back ends are, and who may ask; which blobs never change. The default is that none does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedBackends {
    /// The Redis server of the triggers.
    pub redis: Option<NamedBackend>,
    /// The database that guests connect to by themselves.
    pub database: Option<NamedBackend>,
    /// Where blobs are.
    pub blobs: Option<NamedBackend>,
    /// The variable that lists who may ask: where it is empty, everybody who reaches the listener.
    pub keys: Option<String>,
    /// How the keys of blobs begin that never change once they are there.
    pub constant_blobs: Vec<String>,
}

/// The variables of one back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBackend {
    /// Holds its URL.
    pub url: String,
    /// Holds the grant to connect to it, `scheme://host:port`: follows the URL where the operator sets that alone.
    pub outbound: Option<String>,
}

impl NamedBackends {
    /// Each variable that is a grant, with the one whose URL it follows.
    pub fn grants(&self) -> impl Iterator<Item = (&str, &str)> {
        [&self.redis, &self.database, &self.blobs]
            .into_iter()
            .flatten()
            .filter_map(|named| Some((named.outbound.as_deref()?, named.url.as_str())))
    }
}

/// `[component.<id>.tool.thumbs]`: what a handler of messages asks for beyond Spin's ways. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessagePolicy {
    /// How many of its messages are handled at a time, not zero, where that does not go by the processors: it waits more than it computes.
    pub workers: Option<usize>,
    /// Of equal messages no more wait than there are workers.
    pub merge_equal_messages: bool,
    /// A message that comes by itself.
    pub tick: Option<Tick>,
    /// A fresh worker is told when another had to be ended.
    pub report_ended_workers: bool,
    /// A message that is handled once before the application serves.
    pub prepare: Option<String>,
    /// A message by which the component looks at its settings before anything else; where it refuses it, nothing is started.
    pub check: Option<String>,
}

/// A message that comes by itself: at the start, after each interval, and where others may have been missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The interval, not zero.
    pub every: Duration,
    /// The payload.
    pub message: String,
}

/// `park = { channel }` in `[component.<id>.tool.thumbs]`: requests of the component may wait without an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parking {
    /// Its messages are the keys that they wait for.
    pub channel: Template,
    /// Of which server: that of `[application.trigger.redis]`.
    pub address: Template,
}

/// `egress = { hosts, private }` in `[component.<id>.tool.thumbs]`: whom the component may ask by HTTP beside its grants, as the operator lists
/// them and others choose among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressPolicy {
    hosts: Template,
    private: Template,
}

impl EgressPolicy {
    /// The entries of the list, which has commas or white space between them, as grants. One without a scheme is asked by TLS.
    pub fn hosts<V: AsRef<str>>(&self, values: &BTreeMap<String, V>) -> Vec<String> {
        let list = self.hosts.resolve(values);
        let entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        let granted = entries.map(|entry| match entry.contains("://") {
            true => entry.to_owned(),
            false => format!("https://{entry}"),
        });
        granted.collect()
    }

    /// Whether addresses that are not public are reached as well; none where the value is neither `true` nor `false`.
    pub fn private<V: AsRef<str>>(&self, values: &BTreeMap<String, V>) -> Option<bool> {
        self.private.resolve(values).trim().parse().ok()
    }
}

/// The tools of a component.
#[derive(Debug, Default)]
pub(super) struct ComponentTools {
    /// `spin-test.source`.
    pub(super) suite: Option<String>,
    /// `thumbs`, as a handler of messages.
    pub(super) messages: MessagePolicy,
    /// `thumbs.park`.
    pub(super) parking: Option<Parking>,
    /// `thumbs.log_tail`.
    pub(super) log_tail: bool,
    /// `thumbs.names_caller`.
    pub(super) names_caller: bool,
    /// `thumbs.egress`.
    pub(super) egress: Option<EgressPolicy>,
}

/// The tools of the application, `thumbs` among them.
pub(super) fn application(
    tools: Value<'_>,
    declared: &BTreeMap<String, Variable>,
) -> Result<NamedBackends, ManifestError> {
    let mut tools = tools.table("application.tool")?;
    let Some(tool) = tools.take("thumbs") else { return Ok(NamedBackends::default()) };
    let mut table = tool.table("application.tool.thumbs")?;
    let mut named = |key| table.take(key).map(|value| backend(value, declared)).transpose();
    let (redis, database, blobs) = (named("redis")?, named("database")?, named("blobs")?);
    let keys = table.take("keys").map(|name| variable(name, declared)).transpose()?;
    let constant_blobs = match table.take("constant_blobs") {
        Some(list) => list.array()?.into_iter().map(prefix).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    table.finish(&["redis", "database", "blobs", "keys", "constant_blobs"], "")?;
    let backends = NamedBackends { redis, database, blobs, keys, constant_blobs };
    Ok(backends)
}

fn backend(value: Value<'_>, declared: &BTreeMap<String, Variable>) -> Result<NamedBackend, ManifestError> {
    let place = format!("application.tool.thumbs, {}", value.key);
    let mut table = value.table(place)?;
    let url = variable(table.require("url")?, declared)?;
    let outbound = table.take("outbound").map(|name| variable(name, declared)).transpose()?;
    table.finish(&["url", "outbound"], "")?;
    Ok(NamedBackend { url, outbound })
}

/// What keys of blobs begin with.
fn prefix(value: Value<'_>) -> Result<String, ManifestError> {
    let wrong = value
        .error("`constant_blobs` must have beginnings of keys of blobs, such as \"thumbnails/\"".to_owned());
    let prefix = value.string()?;
    if !prefix.is_empty() && key::is_start(&prefix) { Ok(prefix) } else { Err(wrong) }
}

/// The name of a variable of the application.
fn variable(value: Value<'_>, declared: &BTreeMap<String, Variable>) -> Result<String, ManifestError> {
    let wrong = value
        .error(format!("`{}` must name a variable that [variables] declares, without braces", value.key));
    let name = value.string()?;
    if declared.contains_key(&name) { Ok(name) } else { Err(wrong) }
}

/// The tools of the component of this id. `server` is where the application's messages are.
pub(super) fn component(
    tools: Value<'_>,
    id: &str,
    declared: &BTreeMap<String, Variable>,
    server: Option<&Template>,
) -> Result<ComponentTools, ManifestError> {
    let mut tools = tools.table("tool")?;
    let suite = match tools.take("spin-test") {
        Some(tool) => {
            Some(tool.table(format!("component {id:?}, tool.spin-test"))?.require("source")?.string()?)
        }
        None => None,
    };
    let (mut messages, mut parking, mut egress) = (MessagePolicy::default(), None, None);
    let (mut log_tail, mut names_caller) = (false, false);
    if let Some(tool) = tools.take("thumbs") {
        let mut table = tool.table(format!("component {id:?}, tool.thumbs"))?;
        parking = table.take("park").map(|value| park(value, declared, server)).transpose()?;
        let mut flag = |key| table.take(key).map(Value::boolean).transpose().map(Option::unwrap_or_default);
        (log_tail, names_caller) = (flag("log_tail")?, flag("names_caller")?);
        egress = table.take("egress").map(|value| self::egress(value, declared)).transpose()?;
        messages = policy(table)?;
    }
    Ok(ComponentTools { suite, messages, parking, log_tail, names_caller, egress })
}

fn park(
    value: Value<'_>,
    declared: &BTreeMap<String, Variable>,
    server: Option<&Template>,
) -> Result<Parking, ManifestError> {
    let no_server = value.error("`park` needs the `address` of [application.trigger.redis]".to_owned());
    let place = format!("{}, park", value.place);
    let mut table = value.table(place)?;
    let channel = declared_template(table.require("channel")?, declared)?;
    table.finish(&["channel"], "")?;
    Ok(Parking { channel, address: server.cloned().ok_or(no_server)? })
}

fn egress(value: Value<'_>, declared: &BTreeMap<String, Variable>) -> Result<EgressPolicy, ManifestError> {
    let place = format!("{}, egress", value.place);
    let mut table = value.table(place)?;
    let hosts = declared_template(table.require("hosts")?, declared)?;
    let private = declared_template(table.require("private")?, declared)?;
    table.finish(&["hosts", "private"], "")?;
    Ok(EgressPolicy { hosts, private })
}

fn policy(mut table: Table<'_>) -> Result<MessagePolicy, ManifestError> {
    let mut flag = |key| table.take(key).map(Value::boolean).transpose().map(Option::unwrap_or_default);
    let merge_equal_messages = flag("merge_equal_messages")?;
    let report_ended_workers = flag("report_ended_workers")?;
    let tick = table.take("tick").map(tick).transpose()?;
    let workers = table.take("workers").map(workers).transpose()?;
    let prepare = table.take("prepare").map(Value::string).transpose()?;
    let check = table.take("check").map(Value::string).transpose()?;
    let keys = [
        "merge_equal_messages",
        "tick",
        "report_ended_workers",
        "prepare",
        "check",
        "park",
        "log_tail",
        "names_caller",
        "workers",
        "egress",
    ];
    table.finish(&keys, "")?;
    Ok(MessagePolicy { workers, merge_equal_messages, tick, report_ended_workers, prepare, check })
}

fn workers(value: Value<'_>) -> Result<usize, ManifestError> {
    let wrong = value.error("`workers` must be from 1 to 1000");
    match value.integer()? {
        number @ 1..=1000 => usize::try_from(number).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

fn tick(value: Value<'_>) -> Result<Tick, ManifestError> {
    let place = format!("{}, tick", value.place);
    let mut table = value.table(place)?;
    let every_ms = table.require("every_ms")?;
    let zero = every_ms.error("`every_ms` must be 1 or more");
    let every = match every_ms.integer()? {
        0 => return Err(zero),
        milliseconds => Duration::from_millis(milliseconds),
    };
    let message = table.require("message")?.string()?;
    table.finish(&["every_ms", "message"], "")?;
    Ok(Tick { every, message })
}
