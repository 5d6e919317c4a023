//! The command line of `thumbs`: every flag has an environment variable, a default and, where it has one, a unit.
//!
//! Only here is the environment read, and taken over what a process has one of: signals, panics, the global `tracing` subscriber.

mod access;
mod application;
mod client;
mod copies;
mod doctor;
mod files;
mod jobs;
mod make;
mod pages;
mod report;
mod scratch;
mod sending;
mod submit;
mod suites;
mod up;

use clap::{CommandFactory as _, Parser, Subcommand};

use application::{Application, environment, limits, pair};
use copies::{BackupOptions, BundleOptions, copy, make_bundle};
use suites::{Test, test};
use up::{Migrate, Up, migrate, up};

use crate::limits::TABLE;

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
}
