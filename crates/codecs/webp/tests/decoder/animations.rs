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

/// Where the payload of the `n`th chunk of that name begins, wherever it is nested.
fn payload_at(file: &[u8], id: &[u8; 4], n: usize) -> usize {
    (0..file.len() - 4).filter(|&at| &file[at..at + 4] == id).nth(n).unwrap() + 8
}

#[test]
fn an_animation_begins_with_its_first_frame_that_is_not_broken() {
    let whole = read("animation-opaque");
    let second =
        Decoder::new(&whole).unwrap().frames(shrink(1), &Limits::default()).unwrap().nth(1).unwrap().unwrap();
    let frame = payload_at(&whole, b"ANMF", 0);
    // Its size is another than its image's; the start code of its image is wrong.
    for at in [frame + 6, payload_at(&whole, b"VP8 ", 0) + 3] {
        let mut file = whole.clone();
        file[at] ^= 0x55;
        let decoder = Decoder::new(&file).unwrap();
        assert!(decoder.begins_late());
        let mut frames = decoder.frames(shrink(1), &Limits::default()).unwrap();
        assert!(matches!(frames.next(), Some(Err(Error::Malformed(_)))));
        let begun = frames.next().unwrap().unwrap();
        assert_eq!(begun.duration_ms, second.duration_ms);
        // On a blank canvas, what it draws is what it drew over the first, and the rest is transparent.
        let pixels = begun.image.pixels.as_chunks::<4>().0.iter().zip(second.image.pixels.as_chunks::<4>().0);
        let drawn = pixels
            .filter(|(begun, _)| begun[3] > 0)
            .inspect(|(begun, second)| assert!(begun == second))
            .count();
        assert!(drawn > 100, "{drawn} pixels");
        assert!(frames.next().unwrap().is_ok());
        assert!(decoder.decode_still(shrink(1), &Limits::default()).unwrap() == begun.image);
    }
    assert!(!Decoder::new(&whole).unwrap().begins_late());
}

#[test]
fn an_animation_ends_with_a_frame_that_is_broken() {
    let mut file = read("animation-opaque");
    let second = payload_at(&file, b"VP8 ", 1) + 3;
    file[second] ^= 0x55;
    let decoder = Decoder::new(&file).unwrap();
    let mut frames = decoder.frames(shrink(1), &Limits::default()).unwrap();
    assert!(frames.next().unwrap().is_ok());
    assert!(frames.next().unwrap().is_err());
    assert!(frames.next().is_none());
}

#[test]
fn a_frame_that_is_passed_over_tells_its_time() {
    let file = read("animation-lossy");
    let mut frames = Decoder::new(&file).unwrap().frames(shrink(8), &Limits::default()).unwrap();
    assert_eq!(frames.next().unwrap().unwrap().duration_ms, 40);
    let rest: Vec<u32> = std::iter::from_fn(|| frames.pass_over()).collect();
    assert_eq!(rest, [80, 120, 10, 500]);
}

#[test]
fn only_what_the_header_declares_is_there() {
    const ALPHA: u8 = 0x10;
    let with_alpha = read("alpha-lossless");
    let flags = payload_at(&with_alpha, b"VP8X", 0);
    let mut without = with_alpha.clone();
    without[flags] &= !ALPHA;
    assert!(decode(&with_alpha, 1).layout == Layout::Rgba8 && decode(&without, 1).layout == Layout::Rgb8);
    // EXIF, XMP and a profile, first declared and then not.
    let mut file = read("lossy-q75-m6");
    let (width, height) = (decode(&file, 1).width - 1, decode(&file, 1).height - 1);
    let chunk =
        |id: &[u8; 4], payload: &[u8]| [&id[..], &(payload.len() as u32).to_le_bytes(), payload].concat();
    let sides = [&width.to_le_bytes()[..3], &height.to_le_bytes()[..3]].concat();
    for flags in [0x2c, 0] {
        let extended = chunk(b"VP8X", &[&[flags, 0, 0, 0], &sides[..]].concat());
        let body = [
            extended,
            chunk(b"ICCP", b"profile!"),
            file.split_off(12),
            chunk(b"EXIF", b"II"),
            chunk(b"XMP ", b"<x>!"),
        ];
        let body = body.concat();
        let all = [&b"RIFF"[..], &(body.len() as u32 + 4).to_le_bytes(), b"WEBP", &body].concat();
        let decoder = Decoder::new(&all).unwrap();
        let told = [decoder.icc_profile(), decoder.exif(), decoder.xmp()];
        let declared: [Option<&[u8]>; 3] = [Some(b"profile!"), Some(b"II"), Some(b"<x>!")];
        assert_eq!(told, if flags == 0 { [None; 3] } else { declared });
        file = read("lossy-q75-m6");
    }
}
