//! Thumbnails beside those of an independent program that decodes in full and resamples in one go (`fixtures/SOURCES.md`).
//!
//! The bounds are peak signal to noise in dB and mean structural similarity, a little below what was reached when they were
//! set. They differ by source as decoders do: what loses nothing must come out the same but for rounding and the shrink before
//! Lanczos; lossy decoders may reduce in their own encoding, from which the reference differs. They differ by output as
//! formats do: what a JPEG or 256 colours lose is measured together with all that came before.

use image::{Rgba, RgbaImage};
use thumbs_imaging::options::{Limits, Options, OutputFormat};
use thumbs_imaging::thumbnail;

use crate::{compare, fixtures};

/// At least so alike.
#[derive(Clone, Copy)]
struct Bound {
    db: f64,
    ssim: f64,
}

const fn bound(db: f64, ssim: f64) -> Bound {
    Bound { db, ssim }
}

/// For thumbnails in PNG: what the source's name ends with, the bound at 60x60, where nothing is averaged before Lanczos, and
/// that at 10x10, where cells of 81 pixels or a decoder's own reduction are. First come pictures for which the order of steps
/// matters: colours outside sRGB are clipped after resampling here and before it there.
const SOURCES: [(&str, Bound, Bound); 7] = [
    ("p3.png", bound(43.0, 0.997), bound(35.0, 0.997)),
    ("p3.jpg", bound(43.0, 0.997), bound(35.0, 0.997)),
    ("p3.webp", bound(43.0, 0.997), bound(35.0, 0.997)),
    (".png", bound(44.0, 0.996), bound(39.5, 0.9985)),
    (".gif", bound(55.5, 0.999), bound(42.0, 0.9985)),
    (".jpg", bound(56.5, 0.999), bound(42.0, 0.999)),
    (".webp", bound(54.5, 0.999), bound(41.0, 0.9985)),
];

/// For thumbnails of 60x60 of every source, in the formats that lose something, with the quality that is chosen where none is
/// asked for.
const OUTPUTS: [(OutputFormat, Bound); 3] = [
    (OutputFormat::Jpeg, bound(34.0, 0.925)),
    // Half the chroma at any size, where a JPEG of this side keeps it all.
    (OutputFormat::Webp, bound(28.0, 0.927)),
    (OutputFormat::Gif, bound(40.5, 0.98)),
];

/// Calls `check` with the name, the side and the reference of every picture that has one.
fn each_reference(sides: &[u32], mut check: impl FnMut(&str, u32, RgbaImage)) {
    let mut found = 0;
    for name in fixtures::names() {
        for &side in sides {
            let path = fixtures::folder().join(format!("reference/{name}.{side}.png"));
            if let Ok(reference) = std::fs::read(path) {
                found += 1;
                check(&name, side, compare::decoded(&reference));
            }
        }
    }
    assert!(found > 30 * sides.len(), "only {found} references were found");
}

fn made(name: &str, side: u32, format: OutputFormat) -> RgbaImage {
    made_at(None, name, side, format)
}

fn made_at(quality: Option<u8>, name: &str, side: u32, format: OutputFormat) -> RgbaImage {
    let options = Options { width: side, height: side, format, quality, ..Options::default() };
    compare::decoded(&thumbnail(&fixtures::read(name), &options, &Limits::default()).unwrap().data)
}

/// What is wrong, if something is.
fn failure(what: &str, ours: &RgbaImage, reference: &RgbaImage, bound: Bound) -> Option<String> {
    let (db, ssim) = (compare::psnr(ours, reference), compare::ssim(ours, reference));
    let is_alike = db >= bound.db && ssim >= bound.ssim;
    (!is_alike)
        .then(|| format!("{what}: {db:.1} dB and {ssim:.4}, less than {:.1} or {:.4}", bound.db, bound.ssim))
}

#[test]
fn thumbnails_look_like_those_of_a_full_decode() {
    let mut failures = Vec::new();
    each_reference(&[60, 10], |name, side, reference| {
        let (_, large, small) = SOURCES.into_iter().find(|(ending, ..)| name.ends_with(ending)).unwrap();
        let bound = if side == 60 { large } else { small };
        let ours = made(name, side, OutputFormat::Png);
        failures.extend(failure(&format!("{name} at {side}"), &ours, &reference, bound));
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn formats_that_lose_something_lose_little() {
    let mut failures = Vec::new();
    for (format, bound) in OUTPUTS {
        each_reference(&[60], |name, side, reference| {
            let reference = match format {
                OutputFormat::Jpeg => over_white(&reference),
                // A soft edge has no likeness in one bit of alpha.
                _ if reference.pixels().any(|pixel| pixel.0[3] < 255) => return,
                _ => reference,
            };
            let ours = made(name, side, format);
            failures.extend(failure(&format!("{name} to {format:?}"), &ours, &reference, bound));
        });
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn webp_of_quality_100_loses_nothing() {
    each_reference(&[60], |name, side, _| {
        let [png, webp] =
            [OutputFormat::Png, OutputFormat::Webp].map(|format| made_at(Some(100), name, side, format));
        assert_eq!(compare::worst(&png, &webp), 0, "{name}");
    });
}

fn over_white(picture: &RgbaImage) -> RgbaImage {
    let mut laid = picture.clone();
    for Rgba([channels @ .., alpha]) in laid.pixels_mut() {
        for channel in channels {
            let cover = u32::from(*alpha);
            *channel = ((u32::from(*channel) * cover + 255 * (255 - cover) + 127) / 255) as u8;
        }
        *alpha = 255;
    }
    laid
}
