//! What is uploaded: photos of 2560x1600 pixels, each time with other bytes, so that no earlier result answers for them.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use anyhow::{Context, Result};
use bytes::Bytes;

/// Of Debian's `plasma-workspace-wallpapers`; two are progressive.
const INSTALLED: [&str; 4] = ["FallenLeaf", "EveningGlow", "Autumn", "ColorfulCups"];

/// JPEGs that are sent in turn.
pub(crate) struct Images {
    sources: Vec<Vec<u8>>,
    sent: AtomicUsize,
}

impl Images {
    /// Those that are installed, or else the one that lies in `docs/pictures`.
    pub(crate) fn load() -> Result<Self> {
        let installed = INSTALLED
            .map(|name| PathBuf::from(format!("/usr/share/wallpapers/{name}/contents/images/2560x1600.jpg")));
        let mut paths: Vec<_> = installed.into_iter().filter(|path| path.is_file()).collect();
        if paths.is_empty() {
            paths.push(crate::repository().join("docs/pictures/landscape.jpg"));
        }
        let read = |path: &PathBuf| std::fs::read(path).with_context(|| path.display().to_string());
        Ok(Self { sources: paths.iter().map(read).collect::<Result<_>>()?, sent: AtomicUsize::new(0) })
    }

    pub(crate) fn description(&self) -> String {
        let bytes: usize = self.sources.iter().map(Vec::len).sum();
        format!(
            "{} JPEGs of 4 megapixels and {} KB on average",
            self.sources.len(),
            bytes / self.sources.len() / 1000
        )
    }

    /// The next one, with a comment (ITU-T T.81, B.2.4.5) that no other has.
    pub(crate) fn next(&self) -> Bytes {
        let number = self.sent.fetch_add(1, Relaxed);
        let source = &self.sources[number % self.sources.len()];
        let comment = format!("{number:016}");
        let (start_of_image, rest) = source.split_at(2);
        Bytes::from([start_of_image, b"\xff\xfe\x00\x12", comment.as_bytes(), rest].concat())
    }
}
