//! Thumbnails beside those of an independent program that decodes in full and resamples in one go (`fixtures/SOURCES.md`).
//!
//! The bounds are peak signal to noise in dB, some tenths below what was reached when they were set. They differ as decoders do:
//! what loses nothing must come out the same but for rounding and the shrink before Lanczos; lossy decoders may reduce in
//! their own encoding, from which the reference differs.

use thumbs_imaging::options::{Limits, Options};
use thumbs_imaging::thumbnail;

use crate::{compare, fixtures};

/// What the name ends with, the bound at 60x60, where nothing is averaged before Lanczos, and that at 10x10, where cells of
/// 81 pixels or a decoder's own reduction are. First come pictures for which the order of steps matters: colours outside sRGB
/// are clipped after resampling here and before it there.
const BOUNDS: [(&str, f64, f64); 7] = [
    ("p3.png", 43.0, 35.0),
    ("p3.jpg", 43.0, 35.0),
    ("p3.webp", 43.0, 35.0),
    (".png", 44.0, 39.5),
    (".gif", 55.5, 42.0),
    (".jpg", 56.5, 42.0),
    (".webp", 54.5, 41.0),
];

#[test]
fn thumbnails_look_like_those_of_a_full_decode() {
    let mut failures = Vec::new();
    let mut compared = 0;
    for name in fixtures::names() {
        for (index, side) in [60, 10].into_iter().enumerate() {
            let path = fixtures::folder().join(format!("reference/{name}.{side}.png"));
            let Ok(reference) = std::fs::read(path) else { continue };
            let options = Options { width: side, height: side, ..Options::default() };
            let ours = thumbnail(&fixtures::read(&name), &options, &Limits::default()).unwrap();
            let psnr = compare::psnr(&compare::decoded(&ours.data), &compare::decoded(&reference));
            let (_, large, small) = BOUNDS.into_iter().find(|(ending, ..)| name.ends_with(ending)).unwrap();
            let bound = [large, small][index];
            compared += 1;
            if psnr < bound {
                failures.push(format!("{name} at {side}: {psnr:.1} dB, less than {bound}"));
            }
        }
    }
    assert!(compared > 60, "only {compared} references were found");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
