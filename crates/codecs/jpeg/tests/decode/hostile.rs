//! Bombs and mutants: bounded work, bounded memory, no panic. `JPEG_MUTANTS` sets how many mutants of each seed file are tried
//! (default 150); a longer run is for the developer who changes the decoder.

use crate::fixtures;
use crate::pictures::{Random, encode};
use crate::writer::{Source, Style};
use jpeg_encoder::SamplingFactor;
use thumbs_jpeg::{Decoder, Error, IccProfile, Limit, Limits, Scale};

/// Decodes at all scales and checks what must hold for any input.
fn try_all(file: &[u8]) {
    let limits = Limits { max_pixels: 1 << 18, max_side: 2048, max_alloc_bytes: 4 << 20, max_scans: 40 };
    let Ok(decoder) = Decoder::new(file) else { return };
    let info = decoder.info();
    if let IccProfile::Whole(parts) = decoder.icc_profile() {
        assert!(parts.concat().len() < file.len());
    }
    for scale in Scale::ALL {
        if let Ok(image) = decoder.decode(scale, &limits) {
            assert!(u64::from(info.width) * u64::from(info.height) <= limits.max_pixels);
            assert_eq!((image.width, image.height), (scale.reduced(info.width), scale.reduced(info.height)));
            let bytes = image.width as usize * image.height as usize * image.format.channels();
            assert_eq!(image.pixels.len(), bytes);
            assert!(image.outcome.rows_decoded <= image.height);
            assert!(image.outcome.truncated || image.outcome.rows_decoded == image.height);
        }
    }
}

fn mutate(file: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        if file.len() < 4 {
            return;
        }
        let at = random.below(file.len());
        match random.below(9) {
            0 => file[at] ^= 1 << random.below(8),
            1 => file[at] = random.next() as u8,
            2 => file[at] = [0, 0xff, 0x7f, 1][random.below(4)],
            3 => file.truncate(at),
            4 => {
                file.remove(at);
            }
            5 => {
                let marker = [0xc0, 0xc2, 0xc4, 0xd0, 0xd3, 0xd9, 0xda, 0xdb, 0xdd, 0xff][random.below(10)];
                file.splice(at..at, [0xff, marker]);
            }
            6 => {
                let end = (at + random.below(40)).min(file.len());
                let part = file[at..end].to_vec();
                let to = random.below(file.len());
                file.splice(to..to, part);
            }
            7 => {
                let end = (at + random.below(100)).min(file.len());
                file.drain(at..end);
            }
            _ => {
                // Headers are small, so that most random places miss them.
                let at = random.below(file.len().min(700));
                file[at] = random.next() as u8;
            }
        }
    }
}

#[test]
fn mutants_neither_panic_nor_exceed_their_bounds() {
    let per_seed = std::env::var("JPEG_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(150);
    let mut seeds: Vec<Vec<u8>> = fixtures::ALL.iter().map(|fixture| fixture.1.to_vec()).collect();
    for progressive in [false, true] {
        seeds.push(encode((50, 40), SamplingFactor::F_2_2, progressive, 60));
        seeds.push(encode((33, 70), SamplingFactor::F_4_1, progressive, 95));
    }
    let odd = Source::random(70, 50, &[(3, 2), (1, 1), (1, 2)], 4);
    for (interleaved, restart_interval) in [(true, 0), (false, 0), (true, 2), (false, 7)] {
        seeds.push(odd.write(Style { interleaved, restart_interval, ..Style::PLAIN }));
    }
    for (number, seed) in (0..).zip(&seeds) {
        let mut random = Random::new(number);
        try_all(seed);
        for _ in 0..per_seed {
            let mut file = seed.clone();
            mutate(&mut file, &mut random);
            try_all(&file);
        }
    }
}

/// A progressive file of that size with no data but its scan headers.
fn empty_scans(side: u16, scans: usize) -> Vec<u8> {
    let source = fixtures::file("420-progressive");
    let sof = (0..source.len()).find(|&at| source[at..].starts_with(&[0xff, 0xc2])).unwrap();
    let sos = (0..source.len()).find(|&at| source[at..].starts_with(&[0xff, 0xda])).unwrap();
    let mut file = source[..sos].to_vec();
    file[sof + 5..sof + 7].copy_from_slice(&side.to_be_bytes());
    file[sof + 7..sof + 9].copy_from_slice(&side.to_be_bytes());
    for _ in 0..scans {
        file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, 0]);
    }
    file
}

#[test]
fn scans_are_counted() {
    let decode = |scans| {
        let file = empty_scans(64, scans);
        Decoder::new(&file).unwrap().decode(Scale::Full, &Limits::default()).map(|image| image.outcome)
    };
    assert!(decode(100).unwrap().truncated);
    assert_eq!(decode(101).unwrap_err(), Error::LimitExceeded(Limit::Scans));
}

#[test]
fn limits_are_checked_before_anything_is_allocated() {
    let file = empty_scans(8_000, 1);
    let decoder = Decoder::new(&file).unwrap();
    let decode =
        |limits: Limits, scale| decoder.decode(scale, &limits).map(|image| image.outcome).unwrap_err();
    let limits = Limits::default();
    assert_eq!(
        decode(Limits { max_side: 7_999, ..limits }, Scale::Eighth),
        Error::LimitExceeded(Limit::Side)
    );
    assert_eq!(
        decode(Limits { max_pixels: 63_999_999, ..limits }, Scale::Eighth),
        Error::LimitExceeded(Limit::Pixels)
    );
    // 192 MB of result, 136 bytes a block of coefficients.
    assert_eq!(decode(limits, Scale::Full), Error::LimitExceeded(Limit::Memory));
    assert_eq!(
        decode(Limits { max_alloc_bytes: 3_000_000, ..limits }, Scale::Eighth),
        Error::LimitExceeded(Limit::Memory)
    );
    let planes = Source::random(512, 512, &[(1, 1), (1, 1), (1, 1)], 1)
        .write(Style { interleaved: false, ..Style::PLAIN });
    let limits = Limits { max_alloc_bytes: 1_500_000, ..limits };
    assert_eq!(
        Decoder::new(&planes).unwrap().decode(Scale::Full, &limits).map(|image| image.outcome).unwrap_err(),
        Error::LimitExceeded(Limit::Memory)
    );
}

#[test]
fn components_that_share_a_name_count_by_their_order() {
    for sampling in [&[(2, 2), (1, 1), (1, 1)][..], &[(1, 1), (1, 1), (1, 1), (1, 1)]] {
        let file = Source::random(40, 30, sampling, 3).write(Style::PLAIN);
        let expected = Decoder::new(&file).unwrap().decode(Scale::Full, &Limits::default()).unwrap();
        let mut shared = file.clone();
        let frame = file.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
        let scan = file.windows(2).position(|marker| marker == [0xff, 0xda]).unwrap();
        for index in 0..sampling.len() {
            shared[frame + 10 + 3 * index] = 1;
            shared[scan + 5 + 2 * index] = 1;
        }
        let image = Decoder::new(&shared).unwrap().decode(Scale::Full, &Limits::default()).unwrap();
        assert!(image.pixels == expected.pixels && !image.outcome.damaged, "{sampling:?}");
        // A scan can't have more of a name than the frame.
        shared[frame + 10] = 2;
        let error = Decoder::new(&shared).unwrap().decode(Scale::Full, &Limits::default()).unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{error}");
    }
}
