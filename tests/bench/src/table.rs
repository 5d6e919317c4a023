//! The table, in Markdown, a line as soon as it is measured.

use std::fmt;

/// The head.
pub(crate) const HEAD: &str = "\
| image | class | MP | file KB | sandbox ms | native ms | libvips ms | Pillow ms | sandbox / faster peer | peak MiB |
|---|---|---|---|---|---|---|---|---|---|";

/// One image.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) class: &'static str,
    pub(crate) megapixels: f64,
    pub(crate) file_bytes: usize,
    pub(crate) sandbox_ms: f64,
    pub(crate) native_ms: f64,
    pub(crate) vips_ms: Option<f64>,
    pub(crate) pillow_ms: Option<f64>,
    pub(crate) peak_memory_bytes: u64,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let optional = |ms: Option<f64>| ms.map_or(String::new(), |ms| format!("{ms:.1}"));
        let faster = [self.vips_ms, self.pillow_ms].into_iter().flatten().reduce(f64::min);
        let ratio = faster.map_or(String::new(), |peer| format!("{:.2}", self.sandbox_ms / peer));
        write!(
            f,
            "| {} | {} | {:.1} | {} | {:.1} | {:.1} | {} | {} | {ratio} | {:.1} |",
            self.name,
            self.class,
            self.megapixels,
            self.file_bytes / 1000,
            self.sandbox_ms,
            self.native_ms,
            optional(self.vips_ms),
            optional(self.pillow_ms),
            self.peak_memory_bytes as f64 / (1024.0 * 1024.0),
        )
    }
}
