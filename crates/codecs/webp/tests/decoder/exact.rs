//! At full size, still images are what libwebp and `image-webp` make of them, to the last bit.

use std::io::Cursor;

use image_webp::{ColorType, WebPDecoder, WebPEncoder};
use thumbs_webp::{Codec, Decoder, Layout};

use crate::fixtures::{Noise, decode, digest, expected, read};

#[test]
fn full_size_is_what_libwebp_decodes() {
    for expected in expected().iter().filter(|expected| !expected.name.starts_with("animation")) {
        let image = decode(&read(&expected.name), 1);
        assert!(image.extent.is_complete(), "{}", expected.name);
        assert_eq!((image.width, image.height), (expected.width, expected.height), "{}", expected.name);
        assert_eq!(image.layout, expected.layout, "{}", expected.name);
        assert_eq!(digest(&image.pixels), expected.digest, "{}", expected.name);
    }
}

/// Images with what the lossless encoder of `image-webp` does: one prefix code group, predictor and green subtraction.
#[test]
fn lossless_is_what_another_encoder_was_given() {
    let mut noise = Noise(1);
    for (width, height, colour, bytes) in [
        (1, 1, ColorType::Rgb8, 3),
        (3, 200, ColorType::Rgba8, 4),
        (257, 65, ColorType::Rgb8, 3),
        (400, 300, ColorType::Rgba8, 4),
    ] {
        let pixels: Vec<u8> = (0..width * height * bytes)
            .map(|at| (at / bytes % width + noise.below(1 + at % 40)) as u8)
            .collect();
        let mut file = Vec::new();
        WebPEncoder::new(&mut file).encode(&pixels, width as u32, height as u32, colour).unwrap();
        let decoder = Decoder::new(&file).unwrap();
        assert_eq!(decoder.codec(), Codec::Lossless);
        let image = decode(&file, 1);
        assert_eq!(image.layout, if bytes == 4 { Layout::Rgba8 } else { Layout::Rgb8 });
        assert!(image.pixels == pixels, "{width}x{height}");
    }
}

#[test]
fn tells_what_the_file_holds() {
    let file = read("metadata");
    let decoder = Decoder::new(&file).unwrap();
    assert_eq!((decoder.width(), decoder.height()), (33, 20));
    assert_eq!(decoder.icc_profile(), Some(&b"not really a profile"[..]));
    assert!(
        decoder
            .exif()
            .is_some_and(|exif| exif.windows(4).any(|bytes| bytes == b"II*\0" || bytes == b"MM\0*"))
    );
    assert!(!decoder.has_alpha() && !decoder.is_animated() && !decoder.is_cut());
    assert_eq!((decoder.frame_count(), decoder.codec()), (1, Codec::Lossy));

    let file = read("animation-lossless");
    let decoder = Decoder::new(&file).unwrap();
    assert!(decoder.is_animated() && decoder.has_alpha());
    assert_eq!((decoder.frame_count(), decoder.loop_count(), decoder.codec()), (5, 3, Codec::Lossless));

    let file = read("alpha-raw");
    assert!(Decoder::new(&file).unwrap().has_alpha());
}

/// A second opinion from a decoder that shares no code with libwebp, also on files that were not made for this test.
#[test]
fn agrees_with_another_decoder() {
    for name in
        ["lossy-q75-m6", "lossy-sharpness-3", "lossy-8-partitions", "alpha-lossless", "lossless-alpha"]
    {
        let file = read(name);
        let mut other = WebPDecoder::new(Cursor::new(&file)).unwrap();
        let mut pixels = vec![0; other.output_buffer_size().unwrap()];
        other.read_image(&mut pixels).unwrap();
        let image = decode(&file, 1);
        let differing = image.pixels.iter().zip(&pixels).filter(|(a, b)| a != b).count();
        assert_eq!(differing, 0, "{name}");
    }
}
