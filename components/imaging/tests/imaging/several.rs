//! Several thumbnails of one image, which is decoded once for all of them.

use thumbs_imaging::error::{Error, Limit};
use thumbs_imaging::options::{Fit, Limits, Options, OutputFormat};
use thumbs_imaging::{Cost, Task, Thumbnail, thumbnail};

use crate::{compare, fixtures};

fn sized(side: u32) -> Options {
    Options { width: side, height: side, ..Options::default() }
}

/// All of them, encoded from the last to the first.
fn several(image: &[u8], outputs: &[Options]) -> Result<Vec<Thumbnail>, Error> {
    let mut task = Task::open(image, outputs, &Limits::default())?;
    task.decode()?;
    task.finish()?;
    let mut made =
        (0..outputs.len()).rev().map(|output| task.encode(output)).collect::<Result<Vec<_>, _>>()?;
    made.reverse();
    Ok(made)
}

/// What is the same whether it is made alone or among others: all but what the work took.
fn file(thumbnail: &Thumbnail) -> Thumbnail {
    Thumbnail { cost: Cost { peak_memory_bytes: 0, pixels: 0, frames: 0 }, ..thumbnail.clone() }
}

/// Decoders that give whole pixels give the same to all; one that reduces gives the largest what it gives it alone.
#[test]
fn each_is_what_it_is_alone_where_decoders_reduce_nothing_and_the_largest_always_is() {
    let mut same = 0;
    for name in fixtures::names() {
        let image = fixtures::read(&name);
        let outputs = [
            sized(16),
            Options { fit: Fit::Contain, ..sized(60) },
            Options { format: OutputFormat::Jpeg, ..sized(60) },
            Options { animated: false, ..sized(20) },
            Options { max_output_frames: Some(2), format: OutputFormat::Webp, ..sized(20) },
        ];
        let made = several(&image, &outputs).unwrap_or_else(|error| panic!("{name}: {error}"));
        let reduces = [".jpg", ".webp"].iter().any(|ending| name.ends_with(ending));
        for (options, made) in outputs.iter().zip(&made) {
            if !reduces || (options.width, options.fit) == (60, Fit::Cover) {
                let alone = thumbnail(&image, options, &Limits::default()).unwrap();
                assert!(file(made) == file(&alone), "{name}: {options:?}");
                same += 1;
            }
        }
    }
    assert!(same > 100, "{same}");
}

/// From more pixels than a decoder would give alone, smaller ones come out nearly the same.
#[test]
fn the_smaller_ones_are_as_good_as_they_are_alone() {
    for name in fixtures::names() {
        if ![".jpg", ".webp"].iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        let image = fixtures::read(&name);
        let still = |side| Options { animated: false, ..sized(side) };
        let made = several(&image, &[still(60), still(10)]).unwrap();
        let alone = thumbnail(&image, &still(10), &Limits::default()).unwrap();
        let [among, alone] = [&made[1], &alone].map(|thumbnail| compare::decoded(&thumbnail.data));
        let (db, ssim) = (compare::psnr(&among, &alone), compare::ssim(&among, &alone));
        println!("{name}: {db:.1} dB, {ssim:.4}");
        assert!(db > 38.0 && ssim > 0.99, "{name}: {db:.1} dB, {ssim:.4}");
    }
}

#[test]
fn what_differs_in_its_encoding_alone_is_one_picture_in_several_files() {
    let image = fixtures::read("rgb.png");
    let formats = [OutputFormat::Webp, OutputFormat::Jpeg, OutputFormat::Png];
    let outputs = formats.map(|format| Options { format, ..sized(2048) });
    let made = several(&image, &outputs).unwrap();
    assert_eq!(made.iter().map(|made| made.format).collect::<Vec<_>>(), formats);
    assert!(made.iter().all(|made| made.is_opaque && made.cost.frames == 1));
    let gif = Options { format: OutputFormat::Gif, ..sized(2048) };
    let other_quality = Options { quality: Some(50), ..outputs[0] };
    for more in [
        &[outputs[0], sized(1)][..],
        &[outputs[0], other_quality],
        &[outputs[0], outputs[1], outputs[2], gif],
    ] {
        assert_eq!(several(&image, more).unwrap_err(), Error::LimitExceeded(Limit::OutputPixels));
    }
    let clear = several(&fixtures::read("rgba.png"), &[sized(20)]).unwrap();
    assert!(!clear[0].is_opaque);
}

#[test]
fn an_animation_and_a_still_of_it_are_made_at_once() {
    let image = fixtures::read("animated.gif");
    let still = Options { animated: false, ..sized(20) };
    let made = several(&image, &[sized(20), still, sized(30)]).unwrap();
    let frames = made[0].source.frames;
    assert_eq!(made.iter().map(|made| made.frames).collect::<Vec<_>>(), [frames, 1, frames]);
    assert_eq!(made[0].cost.frames, frames + 1, "once for all animations, and the first frame for the still");
}

#[test]
fn each_is_encoded_once_and_only_after_the_rest() {
    let image = fixtures::read("rgb.png");
    let mut task = Task::open(&image[..], &[sized(5), sized(6)], &Limits::default()).unwrap();
    assert!(matches!(task.encode(0), Err(Error::InvalidOptions(_))));
    task.decode().unwrap();
    assert!(matches!(task.encode(0), Err(Error::InvalidOptions(_))));
    task.finish().unwrap();
    assert_eq!(task.encode(1).unwrap().width, 6);
    for output in [1, 2, usize::MAX] {
        assert!(matches!(task.encode(output), Err(Error::InvalidOptions(_))), "{output}");
    }
    assert_eq!(task.encode(0).unwrap().width, 5);
    assert!(matches!(Task::open(&image[..], &[], &Limits::default()), Err(Error::InvalidOptions(_))));
}
