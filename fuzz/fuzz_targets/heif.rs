//! Boxes of a HEIC or AVIF: whatever they say, reading them ends, and what is told is no more than the file can hold.

#![no_main]

use thumbs_heif::{Picture, read};

libfuzzer_sys::fuzz_target!(|file: &[u8]| -> libfuzzer_sys::Corpus {
    let Ok(heif) = read(file) else { return libfuzzer_sys::Corpus::Keep };
    check(file, &heif.picture);
    if let Some(alpha) = &heif.alpha {
        check(file, &alpha.picture);
    }
    libfuzzer_sys::Corpus::Keep
});

fn check(file: &[u8], picture: &Picture) {
    // A part is named by two bytes at least.
    assert!(picture.parts.len() <= file.len(), "{} parts", picture.parts.len());
    for part in &picture.parts {
        assert!(part.configuration.end <= file.len(), "{:?} of {}", part.configuration, file.len());
        // What is missing of the end is noticed where it is read.
        assert!(part.extents.iter().all(|extent| extent.start <= extent.end), "{:?}", part.extents);
    }
}
