//! libvips and Pillow, in one Python process that lives as long as the bench and measures its own time.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use thumbs_imaging::options::OutputFormat;

/// Whom we compare with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    Libvips,
    Pillow,
}

#[derive(Deserialize)]
struct Answer {
    /// None where the peer is not installed or can't read the image.
    ms: Option<f64>,
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

    /// Hands over the image that the next runs are about.
    pub(crate) fn load(&mut self, image: &[u8]) -> Result<()> {
        let Some((_, input, _)) = &mut self.python else { return Ok(()) };
        writeln!(input, "{}", serde_json::json!({ "bytes": image.len() }))?;
        input.write_all(image)?;
        Ok(input.flush()?)
    }

    /// Has a peer make the thumbnail once; how many milliseconds that took, or `None` where it can't.
    pub(crate) fn run_ms(&mut self, peer: Peer, output: OutputFormat) -> Result<Option<f64>> {
        let Some((_, input, answers)) = &mut self.python else { return Ok(None) };
        let order = serde_json::json!({
            "peer": match peer {
                Peer::Libvips => "libvips",
                Peer::Pillow => "pillow",
            },
            "output": match output {
                OutputFormat::Png => "png",
                OutputFormat::Jpeg => "jpeg",
                OutputFormat::Webp => "webp",
                OutputFormat::Gif => "gif",
            },
        });
        writeln!(input, "{order}").and_then(|()| input.flush())?;
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let answer: Answer =
            serde_json::from_str(&line).with_context(|| format!("the peers answered {line:?}"))?;
        Ok(answer.ms)
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
