//! The thumbnail has the size asked for, whatever the image's shape.

use thumbs_imaging::error::{Error, Limit};
use thumbs_imaging::options::{Fit, Gravity, Limits, Options, OutputFormat, Rgb, Warning};
use thumbs_imaging::{probe, thumbnail};

use crate::pictures::Png;
use crate::{compare, fixtures};

const FORMATS: [OutputFormat; 4] =
    [OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Gif];
const FITS: [Fit; 3] = [Fit::Cover, Fit::Contain, Fit::Fill];

#[test]
fn every_fit_gives_exactly_the_box_in_every_format() {
    for (width, height) in [(1, 1), (7, 200), (300, 20), (64, 64), (1, 3000), (3000, 1)] {
        let file = Png::noise(width, height, 8, 6, false).bytes();
        for fit in FITS {
            for gravity in [Gravity::Center, Gravity::SouthEast, Gravity::Attention] {
                for format in FORMATS {
                    for (boxed_width, boxed_height) in [(100, 100), (1, 1), (33, 7)] {
                        let options = Options {
                            width: boxed_width,
                            height: boxed_height,
                            fit,
                            format,
                            gravity,
                            ..Options::default()
                        };
                        let made = thumbnail(&file, &options, &Limits::default()).unwrap();
                        assert_eq!((made.width, made.height), (boxed_width, boxed_height));
                        assert_eq!(compare::decoded(&made.data).dimensions(), (boxed_width, boxed_height));
                        assert_eq!((made.format, made.frames), (format, 1));
                        assert!((1..=25).contains(&made.placeholder.len()));
                    }
                }
            }
        }
    }
}

#[test]
fn contain_pads_with_transparency_or_the_background() {
    let file = Png::noise(40, 10, 8, 2, false).bytes();
    let options = Options { fit: Fit::Contain, background: Rgb([10, 200, 30]), ..Options::default() };
    let clear = compare::decoded(&thumbnail(&file, &options, &Limits::default()).unwrap().data);
    assert_eq!(
        (clear.get_pixel(50, 5).0[3], clear.get_pixel(50, 50).0[3], clear.get_pixel(50, 95).0[3]),
        (0, 255, 0)
    );
    let options = Options { format: OutputFormat::Jpeg, quality: Some(95), ..options };
    let laid = compare::decoded(&thumbnail(&file, &options, &Limits::default()).unwrap().data);
    let [red, green, blue, _] = laid.get_pixel(50, 5).0;
    assert!(red.abs_diff(10) < 6 && green.abs_diff(200) < 6 && blue.abs_diff(30) < 6, "{red} {green} {blue}");
}

#[test]
fn a_small_image_is_enlarged_with_a_warning() {
    let file = Png::noise(50, 50, 8, 2, false).bytes();
    let warnings = |width, height, fit| {
        let options = Options { width, height, fit, ..Options::default() };
        thumbnail(&file, &options, &Limits::default()).unwrap().warnings
    };
    for fit in FITS {
        assert_eq!(warnings(51, 51, fit), [Warning::Enlarged]);
        assert_eq!(warnings(50, 50, fit), []);
    }
    assert_eq!(warnings(100, 20, Fit::Fill), [Warning::Enlarged]);
    assert_eq!(warnings(100, 20, Fit::Contain), []);
}

#[test]
fn gravity_keeps_the_side_it_names() {
    // Left half dark, right half bright.
    let samples = (0..20 * 40).map(|at| if at % 40 < 20 { 20 } else { 220 }).collect();
    let halves = Png {
        width: 40,
        height: 20,
        depth: 8,
        colour_type: 0,
        interlaced: false,
        chunks: Vec::new(),
        samples,
    };
    let middle = |gravity| {
        let options = Options { width: 10, height: 10, gravity, ..Options::default() };
        let made = compare::decoded(&thumbnail(&halves.bytes(), &options, &Limits::default()).unwrap().data);
        made.get_pixel(5, 5).0[0]
    };
    assert_eq!((middle(Gravity::West), middle(Gravity::NorthEast)), (20, 220));
}

#[test]
fn a_probe_tells_what_is_shown() {
    let info = probe(&fixtures::read("orientation-6.jpg"), &Limits::default()).unwrap();
    assert_eq!(
        (info.width, info.height, info.orientation, info.frames, info.has_alpha),
        (60, 80, 6, 1, false)
    );
    let info = probe(&fixtures::read("animated.gif"), &Limits::default()).unwrap();
    assert_eq!((info.width, info.height, info.frames), (80, 60, 6));
    for name in ["animated.png", "animated.webp"] {
        let info = probe(&fixtures::read(name), &Limits::default()).unwrap();
        assert_eq!((info.width, info.height, info.frames, info.has_alpha), (80, 60, 6, true), "{name}");
    }
}

#[test]
fn limits_hold_before_anything_is_decoded() {
    let check = |limits: Limits, limit: Limit| {
        let file = fixtures::read("animated.gif");
        let expected = Some(Error::LimitExceeded(limit));
        assert_eq!(probe(&file, &limits).err(), expected);
        assert_eq!(thumbnail(&file, &Options::default(), &limits).err(), expected);
    };
    let all = Limits::default();
    check(Limits { max_side: 79, ..all }, Limit::Side);
    check(Limits { max_pixels: 80 * 60 - 1, ..all }, Limit::Pixels);
    check(Limits { max_frames: 5, ..all }, Limit::Frames);
    check(Limits { max_total_pixels: 80 * 60 * 6 - 1, ..all }, Limit::TotalPixels);
    let options = Options { width: 101, height: 1, ..Options::default() };
    let made = thumbnail(&fixtures::read("rgb.png"), &options, &Limits { max_output_side: 100, ..all });
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::OutputSide)));
}

#[test]
fn thumbnails_of_an_animation_count_as_pixels_too() {
    // 6 small frames, asked to become 6 large ones.
    let options = Options { width: 2000, height: 2000, format: OutputFormat::Webp, ..Options::default() };
    let limits = Limits { max_total_pixels: 4 * 6 * 2000 * 2000 - 1, ..Limits::default() };
    let made = thumbnail(&fixtures::read("animated.gif"), &options, &limits);
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::TotalPixels)));
    // 80x60 in a box ten times as high: nine tenths are padding, and are held all the same.
    let options = Options { width: 80, height: 600, fit: Fit::Contain, ..options };
    let limits = Limits { max_total_pixels: 4 * 6 * 80 * 600 - 1, ..limits };
    let made = thumbnail(&fixtures::read("animated.gif"), &options, &limits);
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::TotalPixels)));
    let limits = Limits { max_total_pixels: limits.max_total_pixels + 1, ..limits };
    assert_eq!(thumbnail(&fixtures::read("animated.gif"), &options, &limits).unwrap().frames, 6);
    // With what is restored of it, the canvas is held twice until they are made.
    let options = Options { width: 36, height: 36, ..options };
    let held = 2 * 80 * 60 + 6 * 36 * 36;
    let limits = Limits { max_total_pixels: 2 * held - 1, ..limits };
    let made = thumbnail(&fixtures::read("animated.gif"), &options, &limits);
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::TotalPixels)));
    let limits = Limits { max_total_pixels: 2 * held, ..limits };
    assert_eq!(thumbnail(&fixtures::read("animated.gif"), &options, &limits).unwrap().frames, 6);
}
