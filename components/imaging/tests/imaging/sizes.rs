//! The thumbnail has the size asked for, whatever the image's shape.

use thumbs_imaging::error::{Error, Limit};
use thumbs_imaging::options::{Concession, Fit, Gravity, Limits, Options, OutputFormat, Rgb, Warning};
use thumbs_imaging::{self as imaging, probe, thumbnail};

use crate::animation::frames_of;
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
fn contain_pads_with_transparency_where_no_background_is_asked_for() {
    let file = Png::noise(40, 10, 8, 2, false).bytes();
    for format in [OutputFormat::Png, OutputFormat::Webp, OutputFormat::Gif, OutputFormat::Jpeg] {
        let options = Options { fit: Fit::Contain, format, ..Options::default() };
        let made = compare::decoded(&thumbnail(&file, &options, &Limits::default()).unwrap().data);
        // What transparency hides is of no matter.
        let shown = |pixel: [u8; 4]| if pixel[3] == 0 { [0; 4] } else { pixel };
        let padding = [made.get_pixel(50, 5).0, made.get_pixel(50, 95).0].map(shown);
        let expected = if format == OutputFormat::Jpeg { [255; 4] } else { [0; 4] };
        assert_eq!((padding, made.get_pixel(50, 50).0[3]), ([expected; 2], 255), "{format:?}");
    }
}

#[test]
fn contain_pads_with_the_background_in_every_format() {
    // Half-transparent itself, which it stays where the format has alpha.
    let file = Png { samples: [90, 90, 90, 128].repeat(400), ..Png::noise(40, 10, 8, 6, false) }.bytes();
    for format in [OutputFormat::Png, OutputFormat::Webp, OutputFormat::Gif, OutputFormat::Jpeg] {
        let background = Some(Rgb([10, 200, 30]));
        let options =
            Options { fit: Fit::Contain, format, quality: Some(95), background, ..Options::default() };
        let made = compare::decoded(&thumbnail(&file, &options, &Limits::default()).unwrap().data);
        for y in [5, 95] {
            let [red, green, blue, alpha] = made.get_pixel(50, y).0;
            let near = red.abs_diff(10) < 6 && green.abs_diff(200) < 6 && blue.abs_diff(30) < 6;
            assert!(near && alpha == 255, "{format:?}: {red} {green} {blue} {alpha}");
        }
        let alpha = made.get_pixel(50, 50).0[3];
        assert_eq!(
            alpha == 128,
            matches!(format, OutputFormat::Png | OutputFormat::Webp),
            "{format:?}: {alpha}"
        );
    }
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
    let file = fixtures::read("animated.gif");
    let check = |limits: Limits, limit: Limit| {
        let expected = Some(Error::LimitExceeded(limit));
        let probed = probe(&file, &limits);
        let of_a_frame = matches!(limit, Limit::Side | Limit::Pixels);
        assert_eq!(probed.as_ref().err().cloned(), expected.clone().filter(|_| of_a_frame));
        if let Ok(source) = probed {
            assert_eq!(imaging::check(&source, &[Options::default()], &limits).err(), expected);
            let still = Options { animated: false, ..Options::default() };
            assert_eq!(imaging::check(&source, &[still], &limits), Ok(()));
            assert_eq!(thumbnail(&file, &still, &limits).unwrap().frames, 1);
        }
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
    let made = thumbnail(&fixtures::read("rgb.png"), &options, &Limits { max_output_pixels: 100, ..all });
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::OutputPixels)));
}

#[test]
fn thumbnails_of_an_animation_count_as_pixels_too() {
    // 6 small frames, asked to become 6 large ones.
    let options = Options { width: 600, height: 600, format: OutputFormat::Webp, ..Options::default() };
    let limits = Limits { max_total_pixels: 4 * 6 * 600 * 600 - 1, ..Limits::default() };
    let made = thumbnail(&fixtures::read("animated.gif"), &options, &limits);
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::HeldPixels)));
    // 80x60 in a box ten times as high: nine tenths are padding, and are held all the same.
    let options = Options { width: 80, height: 600, fit: Fit::Contain, ..options };
    let limits = Limits { max_total_pixels: 4 * 6 * 80 * 600 - 1, ..limits };
    let made = thumbnail(&fixtures::read("animated.gif"), &options, &limits);
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::HeldPixels)));
    let limits = Limits { max_total_pixels: limits.max_total_pixels + 1, ..limits };
    assert_eq!(thumbnail(&fixtures::read("animated.gif"), &options, &limits).unwrap().frames, 6);
    // With what is restored of it, the canvas is held twice until they are made.
    let options = Options { width: 36, height: 36, ..options };
    let held = 2 * 80 * 60 + 6 * 36 * 36;
    let limits = Limits { max_total_pixels: 2 * held - 1, ..limits };
    let made = thumbnail(&fixtures::read("animated.gif"), &options, &limits);
    assert_eq!(made.err(), Some(Error::LimitExceeded(Limit::HeldPixels)));
    let limits = Limits { max_total_pixels: 2 * held, ..limits };
    assert_eq!(thumbnail(&fixtures::read("animated.gif"), &options, &limits).unwrap().frames, 6);
}

#[test]
fn an_animation_that_is_too_large_runs_less_smoothly() {
    let options = Options { width: 120, height: 100, format: OutputFormat::Webp, ..Options::default() };
    for (most, frames) in [(6, 6), (5, 5), (2, 2), (1, 1)] {
        let limits = Limits { max_output_pixels: most * 120 * 100, ..Limits::default() };
        let made = thumbnail(&fixtures::read("animated.gif"), &options, &limits).unwrap();
        assert_eq!((made.frames, made.width, made.height), (frames, 120, 100));
        let told = if frames == 6 { vec![] } else { vec![Concession::Frames(frames)] };
        assert_eq!(made.concessions, told);
        assert_eq!(made.warnings.contains(&Warning::AnimationDropped), frames == 1);
        if frames > 1 {
            let total: u32 = frames_of(&made.data).iter().map(|(_, delay_ms)| delay_ms).sum();
            assert_eq!(total, 70 + 80 + 90 + 100 + 110 + 120, "the play time stays");
        }
    }
}
