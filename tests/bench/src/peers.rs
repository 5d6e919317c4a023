//! libvips and Pillow, in one Python process that lives as long as the bench and measures with its own clock.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use thumbs_imaging::options::OutputFormat;

use crate::measure::Repeat;

/// What the peers took; none where a peer is not installed or can't read the image.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Peer {
    pub(crate) vips_ms: Option<f64>,
    pub(crate) pillow_ms: Option<f64>,
}

/// The Python process, or nothing where there is no Python.
pub(crate) struct Peers {
    python: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
    /// The peers' versions, as they say them.
    pub(crate) versions: String,
}

impl Peers {
    pub(crate) fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers.py");
        let spawned = Command::new("python3")
            .arg(script)
            .env("VIPS_CONCURRENCY", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let python = spawned.ok().and_then(|mut child| {
            let input = child.stdin.take()?;
            let output = BufReader::new(child.stdout.take()?);
            Some((child, input, output))
        });
        let mut peers = Self { python, versions: "no peers".to_owned() };
        let mut line = String::new();
        if let Some((_, _, output)) = &mut peers.python
            && output.read_line(&mut line).is_ok_and(|read| read > 0)
        {
            peers.versions = line.trim().to_owned();
        } else {
            peers.python = None;
        }
        peers
    }

    /// Has both peers make the thumbnail, each repeated like ours.
    pub(crate) fn measure(&mut self, image: &[u8], output: OutputFormat, repeat: Repeat) -> Result<Peer> {
        let Some((_, input, answers)) = &mut self.python else { return Ok(Peer::default()) };
        let order = serde_json::json!({
            "bytes": image.len(),
            "output": if output == OutputFormat::Gif { "gif" } else { "png" },
            "at_least": repeat.at_least,
            "at_most": repeat.at_most,
            "budget_s": repeat.budget.as_secs_f64(),
        });
        writeln!(input, "{order}").and_then(|()| input.write_all(image)).and_then(|()| input.flush())?;
        let mut line = String::new();
        answers.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("the peers answered {line:?}"))
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        if let Some((mut child, input, _)) = self.python.take() {
            drop(input);
            // The process ends with its input; an error here leaves nothing that the bench still needs.
            let _ = child.wait();
        }
    }
}
