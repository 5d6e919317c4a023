//! A zlib stream by itself, byte for byte against two other inflaters: one that is as strict as zlib, and one that takes codes
//! which zlib refuses. Ours gives what the strict one does, but for the last byte, and nothing that the other one doesn't.

#![no_main]

use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use thumbs_inflate::Inflate;

/// Longer streams could need tables more often than is allowed: none of more than 13 bytes a table can.
const MAX_BYTES: usize = 256 * 13;
/// What is compared.
const MAX_OUTPUT_BYTES: usize = 1 << 20;

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    // The last two bytes say how the stream is cut, and how much is asked for at a time.
    let Some((stream, &[piece, wanted])) = input.split_last_chunk::<2>() else {
        return libfuzzer_sys::Corpus::Reject;
    };
    if stream.len() > MAX_BYTES {
        return libfuzzer_sys::Corpus::Reject;
    }
    let ours = ours(stream, 1 + usize::from(piece) * 4, 1 + usize::from(wanted).pow(2) * 5);
    let (strict, lenient) = (strict(stream), lenient(stream));
    let sure = &strict[..strict.len().saturating_sub(1)];
    assert!(ours.starts_with(sure), "{} bytes, the strict one has {}", ours.len(), strict.len());
    assert!(lenient.starts_with(&ours), "{} bytes, the lenient one has {}", ours.len(), lenient.len());
    libfuzzer_sys::Corpus::Keep
});

fn ours(stream: &[u8], piece: usize, wanted: usize) -> Vec<u8> {
    let mut inflate = Inflate::new(stream.chunks(piece));
    let mut bytes = Vec::new();
    while bytes.len() < MAX_OUTPUT_BYTES {
        let part = inflate.take(wanted);
        bytes.extend_from_slice(part);
        if part.len() < wanted {
            break;
        }
    }
    bytes.truncate(MAX_OUTPUT_BYTES);
    bytes
}

/// Up to the end or an error, as below.
fn strict(stream: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; MAX_OUTPUT_BYTES];
    let mut zlib = zlib_rs::Inflate::new(true, 15);
    let _ = zlib.decompress(stream, &mut bytes, zlib_rs::InflateFlush::NoFlush);
    bytes.truncate(zlib.total_out() as usize);
    bytes
}

fn lenient(stream: &[u8]) -> Vec<u8> {
    let flags =
        TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_IGNORE_ADLER32;
    let mut bytes = vec![0; MAX_OUTPUT_BYTES];
    let (_, _, length) = decompress(&mut DecompressorOxide::new(), stream, &mut bytes, 0, flags);
    bytes.truncate(length);
    bytes
}
