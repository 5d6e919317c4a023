//! The table, in Markdown, a line as soon as it is measured.

use std::fmt;

use crate::{class::Class, measure::Times};

pub(crate) const MIB: f64 = 1024.0 * 1024.0;

/// The head.
pub(crate) const HEAD: &str = "\
| image | class | MP | file KB | sandbox ms | native ms | libvips ms | Pillow ms | sandbox / faster peer | of the least | peak MiB |
|---|---|---|---|---|---|---|---|---|---|---|";

/// One image.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) class: Class,
    pub(crate) megapixels: f64,
    pub(crate) file_bytes: usize,
    pub(crate) sandbox: Option<Times>,
    pub(crate) native: Option<Times>,
    pub(crate) libvips: Option<Times>,
    pub(crate) pillow: Option<Times>,
    pub(crate) peak_memory_bytes: u64,
}

impl Row {
    /// The sandbox to the peer with the smaller median, by the median of the rounds; `None` without peers.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let peer = self.peers().min_by(|a, b| a.median().total_cmp(&b.median()))?;
        Some(self.sandbox.as_ref()?.ratio_to(peer))
    }

    /// By the least times.
    fn ratio_of_least(&self) -> Option<f64> {
        let peer = self.peers().map(Times::least).reduce(f64::min)?;
        Some(self.sandbox.as_ref()?.least() / peer)
    }

    fn peers(&self) -> impl Iterator<Item = &Times> {
        [&self.libvips, &self.pillow].into_iter().flatten()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |times: &Option<Times>| {
            times.as_ref().map_or(String::new(), |times| format!("{:.1}", times.median()))
        };
        let ratio = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        write!(
            f,
            "| {} | {} | {:.1} | {} | {} | {} | {} | {} | {} | {} | {:.1} |",
            self.name,
            self.class,
            self.megapixels,
            self.file_bytes / 1000,
            ms(&self.sandbox),
            ms(&self.native),
            ms(&self.libvips),
            ms(&self.pillow),
            ratio(self.ratio()),
            ratio(self.ratio_of_least()),
            self.peak_memory_bytes as f64 / MIB,
        )
    }
}
