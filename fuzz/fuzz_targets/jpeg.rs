//! See `thumbs_imaging_fuzz`.

#![no_main]

use thumbs_imaging::options::SourceFormat;

libfuzzer_sys::fuzz_target!(|image: &[u8]| -> libfuzzer_sys::Corpus {
    thumbs_imaging_fuzz::check(SourceFormat::Jpeg, image)
});
