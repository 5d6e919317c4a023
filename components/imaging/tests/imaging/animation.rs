//! Animations, frame by frame, against what Pillow composes; and what becomes of them where they can't be kept.

use std::io::Cursor;
use std::num::NonZeroU32;

use image::RgbaImage;
use thumbs_imaging::options::{Fit, Limits, Options, OutputFormat, Warning};
use thumbs_imaging::{Thumbnail, thumbnail};

use crate::{compare, fixtures};

const ANIMATIONS: [&str; 4] = ["animated.gif", "disposals.gif", "animated.webp", "animated.png"];

fn make(name: &str, options: &Options) -> Thumbnail {
    thumbnail(&fixtures::read(name), options, &Limits::default()).unwrap()
}

/// The frames of a WebP file and how long each is shown, in milliseconds. Read by our own decoder, which is tested against
/// others in its crate: that of `image` rounds when it blends.
pub(crate) fn frames_of(file: &[u8]) -> Vec<(RgbaImage, u32)> {
    let decoder = thumbs_webp::Decoder::new(file).unwrap();
    let frames = decoder.frames(NonZeroU32::MIN, &thumbs_webp::Limits::default()).unwrap();
    frames
        .map(|frame| {
            let thumbs_webp::Frame { image, duration_ms } = frame.unwrap();
            (RgbaImage::from_raw(image.width, image.height, image.pixels).unwrap(), duration_ms)
        })
        .collect()
}

/// At the size of the source, without loss.
fn frames(name: &str) -> Vec<(RgbaImage, u32)> {
    let size = image::load_from_memory(&fixtures::read(name)).unwrap().into_rgba8().dimensions();
    let options = Options {
        width: size.0,
        height: size.1,
        fit: Fit::Fill,
        format: OutputFormat::Webp,
        quality: Some(100),
        ..Options::default()
    };
    let made = make(name, &options);
    assert_eq!((made.frames, made.source.frames, made.cost.frames), (6, 6, 6), "{name}");
    frames_of(&made.data)
}

#[test]
fn frames_are_composed_like_elsewhere() {
    for name in ANIMATIONS {
        let strip = compare::decoded(&fixtures::read(&format!("reference/{name}.strip.png")));
        for (index, (frame, _)) in frames(name).iter().enumerate() {
            let (width, height) = frame.dimensions();
            let expected: RgbaImage =
                image::imageops::crop_imm(&strip, index as u32 * width, 0, width, height).to_image();
            assert_eq!(compare::worst(frame, &expected), 0, "{name}, frame {index}");
        }
    }
}

#[test]
fn delays_are_kept_and_those_nobody_means_replaced() {
    let delays = |name| -> Vec<u32> { frames(name).iter().map(|(_, delay_ms)| *delay_ms).collect() };
    assert_eq!(delays("animated.gif"), [70, 80, 90, 100, 110, 120]);
    assert_eq!(delays("animated.png"), [50, 60, 70, 80, 90, 100]);
    assert_eq!(delays("animated.webp"), [80; 6]);
    assert_eq!(delays("disposals.gif"), [100, 200, 300, 400, 100, 50]);
}

#[test]
fn animations_stay_in_every_format_that_holds_them() {
    for name in ANIMATIONS {
        for format in [OutputFormat::Png, OutputFormat::Webp, OutputFormat::Gif] {
            let options = Options { width: 30, height: 20, format, ..Options::default() };
            let made = make(name, &options);
            assert_eq!((made.frames, made.width, made.height), (6, 30, 20), "{name} to {format:?}");
            assert!(made.warnings.is_empty(), "{name} to {format:?}: {:?}", made.warnings);
            // What we made is what we read.
            let again = thumbs_imaging::probe(&made.data, &Limits::default()).unwrap();
            assert_eq!((again.frames, again.width, again.height), (6, 30, 20), "{name} to {format:?}");
        }
    }
}

#[test]
fn the_first_frame_is_kept_where_an_animation_can_not_be() {
    for name in ANIMATIONS {
        for options in [
            Options { format: OutputFormat::Jpeg, ..Options::default() },
            Options { format: OutputFormat::Gif, animated: false, ..Options::default() },
        ] {
            let made = make(name, &options);
            assert_eq!((made.frames, made.source.frames, made.cost.frames), (1, 6, 1));
            assert!(made.warnings.contains(&Warning::AnimationDropped), "{name}: {:?}", made.warnings);
        }
    }
}

#[test]
fn the_first_frame_alone_is_the_first_frame_of_all() {
    for name in ANIMATIONS {
        let format = OutputFormat::Webp;
        let options = Options { width: 20, height: 15, format, quality: Some(100), ..Options::default() };
        let still = make(name, &Options { animated: false, ..options });
        let all = make(name, &options);
        let worst = compare::worst(&frames_of(&all.data)[0].0, &compare::decoded(&still.data));
        // A lossy or interlaced frame may take another way to the same place.
        assert!(worst <= 1, "{name}: {worst} levels apart");
    }
}

#[test]
fn fewer_frames_take_the_same_time() {
    let options = Options { format: OutputFormat::Webp, max_output_frames: Some(3), ..Options::default() };
    let made = make("animated.gif", &options);
    assert_eq!(made.frames, 3);
    let total: u32 = frames_of(&made.data).iter().map(|(_, delay_ms)| delay_ms).sum();
    assert_eq!(total, 70 + 80 + 90 + 100 + 110 + 120);
}

/// Two frames in each format that holds an animation, which play so many times, 0 for ever.
fn playing(plays: u16) -> [Vec<u8>; 3] {
    let mut gif = Vec::new();
    let mut encoder = gif::Encoder::new(&mut gif, 2, 2, &[0, 0, 0, 255, 255, 255]).unwrap();
    match plays {
        0 => encoder.set_repeat(gif::Repeat::Infinite).unwrap(),
        // What plays once says nothing.
        1 => {}
        _ => encoder.set_repeat(gif::Repeat::Finite(plays - 1)).unwrap(),
    }
    for index in [0, 1] {
        let frame =
            gif::Frame { width: 2, height: 2, buffer: vec![index; 4].into(), ..gif::Frame::default() };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);

    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 2, 2);
    encoder.set_animated(2, plays.into()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for level in [0, 255] {
        writer.write_image_data(&[level; 4]).unwrap();
    }
    writer.finish().unwrap();

    // No encoder in Rust writes it: the number is patched in.
    let mut webp = fixtures::read("animated.webp");
    let chunk = webp.windows(4).position(|id| id == b"ANIM").unwrap();
    webp[chunk + 12..chunk + 14].copy_from_slice(&plays.to_le_bytes());
    [gif, png, webp]
}

/// How often a file says that it plays, 0 for ever.
fn plays(file: &[u8], format: OutputFormat) -> u32 {
    match format {
        OutputFormat::Gif => {
            let mut decoder = gif::DecodeOptions::new().read_info(Cursor::new(file)).unwrap();
            while decoder.next_frame_info().unwrap().is_some() {}
            match decoder.repeat() {
                gif::Repeat::Infinite => 0,
                gif::Repeat::Finite(again) => u32::from(again) + 1,
            }
        }
        OutputFormat::Png => {
            let reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
            reader.info().animation_control().unwrap().num_plays
        }
        OutputFormat::Webp => u32::from(thumbs_webp::Decoder::new(file).unwrap().loop_count()),
        OutputFormat::Jpeg => panic!("a JPEG does not play"),
    }
}

#[test]
fn an_animation_plays_as_often_as_before() {
    for times in [0, 1, 2, 9] {
        for source in playing(times) {
            for format in [OutputFormat::Png, OutputFormat::Webp, OutputFormat::Gif] {
                let options = Options { width: 4, height: 4, format, ..Options::default() };
                let made = thumbnail(&source, &options, &Limits::default()).unwrap();
                let what = format!("{:?} to {format:?}", made.source.format);
                assert_eq!(plays(&made.data, format), u32::from(times), "{what}");
            }
        }
    }
}
