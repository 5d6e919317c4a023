//! Every kind of PNG against the full decode of another library, at the size of the image, where resampling changes nothing.

use image::RgbaImage;
use thumbs_imaging::options::{Fit, Limits, Options};
use thumbs_imaging::thumbnail;

use crate::compare;
use crate::pictures::Png;

fn ours(file: &[u8], width: u32, height: u32) -> RgbaImage {
    let options = Options { width, height, fit: Fit::Fill, ..Options::default() };
    let made = thumbnail(file, &options, &Limits::default()).unwrap();
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    compare::decoded(&made.data)
}

/// At most one level apart: 16 bits may be rounded or cut.
fn assert_same(name: &str, png: &Png) {
    let file = png.bytes();
    let theirs = compare::decoded(&file);
    let worst = compare::worst(&ours(&file, png.width, png.height), &theirs);
    assert!(worst <= u8::from(png.depth == 16), "{name}: {worst} levels apart");
}

const KINDS: [(u8, &[u8]); 5] =
    [(0, &[1, 2, 4, 8, 16]), (2, &[8, 16]), (3, &[1, 2, 4, 8]), (4, &[8, 16]), (6, &[8, 16])];

fn each_kind(mut check: impl FnMut(String, Png)) {
    for (colour_type, depths) in KINDS {
        for &depth in depths {
            for interlaced in [false, true] {
                for (width, height) in [(23, 17), (1, 1), (1, 9), (9, 1), (3, 3)] {
                    let name = format!(
                        "type {colour_type}, {depth} bits, interlaced {interlaced}, {width}x{height}"
                    );
                    let mut png = Png::noise(width, height, depth, colour_type, interlaced);
                    if colour_type == 3 {
                        let colours = if depth == 8 { 256 } else { 1 << depth };
                        let palette: Vec<u8> = (0..3 * colours).map(|at| (at * 37 % 256) as u8).collect();
                        png = png.with(b"PLTE", &palette);
                    }
                    check(name, png);
                }
            }
        }
    }
}

#[test]
fn every_kind_is_decoded_like_elsewhere() {
    each_kind(|name, png| assert_same(&name, &png));
}

#[test]
fn every_kind_of_transparency_is_decoded_like_elsewhere() {
    each_kind(|name, png| {
        // A colour that occurs.
        let words: Vec<u8> = png.samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
        let png = match png.colour_type {
            0 => png.with(b"tRNS", &words[..2]),
            2 => png.with(b"tRNS", &words[..6]),
            3 => png.with(b"tRNS", &[0, 100]),
            _ => return,
        };
        assert_same(&name, &png);
    });
}

#[test]
fn interlacing_makes_no_difference_to_a_thumbnail() {
    for (colour_type, depth) in [(0, 1), (0, 8), (2, 8), (2, 16), (4, 8), (6, 8), (6, 16)] {
        let plain = Png::noise(203, 149, depth, colour_type, false);
        let interlaced = Png { interlaced: true, ..plain.clone() };
        for (width, height) in [(10, 10), (40, 12), (140, 140)] {
            let (plain, interlaced) =
                (ours(&plain.bytes(), width, height), ours(&interlaced.bytes(), width, height));
            assert_eq!(plain, interlaced, "type {colour_type}, {depth} bits to {width}x{height}");
        }
    }
}

#[test]
fn sixteen_bits_do_not_band() {
    // A ramp over two levels of 8 bits: cut to 8 bits before the mean is taken, it is a step.
    let samples = (0..256u32).flat_map(|_| (0..256).map(|x| (100 * 257 + x * 2) as u16)).collect();
    let ramp = Png {
        width: 256,
        height: 256,
        depth: 16,
        colour_type: 0,
        interlaced: false,
        chunks: Vec::new(),
        samples,
    };
    let made = ours(&ramp.bytes(), 64, 1);
    let levels: Vec<u8> = made.pixels().map(|pixel| pixel.0[0]).collect();
    let expected: Vec<u8> =
        (0..64).map(|x| ((100.0 * 257.0 + (f64::from(x) * 4.0 + 1.5) * 2.0) / 257.0).round() as u8).collect();
    assert_eq!(levels, expected);
}
