//! The command line of `thumbs`: every flag has an environment variable, a default and, where it has one, a unit.
//!
//! Only this file reads the environment and takes over what a process has one of: signals, panics, the global `tracing` subscriber.

mod access;
mod client;
mod doctor;
mod files;
mod jobs;
mod make;
mod pages;
mod report;
mod scratch;
mod sending;
mod submit;

use std::{io::IsTerminal as _, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::{
    Runtime, RuntimeBuilder,
    backends::{BackendOptions, RoleRequest},
    backup::{self, Copied},
    bundle::{self, Bundle},
    capabilities::blob::RoleSource,
    descriptors,
    limits::{LimitError, Limits, TABLE, length},
    manifest::Manifest,
    restart,
    secret::Secret,
    shutdown::Signals,
    spin_test::Suites,
    telemetry::{Level, LogFormat, LogSink, Logger, QueuedSink},
};

/// How long the end waits for the reader of standard error.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Thumbnails of uploaded images, made in a sandbox; or any other Spin application.
#[derive(Debug, Parser)]
#[command(name = "thumbs", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the application of a spin.toml until stopped.
    Up(Box<Up>),
    /// Have the application of a spin.toml prepared, as `up` does before it serves: its database is brought up to date.
    Migrate(Box<Migrate>),
    /// Make a copy of this program that carries an application: one file, which `up` serves on any machine of this kind.
    Bundle(BundleOptions),
    /// Copy what the state directory holds, databases and blobs, to a folder that is made; while `up` serves from it, or not.
    Backup(BackupOptions),
    /// Put what is in a backup into a state directory that holds no data.
    Restore(BackupOptions),
    /// Run the tests of a spin.toml: the suites that [component.<id>.tool.spin-test] names.
    Test(Test),
    /// Send images to a service, and have the thumbnails put into a folder.
    Submit(Box<submit::Submit>),
    /// Make thumbnails without a service: the application runs in this process for as long as that takes.
    Make(Box<make::Make>),
    /// List jobs of a service.
    Jobs(jobs::Jobs),
    /// Show a job of a service, and get its thumbnail.
    Get(jobs::Get),
    /// Have jobs that failed tried again.
    Retry(jobs::Named),
    /// Delete jobs, with their images and thumbnails.
    Delete(jobs::Named),
    /// Say whether `up` with these options would serve, and what to do where it would not.
    Doctor(Box<doctor::Doctor>),
    /// Make API keys.
    #[command(subcommand)]
    Key(access::KeyCommand),
    /// Sign a link to a thumbnail that is good without a key for a while.
    Link(access::Link),
    /// Write a script that completes commands and options in a shell.
    Completions(pages::Completions),
    /// Write pages for `man`.
    Man(pages::Man),
    /// List the host's limits: name, default, what each bounds and what happens when it is hit.
    Limits,
}

/// An application, and what it is given.
#[derive(Args, Debug)]
struct Application {
    /// The manifest [default: the application that this program carries, else spin.toml].
    #[arg(short = 'f', long, env = "THUMBS_MANIFEST", value_name = "FILE")]
    from: Option<PathBuf>,
    /// Where databases and blobs lie that have no other place.
    #[arg(long, env = "THUMBS_STATE_DIR", default_value = ".thumbs", value_name = "DIRECTORY")]
    state_dir: PathBuf,
    /// Where compiled components are kept; may be shared by several runtimes [default: <state-dir>/compiled].
    #[arg(long, env = "THUMBS_CACHE_DIR", value_name = "DIRECTORY")]
    cache_dir: Option<PathBuf>,
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
    log_level: Level,
    /// Set a variable of the application; wins over the environment's SPIN_VARIABLE_<NAME>. For secrets use the environment.
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    variable: Vec<(String, String)>,
    /// Set a limit of the host; wins over the environment's THUMBS_<NAME>. `thumbs limits` lists them.
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    limit: Vec<(String, String)>,
}

/// Where things are, whatever the application's variables say. For secrets use the environment.
#[derive(Args, Debug)]
struct BackendFlags {
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

#[derive(Args, Debug)]
struct Up {
    #[command(flatten)]
    application: Application,
    /// Where requests are taken.
    #[arg(long, env = "THUMBS_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Where this process tells its numbers (/metrics), whether it lives (/livez) and whether it is ready (/readyz), to whoever reaches it
    /// [default: nowhere].
    #[arg(long, env = "THUMBS_ADMIN", value_name = "ADDRESS:PORT")]
    admin: Option<SocketAddr>,
    /// How many messages are handled at a time; 0 serves requests only [default: one per core].
    #[arg(long, env = "THUMBS_WORKERS", value_name = "NUMBER")]
    workers: Option<usize>,
    /// What this program tells itself when it begins anew (`restart.rs`).
    #[arg(long, env = restart::AGAIN, hide = true)]
    after_compiling: bool,
}

#[derive(Args, Debug)]
struct Migrate {
    #[command(flatten)]
    application: Application,
    /// How long to wait for servers that do not answer.
    #[arg(long, env = "THUMBS_WAIT_SECS", default_value_t = 0, value_name = "SECONDS")]
    wait_secs: u64,
}

#[derive(Args, Debug)]
struct Test {
    /// Only tests with one of these in their name.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// The manifest.
    #[arg(short = 'f', long, env = "THUMBS_MANIFEST", default_value = "spin.toml", value_name = "FILE")]
    from: PathBuf,
    /// Only the suite of this component.
    #[arg(long, env = "THUMBS_TEST_COMPONENT", value_name = "ID")]
    component: Option<String>,
    /// Name the tests instead of running them.
    #[arg(long, env = "THUMBS_TEST_LIST")]
    list: bool,
    /// Where compiled components are kept; may be shared with `thumbs up`.
    #[arg(long, env = "THUMBS_CACHE_DIR", default_value = ".thumbs/compiled", value_name = "DIRECTORY")]
    cache_dir: PathBuf,
    /// Set a limit of the host; wins over the environment's THUMBS_<NAME>. `thumbs limits` lists them.
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    limit: Vec<(String, String)>,
}

#[derive(Args, Debug)]
struct BundleOptions {
    /// The program to write.
    #[arg(value_name = "PROGRAM")]
    output: PathBuf,
    /// The manifest.
    #[arg(short = 'f', long, env = "THUMBS_MANIFEST", default_value = "spin.toml", value_name = "FILE")]
    from: PathBuf,
}

#[derive(Args, Debug)]
struct BackupOptions {
    /// The backup.
    #[arg(value_name = "FOLDER")]
    backup: PathBuf,
    /// Where databases and blobs lie that have no other place.
    #[arg(long, env = "THUMBS_STATE_DIR", default_value = ".thumbs", value_name = "DIRECTORY")]
    state_dir: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogStyle {
    Auto,
    Json,
    Text,
}

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| "use debug, info, warn or error".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

impl Cli {
    /// Does what was asked for, and says with which status the process should end: 0 is well, 1 is not. Of tests, and of what asks a
    /// service, 1 is a failed one, and 2 says that nothing could be done.
    pub async fn run(self) -> i32 {
        match self.command {
            Command::Limits => {
                print!("{}", table());
                0
            }
            Command::Submit(options) => status(options.run().await, 2),
            Command::Make(options) => status(options.run().await, 2),
            Command::Jobs(options) => status(options.run().await, 2),
            Command::Get(options) => status(options.run().await, 2),
            Command::Retry(options) => status(options.run(jobs::Deed::Retry).await, 2),
            Command::Delete(options) => status(options.run(jobs::Deed::Delete).await, 2),
            Command::Doctor(options) => status(options.run().await, 2),
            Command::Completions(options) => {
                options.run(Self::command(), &mut std::io::stdout());
                0
            }
            Command::Man(options) => {
                let written = options.run(Self::command(), &mut std::io::stdout());
                status(written.map(|()| true).map_err(Into::into), 1)
            }
            Command::Key(command) => status(command.run().map(|()| true), 1),
            Command::Link(options) => status(options.run().map(|()| true), 1),
            Command::Up(options) => status(up(*options).await.map(|()| true), 1),
            Command::Migrate(options) => status(migrate(*options).await.map(|()| true), 1),
            Command::Bundle(options) => status(make_bundle(options).await.map(|()| true), 1),
            Command::Backup(options) => status(copy(&options, true), 1),
            Command::Restore(options) => status(copy(&options, false), 1),
            Command::Test(options) => status(test(options).await, 2),
        }
    }
}

/// The status of what ended well, or not, or could not be done, which is said here.
fn status(ended: Result<bool, Box<dyn std::error::Error>>, when_it_could_not: i32) -> i32 {
    match ended {
        Ok(well) => i32::from(!well),
        Err(error) => {
            eprintln!("error: {error}");
            when_it_could_not
        }
    }
}

/// What is set for this process. Names and values that are not UTF-8 can't be any of ours.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn limits(environment: &[(String, String)], set: &[(String, String)]) -> Result<Limits, LimitError> {
    let mut limits = Limits::from_env(environment.iter().cloned())?;
    for (name, value) in set {
        limits.set(name, value)?;
    }
    Ok(limits)
}

async fn test(options: Test) -> Result<bool, Box<dyn std::error::Error>> {
    let mut builder = Suites::builder(options.from)
        .cache_dir(options.cache_dir)
        .limits(limits(&environment(), &options.limit)?);
    if let Some(component) = options.component {
        builder = builder.component(component);
    }
    let suites = builder.load().await?;
    let mut out = std::io::stdout();
    if options.list {
        suites.list(&options.filters, &mut out)?;
        return Ok(true);
    }
    Ok(suites.run(&options.filters, &mut out).await?)
}

impl Application {
    /// The application with these options, and the log of the process, which it shares with libraries and panics from now on.
    fn builder(self) -> Result<(RuntimeBuilder, Arc<QueuedSink>), Box<dyn std::error::Error>> {
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

async fn migrate(options: Migrate) -> Result<(), Box<dyn std::error::Error>> {
    let (builder, log) = options.application.builder()?;
    let ended = builder.server_wait(Duration::from_secs(options.wait_secs)).prepare().await;
    log.flush(FLUSH_TIMEOUT);
    Ok(ended?)
}

/// Compiles by starting once, in a folder that is gone afterwards, on embedded storage alone.
async fn make_bundle(options: BundleOptions) -> Result<(), Box<dyn std::error::Error>> {
    let mut entries = bundle::application(&Manifest::read(&options.from)?)?;
    let folder = std::env::temp_dir().join(format!("thumbs-bundle-{}", std::process::id()));
    let cache_dir = folder.join(bundle::COMPILED);
    let builder = Runtime::builder(options.from)
        .state_dir(folder.join("state"))
        .cache_dir(&cache_dir)
        .listen(SocketAddr::from(([127, 0, 0, 1], 0)));
    let compiled = match builder.start().await {
        Ok(running) => {
            running.shutdown().await;
            bundle::compiled(&cache_dir)
        }
        Err(error) => {
            // Nothing is kept of it.
            let _ = std::fs::remove_dir_all(&folder);
            return Err(error.into());
        }
    };
    std::fs::remove_dir_all(&folder)?;
    entries.extend(compiled?);
    bundle::write(&std::env::current_exe()?, &entries, &options.output)?;
    println!("{}: thumbs with {} files of the application", options.output.display(), entries.len());
    Ok(())
}

/// Makes a backup, or restores one.
fn copy(options: &BackupOptions, is_backup: bool) -> Result<bool, Box<dyn std::error::Error>> {
    let BackupOptions { backup, state_dir } = options;
    let (copied, to) = if is_backup {
        (backup::back_up(state_dir, backup)?, backup)
    } else {
        (backup::restore(backup, state_dir)?, state_dir)
    };
    let Copied { databases, blobs, blob_bytes } = copied;
    println!("{}: {databases} databases, {blobs} blobs of {blob_bytes} bytes", to.display());
    Ok(true)
}

async fn up(options: Up) -> Result<(), Box<dyn std::error::Error>> {
    descriptors::raise_limit();
    let (mut builder, log) = options.application.builder()?;
    builder = builder.listen(options.listen);
    if let Some(address) = options.admin {
        builder = builder.admin(address);
    }
    if let Some(workers) = options.workers {
        builder = builder.workers(workers);
    }
    if !options.after_compiling {
        builder = builder.after_compiling(restart::afresh);
    }
    let ended = serve(builder).await;
    // What the log's reader does not take by then is lost: it must not hold the process up.
    log.flush(FLUSH_TIMEOUT);
    ended
}

/// Runs the application until a signal comes, and then lets it finish.
async fn serve(builder: RuntimeBuilder) -> Result<(), Box<dyn std::error::Error>> {
    let mut signals = Signals::listen()?;
    let running = tokio::select! {
        running = builder.start() => running?,
        () = signals.next() => return Ok(()),
    };
    if std::io::stdout().is_terminal() {
        print!("{}", running.banner());
    }
    signals.next().await;
    tokio::select! {
        () = running.shutdown() => {}
        () = signals.next() => {}
    }
    Ok(())
}

/// The table of limits as text.
fn table() -> String {
    let width = TABLE.iter().map(|row| row.env().len()).max().unwrap_or(0);
    TABLE
        .iter()
        .map(|row| {
            format!("{:width$}  {:>12}  {}; when hit: {}\n", row.env(), row.default, row.bounds, row.when_hit)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_each_flag_has_a_variable() {
        Cli::command().debug_assert();
        for name in ["up", "migrate", "backup", "restore", "test"] {
            let command = Cli::command().find_subcommand(name).unwrap().clone();
            for flag in command.get_arguments().filter(|flag| {
                !flag.is_positional() && !matches!(flag.get_id().as_str(), "variable" | "limit" | "help")
            }) {
                assert!(
                    flag.get_env().is_some_and(|name| name.to_string_lossy().starts_with("THUMBS_")),
                    "{name} {flag}"
                );
            }
        }
    }

    #[test]
    fn the_table_lists_every_limit() {
        let table = table();
        assert_eq!(table.lines().count(), TABLE.len());
        assert!(table.contains("THUMBS_MESSAGE_CPU_MS"));
    }

    #[test]
    fn a_pair_has_a_name() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(pair("=b").is_err() && pair("a").is_err());
    }
}
