//! Animations frame by frame: which way each was stored, and what is shown of it: by our own decoder, which is held to libwebp's in its crate; that
//! of `image-webp` rounds when it blends.

use std::num::NonZeroU32;

use super::super::clip::pixels;
use super::super::{Encoded, encode};
use crate::options::{Options, OutputFormat};
use crate::raster::{Frame, Loops, Picture, Raster};

const SIDE: u32 = 64;

fn raster(pixel: impl Fn(u32, u32) -> [u8; 4]) -> Raster {
    let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
    Raster::new(SIDE, SIDE, places.flat_map(|(x, y)| pixel(x, y)).collect()).unwrap()
}

/// Slopes with grain, as of a photograph; for places up to 100.
fn photo(x: u32, y: u32) -> [u8; 4] {
    let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B) >> 28;
    [(x * 2 + grain) as u8, (x + y + grain) as u8, (220 - y * 2 + grain) as u8, 255]
}

fn film(rasters: Vec<Raster>) -> Picture {
    let frames = rasters.into_iter().map(|raster| Frame { raster, delay_ms: 40 });
    Picture::new(frames.collect(), Loops::Forever).unwrap()
}

fn made(picture: &Picture, options: Options) -> Encoded {
    let options = Options { format: OutputFormat::Webp, ..options };
    encode(picture, &options, false, &|_, _, _| unreachable!("no budget was given")).unwrap()
}

/// Of each frame its first chunk, and whether it is drawn over what is there.
fn kinds(file: &[u8]) -> Vec<([u8; 4], bool)> {
    let mut kinds = Vec::new();
    let mut at = 12;
    while let Some(head) = file.get(at..at + 8) {
        if head.starts_with(b"ANMF") {
            kinds.push((file[at + 24..at + 28].try_into().unwrap(), file[at + 23] & 2 == 0));
        }
        at += 8 + (u32::from_le_bytes(head[4..].try_into().unwrap()) as usize).next_multiple_of(2);
    }
    kinds
}

/// All frames as they are shown.
fn shown(file: &[u8]) -> Vec<Raster> {
    let decoder = thumbs_webp::Decoder::new(file).unwrap();
    let frames = decoder.frames(NonZeroU32::MIN, &thumbs_webp::Limits::default()).unwrap();
    frames.map(|frame| Raster::new(SIDE, SIDE, frame.unwrap().image.pixels).unwrap()).collect()
}

/// The mean of the differences of what is seen, in hundredths of levels.
fn difference(a: &Raster, b: &Raster) -> u32 {
    let sum: u32 = pixels(a)
        .iter()
        .zip(pixels(b))
        .map(|(a, b)| (0..3).map(|at| u32::from(a[at].abs_diff(b[at]))).sum::<u32>() * u32::from(b[3]) / 255)
        .sum();
    sum * 100 / (3 * SIDE * SIDE)
}

#[test]
fn each_frame_is_stored_in_the_way_that_is_smaller() {
    let square = |x: u32, y: u32| if x < 20 && y < 20 { [200, 0, 0, 255] } else { photo(x, y) };
    let spots = |x: u32, y: u32| {
        // Two patches of another photograph, far apart.
        let is_spot = |left: u32, top: u32| (left..left + 16).contains(&x) && (top..top + 16).contains(&y);
        if is_spot(0, 0) || is_spot(48, 48) { photo(y + 7, x * 2) } else { square(x, y) }
    };
    let turned = |x: u32, y: u32| photo(SIDE - y, x);
    let glass = |x: u32, y: u32| [photo(x, y)[0], 40, photo(y, x)[1], (x * 4) as u8];
    let picture = film(vec![raster(photo), raster(square), raster(spots), raster(turned), raster(glass)]);
    let wanted = [
        // All of a photograph.
        (*b"VP8 ", false),
        // A square of one colour.
        (*b"VP8L", false),
        // Holes in a lossy frame are its alpha.
        (*b"ALPH", true),
        (*b"VP8 ", false),
        (*b"ALPH", false),
    ];
    assert_eq!(kinds(&made(&picture, Options::default()).data), wanted);
    for exact in [
        Options { lossless: true, ..Options::default() },
        Options { quality: Some(100), ..Options::default() },
    ] {
        let file = made(&picture, exact).data;
        assert!(kinds(&file).iter().all(|(kind, _)| kind == b"VP8L"));
        assert!(file.len() > 2 * made(&picture, Options::default()).data.len());
    }
}

#[test]
fn errors_of_lossy_frames_neither_add_up_nor_spread() {
    // A patch of another photograph goes round on one that stands still.
    let place = |turn: u32| (turn * 3 % 44, turn * 7 % 44);
    let frame = |turn: u32| {
        let (left, top) = place(turn);
        raster(|x, y| {
            let inside = (left..left + 20).contains(&x) && (top..top + 20).contains(&y);
            if inside { photo(y, x + 30) } else { photo(x, y) }
        })
    };
    let picture = film((0..60).map(frame).collect());
    let file = made(&picture, Options::default()).data;
    let lossy = kinds(&file).iter().filter(|(kind, _)| kind != b"VP8L").count();
    assert!(lossy > 50, "{lossy} of 60 frames");
    let shown = shown(&file);
    let alone = |raster: &Raster| {
        let still = film(vec![raster.clone(), raster.clone()]);
        difference(&self::shown(&made(&still, Options::default()).data)[0], raster)
    };
    for (turn, (seen, frame)) in (0..).zip(shown.iter().zip(picture.frames())) {
        let given = &frame.raster;
        let (here, alone) = (difference(seen, given), alone(given));
        // Blocks of patches lie elsewhere. Errors that add up would be many times as large.
        assert!(here <= alone + alone / 2, "{here} in frame {turn}, {alone} as the first");
        if turn == 0 {
            continue;
        }
        // What lies beyond both places of the patch, and the even corner, is what it was.
        let [(left, top), (old_left, old_top)] = [place(turn), place(turn - 1)];
        let columns = (left.min(old_left) & !1)..left.max(old_left) + 20;
        let rows = (top.min(old_top) & !1)..top.max(old_top) + 20;
        let pairs = pixels(seen).iter().zip(pixels(&shown[turn as usize - 1]));
        for (at, (now, before)) in (0..).zip(pairs) {
            let (x, y) = (at % SIDE, at / SIDE);
            assert!(columns.contains(&x) && rows.contains(&y) || now == before, "{x},{y} in frame {turn}");
        }
    }
}

#[test]
fn alpha_is_kept_to_the_last_bit_in_lossy_frames() {
    // A soft disc that wanders over nothing.
    let frame = |turn: u32| {
        raster(|x, y| {
            let [r, g, b, _] = photo(x, y);
            let far = (x.abs_diff(20 + turn).pow(2) + y.abs_diff(30).pow(2)).min(400);
            [r, g, b, if far < 400 { 255 - (far / 2) as u8 } else { 0 }]
        })
    };
    let picture = film((0..12).map(frame).collect());
    let file = made(&picture, Options::default()).data;
    assert!(kinds(&file).iter().all(|(kind, _)| kind == b"ALPH"), "{:?}", kinds(&file));
    for (seen, given) in shown(&file).iter().zip(picture.frames()) {
        let alpha = |raster: &Raster| pixels(raster).iter().map(|pixel| pixel[3]).collect::<Vec<u8>>();
        assert_eq!(alpha(seen), alpha(&given.raster));
        assert!(difference(seen, &given.raster) < 500);
    }
}
