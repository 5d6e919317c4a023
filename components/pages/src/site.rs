//! The files of `site/`, carried in the component: no host has to have them, and no page asks another origin.

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// The last segment of its path.
    pub name: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub content: &'static [u8],
}

/// The media type of a page.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What is at `/`.
pub(crate) const HOME: File =
    File { name: "index.html", content_type: HTML, content: include_bytes!("../site/index.html") };

/// What is at `/docs`.
pub(crate) const DOCS: File =
    File { name: "docs.html", content_type: HTML, content: include_bytes!("../site/docs.html") };

macro_rules! files {
    ($($name:literal $content_type:expr;)+) => {
        /// What is below `/site/`.
        pub const FILES: &[File] = &[
            $(File { name: $name, content_type: $content_type, content: include_bytes!(concat!("../site/", $name)) },)+
        ];
    };
}

files! {
    "api.js" SCRIPT;
    "app.css" CSS;
    "app.js" SCRIPT;
    "card.js" SCRIPT;
    "docs.css" CSS;
    "docs.js" SCRIPT;
    "dom.js" SCRIPT;
    "icon.svg" SVG;
    "key.js" SCRIPT;
    "operation.js" SCRIPT;
    "options.js" SCRIPT;
    "style.css" CSS;
    "text.js" SCRIPT;
    "zip.js" SCRIPT;
}

/// The file of this name below `/site/`.
pub(crate) fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}
