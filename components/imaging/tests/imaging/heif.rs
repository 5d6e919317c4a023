//! HEIC and AVIF: what libheif and libavif make of a file, `fixtures/heif/make.py` has written beside it. Here the decoders are linked in;
//! `decode_heic` and `decode_avif` pass on what components pass to each other.

use std::collections::BTreeMap;

use image::RgbaImage;
use sha2::{Digest, Sha256};
use thumbs_imaging::error::Error;
use thumbs_imaging::options::{Fit, Limits, Options, SourceFormat, Warning};
use thumbs_imaging::{Chroma, Rows, Shape, Task, Thumbnail, probe};

use crate::fixtures;

/// Rows of luma that are passed on at a time; small, so that pictures of fixtures take several.
const ROWS: u32 = 24;

macro_rules! decode_with {
    ($name:ident, $decoder:ident) => {
        fn $name(task: &mut Task<'_>) -> Result<u32, Error> {
            let mut parts = 0;
            while let Some(part) = task.next_part()? {
                parts += 1;
                let picture = $decoder::Picture::decode(&part.configuration, &part.data, part.max_pixels)
                    .map_err(|error| match error {
                        $decoder::Error::Unsupported(what) => Error::UnsupportedFeature(what.to_owned()),
                        other => Error::Malformed(other.to_string()),
                    })?;
                let shape = picture.shape();
                task.begin_part(Shape {
                    width: shape.width,
                    height: shape.height,
                    bit_depth: shape.bit_depth,
                    chroma: match shape.chroma {
                        $decoder::Chroma::Monochrome => Chroma::Monochrome,
                        $decoder::Chroma::HalvedBothWays => Chroma::HalvedBothWays,
                        $decoder::Chroma::HalvedAcross => Chroma::HalvedAcross,
                        $decoder::Chroma::Full => Chroma::Full,
                    },
                    primaries: shape.colours.primaries,
                    transfer: shape.colours.transfer,
                    matrix: shape.colours.matrix,
                    full_range: shape.colours.full_range,
                })?;
                for first in (0..shape.height).step_by(ROWS as usize) {
                    let $decoder::Rows { luma, cb, cr } = picture.rows(first, ROWS);
                    task.take_rows(&Rows { luma, cb, cr })?;
                }
            }
            Ok(parts)
        }
    };
}

decode_with!(decode_heic, thumbs_heic);
decode_with!(decode_avif, thumbs_avif);

/// The thumbnail, and of how many parts it was made.
fn made(image: &[u8], options: &Options) -> Result<(Thumbnail, u32), Error> {
    let mut task = Task::open(image, &[*options], &Limits::default())?;
    let parts = match task.format() {
        SourceFormat::Avif => decode_avif(&mut task)?,
        _ => decode_heic(&mut task)?,
    };
    task.decode()?;
    task.finish()?;
    Ok((task.encode(0)?, parts))
}

fn read(name: &str) -> Vec<u8> {
    fixtures::read(&format!("heif/{name}"))
}

fn reference(name: &str) -> RgbaImage {
    image::load_from_memory(&fixtures::read(&format!("heif/{name}.png"))).unwrap().into_rgba8()
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(fixtures::folder().join("heif")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".heic") || name.ends_with(".avif"))
        .collect();
    names.sort();
    assert!(names.len() > 40, "fixtures are missing");
    names
}

/// As large as it is, so that nothing is resampled.
fn whole(reference: &RgbaImage) -> Options {
    Options { width: reference.width(), height: reference.height(), fit: Fit::Fill, ..Options::default() }
}

/// Root of the mean square, and the largest difference, of colours that are seen and of alpha.
fn distance(made: &Thumbnail, reference: &RgbaImage) -> (f64, i32) {
    let made = image::load_from_memory(&made.data).unwrap().into_rgba8();
    assert_eq!(made.dimensions(), reference.dimensions());
    let (mut squares, mut most, mut count) = (0.0, 0, 0.0);
    for (made, reference) in made.pixels().zip(reference.pixels()) {
        let channels = if reference[3] < 16 { 3..4 } else { 0..4 };
        for channel in channels {
            let difference = (i32::from(made[channel]) - i32::from(reference[channel])).abs();
            squares += f64::from(difference * difference);
            most = most.max(difference);
            count += 1.0;
        }
    }
    (f64::sqrt(squares / count), most)
}

#[test]
fn pictures_are_those_of_libheif_and_libavif() {
    let mut wrong = Vec::new();
    for name in &names() {
        let reference = reference(name);
        let (made, _) =
            made(&read(name), &whole(&reference)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (mean, most) = distance(&made, &reference);
        println!("{name}: {mean:.2}, at most {most}");
        // Where colours are halved, libavif interpolates between them, which shows at edges of colours.
        let is_whole = ["444", "10-bits-444", "grey"].iter().any(|whole| name.starts_with(whole));
        let interpolates = name.ends_with("avif") && !is_whole;
        let (mean_bound, most_bound) = match name.starts_with("p3") {
            _ if interpolates => (8.0, 120),
            // LittleCMS rounds in between, and cuts off what is outside of sRGB at another place.
            true => (1.0, 8),
            false => (1.0, 4),
        };
        if mean > mean_bound || most > most_bound {
            wrong.push(format!("{name}: {mean:.2}, at most {most}"));
        }
        let warnings: &[Warning] = if name == "sequence.avif" { &[Warning::AnimationDropped] } else { &[] };
        assert_eq!(made.warnings, warnings, "{name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The list is held against the components that ship as well. `THUMBS_UPDATE_GOLDEN=1` makes it anew.
#[test]
fn thumbnails_are_the_same_to_the_last_bit() {
    let digest = |name: &String| {
        let (made, _) = made(&read(name), &Options::default()).unwrap();
        Sha256::digest(&made.data).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let made: BTreeMap<String, String> =
        names().into_iter().map(|name| (name.clone(), digest(&name))).collect();
    let path = fixtures::folder().join("heif/golden.json");
    if std::env::var_os("THUMBS_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    let listed: BTreeMap<String, String> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(made, listed);
}

#[test]
fn a_probe_tells_what_is_shown() {
    for (name, width, height, orientation, has_alpha) in [
        ("420", 96, 64, 1, false),
        ("odd", 63, 47, 1, false),
        ("grid", 96, 64, 1, false),
        ("grid-alpha", 96, 64, 1, true),
        ("rotated-1", 64, 96, 8, false),
        ("rotated-3", 64, 96, 6, false),
        ("mirrored-0", 96, 64, 4, false),
        ("mirrored-1-rotated-1", 64, 96, 7, false),
        ("cut", 60, 40, 3, false),
    ] {
        for (ending, format) in [("heic", SourceFormat::Heic), ("avif", SourceFormat::Avif)] {
            let source = probe(&read(&format!("{name}.{ending}")), &Limits::default()).unwrap();
            assert_eq!(source.format, format);
            assert_eq!((source.width, source.height, source.frames), (width, height, 1), "{name}");
            assert_eq!((source.orientation, source.has_alpha), (orientation, has_alpha), "{name}");
        }
    }
    assert_eq!(probe(&read("sequence.avif"), &Limits::default()).unwrap().frames, 3);
}

#[test]
fn parts_that_nothing_is_seen_of_are_not_decoded() {
    let options = |width, height| Options { width, height, ..Options::default() };
    // Two parts beside each other: a square from the middle needs both, one from the left does not.
    assert_eq!(made(&read("grid.heic"), &options(16, 16)).unwrap().1, 2);
    let left = Options { gravity: thumbs_imaging::options::Gravity::West, ..options(16, 16) };
    assert_eq!(made(&read("grid.heic"), &left).unwrap().1, 1);
}

#[test]
fn a_thumbnail_within_the_file_is_taken_where_it_has_twice_the_pixels() {
    let options = |side| Options { width: side, height: side, ..Options::default() };
    let red = |side| {
        let (made, _) = made(&read("thumbnail.heic"), &options(side)).unwrap();
        image::load_from_memory(&made.data).unwrap().into_rgba8().get_pixel(side * 14 / 64, side * 24 / 64)[0]
    };
    // In the middle of the thumbnail's disc.
    assert!(red(32) < 50 && red(33) > 60, "{} {}", red(32), red(33));
}

#[test]
fn of_a_file_that_is_cut_off_half_of_the_rows_are_enough() {
    let file = read("rotated-3.heic");
    let options = Options { width: 32, height: 48, ..Options::default() };
    assert!(
        matches!(made(&file[..file.len() - 300], &options), Err(Error::Malformed(_))),
        "of one row of parts none is whole"
    );
    let whole = made(&file, &options).unwrap().0;
    assert!(whole.warnings.is_empty());
    for end in 0..file.len() {
        match made(&file[..end], &options) {
            Ok((made, _)) => assert_eq!(made.warnings, [Warning::Truncated], "{end}"),
            Err(error) => {
                assert!(matches!(error, Error::Malformed(_) | Error::UnsupportedFormat(_)), "{end}: {error}")
            }
        }
    }
}

#[test]
fn what_is_broken_is_an_error_and_no_more() {
    for name in names() {
        let file = read(&name);
        for place in (0..file.len()).step_by(3) {
            let mut broken = file.clone();
            broken[place] ^= 0x55;
            let _ = made(&broken, &Options { width: 12, height: 8, ..Options::default() });
        }
    }
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let file = read("420.heic");
    let mut task = Task::open(&file[..], &[Options::default()], &Limits::default()).unwrap();
    let refused =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::InvalidOptions(_))), "{result:?}");
    refused(task.take_rows(&Rows::default()));
    task.next_part().unwrap().unwrap();
    refused(task.take_rows(&Rows::default()));
    let shape = Shape {
        width: 96,
        height: 64,
        bit_depth: 8,
        chroma: Chroma::Full,
        primaries: 2,
        transfer: 2,
        matrix: 2,
        full_range: true,
    };
    task.begin_part(shape).unwrap();
    let plane = [0; 96];
    for (luma, cb, cr) in [(95, 96, 96), (96, 95, 96), (96, 96, 0), (0, 0, 0)] {
        let cut = |bytes: usize| plane[..bytes].to_vec();
        refused(task.take_rows(&Rows { luma: cut(luma), cb: cut(cb), cr: cut(cr) }));
    }
    refused(task.next_part().map(drop));
}
