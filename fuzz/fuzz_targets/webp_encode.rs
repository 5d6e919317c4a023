//! A lossy WebP frame of any pixels: two decoders must give what the encoder restored, to the last bit, and a bound refuses what is larger and
//! nothing else.

#![no_main]

use std::num::NonZeroU32;

/// Pixels of a picture: larger ones tell nothing new.
const MAX_PIXELS: usize = 4_096;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    // The last two bytes are quality and width; the pixels before them are repeated to whole rows.
    let Some((pixels, &[quality, width])) = input.split_last_chunk::<2>() else {
        return libfuzzer_sys::Corpus::Reject;
    };
    let (given, _) = pixels.as_chunks::<4>();
    if given.is_empty() || given.len() > MAX_PIXELS {
        return libfuzzer_sys::Corpus::Reject;
    }
    let width = usize::from(width).max(1);
    let height = given.len().div_ceil(width);
    let pixels: Vec<[u8; 4]> = given.iter().copied().cycle().take(width * height).collect();
    let quality = quality % 101;
    let (frame, restored) =
        thumbs_webp::encode_lossy_restored(&pixels, width as u32, height as u32, quality).expect("a small picture");

    let within = |max_bytes| {
        thumbs_webp::encode_lossy_within(&pixels, width as u32, height as u32, quality, max_bytes)
    };
    assert!(within(frame.len()).as_ref() == Ok(&frame), "it has as many as it may");
    assert_eq!(within(frame.len() - 1), Err(thumbs_webp::EncodeError::TooManyBytes));

    let file = file(&frame);
    let decoder = thumbs_webp::Decoder::new(&file).expect("a file");
    let image = decoder.decode_still(NonZeroU32::MIN, &thumbs_webp::Limits::default()).expect("a picture");
    assert!(image.extent.is_complete());
    assert!(image.pixels == restored, "ours, {width}x{height} at {quality}");

    let mut other = image_webp::WebPDecoder::new(std::io::Cursor::new(&file)).expect("a file to others");
    let mut theirs = vec![0; 3 * width * height];
    other.read_image(&mut theirs).expect("a picture to others");
    assert!(theirs == restored, "theirs, {width}x{height} at {quality}");
    libfuzzer_sys::Corpus::Keep
});

/// A file with a single frame.
fn file(frame: &[u8]) -> Vec<u8> {
    let padded = frame.len().next_multiple_of(2);
    let mut file = b"RIFF".to_vec();
    file.extend((padded as u32 + 12).to_le_bytes());
    file.extend(b"WEBPVP8 ");
    file.extend((frame.len() as u32).to_le_bytes());
    file.extend(frame);
    file.resize(20 + padded, 0);
    file
}
