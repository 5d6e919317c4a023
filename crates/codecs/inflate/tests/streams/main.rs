//! Streams against another decoder: whole, broken off, damaged; and those that encoders don't make.

mod codes;
mod writer;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use proptest::prelude::*;
use thumbs_inflate::Inflate;

use writer::Writer;

/// Far more than any test puts out.
const LIMIT: usize = 4 << 20;

fn inflated(stream: &[u8], piece: usize, wanted: usize) -> Vec<u8> {
    let mut inflate = Inflate::new(stream.chunks(piece));
    let mut all = Vec::new();
    loop {
        let bytes = inflate.take(wanted);
        all.extend_from_slice(bytes);
        if bytes.len() < wanted || all.len() > LIMIT {
            return all;
        }
    }
}

/// What the other decoder makes of it, up to its end or its error.
fn expected(stream: &[u8]) -> Vec<u8> {
    let flags =
        TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_IGNORE_ADLER32;
    let mut bytes = vec![0; LIMIT];
    let (_, _, length) = decompress(&mut DecompressorOxide::new(), stream, &mut bytes, 0, flags);
    bytes.truncate(length);
    bytes
}

/// A picture's rows: noise, runs, and what repeats at all distances.
fn mixture() -> impl Strategy<Value = Vec<u8>> {
    let part = (0..4, any::<u8>(), 1_usize..3000, any::<u32>());
    prop::collection::vec(part, 0..40).prop_map(|parts| {
        let mut bytes: Vec<u8> = Vec::new();
        for (kind, byte, length, seed) in parts {
            let mut state = seed;
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            match kind {
                0 => bytes.extend(std::iter::repeat_n(byte, length)),
                1 => bytes.extend((0..length).map(|_| random() % (byte / 16 + 1))),
                2 => bytes.extend((0..length).map(|_| random())),
                _ if bytes.is_empty() => {}
                _ => {
                    let from = seed as usize % bytes.len();
                    for at in from..from + length {
                        bytes.push(bytes[at]);
                    }
                }
            }
        }
        bytes
    })
}

#[test]
fn all_levels_come_back_whole() {
    let bytes: Vec<u8> = (0..600_000_u32).map(|at| (at / 3 * (at / 5000) % 256) as u8).collect();
    for level in 0..=10 {
        let stream = compress_to_vec_zlib(&bytes, level);
        for (piece, wanted) in [(stream.len(), 1000), (8192, 77), (1, 230_000), (100, bytes.len())] {
            assert!(
                inflated(&stream, piece, wanted) == bytes,
                "level {level}, pieces of {piece}, {wanted} at a time"
            );
        }
    }
}

#[test]
fn distances_reach_as_far_as_they_may() {
    let mut bytes: Vec<u8> = (0..32_768_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for _ in 0..5 {
        bytes.extend_from_within(bytes.len() - 32_768..);
    }
    for wanted in [1, 999, 300_000] {
        assert!(inflated(&compress_to_vec_zlib(&bytes, 9), 4096, wanted) == bytes, "{wanted} at a time");
    }
}

#[test]
fn the_fixed_code_has_all_lengths_and_distances() {
    let mut writer = Writer::new();
    writer.put(1, 1).put(1, 2);
    let mut expected = Vec::new();
    for literal in 0..=255_u32 {
        if literal < 144 {
            writer.word(48 + literal, 8)
        } else {
            writer.word(400 + literal - 144, 9)
        };
        expected.push(literal as u8);
    }
    // Symbol 285: 258 bytes; symbol 284 with all extra bits means the same. Distances 1, 2, 3 and 4.
    for distance in 0..4 {
        writer.word(0xC0 + 285 - 280, 8).word(distance, 5);
        writer.word(0xC0 + 284 - 280, 8).put(31, 5).word(distance, 5);
        for _ in 0..516 {
            expected.push(expected[expected.len() - 1 - distance as usize]);
        }
    }
    writer.word(0, 7).put(0, 32);
    assert!(inflated(&writer.bytes, 1000, 100) == expected);
    assert!(self::expected(&writer.bytes) == expected);
}

#[test]
fn what_makes_no_sense_ends_the_stream() {
    let begun = |bits: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        // A block of the fixed code with one literal comes first.
        writer.put(0, 1).put(1, 2).word(48 + 7, 8).word(0, 7);
        bits(&mut writer);
        writer.put(0, 64).put(0, 64);
        inflated(&writer.bytes, 1000, 10)
    };
    assert_eq!(begun(&|writer| _ = writer.put(1, 1).put(3, 2)), [7], "a kind of block that there is not");
    assert_eq!(
        begun(&|writer| _ = writer.put(1, 1).put(0, 2).align().put(5, 16).put(5, 16)),
        [7],
        "a stored length"
    );
    assert_eq!(
        begun(&|writer| _ = writer.put(1, 1).put(1, 2).word(1, 7).word(1, 5)),
        [7],
        "a distance before the beginning"
    );
    assert_eq!(begun(&|writer| _ = writer.put(1, 1).put(1, 2).word(0xC6, 8)), [7], "symbol 286");
    assert_eq!(begun(&|writer| _ = writer.put(1, 1).put(1, 2).word(1, 7).word(30, 5)), [7], "distance 30");
    assert_eq!(
        begun(&|writer| _ = writer.put(1, 1).put(2, 2).put(30, 5)),
        [7],
        "more symbols than there are"
    );
    for stream in [
        &[][..],
        &[0x78],
        &[0x78, 0x02, 3, 0],
        &[0x79, 0x1B, 3, 0],
        &[0x78, 0x20, 3, 0],
        &[0x78, 0x01],
        &[0x88, 0x1C, 3, 0],
    ] {
        assert_eq!(inflated(stream, 1, 10), [], "{stream:?}");
    }
}

/// Blocks with tables of their own, and nothing in any of them.
#[test]
fn blocks_that_bring_nothing_are_not_read_for_ever() {
    let stream = |bytes: u32, blocks: u32| {
        let mut writer = Writer::new();
        writer.put(0, 1).put(0, 2).align().put(bytes, 16).put(!bytes & 0xFFFF, 16);
        for _ in 0..bytes {
            writer.put(9, 8);
        }
        for _ in 0..blocks {
            writer.empty_block();
        }
        writer.put(1, 1).put(0, 2).align().put(1, 16).put(0xFFFE, 16).put(7, 8);
        writer.bytes
    };
    assert_eq!(expected(&stream(0, 257)), [7]);
    assert_eq!(inflated(&stream(0, 256), 1000, 10), [7]);
    assert_eq!(inflated(&stream(0, 257), 1000, 10), []);
    // One more for each 120 bytes.
    assert_eq!(inflated(&stream(12_000, 356), 1000, 12_001).len(), 12_001);
    assert_eq!(inflated(&stream(12_000, 357), 1000, 12_001).len(), 12_000);
}

#[test]
fn blocks_that_only_flush_are_free() {
    let mut writer = Writer::new();
    for _ in 0..10_000 {
        writer.empty_fixed_block();
        writer.put(0, 1).put(0, 2).align().put(0, 16).put(0xFFFF, 16);
    }
    writer.put(1, 1).put(1, 2).word(48 + 7, 8).word(0, 7);
    assert_eq!(inflated(&writer.bytes, 1000, 10), [7]);
}

/// Tables of the fixed code serve for all blocks of it that follow each other.
#[test]
fn blocks_of_the_fixed_code_may_be_as_small_as_they_like() {
    let mut writer = Writer::new();
    for _ in 0..1000 {
        writer.put(0, 1).put(1, 2).word(48 + 7, 8).word(0, 7);
    }
    assert_eq!(inflated(&writer.bytes, 1000, 10), [7; 1000]);
}

#[test]
fn the_tables_are_those_of_the_block() {
    let mut writer = Writer::new();
    // The fixed code before and after blocks that are stored, and of another code.
    writer.put(0, 1).put(1, 2).word(48 + 1, 8).word(0, 7);
    writer.put(0, 1).put(0, 2).align().put(1, 16).put(0xFFFE, 16).put(2, 8);
    writer.put(0, 1).put(1, 2).word(48 + 3, 8).word(0, 7);
    writer.empty_block();
    writer.put(0, 1).put(1, 2).word(48 + 4, 8).word(0, 7);
    writer.empty_fixed_block().empty_block();
    writer.put(1, 1).put(1, 2).word(48 + 5, 8).word(0, 7);
    assert_eq!(inflated(&writer.bytes, 1000, 10), [1, 2, 3, 4, 5]);
}

#[test]
fn after_the_end_there_is_nothing() {
    let stream = compress_to_vec_zlib(b"abc", 6);
    let pieces = [&[][..], &stream[..3], &[], &[], &stream[3..], &[]];
    let mut inflate = Inflate::new(pieces.into_iter());
    assert_eq!(inflate.take(2), b"ab");
    assert_eq!(inflate.take(2), b"c");
    assert_eq!(inflate.take(2), []);
    assert_eq!(inflate.take(300_000), []);
}

proptest! {
    #[test]
    fn gives_back_what_an_encoder_was_given(bytes in mixture(), level in 0_u8..11, piece in 1_usize..5000, wanted in 1_usize..300_000) {
        let stream = compress_to_vec_zlib(&bytes, level);
        prop_assert!(inflated(&stream, piece, wanted) == bytes);
    }

    #[test]
    fn decodes_damaged_streams_as_the_other_decoder_does(
        bytes in mixture(),
        level in 0_u8..11,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        piece in 1_usize..5000,
        wanted in 1_usize..5000,
    ) {
        let mut stream = compress_to_vec_zlib(&bytes, level);
        for (place, byte) in &damage {
            // The two bytes at the beginning are checked elsewhere.
            let place = 2 + place.index(stream.len() - 2);
            stream[place] = *byte;
        }
        let (ours, other) = (inflated(&stream, piece, wanted), expected(&stream));
        let missing = other.len().checked_sub(ours.len());
        prop_assert!(missing.is_some_and(|missing| missing <= 1) && other.starts_with(&ours), "{} of {}", ours.len(), other.len());
    }

    #[test]
    fn of_streams_that_break_off_at_most_one_byte_is_missing(
        bytes in mixture(),
        level in 0_u8..11,
        end in any::<prop::sample::Index>(),
        piece in 1_usize..5000,
        wanted in 1_usize..5000,
    ) {
        let mut stream = compress_to_vec_zlib(&bytes, level);
        stream.truncate(end.index(stream.len()));
        let (ours, other) = (inflated(&stream, piece, wanted), expected(&stream));
        let missing = other.len().checked_sub(ours.len());
        prop_assert!(missing.is_some_and(|missing| missing <= 1) && bytes.starts_with(&ours), "{} of {}", ours.len(), other.len());
    }

    /// Blocks whose headers make sense more often than those of plain noise.
    #[test]
    fn decodes_noise_as_the_other_decoder_does(noise in prop::collection::vec(any::<u8>(), 0..600), kind in 0_usize..3) {
        let begin = [&[0, 4, 0, 0xFB, 0xFF, 1, 2, 3, 4][..], &[2], &[4, 0xC0, 0x81]][kind];
        let stream = [&[0x78, 0x01], begin, &noise].concat();
        let (ours, other) = (inflated(&stream, 600, 100), expected(&stream));
        prop_assert!(kind != 0 || ours.starts_with(&[1, 2, 3, 4]));
        let missing = other.len().checked_sub(ours.len());
        prop_assert!(missing.is_some_and(|missing| missing <= 1) && other.starts_with(&ours), "{} of {}", ours.len(), other.len());
    }
}
