//! Where spans go, which ones, and in whose name: the variables that OpenTelemetry's own programs read.
//!
//! | variable | what it says | default |
//! |---|---|---|
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` (`--otlp`, `THUMBS_OTLP`) | the collector; `/v1/traces` is added | nothing is traced |
//! | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the same for spans alone, as it is | |
//! | `OTEL_TRACES_EXPORTER` | `otlp`, or `none`: nothing is traced | `otlp` where there is a collector |
//! | `OTEL_SDK_DISABLED` | `true`: nothing is traced | `false` |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL` | `http/protobuf`, the one that is spoken | `http/protobuf` |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]HEADERS` | `name=value,...`, sent with each request | |
//! | `OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT` | how long an exchange takes, in milliseconds | 10000 |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | which traces are recorded (`sampler.rs`) | `parentbased_always_on` |
//! | `OTEL_SERVICE_NAME` | the attribute `service.name` | the application's name |
//! | `OTEL_RESOURCE_ATTRIBUTES` | `name=value,...`, attributes of this process | |
//!
//! An empty variable is none. One that can't be understood is an error at start: a trace that nobody gets looks like one that is not made.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use url::Url;
use uuid::Uuid;

use super::{
    Sampler,
    span::{Attribute, Value, text},
};
use crate::secret::redacted_url;

const FLAG: &str = "THUMBS_OTLP";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// Where a collector listens that nobody named: on this machine.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// A variable that says nothing that could be done. Its value is not told: it may be a secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{name}: {reason}")]
pub struct SettingError {
    /// The variable.
    pub name: &'static str,
    /// What is wrong, or what would do.
    pub reason: String,
}

/// Where spans go, which ones, and in whose name.
#[derive(Clone)]
pub struct Settings {
    pub(super) url: Url,
    pub(super) named_by: &'static str,
    /// May hold a secret.
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) sampler: Sampler,
    attributes: Vec<(String, String)>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address())
            .field("sampler", &self.sampler)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// To the collector at this address, with all else by default.
    ///
    /// # Errors
    /// The address is none.
    pub fn to(endpoint: &str) -> Result<Self, SettingError> {
        Ok(Self {
            url: below(FLAG, endpoint)?,
            named_by: FLAG,
            headers: HeaderMap::new(),
            timeout: DEFAULT_TIMEOUT,
            sampler: Sampler::DEFAULT,
            attributes: Vec::new(),
        })
    }

    /// With this sampler.
    #[must_use]
    pub fn sampled_by(self, sampler: Sampler) -> Self {
        Self { sampler, ..self }
    }

    /// As the variables say, and before them `flag`; none where nothing is to be traced.
    ///
    /// # Errors
    /// A variable says what can't be done.
    pub fn read(flag: Option<&str>, environment: &[(String, String)]) -> Result<Option<Self>, SettingError> {
        let get = |name: &str| {
            let value = environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
            value.filter(|value| !value.is_empty())
        };
        let either = |first: &'static str, second: &'static str| {
            get(first).map(|value| (first, value)).or_else(|| get(second).map(|value| (second, value)))
        };
        let refused = |name, reason: &str| Err(SettingError { name, reason: reason.to_owned() });
        if get("OTEL_SDK_DISABLED").is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let exporter = get("OTEL_TRACES_EXPORTER");
        match exporter {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(_) => return refused("OTEL_TRACES_EXPORTER", "use otlp or none"),
        }
        let (named_by, url) =
            match (flag.filter(|flag| !flag.is_empty()), get(TRACES_ENDPOINT), get(ENDPOINT)) {
                (Some(endpoint), _, _) => (FLAG, below(FLAG, endpoint)?),
                (None, Some(endpoint), _) => (TRACES_ENDPOINT, address(TRACES_ENDPOINT, endpoint)?),
                (None, None, Some(endpoint)) => (ENDPOINT, below(ENDPOINT, endpoint)?),
                (None, None, None) if exporter.is_some() => (ENDPOINT, below(ENDPOINT, DEFAULT_ENDPOINT)?),
                (None, None, None) => return Ok(None),
            };
        if let Some((name, protocol)) =
            either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
            && protocol != "http/protobuf"
        {
            return refused(
                name,
                "spans are sent by http/protobuf alone, to the port 4318 of most collectors",
            );
        }
        let mut settings = Self { named_by, url, ..Self::to(DEFAULT_ENDPOINT)? };
        if let Some((name, list)) = either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
        {
            for (header, value) in pairs(name, list)? {
                let header = HeaderName::try_from(header).ok().zip(HeaderValue::try_from(value).ok());
                let Some((header, mut value)) = header else {
                    return refused(name, "one of them is no header of HTTP");
                };
                value.set_sensitive(true);
                settings.headers.append(header, value);
            }
        }
        if let Some((name, millis)) =
            either("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
        {
            match millis.parse() {
                Ok(millis @ 1..=86_400_000) => settings.timeout = Duration::from_millis(millis),
                _ => return refused(name, "use a number of milliseconds, from 1 to 86400000"),
            }
        }
        if let Some(sampler) = get("OTEL_TRACES_SAMPLER") {
            let sampler = Sampler::parse(sampler, get("OTEL_TRACES_SAMPLER_ARG"));
            settings.sampler = sampler
                .map_err(|reason| SettingError { name: "OTEL_TRACES_SAMPLER", reason: reason.to_owned() })?;
        }
        if let Some(list) = get("OTEL_RESOURCE_ATTRIBUTES") {
            settings.attributes = pairs("OTEL_RESOURCE_ATTRIBUTES", list)?;
        }
        if let Some(name) = get("OTEL_SERVICE_NAME") {
            settings.attributes.retain(|(known, _)| known != "service.name");
            settings.attributes.push(("service.name".to_owned(), name.to_owned()));
        }
        Ok(Some(settings))
    }

    /// Where spans go, without what may be a secret.
    pub(crate) fn address(&self) -> String {
        redacted_url(self.url.as_str())
    }

    /// Who makes them.
    pub(super) fn resource(&self, service: &str) -> Vec<Attribute> {
        let own = [
            ("service.name", service.to_owned()),
            ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("service.instance.id", Uuid::new_v4().to_string()),
            ("process.pid", std::process::id().to_string()),
        ];
        let own = own.into_iter().filter(|(name, _)| !self.attributes.iter().any(|(known, _)| known == name));
        let set = self
            .attributes
            .iter()
            .map(|(name, value)| (name.clone().into(), Value::Text(value.clone().into())));
        own.map(|(name, value)| text(name, value)).chain(set).collect()
    }
}

/// The path of spans below a collector's address.
fn below(name: &'static str, endpoint: &str) -> Result<Url, SettingError> {
    let mut url = address(name, endpoint)?;
    let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

fn address(name: &'static str, text: &str) -> Result<Url, SettingError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    url.ok_or_else(|| SettingError {
        name,
        reason: "use an address like http://localhost:4318, without a user; credentials go into OTEL_EXPORTER_OTLP_HEADERS".to_owned(),
    })
}

/// `name=value,...`, where values may be percent-encoded.
fn pairs(name: &'static str, list: &str) -> Result<Vec<(String, String)>, SettingError> {
    let wrong = || SettingError {
        name,
        reason: "write it as name=value,name=value, what is special in a value percent-encoded".to_owned(),
    };
    list.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').ok_or_else(wrong)?;
            let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| wrong())?;
            let key = key.trim();
            if key.is_empty() { Err(wrong()) } else { Ok((key.to_owned(), value.into_owned())) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flag: Option<&str>, pairs: &[(&str, &str)]) -> Result<Option<Settings>, SettingError> {
        let environment: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read(flag, &environment)
    }

    fn url(flag: Option<&str>, pairs: &[(&str, &str)]) -> Option<String> {
        read(flag, pairs).unwrap().map(|settings| settings.url.to_string())
    }

    #[test]
    fn nothing_is_traced_unless_somebody_names_a_collector() {
        for off in [
            &[][..],
            &[(ENDPOINT, "")],
            &[(ENDPOINT, "http://c:4318"), ("OTEL_SDK_DISABLED", "TRUE")],
            &[(ENDPOINT, "http://c:4318"), ("OTEL_TRACES_EXPORTER", "none")],
            &[("OTEL_SERVICE_NAME", "thumbs"), ("OTEL_TRACES_SAMPLER", "always_on")],
        ] {
            assert_eq!(url(None, off), None, "{off:?}");
        }
        for (flag, set, expected) in [
            (None, &[(ENDPOINT, "http://c:4318")][..], "http://c:4318/v1/traces"),
            (None, &[(ENDPOINT, "https://c/otlp/")], "https://c/otlp/v1/traces"),
            (None, &[(ENDPOINT, "http://c:4318"), (TRACES_ENDPOINT, "http://d:1/in")], "http://d:1/in"),
            (Some("http://e:2"), &[(TRACES_ENDPOINT, "http://d:1/in")], "http://e:2/v1/traces"),
            (None, &[("OTEL_TRACES_EXPORTER", "otlp")], "http://localhost:4318/v1/traces"),
        ] {
            assert_eq!(url(flag, set).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_belongs_to_spans_alone_comes_first() {
        let settings = read(
            None,
            &[
                (ENDPOINT, "http://c:4318"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "a=general"),
                ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer%20hunter2, x-tenant=7"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
                ("OTEL_SERVICE_NAME", "images"),
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment=a%2Cb"),
            ],
        );
        let settings = settings.unwrap().unwrap();
        assert_eq!(settings.headers["authorization"], "Bearer hunter2");
        assert_eq!(
            (settings.headers.len(), &settings.headers["x-tenant"]),
            (2, &HeaderValue::from_static("7"))
        );
        assert_eq!(settings.timeout, Duration::from_millis(250));
        assert_eq!(settings.sampler, Sampler { follows_parent: true, ratio: 0.1 });
        let resource = settings.resource("thumbs");
        let of = |name: &str| {
            resource
                .iter()
                .filter(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("service.name"), [Value::Text("images".into())]);
        assert_eq!(of("deployment.environment"), [Value::Text("a,b".into())]);
        assert_eq!(of("service.version").len(), 1);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn what_can_not_be_done_names_its_variable_and_not_its_value() {
        for (name, value) in [
            (ENDPOINT, "hunter2:4317"),
            (ENDPOINT, "grpc://hunter2"),
            (TRACES_ENDPOINT, "http://me:hunter2@c"),
            ("OTEL_TRACES_EXPORTER", "hunter2"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=hunter2%0a"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_TRACES_SAMPLER", "hunter2"),
            ("OTEL_RESOURCE_ATTRIBUTES", "hunter2"),
        ] {
            let mut set = vec![(name, value)];
            if name != ENDPOINT {
                set.push((ENDPOINT, "http://c:4318"));
            }
            let error = read(None, &set).unwrap_err();
            assert_eq!(error.name, name);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
