//! What is measured: generated pictures, always; photos of Debian's packages `gnome-backgrounds` and `plasma-workspace-wallpapers`,
//! and pictures made out of one of them, where they (and Pillow) are installed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use thumbs_imaging::options::{Limits, OutputFormat};

use crate::{class::Class, recipe::Recipe, scene};

/// One picture to measure.
pub(crate) struct Photo {
    pub(crate) name: String,
    pub(crate) class: Class,
    source: Source,
}

enum Source {
    File(PathBuf),
    Made(fn() -> Result<Vec<u8>>),
    Cooked(Recipe),
}

impl Photo {
    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        let read = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
        match &self.source {
            Source::File(path) => read(path),
            Source::Made(make) => make(),
            Source::Cooked(recipe) => recipe.cook(&read(INGREDIENT.as_ref())?),
        }
    }

    /// Parts of it are decoded by a component beside imaging.
    pub(crate) fn is_coded_in_parts(&self) -> bool {
        matches!(self.class, Class::Heic | Class::Avif)
    }

    /// What it becomes.
    pub(crate) fn output(&self) -> OutputFormat {
        match self.class {
            Class::AnimatedGif => OutputFormat::Gif,
            Class::ToLossyWebp => OutputFormat::Webp,
            Class::ToJpeg => OutputFormat::Jpeg,
            _ => OutputFormat::Png,
        }
    }
}

/// Millions of pixels over all frames, by our own probe.
pub(crate) fn megapixels(bytes: &[u8]) -> f64 {
    let limits = Limits { max_pixels: u64::MAX, max_total_pixels: u64::MAX, ..Limits::default() };
    thumbs_imaging::probe(bytes, &limits)
        .map_or(0.0, |info| f64::from(info.width) * f64::from(info.height) * f64::from(info.frames) / 1e6)
}

/// Name, class, and how it is made.
type Made = (&'static str, Class, fn() -> Result<Vec<u8>>);

const MADE: &[Made] = &[
    ("made-small.jpg", Class::BaselineJpeg, || scene::jpeg(384, 256, false)),
    ("made-2mp.jpg", Class::BaselineJpeg, || scene::jpeg(1600, 1200, false)),
    ("made-12mp.jpg", Class::BaselineJpeg, || scene::jpeg(4000, 3000, false)),
    ("made-48mp.jpg", Class::BaselineJpeg, || scene::jpeg(8000, 6000, false)),
    ("made-small-progressive.jpg", Class::ProgressiveJpeg, || scene::jpeg(384, 256, true)),
    ("made-12mp-progressive.jpg", Class::ProgressiveJpeg, || scene::jpeg(4000, 3000, true)),
    ("made-small.jpg to webp", Class::ToLossyWebp, || scene::jpeg(384, 256, false)),
    ("made-2mp.jpg to webp", Class::ToLossyWebp, || scene::jpeg(1600, 1200, false)),
    ("made-small.jpg to jpeg", Class::ToJpeg, || scene::jpeg(384, 256, false)),
    ("made-2mp.jpg to jpeg", Class::ToJpeg, || scene::jpeg(1600, 1200, false)),
    ("made-small.png", Class::Png, || scene::png(384, 256)),
    ("made-8mp.png", Class::Png, || scene::png(3264, 2448)),
    ("made-48mp.png", Class::Png, || scene::png(8000, 6000)),
    ("made-small.webp", Class::LosslessWebp, || scene::lossless_webp(384, 256)),
    ("made-4mp.webp", Class::LosslessWebp, || scene::lossless_webp(2400, 1600)),
    ("made-small.gif", Class::GifStill, || scene::gif(384, 256)),
    ("made-2mp.gif", Class::GifStill, || scene::gif(1600, 1200)),
    ("made-50-frames.gif", Class::AnimatedGif, scene::animated_gif),
];

/// What recipes are made out of: grass, wood, water, a bright sky.
const INGREDIENT: &str = "/usr/share/wallpapers/EveningGlow/contents/images/2560x1600.jpg";

const COOKED: &[(&str, Class, Recipe)] = &[
    ("glow-small.jpg", Class::BaselineJpeg, Recipe { name: "baseline-jpeg", width: 384, height: 256 }),
    ("glow-2mp.jpg", Class::BaselineJpeg, Recipe { name: "baseline-jpeg", width: 1600, height: 1200 }),
    ("glow-small.jpg to webp", Class::ToLossyWebp, Recipe { name: "baseline-jpeg", width: 384, height: 256 }),
    ("glow-2mp.jpg to webp", Class::ToLossyWebp, Recipe { name: "baseline-jpeg", width: 1600, height: 1200 }),
    ("glow-small.jpg to jpeg", Class::ToJpeg, Recipe { name: "baseline-jpeg", width: 384, height: 256 }),
    ("glow-2mp.jpg to jpeg", Class::ToJpeg, Recipe { name: "baseline-jpeg", width: 1600, height: 1200 }),
    (
        "glow-small-progressive.jpg",
        Class::ProgressiveJpeg,
        Recipe { name: "progressive-jpeg", width: 384, height: 256 },
    ),
    ("glow-small.png", Class::Png, Recipe { name: "png", width: 384, height: 256 }),
    ("glow-small.webp", Class::LossyWebp, Recipe { name: "lossy-webp", width: 384, height: 256 }),
    ("glow-2mp.webp", Class::LossyWebp, Recipe { name: "lossy-webp", width: 1600, height: 1200 }),
    (
        "glow-small-lossless.webp",
        Class::LosslessWebp,
        Recipe { name: "lossless-webp", width: 384, height: 256 },
    ),
    (
        "glow-2mp-lossless.webp",
        Class::LosslessWebp,
        Recipe { name: "lossless-webp", width: 1600, height: 1200 },
    ),
    ("glow-2mp.heic", Class::Heic, Recipe { name: "heic", width: 1600, height: 1200 }),
    ("glow-12mp.heic", Class::Heic, Recipe { name: "heic", width: 4000, height: 3000 }),
    ("glow-2mp.avif", Class::Avif, Recipe { name: "avif", width: 1600, height: 1200 }),
    ("glow-12mp.avif", Class::Avif, Recipe { name: "avif", width: 4000, height: 3000 }),
    ("glow-small.gif", Class::GifStill, Recipe { name: "gif", width: 384, height: 256 }),
    ("glow-2mp.gif", Class::GifStill, Recipe { name: "gif", width: 1600, height: 1200 }),
    ("glow-50-frames.gif", Class::AnimatedGif, Recipe { name: "animated-gif", width: 480, height: 360 }),
];

/// For several thumbnails of one: with fine detail, made, and one that is sharp at a fourth of its pixels and smooth at all of them.
pub(crate) fn of_twelve_megapixels() -> [(&'static str, Result<Vec<u8>>); 3] {
    let cooked = |name| {
        std::fs::read(INGREDIENT)
            .context(INGREDIENT)
            .and_then(|photo| Recipe { name, width: 4000, height: 3000 }.cook(&photo))
    };
    [
        ("made-12mp.jpg", scene::jpeg(4000, 3000, false)),
        ("glow-12mp.jpg", cooked("baseline-jpeg")),
        ("smooth-12mp.jpg", cooked("smooth-jpeg")),
    ]
}

const PHOTOS: &[(&str, Class)] = &[
    ("/usr/share/wallpapers/Honeywave/contents/images/5120x2880.jpg", Class::BaselineJpeg),
    ("/usr/share/wallpapers/SafeLanding/contents/images/5120x2880.jpg", Class::BaselineJpeg),
    ("/usr/share/wallpapers/Shell/contents/images/5120x2880.jpg", Class::BaselineJpeg),
    ("/usr/share/wallpapers/FallenLeaf/contents/images/2560x1600.jpg", Class::BaselineJpeg),
    ("/usr/share/wallpapers/EveningGlow/contents/images/2560x1600.jpg", Class::BaselineJpeg),
    ("/usr/share/wallpapers/PastelHills/contents/images/3200x2000.jpg", Class::BaselineJpeg),
    ("/usr/share/wallpapers/Flow/contents/images/5120x2880.jpg", Class::ProgressiveJpeg),
    ("/usr/share/wallpapers/Volna/contents/images/5120x2880.jpg", Class::ProgressiveJpeg),
    ("/usr/share/wallpapers/Autumn/contents/images/2560x1600.jpg", Class::ProgressiveJpeg),
    ("/usr/share/wallpapers/ColorfulCups/contents/images/2560x1600.jpg", Class::ProgressiveJpeg),
    ("/usr/share/wallpapers/Altai/contents/images/5120x2880.png", Class::Png),
    ("/usr/share/wallpapers/IceCold/contents/images/5120x2880.png", Class::Png),
    ("/usr/share/wallpapers/Opal/contents/images/3840x2160.png", Class::Png),
    ("/usr/share/wallpapers/Patak/contents/images/1080x1920.png", Class::Png),
    ("/usr/share/backgrounds/gnome/adwaita-l.webp", Class::LossyWebp),
    ("/usr/share/backgrounds/gnome/pixels-l.webp", Class::LossyWebp),
    ("/usr/share/backgrounds/gnome/vnc-d.webp", Class::LossyWebp),
    ("/usr/share/backgrounds/gnome/wood-d.webp", Class::LossyWebp),
];

/// All of them; photos that are not installed are left out, and what can't be made without them.
pub(crate) fn all() -> Vec<Photo> {
    let installed =
        PHOTOS.iter().map(|(path, class)| (PathBuf::from(path), class)).filter(|(path, _)| path.is_file());
    let photos = installed.map(|(path, &class)| {
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        // Wallpapers are told apart by their folder, backgrounds by their file.
        let name = if parts.iter().any(|part| part == "wallpapers") {
            format!("{}-{}", parts[4], parts[parts.len() - 1])
        } else {
            parts[parts.len() - 1].to_string()
        };
        Photo { name, class, source: Source::File(path) }
    });
    let made = MADE.iter().map(|&(name, class, make)| Photo {
        name: name.to_owned(),
        class,
        source: Source::Made(make),
    });
    let recipes = if Path::new(INGREDIENT).is_file() { COOKED } else { &[] };
    let cooked = recipes.iter().map(|&(name, class, recipe)| Photo {
        name: name.to_owned(),
        class,
        source: Source::Cooked(recipe),
    });
    let mut all: Vec<_> = photos.chain(made).chain(cooked).collect();
    all.sort_by_key(|photo| photo.class);
    all
}
