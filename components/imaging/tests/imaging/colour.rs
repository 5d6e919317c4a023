//! Colours that a file says are not sRGB, and pictures that are stored turned.

use thumbs_imaging::options::{Fit, Limits, Options, Warning};
use thumbs_imaging::{Thumbnail, thumbnail};

use crate::pictures::Png;
use crate::{compare, fixtures};

fn same_size(file: &[u8], width: u32, height: u32) -> Thumbnail {
    let options = Options { width, height, fit: Fit::Fill, ..Options::default() };
    thumbnail(file, &options, &Limits::default()).unwrap()
}

fn grey_of(png: &Png) -> (u8, Vec<Warning>) {
    let made = same_size(&png.bytes(), png.width, png.height);
    (compare::decoded(&made.data).get_pixel(0, 0).0[0], made.warnings)
}

fn plain(level: u16) -> Png {
    Png {
        width: 4,
        height: 4,
        depth: 8,
        colour_type: 0,
        interlaced: false,
        chunks: Vec::new(),
        samples: vec![level; 16],
    }
}

#[test]
fn a_declared_gamma_is_honoured_and_srgb_comes_before_it() {
    let linear = 100_000u32.to_be_bytes();
    assert_eq!(grey_of(&plain(55)), (55, vec![]));
    // sRGB's curve at 55/255.
    assert_eq!(grey_of(&plain(55).with(b"gAMA", &linear)), (128, vec![]));
    assert_eq!(grey_of(&plain(55).with(b"gAMA", &45_455u32.to_be_bytes())), (55, vec![]));
    assert_eq!(grey_of(&plain(55).with(b"sRGB", &[0]).with(b"gAMA", &linear)), (55, vec![]));
}

#[test]
fn what_can_not_be_used_is_ignored_with_a_warning() {
    let broken = fixtures::read("broken-profile.jpg");
    let made = thumbnail(&broken, &Options::default(), &Limits::default()).unwrap();
    assert_eq!(made.warnings, [Warning::ProfileIgnored]);
    for png in [
        plain(9).with(b"iCCP", b"name\0\0not a zlib stream"),
        plain(9).with(b"cICP", &[9, 17, 0, 1]),
        plain(9).with(b"gAMA", &[0; 4]),
    ] {
        assert_eq!(grey_of(&png), (9, vec![Warning::ProfileIgnored]));
    }
}

#[test]
fn high_dynamic_range_becomes_what_a_screen_shows() {
    // 148 of 255 is the white of paper in PQ, 191 in HLG.
    for (level, transfer) in [(148, 16), (191, 18)] {
        let (grey, warnings) = grey_of(&plain(level).with(b"cICP", &[9, transfer, 0, 1]));
        assert!((238..=244).contains(&grey) && warnings.is_empty(), "{grey} {warnings:?}");
    }
}

#[test]
fn a_profile_for_rgb_fits_grey_but_not_the_other_way_round() {
    let deflated = |profile: moxcms::ColorProfile| {
        let bytes = profile.encode().unwrap();
        [b"name\0\0", &miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 6)[..]].concat()
    };
    let grey = deflated(moxcms::ColorProfile::new_gray_with_gamma(1.0));
    assert_eq!(grey_of(&plain(55).with(b"iCCP", &grey)), (128, vec![]));
    let p3 = deflated(moxcms::ColorProfile::new_display_p3());
    assert_eq!(grey_of(&plain(55).with(b"iCCP", &p3)), (55, vec![]));
    let rgb = Png { colour_type: 2, samples: vec![55; 48], ..plain(55) };
    assert_eq!(grey_of(&rgb.with(b"iCCP", &grey)), (55, vec![Warning::ProfileIgnored]));
}

/// Numbers for Display P3 are too dull if taken as sRGB. Profile or code point, in whichever format, the result is the same.
#[test]
fn display_p3_is_converted_in_every_format() {
    let red = |name: &str| {
        let options = Options { width: 60, height: 60, ..Options::default() };
        let made = thumbnail(&fixtures::read(name), &options, &Limits::default()).unwrap();
        assert_eq!(made.warnings, [], "{name}");
        // Inside the red box.
        compare::decoded(&made.data).get_pixel(28, 46).0
    };
    let [_, dull_green, ..] = red("rgb.png");
    for name in ["p3.png", "p3.jpg", "p3.webp"] {
        let [red, green, blue, _] = red(name);
        // (200, 20, 60) in Display P3, by the formulas of CSS Color 4, is (219, -29, 60).
        assert!(
            red.abs_diff(219) <= 4 && green <= 6 && blue.abs_diff(60) <= 6,
            "{name}: {red} {green} {blue}"
        );
        assert!(dull_green > 14);
    }
}

#[test]
fn the_eight_orientations_show_the_same_as_a_turned_copy() {
    // Compared with each other through the references, which Pillow turned (see quality.rs); here the exact shape.
    for orientation in 1..=8 {
        let file = fixtures::read(&format!("orientation-{orientation}.jpg"));
        let options = Options { width: 40, height: 40, fit: Fit::Contain, ..Options::default() };
        let made = thumbnail(&file, &options, &Limits::default()).unwrap();
        assert_eq!(made.source.orientation, orientation);
        let shown = if orientation < 5 { (80, 60) } else { (60, 80) };
        assert_eq!((made.source.width, made.source.height), shown);
        let made = compare::decoded(&made.data);
        let corners = [(20, 0), (0, 20)].map(|(x, y)| made.get_pixel(x, y).0[3]);
        assert_eq!(corners, if orientation < 5 { [0, 255] } else { [255, 0] }, "orientation {orientation}");
    }
}

#[test]
fn metadata_do_not_survive() {
    for name in ["orientation-6.jpg", "p3.jpg", "orientation-6.png", "p3.webp"] {
        for format in [
            thumbs_imaging::options::OutputFormat::Png,
            thumbs_imaging::options::OutputFormat::Jpeg,
            thumbs_imaging::options::OutputFormat::Webp,
        ] {
            let options = Options { format, ..Options::default() };
            let made = thumbnail(&fixtures::read(name), &options, &Limits::default()).unwrap();
            for mark in [&b"Exif"[..], b"eXIf", b"EXIF", b"iCCP", b"ICCP", b"ICC_PROFILE"] {
                assert!(!made.data.windows(mark.len()).any(|window| window == mark), "{name} to {format:?}");
            }
        }
    }
}
