//! What is written is what another inflater reads.

use proptest::prelude::*;

use super::{adler32, zlib};

fn check(data: &[u8]) {
    let stream = zlib(data);
    // It looks at the checksum too.
    let theirs = miniz_oxide::inflate::decompress_to_vec_zlib(&stream).map_err(|error| error.status).unwrap();
    assert!(theirs == data, "{} bytes", data.len());
    let stored = data.len() + 5 * (data.len() / 65_535 + 1) + 6;
    assert!(stream.len() <= stored, "{} for {} bytes", stream.len(), data.len());
}

/// Not to be compressed.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[test]
fn nothing_and_little_survive() {
    check(&[]);
    for bytes in 1..40 {
        check(&vec![7; bytes]);
        check(&noise(bytes));
    }
}

#[test]
fn runs_noise_and_far_repetitions_survive() {
    check(&[0; 100_000]);
    let noise = noise(70_000);
    check(&noise);
    // Exactly as far back as a copy may reach, and one byte farther.
    for distance in [32_767, 32_768, 32_769] {
        check(&[&noise[..distance], &noise[..400]].concat());
    }
    check(&[&noise[..], &[9; 70_000], &noise[..1_000]].concat());
}

/// A piece in which some values occur more than twice as often as the others: codes for it save less than they take to be told.
fn hardly_uneven(is_frequent: impl Fn(u8) -> bool, places: &[u8]) -> Vec<u8> {
    let times = |value| if is_frequent(value) { 23 } else { 9 };
    let mut piece: Vec<u8> = (0..=255).flat_map(|value| vec![value; times(value)]).collect();
    for (at, place) in places.chunks_exact(2).take(piece.len()).enumerate() {
        let other = usize::from(place[0]) << 8 | usize::from(place[1]);
        piece.swap(at, other % (256 * 16));
    }
    piece
}

/// Each of them is shorter stored, and so is all of it, with one head.
#[test]
fn pieces_that_want_different_codes_and_do_not_pay_for_them_are_stored_as_one() {
    let noise = noise(15 * 8_192);
    for pieces in [2, 15] {
        let data: Vec<u8> = noise
            .chunks(8_192)
            .take(pieces)
            .enumerate()
            .flat_map(|(piece, places)| hardly_uneven(|value| usize::from(value >> 7) == piece % 2, places))
            .collect();
        check(&data);
    }
}

/// Noise of few values, as filtered rows are: what is copied must save something.
#[test]
fn noise_of_few_values_takes_no_more_than_its_entropy_and_a_little() {
    let few: Vec<u8> = noise(40_000).iter().map(|byte| (byte % 16).min(byte / 16)).collect();
    let mut counts = [0_f64; 16];
    few.iter().for_each(|&byte| counts[usize::from(byte)] += 1.0);
    let bits: f64 =
        counts.iter().filter(|&&count| count > 0.0).map(|count| count * (40_000.0 / count).log2()).sum();
    let bytes = zlib(&few).len();
    assert!(bytes as f64 * 8.0 < bits * 1.02, "{bytes} bytes for {bits} bits");
}

#[test]
fn the_checksum_is_that_of_the_specification() {
    assert_eq!(adler32(b""), 1);
    assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    assert_eq!(adler32(&[255; 20_000]), adler32_slowly(&[255; 20_000]));
}

fn adler32_slowly(data: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), &byte: &u8| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (a + b) % 65_521)
    };
    let (a, b) = data.iter().fold((1, 0), step);
    b << 16 | a
}

proptest! {
    #[test]
    fn anything_survives(parts in prop::collection::vec((prop::collection::vec(0u8..9, 1..40), 1usize..300), 0..60)) {
        let data: Vec<u8> = parts.iter().flat_map(|(part, times)| part.repeat(*times)).collect();
        check(&data);
    }

    #[test]
    fn any_bytes_survive(data in prop::collection::vec(any::<u8>(), 0..3_000)) {
        check(&data);
    }
}
