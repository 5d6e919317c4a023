//! Frames on their canvas, against what libwebp composes.

use thumbs_webp::{Decoder, Error, Layout, Limit, Limits};

use crate::{
    fixtures::{decode, digest, expected, read, shrink},
    reduced::averages,
};

const NAMES: [&str; 4] = ["animation-lossless", "animation-lossy", "animation-mixed", "animation-opaque"];

#[test]
fn frames_are_composed_as_libwebp_does() {
    let mut frames = 0;
    for expected in expected().iter().filter(|expected| NAMES.contains(&expected.name.as_str())) {
        let file = read(&expected.name);
        let decoder = Decoder::new(&file).unwrap();
        let frame =
            decoder.frames(shrink(1), &Limits::default()).unwrap().nth(expected.frame).unwrap().unwrap();
        let image = frame.image;
        assert_eq!((image.width, image.height), (expected.width, expected.height));
        assert_eq!(image.layout, Layout::Rgba8);
        let pixels = match expected.layout {
            Layout::Rgba8 => image.pixels,
            Layout::Rgb8 => image.pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        };
        assert_eq!(digest(&pixels), expected.digest, "{} {}", expected.name, expected.frame);
        frames += 1;
    }
    assert_eq!(frames, 18);
}

#[test]
fn frames_last_as_long_as_the_file_says() {
    let file = read("animation-lossy");
    let decoder = Decoder::new(&file).unwrap();
    let frames = decoder.frames(shrink(8), &Limits::default()).unwrap();
    let durations: Vec<u32> = frames.map(|frame| frame.unwrap().duration_ms).collect();
    assert_eq!(durations, [40, 80, 120, 10, 500]);
}

#[test]
fn reduced_frames_are_averages_of_the_canvas() {
    for name in NAMES {
        let file = read(name);
        let decoder = Decoder::new(&file).unwrap();
        let full = decoder.frames(shrink(1), &Limits::default()).unwrap();
        let reduced = decoder.frames(shrink(5), &Limits::default()).unwrap();
        for (full, reduced) in full.zip(reduced) {
            let (full, reduced) = (full.unwrap(), reduced.unwrap());
            assert_eq!(
                (reduced.image.width, reduced.duration_ms),
                (full.image.width.div_ceil(5), full.duration_ms)
            );
            // Frames that stand alone are averaged before the colour conversion.
            let bound = if name == "animation-opaque" { 24.0 } else { 0.51 };
            for (&got, average) in reduced.image.pixels.iter().zip(averages(&full.image, 5)) {
                assert!((f64::from(got) - average).abs() < bound, "{name}: {got}, not {average}");
            }
        }
    }
}

#[test]
fn a_still_image_is_one_frame() {
    let file = read("lossy-q75-m6");
    let decoder = Decoder::new(&file).unwrap();
    let frames: Vec<_> = decoder.frames(shrink(4), &Limits::default()).unwrap().map(Result::unwrap).collect();
    assert_eq!((frames.len(), frames[0].duration_ms), (1, 0));
    let opaque: Vec<u8> = frames[0].image.pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    assert_eq!(opaque, decode(&file, 4).pixels);
    assert!(frames[0].image.pixels.chunks_exact(4).all(|pixel| pixel[3] == 255));
}

#[test]
fn the_still_of_an_animation_is_its_first_frame() {
    for name in NAMES {
        let file = read(name);
        let decoder = Decoder::new(&file).unwrap();
        let first = decoder.frames(shrink(3), &Limits::default()).unwrap().next().unwrap().unwrap();
        let still = decode(&file, 3);
        assert_eq!((still.width, still.height), (first.image.width, first.image.height));
        if still.layout == Layout::Rgba8 {
            assert_eq!(still, first.image, "{name}");
        }
    }
}

#[test]
fn frames_over_a_limit_are_refused() {
    let file = read("animation-lossy");
    let decoder = Decoder::new(&file).unwrap();
    let pixels = u64::from(decoder.width() * decoder.height());
    let refused = |limits: Limits| decoder.frames(shrink(1), &limits).err();
    assert_eq!(
        refused(Limits { max_frames: 4, ..Limits::default() }),
        Some(Error::LimitExceeded(Limit::Frames))
    );
    assert_eq!(
        refused(Limits { max_total_pixels: 5 * pixels - 1, ..Limits::default() }),
        Some(Error::LimitExceeded(Limit::TotalPixels))
    );
    assert_eq!(refused(Limits { max_frames: 5, max_total_pixels: 5 * pixels, ..Limits::default() }), None);
}
