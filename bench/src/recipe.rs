//! Pictures made out of a photo by Pillow, which writes what no encoder of ours does.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// What `recipes.py` is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    /// A name that `recipes.py` knows.
    pub(crate) name: &'static str,
    /// In pixels.
    pub(crate) width: u32,
    /// In pixels.
    pub(crate) height: u32,
}

impl Recipe {
    /// # Errors
    /// Where Python or Pillow is not installed, among others.
    pub(crate) fn cook(self, photo: &[u8]) -> Result<Vec<u8>> {
        let mut python = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes.py"))
            .args([self.name, &self.width.to_string(), &self.height.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("python3")?;
        // It reads all of the photo before it writes anything, so that neither waits for the other.
        let mut input = python.stdin.take().context("recipes.py has no input")?;
        input.write_all(photo)?;
        drop(input);
        let output = python.wait_with_output()?;
        ensure!(output.status.success(), "recipes.py: {}", output.status);
        Ok(output.stdout)
    }
}
