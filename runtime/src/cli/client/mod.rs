//! A client of a service, for the commands that ask one: one address, a key where there is one, and patience with a service that is busy.
//!
//! What is repeated does no harm when it runs twice: reads, deletes, and uploads under an `Idempotency-Key`. What requests mean is not here but
//! with the commands.

mod wire;

use std::{convert::Infallible, fmt, net::SocketAddr, time::Duration};

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use self::wire::{Broken, Wires};
use crate::secret::Secret;

/// Where a pause is not named by the service, and after the first failure to reach it.
const PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer, whatever a service says.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Which service is asked, and as whom.
#[derive(Args, Clone, Debug)]
pub(super) struct Server {
    /// The service.
    #[arg(long, env = "THUMBS_SERVER", default_value = "http://127.0.0.1:3000", value_name = "URL")]
    server: String,
    /// The API key, where the service has keys. Others see a command line: better by the environment.
    #[arg(long, env = "THUMBS_KEY", hide_env_values = true, value_parser = secret, value_name = "KEY")]
    key: Option<Secret>,
    /// How long to go on with a service that is busy, or away.
    #[arg(long, env = "THUMBS_PATIENCE_SECS", default_value_t = 120, value_name = "SECONDS")]
    patience_secs: u64,
    /// Write JSON, one object a line.
    #[arg(long)]
    pub(super) json: bool,
}

/// Speaks to one service.
pub(super) struct Client {
    wires: Wires,
    /// What stands before each path.
    prefix: String,
    key: Option<HeaderValue>,
    patience: Duration,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// What came back, read whole.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why a command got nothing. Each is a sentence.
#[derive(Debug)]
pub(super) enum ClientError {
    /// What was given on the command line is no service or no key.
    Option(String),
    /// Nobody answered, or not in HTTP.
    Unreachable(String),
    /// The service refuses.
    Refused { status: StatusCode, code: Option<String>, detail: String, correlation_id: Option<String> },
    /// It answers with something else than it should: it may be another service.
    Strange(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(text) | Self::Unreachable(text) | Self::Strange(text) => f.write_str(text),
            Self::Refused { status, code, detail, correlation_id } => {
                write!(f, "{detail} ({}", status.as_u16())?;
                for part in [code, correlation_id].into_iter().flatten() {
                    write!(f, ", {part}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl std::error::Error for ClientError {}

fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

impl Server {
    /// A service at this address, which nobody has to be patient with.
    pub(super) fn at(address: SocketAddr, key: Secret, json: bool) -> Self {
        Self { server: format!("http://{address}"), key: Some(key), patience_secs: 30, json }
    }

    /// Of these options. Nothing is connected yet.
    pub(super) fn client(&self) -> Result<Client, ClientError> {
        let wrong = |why: &str| ClientError::Option(format!("--server {:?} {why}", self.server));
        let url = Url::parse(&self.server).map_err(|_| wrong("is no URL; write it as http://host:port"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("is neither http:// nor https://"));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(wrong("has more than a host, a port and a path; a key goes into THUMBS_KEY"));
        }
        let key = match self.key.as_ref().map(|key| key.expose().trim()).filter(|key| !key.is_empty()) {
            None => None,
            Some(key) => {
                let mut value = HeaderValue::try_from(format!("Bearer {key}"))
                    .map_err(|_| ClientError::Option("the key has characters that no key has".to_owned()))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Client {
            wires: Wires::new(&url).map_err(ClientError::Option)?,
            prefix: url.path().trim_end_matches('/').to_owned(),
            key,
            patience: Duration::from_secs(self.patience_secs),
        })
    }
}

impl Ask {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }
}

impl Client {
    /// Asks, and asks again where the service says that it is busy, or can't be reached.
    ///
    /// # Errors
    /// It can't be reached, or refuses for good.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Reply, ClientError> {
        let end = Instant::now() + self.patience;
        let mut failures = 0;
        loop {
            let pause = match self.wires.exchange(self.request(&ask)?).await {
                Ok(reply) => match reply.pause() {
                    Some(pause) if Instant::now() + pause < end => pause,
                    _ if reply.status.is_success() => return Ok(reply),
                    _ => return Err(reply.refusal()),
                },
                Err(Broken { sentence, may_pass }) => {
                    let pause = PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(MAX_PAUSE);
                    failures += 1;
                    if !may_pass || Instant::now() + pause >= end {
                        return Err(ClientError::Unreachable(sentence));
                    }
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// The same, of an answer that is JSON.
    pub(super) async fn json(&self, ask: Ask) -> Result<Value, ClientError> {
        self.ask(ask).await?.json()
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = format!("{}{}", self.prefix, ask.path)
            .parse()
            .map_err(|_| ClientError::Option(format!("{:?} is not the path of anything", ask.path)))?;
        request.headers_mut().extend(ask.headers.clone());
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.wires.authority().clone());
        let agent = concat!("thumbs/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        if let Some(key) = &self.key {
            headers.insert(header::AUTHORIZATION, key.clone());
        }
        Ok(request)
    }
}

impl Reply {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, ClientError> {
        serde_json::from_slice(&self.body).map_err(|_| {
            ClientError::Strange(
                "the service answers with something that is not JSON; is it Thumbs?".to_owned(),
            )
        })
    }

    /// After how long the same may be answered otherwise, where the service says so.
    fn pause(&self) -> Option<Duration> {
        if !matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return None;
        }
        let named = self.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Some(named.map_or(PAUSE, Duration::from_secs).min(MAX_PAUSE))
    }

    fn refusal(&self) -> ClientError {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
        let reason = self.status.canonical_reason().unwrap_or("it says no more");
        ClientError::Refused {
            status: self.status,
            code: text("code"),
            detail: text("detail").unwrap_or_else(|| format!("The service refuses: {reason}.")),
            correlation_id: text("correlation_id"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Server {
        Server { server: url.to_owned(), key: None, patience_secs: 0, json: false }
    }

    fn reply(status: u16, retry_after: Option<&'static str>, body: &'static str) -> Reply {
        let headers = retry_after.map(|value| (header::RETRY_AFTER, HeaderValue::from_static(value)));
        let headers = headers.into_iter().collect();
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn what_is_no_service_is_refused_in_a_sentence() {
        for url in ["localhost:3000", "ftp://h", "http://u:p@h", "http://h/?a=b", ""] {
            let error = server(url).client().err().unwrap().to_string();
            assert!(error.starts_with("--server"), "{error}");
        }
        assert_eq!(server("http://h:1/under/").client().unwrap().prefix, "/under");
        let key = Some(Secret::new("a\nb"));
        assert!(Server { key, ..server("http://h") }.client().is_err());
    }

    #[test]
    fn a_service_that_is_busy_says_for_how_long() {
        let secs = |reply: Reply| reply.pause().map(|pause| pause.as_secs());
        assert_eq!(secs(reply(429, Some("10"), "")), Some(10));
        assert_eq!(secs(reply(503, None, "")), Some(1));
        assert_eq!(secs(reply(503, Some("99999"), "")), Some(60));
        assert_eq!(secs(reply(503, Some("Wed, 21 Oct 2026 07:28:00 GMT"), "")), Some(1));
        assert_eq!(secs(reply(500, Some("10"), "")), None);
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_service() {
        let problem = r#"{"detail":"There is no such job.","code":"not-found","correlation_id":"c-1"}"#;
        assert_eq!(
            reply(404, None, problem).refusal().to_string(),
            "There is no such job. (404, not-found, c-1)"
        );
        let by_a_proxy = reply(502, None, "<html>").refusal().to_string();
        assert_eq!(by_a_proxy, "The service refuses: Bad Gateway. (502)");
    }
}
