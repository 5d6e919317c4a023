//! Generated images at their own size, where resampling changes nothing, against the full decode of the `image` crate. How far
//! apart the two may be, in levels of any channel of any pixel:
//!
//! | format | bound |
//! |---|---|
//! | PNG (`png_kinds.rs`) | 0; 1 of 16 bits, which may be rounded or cut |
//! | GIF, still and animated; lossless WebP | 0 |
//! | APNG | 0; [`APNG_BLENDED`] where half-transparent pixels are drawn over each other: theirs cuts what ours rounds |
//! | JPEG | [`JPEG_GREY`], [`JPEG_COLOUR`], [`JPEG_LESS_CHROMA`]: inverse transforms and filters of chroma round differently |
//! | lossy WebP | 0; 1 with alpha, which is multiplied in and divided out |

use std::io::Cursor;
use std::path::Path;

use image::codecs::{gif::GifDecoder, png::PngDecoder};
use image::{AnimationDecoder, RgbaImage};
use jpeg_encoder::SamplingFactor;
use thumbs_imaging::options::{Fit, Limits, Options, OutputFormat};
use thumbs_imaging::thumbnail;

use crate::animation::frames_of;
use crate::compare;
use crate::pictures::Noise;

const APNG_BLENDED: u8 = 3;
const JPEG_GREY: u8 = 1;
/// With chroma at full resolution, or inks.
const JPEG_COLOUR: u8 = 2;
const JPEG_LESS_CHROMA: u8 = 3;

fn frames(file: &[u8], width: u32, height: u32) -> Vec<RgbaImage> {
    let format = OutputFormat::Webp;
    let options = Options { width, height, fit: Fit::Fill, format, quality: Some(100), ..Options::default() };
    let limits = Limits { max_output_side: 16_384, ..Limits::default() };
    let made = thumbnail(file, &options, &limits).unwrap();
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    assert_eq!((made.source.width, made.source.height), (width, height));
    frames_of(&made.data).into_iter().map(|(frame, _)| frame).collect()
}

/// Both decodes of a still image.
fn both(file: &[u8]) -> (RgbaImage, RgbaImage) {
    let theirs = compare::decoded(file);
    let ours = frames(file, theirs.width(), theirs.height());
    assert_eq!(ours.len(), 1);
    (ours.into_iter().next().unwrap(), theirs)
}

fn assert_frames_are(name: &str, file: &[u8], theirs: Vec<image::Frame>, most: u8) {
    let theirs: Vec<RgbaImage> = theirs.into_iter().map(image::Frame::into_buffer).collect();
    let ours = frames(file, theirs[0].width(), theirs[0].height());
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let worst = compare::worst(ours, theirs);
        assert!(worst <= most, "{name}, frame {index}: {worst} levels apart");
    }
}

/// Indices of few colours: flat, in long runs, or noise. Flat areas make the longest words of LZW, which do not end with a row.
fn indices(noise: &mut Noise, pixels: usize, colours: u32, run: u32) -> Vec<u8> {
    let mut indices = Vec::with_capacity(pixels);
    while indices.len() < pixels {
        let index = (noise.next() % colours) as u8;
        let length = 1 + noise.next() % run;
        indices.extend((0..length).map(|_| index));
    }
    indices.truncate(pixels);
    indices
}

fn palette(noise: &mut Noise, colours: u32) -> Vec<u8> {
    (0..3 * colours).map(|_| noise.next() as u8).collect()
}

/// Against what was written: the decoder of `image` takes a word longer than a row for the end of the data, as ours once did.
#[test]
fn stills_of_gif_are_what_was_written_at_every_width_and_grain() {
    let mut noise = Noise::new(1);
    for width in [1, 2, 3, 7, 8, 11, 23, 64, 100, 257] {
        for (height, colours, run) in
            [(1, 2, 1), (5, 2, 3), (53, 4, 9), (40, 2, 5000), (64, 7, 300), (33, 16, 40), (90, 256, 2)]
        {
            for interlaced in [false, true] {
                let name = format!("{width}x{height}, {colours} colours, interlaced {interlaced}");
                let palette = palette(&mut noise, colours);
                let indices = indices(&mut noise, usize::from(width * height), colours, run);
                let transparent = (run == 9).then_some(1);
                let mut file = Vec::new();
                let mut encoder = gif::Encoder::new(&mut file, width, height, &palette).unwrap();
                let stored = if interlaced { interlace(&indices, width.into()) } else { indices.clone() };
                let frame = gif::Frame {
                    width,
                    height,
                    interlaced,
                    transparent,
                    buffer: stored.into(),
                    ..gif::Frame::default()
                };
                encoder.write_frame(&frame).unwrap();
                drop(encoder);
                let pixels =
                    indices.iter().flat_map(|&index| match palette.as_chunks::<3>().0[usize::from(index)] {
                        _ if transparent == Some(index) => [0; 4],
                        [red, green, blue] => [red, green, blue, 255],
                    });
                let written = RgbaImage::from_raw(width.into(), height.into(), pixels.collect()).unwrap();
                assert_eq!(
                    compare::worst(&frames(&file, width.into(), height.into())[0], &written),
                    0,
                    "{name}"
                );
            }
        }
    }
}

/// Rows in the order of GIF's four passes.
fn interlace(indices: &[u8], width: usize) -> Vec<u8> {
    let rows: Vec<&[u8]> = indices.chunks(width).collect();
    let passes = [(0, 8), (4, 8), (2, 4), (1, 2)];
    passes
        .iter()
        .flat_map(|&(first, step)| rows.iter().skip(first).step_by(step))
        .copied()
        .flatten()
        .copied()
        .collect()
}

#[test]
fn animations_of_gif_are_the_same_with_every_disposal() {
    use gif::DisposalMethod::{Any, Background, Keep, Previous};
    let mut noise = Noise::new(2);
    for film in 0..40 {
        let (width, height) = (9 + film % 5 * 7, 12);
        let mut file = Vec::new();
        let global = palette(&mut noise, 8);
        let mut encoder = gif::Encoder::new(&mut file, width, height, &global).unwrap();
        for index in 0..8 {
            // The first covers the canvas in every other file. Rows are longer than the longest word (see above).
            let whole = index == 0 && film % 2 == 0;
            let mut span = |side: u16, least: u16| {
                let length = if whole { side } else { least + noise.next() as u16 % (side - least + 1) };
                (noise.next() as u16 % (side - length + 1), length)
            };
            let ((left, frame_width), (top, frame_height)) = (span(width, 8), span(height, 1));
            let frame = gif::Frame {
                left,
                top,
                width: frame_width,
                height: frame_height,
                delay: 10,
                dispose: [Any, Keep, Background, Previous][noise.next() as usize % 4],
                transparent: (noise.next().is_multiple_of(3)).then_some(3),
                interlaced: noise.next().is_multiple_of(3),
                palette: (noise.next().is_multiple_of(3)).then(|| palette(&mut noise, 4)),
                buffer: indices(&mut noise, usize::from(frame_width) * usize::from(frame_height), 4, 1)
                    .into(),
                ..gif::Frame::default()
            };
            encoder.write_frame(&frame).unwrap();
        }
        drop(encoder);
        let theirs = GifDecoder::new(Cursor::new(&file)).unwrap().into_frames().collect_frames().unwrap();
        assert_frames_are(&format!("film {film}"), &file, theirs, 0);
    }
}

#[test]
fn animations_of_png_are_the_same_with_every_disposal_and_blending() {
    use png::{BlendOp, ColorType, DisposeOp};
    let mut noise = Noise::new(3);
    for film in 0..40u32 {
        let (width, height) = (9 + film % 5 * 7, 12);
        let (colour, channels) = [
            (ColorType::Rgba, 4),
            (ColorType::Rgb, 3),
            (ColorType::Grayscale, 1),
            (ColorType::GrayscaleAlpha, 2),
        ][film as usize % 4];
        let half_transparent = film % 3 == 0;
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(colour);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_animated(8, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        let mut last = DisposeOp::Background;
        for index in 0..8 {
            let (left, top) = if index == 0 { (0, 0) } else { (noise.next() % width, noise.next() % height) };
            let (frame_width, frame_height) = if index == 0 {
                (width, height)
            } else {
                (1 + noise.next() % (width - left), 1 + noise.next() % (height - top))
            };
            // Theirs goes back to what was there before the last frame was cleared.
            let dispose = match [DisposeOp::None, DisposeOp::Background, DisposeOp::Previous]
                [noise.next() as usize % 3]
            {
                DisposeOp::Previous if last == DisposeOp::Background => DisposeOp::None,
                dispose => dispose,
            };
            last = dispose;
            writer.reset_frame_position().unwrap();
            writer.set_frame_dimension(frame_width, frame_height).unwrap();
            writer.set_frame_position(left, top).unwrap();
            writer.set_frame_delay(1, 10).unwrap();
            writer.set_dispose_op(dispose).unwrap();
            writer.set_blend_op([BlendOp::Source, BlendOp::Over][noise.next() as usize % 2]).unwrap();
            let samples: Vec<u8> = (0..frame_width * frame_height * channels)
                .map(|at| {
                    let is_alpha = channels % 2 == 0 && at % channels == channels - 1;
                    match noise.next() {
                        level if is_alpha && !half_transparent => {
                            if level % 2 == 0 {
                                0
                            } else {
                                255
                            }
                        }
                        level => level as u8,
                    }
                })
                .collect();
            writer.write_image_data(&samples).unwrap();
        }
        writer.finish().unwrap();
        let decoder = PngDecoder::new(Cursor::new(&file)).unwrap().apng().unwrap();
        let theirs = decoder.into_frames().collect_frames().unwrap();
        assert_frames_are(
            &format!("film {film}"),
            &file,
            theirs,
            if half_transparent { APNG_BLENDED } else { 0 },
        );
    }
}

/// Waves, edges and a little grain, `channels` of them.
fn scene(width: u32, height: u32, channels: u32) -> Vec<u8> {
    let mut noise = Noise::new(4);
    let places = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| (0..channels).map(move |channel| (x, y, channel))));
    places
        .map(|(x, y, channel)| {
            let wave = (f64::from(x * (channel + 1)) / 11.0).sin() * 50.0 + (f64::from(y) / 9.0).cos() * 40.0;
            let edge = if (x / 20 + y / 16 + channel) % 2 == 0 { 30.0 } else { 0.0 };
            (110.0 + wave + edge + f64::from(noise.next() % 9)) as u8
        })
        .collect()
}

fn jpeg(
    sampling: SamplingFactor,
    progressive: bool,
    colour: jpeg_encoder::ColorType,
    restarts: u16,
) -> Vec<u8> {
    let (width, height) = (83, 61);
    let channels = match colour {
        jpeg_encoder::ColorType::Luma => 1,
        jpeg_encoder::ColorType::Rgb => 3,
        _ => 4,
    };
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 90);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(progressive);
    encoder.set_restart_interval(restarts);
    encoder.encode(&scene(width.into(), height.into(), channels), width, height, colour).unwrap();
    file
}

#[test]
fn jpegs_are_the_same_but_for_rounding() {
    use SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2, F_4_1};
    use jpeg_encoder::ColorType::{Cmyk, CmykAsYcck, Luma, Rgb};
    for progressive in [false, true] {
        for restarts in [0, 4] {
            for (colour, sampling, most) in [
                (Luma, F_1_1, JPEG_GREY),
                (Rgb, F_1_1, JPEG_COLOUR),
                (Cmyk, F_1_1, JPEG_COLOUR),
                (CmykAsYcck, F_1_1, JPEG_COLOUR),
                (Rgb, F_2_1, JPEG_LESS_CHROMA),
                (Rgb, F_1_2, JPEG_LESS_CHROMA),
                (Rgb, F_2_2, JPEG_LESS_CHROMA),
                (Rgb, F_4_1, JPEG_LESS_CHROMA),
            ] {
                let (ours, theirs) = both(&jpeg(sampling, progressive, colour, restarts));
                let worst = compare::worst(&ours, &theirs);
                assert!(
                    worst <= most,
                    "{colour:?}, {sampling:?}, progressive {progressive}: {worst} levels apart"
                );
            }
        }
    }
}

#[test]
fn lossless_webps_are_the_same_in_every_colour_type() {
    use image_webp::ColorType::{L8, La8, Rgb8, Rgba8};
    let mut noise = Noise::new(5);
    for (colour, channels) in [(L8, 1), (La8, 2), (Rgb8, 3), (Rgba8, 4)] {
        for (width, height) in [(1, 1), (3, 70), (64, 64), (201, 33)] {
            for levels in [2, 6, 256] {
                let samples: Vec<u8> = (0..width * height * channels)
                    .map(|_| (noise.next() % levels * (255 / (levels - 1))) as u8)
                    .collect();
                let mut file = Vec::new();
                image_webp::WebPEncoder::new(&mut file).encode(&samples, width, height, colour).unwrap();
                let (ours, theirs) = both(&file);
                assert_eq!(
                    compare::worst(&ours, &theirs),
                    0,
                    "{colour:?}, {width}x{height}, {levels} levels"
                );
            }
        }
    }
}

/// There is no encoder of lossy WebP in Rust: the files of the decoder's own tests, which libwebp wrote.
#[test]
fn still_webps_of_libwebp_are_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/codecs/webp/tests/fixtures");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "webp") {
            continue;
        }
        let file = std::fs::read(&path).unwrap();
        let decoder = thumbs_webp::Decoder::new(&file).unwrap();
        // Theirs rounds otherwise when it blends; libwebp's frames are compared in the decoder's tests.
        if decoder.is_animated() || decoder.icc_profile().is_some() {
            continue;
        }
        let theirs = compare::decoded(&file);
        let made = frames(&file, theirs.width(), theirs.height());
        let worst = compare::worst(&made[0], &theirs);
        assert!(worst <= u8::from(decoder.has_alpha()), "{}: {worst} levels apart", path.display());
        compared += 1;
    }
    assert!(compared > 30, "only {compared} files were found");
}
