//! Byte budgets from outside: whatever is asked for, the file fits, and what was given up is what the thumbnail shows.

use std::collections::HashSet;

use image::RgbaImage;
use thumbs_imaging::error::Error;
use thumbs_imaging::options::{Concession, Limits, Options, OutputFormat, Warning};
use thumbs_imaging::{Thumbnail, thumbnail};

use crate::{compare, fixtures};

const SOURCES: [&str; 4] = ["baseline-420.jpg", "rgba.png", "animated.gif", "animated.webp"];
const FORMATS: [OutputFormat; 4] =
    [OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Gif];

fn asked(format: OutputFormat, max_bytes: u64) -> Options {
    Options { width: 100, height: 75, format, max_bytes: Some(max_bytes), ..Options::default() }
}

fn make(name: &str, options: &Options) -> Result<Thumbnail, Error> {
    thumbnail(&fixtures::read(name), options, &Limits::default())
}

/// Of the first frame.
fn colours(picture: &RgbaImage) -> usize {
    picture.pixels().map(|pixel| if pixel.0[3] == 0 { [0; 4] } else { pixel.0 }).collect::<HashSet<_>>().len()
}

#[test]
fn a_file_fits_and_says_what_it_cost() {
    for name in SOURCES {
        for format in FORMATS {
            let free = make(name, &Options { max_bytes: None, ..asked(format, 0) }).unwrap();
            for max_bytes in [100_000, 8000, 3000, 1200, 700] {
                let what = format!("{name} to {format:?} in {max_bytes} bytes");
                let made =
                    make(name, &asked(format, max_bytes)).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(made.data.len() as u64 <= max_bytes, "{what}");
                let shown = compare::decoded(&made.data);
                assert_eq!(shown.dimensions(), (made.width, made.height), "{what}");
                let gave_up = |wanted: fn(&Concession) -> bool| made.concessions.iter().any(wanted);
                assert_eq!(
                    gave_up(|given| matches!(given, Concession::Width(_))),
                    made.width < 100,
                    "{what}"
                );
                assert_eq!(
                    gave_up(|given| matches!(given, Concession::Frames(_))),
                    made.frames < free.frames,
                    "{what}"
                );
                for given in &made.concessions {
                    match *given {
                        Concession::Width(width) => assert_eq!(width, made.width, "{what}"),
                        Concession::Frames(frames) => assert_eq!(frames, made.frames, "{what}"),
                        Concession::Colours(most) => assert!(colours(&shown) <= usize::from(most), "{what}"),
                        Concession::Quality(_) => {
                            assert!(matches!(format, OutputFormat::Jpeg | OutputFormat::Webp), "{what}");
                        }
                    }
                }
                let stopped = free.frames > 1 && made.frames == 1;
                assert!(!stopped || made.warnings.contains(&Warning::AnimationDropped), "{what}");
                if free.data.len() as u64 <= max_bytes {
                    assert_eq!((&made.data, made.concessions.len()), (&free.data, 0), "{what}");
                } else if format == OutputFormat::Png {
                    // Trying harder may be all it took.
                    assert!(!made.concessions.is_empty() || made.data.len() < free.data.len(), "{what}");
                } else {
                    assert!(!made.concessions.is_empty(), "{what}");
                }
            }
        }
    }
}

/// The greater loss is tried after the lesser one: a budget that is a little too small costs no size.
#[test]
fn a_budget_just_missed_costs_neither_size_nor_frames() {
    for name in SOURCES {
        for format in FORMATS {
            let free = make(name, &Options { max_bytes: None, ..asked(format, 0) }).unwrap();
            let made = make(name, &asked(format, free.data.len() as u64 * 9 / 10)).unwrap();
            assert_eq!(
                (made.width, made.height, made.frames),
                (100, 75, free.frames),
                "{name} to {format:?}"
            );
        }
    }
}

#[test]
fn what_fits_nothing_is_said() {
    for format in FORMATS {
        assert_eq!(make("rgba.png", &asked(format, 30)).err(), Some(Error::BudgetUnreachable), "{format:?}");
    }
}

/// Its first attempt would take most of the work that all attempts may take.
#[test]
fn a_large_animation_that_may_be_lossy_keeps_its_size_where_fewer_frames_are_enough() {
    let large = Options { width: 800, height: 600, ..asked(OutputFormat::Webp, 0) };
    let free = make("animated.gif", &Options { max_bytes: None, ..large }).unwrap();
    assert!(u64::from(free.frames) * 800 * 600 * 5 / 2 > 6 << 20, "{} frames are not large", free.frames);
    let max_bytes = free.data.len() as u64 * 9 / 10;
    let made = make("animated.gif", &Options { max_bytes: Some(max_bytes), ..large }).unwrap();
    let bytes = made.data.len() as u64;
    assert!(bytes <= max_bytes && bytes > max_bytes / 4, "{bytes} of {max_bytes}");
    assert_eq!((made.width, made.height), (800, 600));
    assert!(made.frames > 1 && made.concessions.iter().any(|given| matches!(given, Concession::Frames(_))));
}
