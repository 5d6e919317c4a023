//! What is written is what was chosen, in whatever scans, and is read by this decoder and another.

use super::file;
use super::levels::Levels;
use super::planes::Planes;
use super::quantiser::Quantiser;
use super::scan::Part;
use super::script::Group;
use super::{Chroma, EncodeError, Encoded, MAX_ENCODED_SIDE, MAX_STEPS_PER_SAMPLE, encode};
use crate::{Decoder, Limits, Scale};

/// Pictures without a pattern that this machine or another could make differently.
struct Noise(u32);

impl Noise {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % bound
    }

    /// One of several kinds: noise, slopes with grain, stripes, flat patches, grey.
    fn picture(&mut self, width: u32, height: u32) -> Vec<[u8; 3]> {
        let kind = self.below(5);
        let (a, b, c) = (self.below(9) + 1, self.below(9) + 1, self.below(250) + 1);
        let patches: Vec<[u8; 3]> = (0..64).map(|_| [0; 3].map(|_: u8| self.below(256) as u8)).collect();
        (0..width * height)
            .map(|at| {
                let (x, y) = (at % width, at / width);
                match kind {
                    0 => [0; 3].map(|_: u8| self.below(256) as u8),
                    1 => [x * a + self.below(c) / 8, y * b, x * b + y * a].map(|value| (value % 256) as u8),
                    2 => [if (x / a + y / b) % 2 == 0 { 0 } else { c as u8 }, 99, 255 - c as u8],
                    3 => patches[((x / 7 + y / 5 * 8) % 64) as usize],
                    _ => [((x * a + y * b + self.below(20)) % 256) as u8; 3],
                }
            })
            .collect()
    }
}

/// By this decoder: samples, and how many a pixel has.
fn decoded(file: &[u8]) -> Vec<u8> {
    let image = Decoder::new(file).unwrap().decode(Scale::Full, &Limits::default()).unwrap();
    assert!(!image.outcome.truncated && !image.outcome.damaged, "{:?}", image.outcome);
    image.pixels
}

fn levels(rgb: &[[u8; 3]], width: u32, quality: u8, chroma: Chroma) -> (Levels, Quantiser) {
    let quantiser = Quantiser::of(quality);
    (Levels::of(Planes::of(rgb, width as usize, chroma), &quantiser), quantiser)
}

/// Scans in which bits of AC levels below `low` are told later, in one band or in two.
fn divided(levels: &Levels, split: usize, low: u8) -> Vec<Group> {
    let mut scans = vec![Part::Dc];
    for component in 0..levels.components.len() {
        scans.push(Part::Band { component, first: 1, last: split, low });
        if split < 63 {
            scans.push(Part::Band { component, first: split + 1, last: 63, low });
        }
        scans.extend((0..low).rev().map(|low| Part::Refinement { component, low }));
    }
    scans.into_iter().map(|scan| Group::of(levels, vec![scan])).collect()
}

#[test]
fn the_same_levels_are_the_same_picture_in_whatever_scans() {
    let mut noise = Noise(3);
    for round in 0..60 {
        let (width, height) = (1 + noise.below(60), 1 + noise.below(60));
        let quality = 1 + noise.below(100) as u8;
        let chroma = if round % 2 == 0 { Chroma::Full } else { Chroma::Halved };
        let rgb = noise.picture(width, height);
        let (levels, quantiser) = levels(&rgb, width, quality, chroma);
        let whole = file::write_scans(&levels, &quantiser, &[Group::of(&levels, vec![Part::Everything])]);
        let whole = decoded(&whole);
        for (split, low) in [(63, 0), (5, 0), (1, 1), (63, 1), (8, 2), (63, 3)] {
            let scans = divided(&levels, split, low);
            let file = file::write_scans(&levels, &quantiser, &scans);
            assert!(decoded(&file) == whole, "{width}x{height} at {quality}: {split} {low}");
        }
    }
}

#[test]
fn a_run_of_many_ends_and_a_long_row_of_corrections_are_told_in_parts() {
    // More blocks without levels than a symbol can tell, and many with levels that are only corrected.
    let (width, height) = (8 * 260, 8 * 140);
    let rgb: Vec<[u8; 3]> = (0..width * height)
        .map(|at| {
            let (x, y) = (at % width, at / width);
            let shade = if y < 16 { 255 * (x / 4 % 2) } else { 7 };
            [shade as u8; 3]
        })
        .collect();
    let (levels, quantiser) = levels(&rgb, width, 95, Chroma::Full);
    let whole = file::write_scans(&levels, &quantiser, &[Group::of(&levels, vec![Part::Everything])]);
    for low in 0..3 {
        let file = file::write_scans(&levels, &quantiser, &divided(&levels, 63, low));
        assert!(decoded(&file) == decoded(&whole), "{low}");
    }
}

#[test]
fn another_decoder_sees_the_same_and_it_is_near_to_the_source() {
    let mut noise = Noise(1);
    for round in 0..240 {
        let (width, height) = if round < 36 {
            (1 + round % 6, 1 + round / 6)
        } else {
            (1 + noise.below(70), 1 + noise.below(70))
        };
        let quality = 1 + noise.below(100) as u8;
        let chroma = if noise.below(2) == 0 { Chroma::Full } else { Chroma::Halved };
        let rgb = noise.picture(width, height);
        let file = encode(&rgb, width, height, quality, chroma).unwrap().data;
        let ours = decoded(&file);
        let mut other = jpeg_decoder::Decoder::new(&file[..]);
        let theirs = other.decode().unwrap();
        let info = other.info().unwrap();
        assert_eq!((u32::from(info.width), u32::from(info.height)), (width, height));
        let is_grey = rgb.iter().all(|[r, g, b]| r == g && g == b);
        assert_eq!(ours.len(), if is_grey { rgb.len() } else { 3 * rgb.len() });
        // Decoders round differently, and interpolate halved chroma differently.
        if chroma == Chroma::Full || is_grey {
            let worst = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= 4, "{width}x{height} at {quality}: {worst}");
        }
        if quality == 100 && (chroma == Chroma::Full || is_grey) {
            let source: Vec<u8> =
                rgb.iter().flat_map(|pixel| &pixel[..if is_grey { 1 } else { 3 }]).copied().collect();
            let worst = ours.iter().zip(&source).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= 5, "{width}x{height}: {worst}");
        }
    }
}

#[test]
fn better_quality_is_nearer_to_the_source_and_larger() {
    let rgb: Vec<[u8; 3]> =
        (0..64 * 64_u32).map(|at| [(at % 64 * 3 + at % 7 * 8) as u8, (at / 64 * 4) as u8, 90]).collect();
    let (mut last_error, mut last_bytes) = (u64::MAX, 0);
    for quality in [5, 25, 50, 75, 90, 97, 100] {
        let Encoded { data, .. } = encode(&rgb, 64, 64, quality, Chroma::Full).unwrap();
        let pairs = decoded(&data);
        let error: u64 =
            pairs.iter().zip(rgb.as_flattened()).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
        assert!(error < last_error && data.len() > last_bytes, "{quality}: {error} in {} bytes", data.len());
        (last_error, last_bytes) = (error, data.len());
    }
    assert!(last_error <= 3 * 64 * 64 * 2, "{last_error}");
}

#[test]
fn the_search_takes_no_more_steps_than_it_may_whatever_is_shown() {
    let mut noise = Noise(9);
    for amplitude in [1, 3, 9, 30, 90, 256] {
        for quality in [1, 20, 50, 80, 95, 99, 100] {
            let mut shade = || (128 - amplitude / 2 + noise.below(amplitude)) as u8;
            let rgb: Vec<[u8; 3]> = (0..64 * 64).map(|_| [shade(), shade(), shade()]).collect();
            let steps = encode(&rgb, 64, 64, quality, Chroma::Full).unwrap().steps;
            assert!(steps <= 3 * 64 * 64 * MAX_STEPS_PER_SAMPLE, "{amplitude} at {quality}: {steps}");
        }
    }
}

#[test]
fn pictures_that_can_not_be_are_refused() {
    let encoded = |pixels: usize, width, height| {
        encode(&vec![[0; 3]; pixels], width, height, 50, Chroma::Full).map(|encoded| encoded.steps)
    };
    assert_eq!(encoded(0, 0, 0), Err(EncodeError::Pixels));
    assert_eq!(encoded(3, 2, 2), Err(EncodeError::Pixels));
    assert_eq!(encoded(65_536, MAX_ENCODED_SIDE + 1, 1), Err(EncodeError::TooLarge));
    assert!(encoded(65_535, MAX_ENCODED_SIDE, 1).is_ok());
}
