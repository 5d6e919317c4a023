//! `thumbs submit`: files and folders to a service, and thumbnails back.

use std::path::PathBuf;

use clap::Args;
use futures_util::StreamExt as _;

use super::{
    client::Server,
    files::{self, Input},
    report::Report,
    sending::{End, Place, Sending, Wishes},
};

type Error = Box<dyn std::error::Error>;

#[derive(Args, Debug)]
pub(super) struct Submit {
    /// Images, and folders of them.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    files: Vec<PathBuf>,
    /// Wait for the thumbnails and put them there, in the order that folders have.
    #[arg(short = 'o', long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Wait until each job is done.
    #[arg(long)]
    wait: bool,
    /// Make new jobs, also of what was sent before; else a file that was sent with these wishes has the job that it had.
    #[arg(long)]
    fresh: bool,
    /// How many files are sent at a time.
    #[arg(long, env = "THUMBS_PARALLEL", default_value_t = 8, value_parser = parallel, value_name = "NUMBER")]
    parallel: usize,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    server: Server,
}

fn parallel(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=64).contains(number))
        .ok_or_else(|| "a number from 1 to 64".to_owned())
}

impl Submit {
    /// Whether all became what was asked for.
    ///
    /// # Errors
    /// Nothing could be done: a file is not there, or the service can't be asked.
    pub(super) async fn run(self) -> Result<bool, Error> {
        let inputs = files::inputs(&self.files)?;
        if inputs.is_empty() {
            return Err("there are no files in what was named".into());
        }
        let outputs = match &self.output {
            Some(folder) => files::stems(&inputs)?.into_iter().map(|stem| Some(folder.join(stem))).collect(),
            None => vec![None; inputs.len()],
        };
        let client = self.server.client()?;
        let waits = self.wait || self.output.is_some();
        let sending =
            Sending { client: &client, wishes: &self.wishes, waits, fresh: self.fresh, forgets: false };
        all(&sending, inputs, outputs, self.parallel, self.server.json).await
    }
}

/// Sends all of these, so many at a time, the thumbnail of each to its place. Whether all became what was asked for.
///
/// # Errors
/// The service can't be asked: the rest is not tried.
pub(super) async fn all(
    sending: &Sending<'_>,
    inputs: Vec<Input>,
    outputs: Vec<Option<PathBuf>>,
    parallel: usize,
    json: bool,
) -> Result<bool, Error> {
    let mut report = Report::new(inputs.len(), json);
    let files = inputs.into_iter().zip(outputs).map(|(input, stem)| async move {
        sending.file(&input, stem.as_deref().map_or(Place::Nowhere, Place::Stem)).await
    });
    let mut outcomes = std::pin::pin!(futures_util::stream::iter(files).buffer_unordered(parallel));
    while let Some(outcome) = outcomes.next().await {
        if let End::Unreachable(why) = outcome.end {
            return Err(why.into());
        }
        report.done(&outcome)?;
    }
    Ok(report.end())
}
