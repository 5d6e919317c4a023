//! Who lends credentials, by the names that AWS's own programs and its services use: the environment of the process says where.

use std::{fmt, path::PathBuf, time::Duration};

use bytes::Bytes;
use thumbs_s3::{
    Error,
    request::{Method, Request},
    transport::{Answer as _, BodyFault, Fault, Transport as _},
};
use url::Url;

use super::{Lent, answer};
use crate::{blocking::blocking, capabilities::blob::s3::network::Network, secret::Secret};

/// The most of an answer that is read, in bytes; real ones have some two thousand.
const MAX_ANSWER_BYTES: u64 = 64 << 10;
/// Where the agent of a container is, unless the environment says otherwise.
const AGENT: &str = "http://169.254.170.2";
/// Where the metadata of a machine is, unless the environment says otherwise.
const METADATA: &str = "http://169.254.169.254";
/// For how many seconds the machine's metadata are to let us ask.
const SESSION_SECS: &str = "60";
/// Hosts that a container's token is sent to without TLS: this machine, and the addresses of ECS' and EKS' agents.
const PLAIN_HOSTS: &[&str] =
    &["localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// Who lends.
#[derive(Clone, PartialEq, Eq)]
pub struct RoleSource {
    endpoint: Url,
    way: Way,
}

#[derive(Clone, PartialEq, Eq)]
enum Way {
    /// STS, for a token that the platform keeps fresh in a file.
    WebIdentity { role: String, session: String, token_file: PathBuf },
    /// The agent of a container, which may want a token.
    Container { token: Option<AgentToken> },
    /// The metadata of a machine, version 2.
    Instance,
}

#[derive(Clone, PartialEq, Eq)]
enum AgentToken {
    Given(Secret),
    InFile(PathBuf),
}

impl RoleSource {
    /// What `--s3-role` takes.
    pub const KINDS: [&str; 3] = ["web-identity", "container", "instance"];

    /// The lender of this kind, where `environment` gives the value of a variable of the process by its name. `region` is the bucket's.
    ///
    /// # Errors
    /// What is missing, as a sentence.
    pub fn read(
        kind: &str,
        region: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let needed = |name: &str| set(name).ok_or_else(|| format!("{kind} needs {name}, which is not set"));
        let url = |name: &str, value: String| {
            let url = Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            url.filter(Url::has_host).ok_or_else(|| format!("{name} is no URL of http or https"))
        };
        match kind {
            "web-identity" => {
                let of_region = || format!("https://sts.{region}.amazonaws.com");
                let endpoint = set("AWS_ENDPOINT_URL_STS").unwrap_or_else(of_region);
                let way = Way::WebIdentity {
                    role: needed("AWS_ROLE_ARN")?,
                    session: set("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "thumbs".to_owned()),
                    token_file: needed("AWS_WEB_IDENTITY_TOKEN_FILE")?.into(),
                };
                Ok(Self { endpoint: url("AWS_ENDPOINT_URL_STS", endpoint)?, way })
            }
            "container" => {
                const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
                const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
                let endpoint = match (set(RELATIVE), set(FULL)) {
                    (Some(path), _) if path.starts_with('/') => url(RELATIVE, format!("{AGENT}{path}"))?,
                    (Some(_), _) => return Err(format!("{RELATIVE} must begin with a slash")),
                    (None, Some(full)) => url(FULL, full)?,
                    (None, None) => {
                        return Err(format!("container needs {RELATIVE} or {FULL}; neither is set"));
                    }
                };
                let host = endpoint.host_str().unwrap_or_default();
                if endpoint.scheme() == "http" && !PLAIN_HOSTS.contains(&host) {
                    return Err(format!("{FULL} must be https, or an agent of this machine"));
                }
                let token = match set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
                    Some(file) => Some(AgentToken::InFile(file.into())),
                    None => set("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret::new).map(AgentToken::Given),
                };
                Ok(Self { endpoint, way: Way::Container { token } })
            }
            "instance" => {
                const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
                let endpoint = set(ENDPOINT).unwrap_or_else(|| METADATA.to_owned());
                Ok(Self { endpoint: url(ENDPOINT, endpoint)?, way: Way::Instance })
            }
            _ => Err(format!("it is one of {}", Self::KINDS.join(", "))),
        }
    }

    /// Who lends, as a part of a sentence.
    pub(super) fn place(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    pub(super) fn is_https(&self) -> bool {
        self.endpoint.scheme() == "https"
    }

    /// Asks for a loan.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::AccessDenied`]; with no word of the answer but a code.
    pub(super) async fn ask(&self, network: &Network, patience: Duration) -> Result<Lent, Error> {
        let asked = Asked { source: self, network, patience };
        match &self.way {
            Way::WebIdentity { role, session, token_file } => {
                let form = Bytes::from(web_identity_form(role, session, &secret_in(token_file).await?));
                let headers = vec![
                    ("content-type", "application/x-www-form-urlencoded".to_owned()),
                    ("content-length", form.len().to_string()),
                ];
                let (status, answer) = asked.send(Method::Post, &self.path(), headers, form).await?;
                if status != 200 {
                    return Err(self.refused(status, answer::refusal_of_sts(&answer)));
                }
                answer::of_sts(&answer).ok_or_else(|| self.senseless())
            }
            Way::Container { token } => {
                let token = match token {
                    None => None,
                    Some(AgentToken::Given(token)) => Some(token.expose().to_owned()),
                    Some(AgentToken::InFile(file)) => Some(secret_in(file).await?),
                };
                let headers = token.map(|token| ("authorization", token)).into_iter().collect();
                asked.lent(&self.path(), headers).await
            }
            Way::Instance => {
                let lasting = vec![
                    ("x-aws-ec2-metadata-token-ttl-seconds", SESSION_SECS.to_owned()),
                    ("content-length", "0".to_owned()),
                ];
                let session = asked.text(Method::Put, &self.below("latest/api/token"), lasting).await?;
                let headers = || vec![("x-aws-ec2-metadata-token", session.clone())];
                const ROLES: &str = "latest/meta-data/iam/security-credentials/";
                let roles = asked.text(Method::Get, &self.below(ROLES), headers()).await?;
                let role = roles.lines().next().filter(|role| is_path_segment(role));
                let role = role.ok_or_else(|| {
                    Error::AccessDenied(format!("the machine has no role, says {}", self.place()))
                })?;
                asked.lent(&self.below(&format!("{ROLES}{role}")), headers()).await
            }
        }
    }

    fn path(&self) -> String {
        self.endpoint[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }

    fn below(&self, path: &str) -> String {
        format!("{}/{path}", self.endpoint.path().trim_end_matches('/'))
    }

    fn refused(&self, status: u16, code: Option<String>) -> Error {
        let code = code.unwrap_or_else(|| "no reason given".to_owned());
        let text = format!("{} lends no credentials: it answers {status} ({code})", self.place());
        match status {
            408 | 429 | 500..=599 => Error::Unavailable(text),
            _ => Error::AccessDenied(text),
        }
    }

    fn senseless(&self) -> Error {
        Error::Other(format!("the answer of {} is not one that lends credentials", self.place()))
    }
}

struct Asked<'a> {
    source: &'a RoleSource,
    network: &'a Network,
    patience: Duration,
}

impl Asked<'_> {
    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    ) -> Result<(u16, Vec<u8>), Error> {
        let endpoint = &self.source.endpoint;
        let authority = endpoint[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let is_https = self.source.is_https();
        let request = Request { method, is_https, authority, path: path.to_owned(), headers };
        let answer =
            self.network.send(request, body, self.patience).await.map_err(|fault| self.lost(fault))?;
        let status = answer.status();
        match answer.body(MAX_ANSWER_BYTES).await {
            Ok(body) => Ok((status, body)),
            Err(BodyFault::TooLarge) => Err(self.source.senseless()),
            Err(BodyFault::Fault(fault)) => Err(self.lost(fault)),
        }
    }

    async fn text(
        &self,
        method: Method,
        path: &str,
        headers: Vec<(&'static str, String)>,
    ) -> Result<String, Error> {
        match self.send(method, path, headers, Bytes::new()).await? {
            (200, body) => String::from_utf8(body).map_err(|_| self.source.senseless()),
            (status, _) => Err(self.source.refused(status, None)),
        }
    }

    async fn lent(&self, path: &str, headers: Vec<(&'static str, String)>) -> Result<Lent, Error> {
        match self.send(Method::Get, path, headers, Bytes::new()).await? {
            (200, body) => answer::of_agent(&body).ok_or_else(|| self.source.senseless()),
            (status, _) => Err(self.source.refused(status, None)),
        }
    }

    fn lost(&self, fault: Fault) -> Error {
        let why = match fault {
            Fault::TooSlow => "it did not answer in time",
            Fault::Denied => "it may not be asked",
            Fault::Network(why) | Fault::Request(why) => why,
        };
        Error::Unavailable(format!("{} lends no credentials: {why}", self.source.place()))
    }
}

/// What STS is asked.
fn web_identity_form(role: &str, session: &str, token: &str) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("RoleArn", role)
        .append_pair("RoleSessionName", session)
        .append_pair("WebIdentityToken", token);
    form.finish()
}

/// A secret that its platform renews in a file.
async fn secret_in(file: &std::path::Path) -> Result<String, Error> {
    let path = file.to_owned();
    let read = blocking(move || std::fs::read_to_string(path)).await;
    let text =
        read.map_err(|error| Error::Unavailable(format!("{} can't be read: {error}", file.display())))?;
    Ok(text.trim().to_owned())
}

fn is_path_segment(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
}

impl fmt::Debug for RoleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RoleSource").field(&self.place()).finish()
    }
}
