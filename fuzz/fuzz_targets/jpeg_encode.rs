//! A JPEG of any pixels: two decoders must read all of it, to the same picture, and the search for its levels must take no more steps than it
//! may.

#![no_main]

use thumbs_jpeg::{Chroma, Decoder, Limits, MAX_STEPS_PER_SAMPLE, Scale, encode};

/// Pixels of a picture: larger ones tell nothing new.
const MAX_PIXELS: usize = 4_096;
/// Decoders round differently, by so much at most.
const MAX_DIFFERENCE: u8 = 4;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    // The last two bytes are quality and width; the pixels before them are repeated to whole rows.
    let Some((pixels, &[quality, width])) = input.split_last_chunk::<2>() else {
        return libfuzzer_sys::Corpus::Reject;
    };
    let (given, _) = pixels.as_chunks::<3>();
    if given.is_empty() || given.len() > MAX_PIXELS {
        return libfuzzer_sys::Corpus::Reject;
    }
    let width = usize::from(width).max(1);
    let height = given.len().div_ceil(width);
    let pixels: Vec<[u8; 3]> = given.iter().copied().cycle().take(width * height).collect();
    let chroma = if quality < 128 { Chroma::Full } else { Chroma::Halved };
    let quality = quality % 128 % 100 + 1;
    let encoded = encode(&pixels, width as u32, height as u32, quality, chroma).expect("a small picture");
    // Three planes, filled up to whole blocks.
    let samples = 3 * width.next_multiple_of(16) * height.next_multiple_of(16);
    assert!(encoded.steps <= samples as u64 * MAX_STEPS_PER_SAMPLE, "{} steps for {samples} samples", encoded.steps);

    let decoder = Decoder::new(&encoded.data).expect("a file");
    let image = decoder.decode(Scale::Full, &Limits::default()).expect("a picture");
    assert!(!image.outcome.truncated && !image.outcome.damaged, "{:?}", image.outcome);
    let theirs = jpeg_decoder::Decoder::new(&encoded.data[..]).decode().expect("a picture to others");
    assert_eq!(theirs.len(), image.pixels.len());
    // What interpolates halved chroma differs by more.
    if chroma == Chroma::Full {
        let worst = theirs.iter().zip(&image.pixels).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(MAX_DIFFERENCE), "{worst:?}, {width}x{height} at {quality}");
    }
    libfuzzer_sys::Corpus::Keep
});
