//! Files made to do harm, and files damaged at random: clear errors, bounded work, no panics.

use thumbs_imaging::error::{Error, Limit};
use thumbs_imaging::options::{Fit, Gravity, Limits, Options, OutputFormat, Warning};
use thumbs_imaging::{probe, thumbnail};

use crate::pictures::{Noise, Png, chunk, header_chunk};
use crate::{compare, fixtures};

fn make(file: &[u8]) -> Result<thumbs_imaging::Thumbnail, Error> {
    thumbnail(file, &Options::default(), &Limits::default())
}

fn raised() -> Limits {
    Limits { max_pixels: 300_000_000, max_total_pixels: 300_000_000, ..Limits::default() }
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    for (bytes, kind) in [
        (&b""[..], None),
        (b"\x89", None),
        (b"hello, world", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Some("SVG")),
        (b"BM", None),
        (b"\0\0\0\x20ftypmif1\0\0\0\0jpeg", Some("HEIF, but neither HEIC nor AVIF")),
        (b"\x89PNG\r\n\x1A\n\0\0\0\x04CgBI\x50\0\x20\x06", Some("a PNG for iOS alone (CgBI)")),
    ] {
        assert_eq!(make(bytes).err(), Some(Error::UnsupportedFormat(kind)));
        assert_eq!(probe(bytes, &Limits::default()).err(), Some(Error::UnsupportedFormat(kind)));
    }
}

#[test]
fn sixty_five_bytes_that_claim_a_gigabyte() {
    let file = [
        b"\x89PNG\r\n\x1A\n",
        &header_chunk(16_384, 16_384, 8, 6, false)[..],
        &chunk(b"IDAT", &[0x78, 0x9C, 0x63, 0, 1, 0, 0, 5]),
        &chunk(b"IEND", &[]),
    ]
    .concat();
    assert_eq!(file.len(), 65);
    assert_eq!(make(&file).err(), Some(Error::LimitExceeded(Limit::Pixels)));
    let made = thumbnail(&file, &Options::default(), &raised());
    assert!(matches!(made, Err(Error::Malformed(_))), "{made:?}");
}

/// A pixel behind half a million blocks with codes of their own and nothing in them: read one by one, they would take seconds.
#[test]
fn blocks_that_hold_nothing() {
    const TWO_BLOCKS: [u8; 23] = [
        0x04, 0xC0, 0x81, 0x08, 0x00, 0x00, 0x00, 0x00, 0x20, 0x7F, 0xEB, 0x43, 0x00, 0x1C, 0x88, 0x00, 0x00,
        0x00, 0x00, 0x00, 0xF2, 0xB7, 0x3E,
    ];
    // The last block is stored: a filter and a pixel.
    const PIXEL: [u8; 9] = [1, 4, 0, 0xFB, 0xFF, 0, 1, 2, 3];
    let file = |blocks: usize| {
        let stream = [&[0x78, 0x01], &TWO_BLOCKS.repeat(blocks / 2)[..], &PIXEL].concat();
        let head = header_chunk(1, 1, 8, 2, false);
        [b"\x89PNG\r\n\x1A\n", &head[..], &chunk(b"IDAT", &stream), &chunk(b"IEND", &[])].concat()
    };
    assert!(make(&file(200)).is_ok());
    assert!(matches!(make(&file(500_000)), Err(Error::Malformed(_))));
}

#[test]
fn one_colour_of_a_quarter_of_a_gigapixel() {
    let row = 16_384 / 8 + 1;
    let stream = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; row * 16_384], 9);
    let file = [
        b"\x89PNG\r\n\x1A\n",
        &header_chunk(16_384, 16_384, 1, 0, false)[..],
        &chunk(b"IDAT", &stream),
        &chunk(b"IEND", &[]),
    ]
    .concat();
    assert_eq!(make(&file).err(), Some(Error::LimitExceeded(Limit::Pixels)));
    let made = thumbnail(&file, &Options::default(), &raised()).unwrap();
    assert_eq!((made.width, made.cost.pixels), (100, 268_435_456));
}

#[test]
fn a_gif_that_claims_much_and_holds_nothing() {
    let screen = b"GIF89a\xFF\xFF\xFF\xFF\0\0\0";
    assert!(matches!(make(screen), Err(Error::Malformed(_))));
    let frame = [&screen[..], b",\0\0\0\0\xFF\xFF\xFF\x7F\0\x02\x02\x44\x01\0;"].concat();
    assert_eq!(make(&frame).err(), Some(Error::LimitExceeded(Limit::Side)));
    let limits =
        Limits { max_side: 65_535, max_pixels: u64::MAX, max_total_pixels: u64::MAX, ..Limits::default() };
    assert!(matches!(thumbnail(&frame, &Options::default(), &limits), Err(Error::Malformed(_))));
    // A small screen with a huge frame, to which it grows.
    const HUGE: &[u8] = b",\0\0\0\0\xFF\xFF\xFF\xFF\x80\0\0\0\xFF\xFF\xFF\x02\x02\x44\x01\0";
    let beyond = [&b"GIF89a\x01\0\x01\0\0\0\0"[..], HUGE, b";"].concat();
    assert_eq!(make(&beyond).err(), Some(Error::LimitExceeded(Limit::Side)));
    // The same behind a frame that fits: it would have to be decoded to find its last rows.
    let dot = b",\0\0\0\0\x01\0\x01\0\x80\0\0\0\xFF\xFF\xFF\x02\x02\x44\x01\0";
    let later = [&b"GIF89a\x01\0\x01\0\0\0\0"[..], dot, HUGE, b";"].concat();
    assert_eq!(make(&later).err(), Some(Error::LimitExceeded(Limit::TotalPixels)));
    let still = Options { animated: false, ..Options::default() };
    assert!(thumbnail(&later, &still, &Limits::default()).is_ok());
}

#[test]
fn features_that_are_not_decoded_are_named() {
    let jpeg = fixtures::read("baseline-444.jpg");
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    for (marker, word) in [(0xC3, "lossless"), (0xC9, "arithmetic"), (0xC5, "hierarchical")] {
        let mut file = jpeg.clone();
        file[frame + 1] = marker;
        match make(&file) {
            Err(Error::UnsupportedFeature(text)) => assert!(text.contains(word), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_pixel_of_every_format_is_enough() {
    let png = Png::noise(1, 1, 8, 6, false).bytes();
    for format in [OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Gif] {
        let options = Options { width: 1, height: 1, format, ..Options::default() };
        let pixel = thumbnail(&png, &options, &Limits::default()).unwrap().data;
        let again = make(&pixel).unwrap();
        assert_eq!((again.width, again.height, again.source.width), (100, 100, 1), "{format:?}");
    }
}

#[test]
fn damage_anywhere_gives_a_picture_or_an_error() {
    let options = Options { width: 12, height: 9, format: OutputFormat::Webp, ..Options::default() };
    for (seed, name) in fixtures::names().into_iter().enumerate() {
        let whole = fixtures::read(&name);
        let mut noise = Noise::new(seed as u32);
        for _ in 0..60 {
            let mut file = whole.clone();
            for _ in 0..=noise.next() % 4 {
                // Headers are where most harm can be done.
                let reach = if noise.next().is_multiple_of(2) { file.len() } else { file.len().min(200) };
                let at = noise.next() as usize % reach;
                file[at] = noise.next() as u8;
            }
            if let Ok(made) = thumbnail(&file, &options, &Limits::default()) {
                assert_eq!((made.width, made.height), (12, 9), "{name}");
            }
        }
    }
}

/// What the fuzz targets found, each named by what is wrong with it, made into everything.
#[test]
fn what_did_harm_once_does_none_again() {
    for (name, file) in fixtures::hostile() {
        for format in [OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Gif] {
            for (fit, gravity) in [
                (Fit::Cover, Gravity::Center),
                (Fit::Cover, Gravity::Attention),
                (Fit::Contain, Gravity::Center),
            ] {
                for animated in [false, true] {
                    let options = Options {
                        width: 19,
                        height: 13,
                        format,
                        fit,
                        gravity,
                        animated,
                        ..Options::default()
                    };
                    if let Ok(made) = thumbnail(&file, &options, &Limits::default()) {
                        assert_eq!(compare::decoded(&made.data).dimensions(), (19, 13), "{name}");
                        assert_eq!(Ok(made.source), probe(&file, &Limits::default()), "{name}");
                    }
                }
            }
        }
    }
}

/// The LZW decoder holds back a word that does not fit the rest of a row: that is no end of the data.
#[test]
fn a_word_longer_than_a_row_is_no_end() {
    let made = make(&fixtures::read("hostile/word-longer-than-a-row.gif")).unwrap();
    assert_eq!(made.warnings, [Warning::Enlarged]);
}

#[test]
fn a_frame_that_is_none_is_missed() {
    let made = make(&fixtures::read("hostile/frame-that-is-none.png")).unwrap();
    assert_eq!((made.source.frames, made.frames, made.cost.frames), (2, 1, 1));
    assert_eq!(made.warnings, [Warning::Enlarged, Warning::Truncated]);
}
