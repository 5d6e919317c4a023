//! Any bytes as a zlib stream: ours and another inflater must read what was written, checksum included, and no stream is longer than its bytes stored.

#![no_main]

use thumbs_deflate::zlib;
use thumbs_inflate::Inflate;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    // The last byte says how often the others are repeated, so that there are far matches and several parts.
    let Some((&times, bytes)) = input.split_last() else {
        return libfuzzer_sys::Corpus::Reject;
    };
    let data = bytes.repeat(1 + usize::from(times));
    if data.len() > 200_000 {
        return libfuzzer_sys::Corpus::Reject;
    }
    let stream = zlib(&data);
    let theirs = miniz_oxide::inflate::decompress_to_vec_zlib(&stream).expect("a stream to others");
    assert!(theirs == data, "{} bytes", data.len());
    let mut inflate = Inflate::new(stream.chunks(usize::MAX));
    let mut ours = Vec::new();
    while ours.len() < data.len() {
        let part = inflate.take(4_096.min(data.len() - ours.len()));
        assert!(!part.is_empty(), "{} of {} bytes", ours.len(), data.len());
        ours.extend_from_slice(part);
    }
    assert!(ours == data, "{} bytes", data.len());
    let stored = data.len() + 5 * (data.len() / 65_535 + 1) + 6;
    assert!(stream.len() <= stored, "{} for {} bytes", stream.len(), data.len());
    libfuzzer_sys::Corpus::Keep
});
