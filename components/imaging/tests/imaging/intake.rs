//! An image that comes in pieces is what it is whole: with every fixture, whole, cut off anywhere and damaged, in pieces of several sizes.

use thumbs_imaging::error::Error;
use thumbs_imaging::options::{Limits, Options};
use thumbs_imaging::{Intake, Keep, SourceInfo, probe, thumbnail};

use crate::fixtures;
use crate::pictures::{chunk, header_chunk};

/// What an intake that keeps the header alone says of the image.
fn fed(image: &[u8], piece_bytes: usize, limits: &Limits) -> Result<SourceInfo, Error> {
    let mut intake = Intake::new(Keep::Header, None, limits);
    for piece in image.chunks(piece_bytes) {
        intake.feed(piece)?;
    }
    intake.source()
}

fn is_the_same(name: &str, image: &[u8], sizes: &[usize]) {
    let limits = Limits { max_side: 2_000, ..Limits::default() };
    let whole = probe(image, &limits);
    for &piece_bytes in sizes {
        assert_eq!(fed(image, piece_bytes, &limits), whole, "{name} in pieces of {piece_bytes}");
    }
}

fn all() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> =
        fixtures::names().into_iter().map(|name| (name.clone(), fixtures::read(&name))).collect();
    files.extend(fixtures::hostile());
    for folder in [
        "heif",
        "../../../../crates/codecs/jpeg/tests/fixtures",
        "../../../../crates/codecs/webp/tests/fixtures",
    ] {
        let folder = fixtures::folder().join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ends = ["jpg", "webp", "heic", "avif"];
            if path.extension().is_some_and(|end| ends.iter().any(|known| end == *known)) {
                files.push((path.display().to_string(), std::fs::read(path).unwrap()));
            }
        }
    }
    files
}

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn every_fixture_is_the_same_in_pieces() {
    for (name, image) in all() {
        is_the_same(&name, &image, &[1, 5, 64, 1000, usize::MAX >> 1]);
    }
}

#[test]
fn every_fixture_is_the_same_in_pieces_wherever_it_is_cut_off() {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for (name, image) in all() {
        for length in (0..image.len().min(80)).chain((0..60).map(|_| 0)) {
            let length = if length == 0 { numbers.below(image.len()) } else { length };
            is_the_same(&format!("{name} to {length}"), &image[..length], &[3, 4096]);
        }
    }
}

#[test]
fn every_fixture_is_the_same_in_pieces_wherever_it_is_damaged() {
    let mut numbers = Numbers(0xD1B5_4A32_D192_ED03);
    for (name, image) in all() {
        for _ in 0..120 {
            let mut damaged = image.clone();
            let mut places = Vec::new();
            for _ in 0..=numbers.below(3) {
                // Most of what is no pixel stands at the beginning.
                let within = if numbers.below(3) == 0 { image.len() } else { image.len().min(700) };
                let (at, value) = (numbers.below(within), numbers.below(256) as u8);
                damaged[at] = value;
                places.push((at, value));
            }
            is_the_same(&format!("{name} with {places:?}"), &damaged, &[11, 4096]);
        }
    }
}

#[test]
fn frames_are_counted_as_they_pass() {
    let screen = b"GIF89a\x08\0\x06\0\x80\0\0\x01\x02\x03\x04\x05\x06";
    let frame = b",\0\0\0\0\x08\0\x06\0\0\x02\x01\x44\0";
    let (larger, transparent) = (b",\0\0\0\0\x10\0\x06\0\0\x02\x01\x44\0", b"!\xF9\x04\x01\0\0\x03\0");
    let gif =
        [&screen[..], &frame.repeat(3_000), &larger.repeat(1_000), transparent, &frame.repeat(2_000), b";"]
            .concat();
    let info = fed(&gif, 1_000, &Limits::default()).unwrap();
    assert_eq!((info.frames, info.hidden_pixels, info.has_alpha), (6_000, 48_000, true));
    is_the_same("gif", &gif, &[999, 65_536]);

    let start = [&b"\x89PNG\r\n\x1A\n"[..], &header_chunk(4, 4, 8, 2, false)].concat();
    let (promise, control) = (chunk(b"acTL", &[0, 0, 0, 9, 0, 0, 0, 0]), chunk(b"fcTL", &[0; 26]));
    let (pixels, end) = (chunk(b"IDAT", &[7; 300]), chunk(b"IEND", &[]));
    let png = [&start[..], &promise, &pixels, &control.repeat(5_000), &end].concat();
    assert_eq!(fed(&png, 1_000, &Limits::default()).unwrap().frames, 5_000);
    is_the_same("png", &png, &[999, 65_536]);
    let no_promise = [&start[..], &pixels, &control.repeat(5_000), &end].concat();
    is_the_same("png without a promise", &no_promise, &[999]);

    let webp = fixtures::read("animated.webp");
    let at = webp.windows(4).position(|window| window == b"ANMF").unwrap();
    let size = u32::from_le_bytes(webp[at + 4..at + 8].try_into().unwrap()) as usize;
    let mut many = [&webp[..at], &webp[at..at + 8 + size + size % 2].repeat(2_000)].concat();
    let bytes = (many.len() as u32 - 8).to_le_bytes();
    many[4..8].copy_from_slice(&bytes);
    assert_eq!(fed(&many, 1_000, &Limits::default()).unwrap().frames, 2_000);
    is_the_same("webp", &many, &[999, 65_536]);
}

#[test]
fn what_is_certain_is_said_before_the_end() {
    let limits = Limits { max_side: 10, ..Limits::default() };
    for name in ["baseline-420.jpg", "rgb.png", "still.gif", "lossy.webp", "animated.webp"] {
        let image = fixtures::read(name);
        let mut intake = Intake::new(Keep::Header, None, &limits);
        let refused_at = image.iter().position(|&byte| intake.feed(&[byte]).is_err());
        assert!(refused_at.is_some_and(|at| at < 1_500), "{name}: {refused_at:?}");
    }
    let mut intake = Intake::new(Keep::Header, None, &limits);
    let fed = intake.feed(&[b'x'; 2_000]);
    assert_eq!(fed, Err(Error::UnsupportedFormat(None)));
    let mut intake = Intake::new(Keep::Header, None, &Limits::default());
    assert_eq!(intake.feed(b"RIFF"), Ok(None));
    assert_eq!(intake.source(), Err(Error::UnsupportedFormat(None)), "there is no more");
}

#[test]
fn thumbnails_of_what_was_fed_are_those_of_the_whole() {
    let image = fixtures::read("progressive.jpg");
    for (piece_bytes, size_bytes) in
        [(image.len(), Some(image.len() as u64)), (image.len(), None), (1_000, None), (1_000, Some(10))]
    {
        let mut intake = Intake::new(Keep::Image, size_bytes, &Limits::default());
        for piece in image.chunks(piece_bytes) {
            intake.feed(piece).unwrap();
        }
        for width in [20, 40] {
            let options = Options { width, height: 30, ..Options::default() };
            let mut task = intake.thumbnails(&[options]).unwrap();
            task.decode().unwrap();
            task.finish().unwrap();
            let whole = thumbnail(&image, &options, &Limits::default()).unwrap();
            assert_eq!(task.encode(0).unwrap(), whole);
        }
        assert_eq!(intake.source(), probe(&image, &Limits::default()));
    }
}

#[test]
fn of_a_header_no_thumbnail_is_made() {
    let mut intake = Intake::new(Keep::Header, None, &Limits::default());
    intake.feed(&fixtures::read("grey.jpg")).unwrap();
    assert!(matches!(intake.thumbnails(&[Options::default()]), Err(Error::InvalidOptions(_))));
}
