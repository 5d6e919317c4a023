//! Files that end early: a thumbnail with a warning from the half on, a clear error before. Never a panic.

use thumbs_imaging::error::Error;
use thumbs_imaging::options::{Limits, Options, OutputFormat, Warning};
use thumbs_imaging::thumbnail;

use crate::{compare, fixtures};

/// At which share of its bytes a file first gives a thumbnail, in hundredths; checks that from there on it always does.
fn first_success(name: &str, file: &[u8]) -> usize {
    let mut first = None;
    for hundredths in 0..100 {
        let cut = &file[..file.len() * hundredths / 100];
        let options = Options { width: 20, height: 20, format: OutputFormat::Webp, ..Options::default() };
        match thumbnail(cut, &options, &Limits::default()) {
            Ok(made) => {
                first.get_or_insert(hundredths);
                assert!(compare::decoded(&made.data).dimensions() == (20, 20));
                let complete = !made.warnings.contains(&Warning::Truncated);
                // An animation of which one frame is left can't be told from a still image.
                let whole_by_looks = made.source.frames == 1
                    && (name.starts_with("animated") || name.starts_with("disposals"));
                assert!(
                    !complete || hundredths > 50 || whole_by_looks,
                    "{name} at {hundredths} %: no warning"
                );
            }
            Err(error) => {
                assert!(first.is_none(), "{name} at {hundredths} %: {error} after a success");
                assert!(
                    matches!(error, Error::Malformed(_) | Error::UnsupportedFormat(None)),
                    "{name}: {error}"
                );
            }
        }
    }
    first.unwrap_or_else(|| panic!("{name}: no cut gives a thumbnail"))
}

#[test]
fn half_of_the_rows_is_enough() {
    // Bytes are not rows: where detail is, rows take more of them.
    for (name, least, most) in [
        ("baseline-420.jpg", 25, 75),
        ("restart.jpg", 25, 75),
        ("rgb.png", 25, 75),
        ("palette.png", 25, 75),
        ("rgb-16.png", 25, 75),
        ("interlaced.png", 25, 75),
        ("still.gif", 25, 75),
        ("lossless.webp", 20, 75),
        ("lossy.webp", 20, 75),
    ] {
        let first = first_success(name, &fixtures::read(name));
        assert!((least..=most).contains(&first), "{name}: a thumbnail from {first} % on");
    }
}

#[test]
fn every_other_fixture_survives_every_cut_too() {
    for name in fixtures::names() {
        first_success(&name, &fixtures::read(&name));
    }
}

#[test]
fn what_is_missing_looks_like_what_is_there() {
    // A grey picture cut in two: the fill is no black bar.
    let png = crate::pictures::Png {
        samples: (0..64 * 64).map(|at| 120 + (at * 7919 % 17) as u16).collect(),
        ..crate::pictures::Png::noise(64, 64, 8, 0, false)
    };
    let file = png.bytes();
    let cut = &file[..file.len() * 7 / 10];
    let options = Options { width: 16, height: 16, ..Options::default() };
    let made = thumbnail(cut, &options, &Limits::default()).unwrap();
    assert_eq!(made.warnings, [Warning::Truncated]);
    for pixel in compare::decoded(&made.data).pixels() {
        assert!(pixel.0[0].abs_diff(128) < 12 && pixel.0[3] == 255, "{pixel:?}");
    }
}
