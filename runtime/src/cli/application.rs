//! What the commands that run an application are given: where it is, where its data are, its variables and limits.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};

use crate::{
    Runtime, RuntimeBuilder,
    backends::{BackendOptions, RoleRequest},
    bundle::{self, Bundle},
    capabilities::blob::RoleSource,
    limits::{LimitError, Limits, length},
    secret::Secret,
    telemetry::{Level, LogFormat, LogSink, Logger, QueuedSink},
};

/// An application, and what it is given.
#[derive(Args, Debug)]
pub(super) struct Application {
    /// The manifest [default: the application that this program carries, else spin.toml].
    #[arg(short = 'f', long, env = "THUMBS_MANIFEST", value_name = "FILE")]
    from: Option<PathBuf>,
    /// Where databases and blobs lie that have no other place.
    #[arg(long, env = "THUMBS_STATE_DIR", default_value = ".thumbs", value_name = "DIRECTORY")]
    pub(super) state_dir: PathBuf,
    /// Where compiled components are kept; may be shared by several runtimes [default: <state-dir>/compiled].
    #[arg(long, env = "THUMBS_CACHE_DIR", value_name = "DIRECTORY")]
    pub(super) cache_dir: Option<PathBuf>,
    #[command(flatten)]
    backends: BackendFlags,
    /// Compose in also the providers whose interface this runtime has itself (the blob-store component).
    #[arg(long, env = "THUMBS_COMPOSE_ALL")]
    compose_all: bool,
    /// How log lines look, on standard error; `auto` is text on a terminal and JSON elsewhere.
    #[arg(long, env = "THUMBS_LOG", default_value = "auto")]
    log: LogStyle,
    /// The least grave lines that are kept: debug, info, warn or error.
    #[arg(long, env = "THUMBS_LOG_LEVEL", default_value = "info", value_parser = level, value_name = "LEVEL")]
    pub(super) log_level: Level,
    /// Set a variable of the application; wins over the environment's SPIN_VARIABLE_<NAME>. For secrets use the environment.
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    variable: Vec<(String, String)>,
    /// Set a limit of the host; wins over the environment's THUMBS_<NAME>. `thumbs limits` lists them.
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    pub(super) limit: Vec<(String, String)>,
}

/// Where things are, whatever the application's variables say. For secrets use the environment.
#[derive(Args, Debug)]
pub(super) struct BackendFlags {
    /// Who carries messages: `manifest` (the servers at the addresses of the Redis triggers), `in-process`, or redis://... in their place
    /// [default: manifest; where the application names a variable, in-process until that is set].
    #[arg(long, env = "THUMBS_REDIS", hide_env_values = true, value_name = "WHERE")]
    redis: Option<String>,
    /// Where blobs are: dir:<path>, memory: or s3://<bucket>[/<prefix>] [default: as the application's variable says, else
    /// <state-dir>/blobs].
    #[arg(long, env = "THUMBS_BLOBS", hide_env_values = true, value_name = "URL")]
    blobs: Option<String>,
    /// The Redis server that keeps key-value pairs, redis://... [default: files in <state-dir>/key-value].
    #[arg(long, env = "THUMBS_KEY_VALUE", hide_env_values = true, value_name = "URL")]
    key_value: Option<String>,
    /// The server of an s3:// store; empty is AWS [default, of each of these: the application's variable of that name].
    #[arg(long, env = "THUMBS_S3_ENDPOINT_URL", value_name = "URL")]
    s3_endpoint_url: Option<String>,
    /// Its region.
    #[arg(long, env = "THUMBS_S3_REGION", value_name = "NAME")]
    s3_region: Option<String>,
    /// Whether the bucket stands in the path and not in the host's name.
    #[arg(long, env = "THUMBS_S3_PATH_STYLE", value_name = "true|false")]
    s3_path_style: Option<String>,
    /// Who asks it.
    #[arg(long, env = "THUMBS_S3_ACCESS_KEY_ID", hide_env_values = true, value_name = "ID")]
    s3_access_key_id: Option<String>,
    /// The secret of who asks it.
    #[arg(long, env = "THUMBS_S3_SECRET_ACCESS_KEY", hide_env_values = true, value_name = "KEY")]
    s3_secret_access_key: Option<String>,
    /// What comes with credentials that are lent for a time.
    #[arg(long, env = "THUMBS_S3_SESSION_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    s3_session_token: Option<String>,
    /// Instead of keys: who lends credentials for a time, by the variables that AWS's own programs read.
    #[arg(long, env = "THUMBS_S3_ROLE", value_parser = RoleSource::KINDS)]
    s3_role: Option<String>,
}

impl BackendFlags {
    fn options(self) -> BackendOptions {
        let s3 = [
            ("s3_endpoint_url", self.s3_endpoint_url),
            ("s3_region", self.s3_region),
            ("s3_path_style", self.s3_path_style),
            ("s3_access_key_id", self.s3_access_key_id),
            ("s3_secret_access_key", self.s3_secret_access_key),
            ("s3_session_token", self.s3_session_token),
        ];
        BackendOptions {
            redis: self.redis.map(Secret::new),
            blobs: self.blobs.map(Secret::new),
            key_value: self.key_value.map(Secret::new),
            s3_role: self.s3_role.map(|kind| {
                let environment = std::env::vars().filter(|(name, _)| name.starts_with("AWS_"));
                let environment = environment.map(|(name, value)| (name, Secret::new(value))).collect();
                RoleRequest { kind, environment }
            }),
            s3: s3
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), Secret::new(value?))))
                .collect(),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogStyle {
    Auto,
    Json,
    Text,
}

pub(super) fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| "use debug, info, warn or error".to_owned())
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// What is set for this process. Names and values that are not UTF-8 can't be any of ours.
pub(super) fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

pub(super) fn limits(
    environment: &[(String, String)],
    set: &[(String, String)],
) -> Result<Limits, LimitError> {
    let mut limits = Limits::from_env(environment.iter().cloned())?;
    for (name, value) in set {
        limits.set(name, value)?;
    }
    Ok(limits)
}

impl Application {
    /// The application with these options, and the log of the process, which it shares with libraries and panics from now on.
    pub(super) fn builder(self) -> Result<(RuntimeBuilder, Arc<QueuedSink>), Box<dyn std::error::Error>> {
        let environment = environment();
        let limits = limits(&environment, &self.limit)?;
        let format = match self.log {
            LogStyle::Auto => LogFormat::of_stderr(),
            LogStyle::Json => LogFormat::Json,
            LogStyle::Text => LogFormat::Text,
        };
        let max_bytes = length(limits.max_queued_log_bytes);
        let queue = Arc::new(QueuedSink::start(format, max_bytes, std::io::stderr())?);
        let sink: Arc<dyn LogSink> = Arc::<QueuedSink>::clone(&queue);
        Logger::new(Arc::clone(&sink), self.log_level).take_over_process();
        let (manifest, carried_code) = match self.from {
            Some(manifest) => (manifest, None),
            None => match Bundle::of(&std::env::current_exe()?)? {
                Some(bundle) => {
                    let folder = bundle.unpacked(&self.state_dir)?;
                    (folder.join(bundle::MANIFEST), Some(folder.join(bundle::COMPILED)))
                }
                None => (PathBuf::from("spin.toml"), None),
            },
        };
        let mut builder = Runtime::builder(manifest)
            .state_dir(self.state_dir)
            .environment(environment)
            .limits(limits)
            .backends(self.backends.options())
            .compose_all(self.compose_all)
            .log(sink, self.log_level);
        if let Some(directory) = self.cache_dir.or(carried_code) {
            builder = builder.cache_dir(directory);
        }
        for (name, value) in self.variable {
            builder = builder.variable(name, value);
        }
        Ok((builder, queue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_a_name() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(pair("=b").is_err() && pair("a").is_err());
    }
}
