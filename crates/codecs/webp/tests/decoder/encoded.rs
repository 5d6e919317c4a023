//! What the encoder writes is the same picture to this decoder, to another, and to the encoder.

use std::io::Cursor;

use image_webp::WebPDecoder;
use thumbs_webp::{Codec, Decoder, encode_lossy_restored};

use crate::fixtures::{Noise, decode};

/// A file with a single frame.
fn file(payload: &[u8]) -> Vec<u8> {
    let padded = payload.len().next_multiple_of(2);
    let mut file = b"RIFF".to_vec();
    file.extend(u32::try_from(padded + 12).unwrap().to_le_bytes());
    file.extend(b"WEBPVP8 ");
    file.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    file.extend(payload);
    file.resize(20 + padded, 0);
    file
}

#[test]
fn both_decoders_give_what_the_encoder_restored() {
    let mut noise = Noise(7);
    for round in 0..150 {
        let (width, height) = (1 + noise.below(80) as u32, 1 + noise.below(80) as u32);
        let (slope, spread) = (1 + noise.below(8) as u32, 1 + noise.below(255));
        let pixels: Vec<[u8; 4]> = (0..width * height)
            .map(|at| {
                let (x, y) = (at % width * slope, at / width * slope);
                let grain = noise.below(spread) as u32 * (round % 4) / 3;
                [(x + grain) as u8, (y + grain) as u8, (x * y / 16) as u8, 255]
            })
            .collect();
        let quality = noise.below(101) as u8;
        let (payload, restored) = encode_lossy_restored(&pixels, width, height, quality).unwrap();
        let file = file(&payload);
        assert_eq!(Decoder::new(&file).unwrap().codec(), Codec::Lossy);
        let image = decode(&file, 1);
        assert!(image.extent.is_complete());
        assert!(image.pixels == restored, "{width}x{height} at {quality}");

        let mut other = WebPDecoder::new(Cursor::new(&file)).unwrap();
        let mut pixels = vec![0; other.output_buffer_size().unwrap()];
        other.read_image(&mut pixels).unwrap();
        assert!(pixels == restored, "{width}x{height} at {quality}, by the other decoder");
    }
}
