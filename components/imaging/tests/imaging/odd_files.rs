//! The files of `fixtures/odd`: from public bug reports, each with a rule broken that others forgive. What browsers, Pillow and libvips show of
//! them is what ours shows.

use thumbs_imaging::error::{Error, Limit};
use thumbs_imaging::options::{Concession, Fit, Limits, Options, OutputFormat, Warning};
use thumbs_imaging::{probe, thumbnail};

use crate::{compare, fixtures};

/// A file, its size in pixels as shown, its frames, and of its first frame the first pixel, the last, and that in the middle.
type Odd = (&'static str, (u32, u32), u32, [[u8; 4]; 3]);

const RED: [u8; 4] = [255, 0, 0, 255];
/// What no frame of a GIF has painted: browsers and libvips leave it clear, Pillow takes the background's colour.
const UNPAINTED: [u8; 4] = [0; 4];

/// Pixels as Pillow 13.0.0 shows them, through LittleCMS where there is a profile; of the APNG those of the frame, for the still before it is for those that show no animation.
const FILES: [Odd; 15] = [
    ("201-1x1.gif", (1, 1), 201, [[220, 30, 30, 255]; 3]),
    ("60fps.png", (50, 36), 60, [[20, 20, 60, 255]; 3]),
    ("apng-one-frame-hidden-default.png", (64, 64), 1, [[0, 160, 0, 255]; 3]),
    ("cmyk-nomark-8x8.jpg", (8, 8), 1, [[255; 4]; 3]),
    ("cmyk-nomark-inv.jpg", (50, 37), 1, [[221, 29, 29, 255], [240, 210, 40, 255], [240, 209, 39, 255]]),
    ("comment-length-0.jpg", (128, 96), 1, [[0, 0, 0, 255], [253, 190, 221, 255], [129, 96, 113, 255]]),
    (
        "duplicate-ids-cmyk.jpg",
        (128, 96),
        1,
        [[235, 235, 180, 255], [48, 60, 180, 255], [141, 147, 180, 255]],
    ),
    ("frame-larger.gif", (48, 32), 1, [[220, 30, 30, 255], [240, 210, 40, 255], [240, 210, 40, 255]]),
    ("gif-110-frames-1000x1000.gif", (1000, 1000), 110, [RED, UNPAINTED, UNPAINTED]),
    ("gif-disposal4.gif", (2, 1), 3, [RED; 3]),
    ("gif-frame-half-outside.gif", (88, 88), 1, [UNPAINTED, RED, RED]),
    ("gif-screen1x1-frame2x1.gif", (2, 1), 1, [RED, [0, 0, 255, 255], [0, 0, 255, 255]]),
    ("icc-corbis-xyz.jpg", (128, 96), 1, [[0, 0, 0, 255], [255, 199, 229, 255], [153, 114, 133, 255]]),
    ("orientation-6-slong.jpg", (96, 128), 1, [[3, 188, 95, 255], [250, 2, 125, 255], [128, 94, 111, 255]]),
    ("ycck-transform1.jpg", (8, 8), 1, [[0, 0, 0, 255]; 3]),
];

/// Decoders of JPEG round as they like.
const MOST_OFF: u8 = 3;

fn read(name: &str) -> Vec<u8> {
    fixtures::read(&format!("odd/{name}"))
}

#[test]
fn odd_files_are_shown_as_others_show_them() {
    for (name, (width, height), frames, expected) in FILES {
        let file = read(name);
        let source = probe(&file, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((source.width, source.height, source.frames), (width, height, frames), "{name}");
        let still = Options { width, height, fit: Fit::Fill, animated: false, ..Options::default() };
        let made = thumbnail(&file, &still, &Limits::default()).unwrap();
        let told: &[Warning] = if frames > 1 { &[Warning::AnimationDropped] } else { &[] };
        assert_eq!(made.warnings, told, "{name}");
        let picture = compare::decoded(&made.data);
        let places = [(0, 0), (width - 1, height - 1), (width / 2, height / 2)];
        for ((x, y), expected) in places.into_iter().zip(expected) {
            let pixel = picture.get_pixel(x, y).0;
            let off = expected.iter().zip(pixel).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= MOST_OFF, "{name} at {x}, {y}: {pixel:?} for {expected:?}");
        }
    }
}

#[test]
fn of_long_animations_the_limit_is_named() {
    let small = Options { width: 1, height: 1, ..Options::default() };
    for (name, limit) in
        [("201-1x1.gif", Limit::Frames), ("gif-110-frames-1000x1000.gif", Limit::TotalPixels)]
    {
        let made = thumbnail(&read(name), &small, &Limits::default());
        assert_eq!(made.err(), Some(Error::LimitExceeded(limit)), "{name}");
    }
}

#[test]
fn sixty_frames_a_second_take_their_time_as_a_gif() {
    let options = Options { width: 50, height: 36, format: OutputFormat::Gif, ..Options::default() };
    let made = thumbnail(&read("60fps.png"), &options, &Limits::default()).unwrap();
    assert_eq!(made.concessions, [Concession::Frames(made.frames)]);
    assert!((30..60).contains(&made.frames), "{}", made.frames);
}
