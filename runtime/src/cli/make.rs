//! `thumbs make`: a service of its own for as long as it takes, in this process, on data that are gone afterwards. So what it makes is what the
//! service makes, by the same components in the same sandbox, and this command knows no more of images than `submit` does.
//!
//! It reaches no server, whatever the environment names, and is reached by nobody else: it listens on this machine alone, for a key that is drawn
//! for the occasion.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use thumbs_access::{Entry, Key, KeyName, Scopes};

use super::{
    client::Server,
    files::{self, Input},
    pair,
    report::Report,
    scratch::Scratch,
    sending::{End, Place, Sending, Wishes},
    submit,
};
use crate::{
    Running, Runtime,
    backends::BackendOptions,
    bundle::{self, Bundle},
    limits::{Limits, length},
    manifest::Manifest,
    secret::Secret,
    shutdown::Signals,
    telemetry::{Level, LogFormat, QueuedSink},
};

type Error = Box<dyn std::error::Error>;

#[derive(Args, Debug)]
pub(super) struct Make {
    /// An image, or a folder of them.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The thumbnail, whose name says its format where --format does not; or the folder for all of them.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    #[command(flatten)]
    wishes: Wishes,
    /// The manifest [default: the application that this program carries, else spin.toml].
    #[arg(short = 'f', long, env = "THUMBS_MANIFEST", value_name = "FILE")]
    from: Option<PathBuf>,
    /// Where compiled components are kept [default: thumbs in the user's folder for caches].
    #[arg(long, env = "THUMBS_CACHE_DIR", value_name = "DIRECTORY")]
    cache_dir: Option<PathBuf>,
    /// Set a variable of the application, a bound on images say. Those of the environment are not heard.
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE")]
    variable: Vec<(String, String)>,
    /// Write JSON, one object a line.
    #[arg(long)]
    json: bool,
}

impl Make {
    /// Whether all became thumbnails.
    ///
    /// # Errors
    /// Nothing could be done.
    pub(super) async fn run(mut self) -> Result<bool, Error> {
        let inputs = files::inputs(std::slice::from_ref(&self.input))?;
        if inputs.is_empty() {
            return Err(format!("there are no files in {}", self.input.display()).into());
        }
        if self.wishes.format.is_none() && self.output.extension().is_some() && !self.output.is_dir() {
            self.wishes.format = format_of(&self.output);
        }
        let mut signals = Signals::listen()?;
        let scratch = Scratch::new("thumbs-make")?;
        tokio::select! {
            made = self.make(inputs, scratch.path()) => made,
            () = signals.next() => Err("stopped".into()),
        }
    }

    async fn make(&self, inputs: Vec<Input>, scratch: &Path) -> Result<bool, Error> {
        let (running, server) = self.serve(scratch).await?;
        let client = server.client()?;
        let sending =
            Sending { client: &client, wishes: &self.wishes, waits: true, fresh: true, forgets: true };
        let made = match inputs.as_slice() {
            [input] if !self.input.is_dir() => {
                let name = input.below.with_extension("");
                let within = self.output.join(name);
                let place =
                    if self.output.is_dir() { Place::Stem(&within) } else { Place::File(&self.output) };
                let outcome = sending.file(input, place).await;
                if let End::Unreachable(why) = outcome.end {
                    return Err(why.into());
                }
                let mut report = Report::new(1, self.json);
                report.done(&outcome)?;
                report.end()
            }
            _ => {
                let stems = files::stems(&inputs)?;
                let outputs = stems.into_iter().map(|stem| Some(self.output.join(stem))).collect();
                let parallel = std::thread::available_parallelism().map_or(2, |cores| cores.get() + 1);
                submit::all(&sending, inputs, outputs, parallel, self.json).await?
            }
        };
        drop(running);
        Ok(made)
    }

    /// The application on data of its own.
    async fn serve(&self, scratch: &Path) -> Result<(Running, Server), Error> {
        let caches = self.cache_dir.clone().unwrap_or_else(user_caches);
        let (manifest, cache_dir) = match &self.from {
            Some(manifest) => (manifest.clone(), caches),
            None => match Bundle::of(&std::env::current_exe()?)? {
                Some(bundle) => {
                    let folder = bundle.unpacked(&caches)?;
                    (folder.join(bundle::MANIFEST), folder.join(bundle::COMPILED))
                }
                None => (PathBuf::from("spin.toml"), caches),
            },
        };
        let keys = Manifest::read(&manifest)?.application.backends.keys;
        let (key, entry) = fresh_key()?;
        let limits = Limits::default();
        let max_bytes = length(limits.max_queued_log_bytes);
        let sink = Arc::new(QueuedSink::start(LogFormat::of_stderr(), max_bytes, std::io::stderr())?);
        let mut builder = Runtime::builder(manifest)
            .state_dir(scratch)
            .cache_dir(cache_dir)
            .listen(([127, 0, 0, 1], 0).into())
            .limits(limits)
            .backends(BackendOptions {
                redis: Some(Secret::new("in-process")),
                blobs: Some(Secret::new("memory:")),
                ..BackendOptions::default()
            })
            .log(sink, Level::Error);
        if let Some(variable) = keys {
            builder = builder.variable(variable, entry);
        }
        for (name, value) in &self.variable {
            builder = builder.variable(name, value);
        }
        let running = builder.start().await?;
        let server = Server::at(running.local_addr(), key, self.json);
        Ok((running, server))
    }
}

/// A key that nobody had, and its entry for a service that is to take it.
fn fresh_key() -> Result<(Secret, String), getrandom::Error> {
    let mut random = [0; 24];
    getrandom::fill(&mut random)?;
    let key = Key::from_random(random);
    let (name, scopes) = (KeyName::parse("make"), Scopes::parse("read+write"));
    let entry = name.zip(scopes).map(|(name, scopes)| Entry::new(&key, name, scopes, None).to_string());
    Ok((Secret::new(key.expose()), entry.unwrap_or_default()))
}

/// What a file's name says of its format, as the service calls it; none where it says nothing that the service knows by that name.
fn format_of(output: &Path) -> Option<String> {
    let extension = output.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "jpg" => Some("jpeg".to_owned()),
        _ => Some(extension),
    }
}

/// `thumbs` in the folder where programs of this user keep what they can make again.
fn user_caches() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    caches.unwrap_or_else(std::env::temp_dir).join("thumbs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_output_says_its_format() {
        for (name, format) in [("a.JPG", "jpeg"), ("a.jpeg", "jpeg"), ("a.webp", "webp")] {
            assert_eq!(format_of(Path::new(name)).as_deref(), Some(format));
        }
        assert_eq!(format_of(Path::new("a")), None);
    }

    #[test]
    fn a_fresh_key_is_let_in_by_its_entry() {
        let (key, entry) = fresh_key().unwrap();
        assert!(thumbs_access::Keys::parse(&entry).is_ok(), "{entry}");
        assert_ne!(fresh_key().unwrap().0.expose(), key.expose());
    }
}
