//! Writes the inputs that fuzzing starts from: `seeds FOLDER` fills `FOLDER/{jpeg,png,gif,webp,heif,inflate,deflate,jpeg_encode,webp_encode,animation}`. They are the
//! fixtures of all tests, pixels for the encoders, the rare kinds that the tests' own writers make, and thumbnails of our own; each as it is and with some tails, which
//! the fuzz targets take for options (`fuzz/src/options.rs`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a tool for developers may fail loudly")]

#[path = "../../../crates/codecs/jpeg/tests/decode/fixtures.rs"]
#[expect(dead_code, reason = "made for the tests of the JPEG decoder, which use all of it")]
mod fixtures;
#[path = "../../../crates/codecs/jpeg/tests/decode/pictures.rs"]
#[expect(dead_code, reason = "made for the tests of the JPEG decoder, which use all of it")]
mod pictures;
#[path = "../tests/imaging/pictures.rs"]
mod png;
#[path = "../../../crates/codecs/jpeg/tests/decode/writer.rs"]
mod writer;

use std::fs;
use std::path::{Path, PathBuf};

use thumbs_imaging::options::{Limits, Options, OutputFormat, SourceFormat};
use thumbs_imaging::{sniff, thumbnail};

use png::{Noise, Png, channels, chunk, header_chunk};
use writer::{Source, Style};

/// Where the tests keep images.
const FOLDERS: [&str; 4] = [
    "tests/fixtures",
    "tests/fixtures/hostile",
    "../../crates/codecs/jpeg/tests/fixtures",
    "../../crates/codecs/webp/tests/fixtures",
];

/// Larger ones are slow to mutate and hold nothing that smaller ones do not.
const MAX_SEED_BYTES: usize = 16 << 10;

/// With this many tails each image is asked for in every output format, still and animated.
const TAILS: u32 = 9;

fn main() {
    let folder =
        std::env::args_os().nth(1).map(PathBuf::from).unwrap_or_else(|| panic!("usage: seeds FOLDER"));
    for name in [
        "jpeg",
        "png",
        "gif",
        "webp",
        "heif",
        "inflate",
        "deflate",
        "jpeg_encode",
        "webp_encode",
        "animation",
    ] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let mut images = of_tests();
    images.extend(thumbnails(&images));
    images.extend(rare_pngs());
    images.extend(rare_jpegs());
    images.retain(|image| image.len() <= MAX_SEED_BYTES);
    images.sort();
    images.dedup();
    for (number, image) in (0..).zip(&images) {
        write(&folder, number, image);
    }
    for (number, pixels) in (0..).zip(pixels_to_encode()) {
        for target in ["deflate", "jpeg_encode", "webp_encode"] {
            fs::write(folder.join(target).join(format!("{number}")), &pixels).unwrap();
        }
    }
    let mut noise = Noise::new(12);
    for number in 0..20_usize {
        // A canvas, and two to six frames.
        let bytes: Vec<u8> = (0..6 + 8 * (2 + number % 5)).map(|_| noise.next() as u8).collect();
        fs::write(folder.join("animation").join(format!("{number}")), bytes).unwrap();
    }
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/heif")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|ending| ending == "heic" || ending == "avif") {
            fs::copy(&file, folder.join("heif").join(file.file_name().unwrap())).unwrap();
        }
    }
    println!("{} images with {TAILS} tails each in {}", images.len(), folder.display());
}

fn write(folder: &Path, number: u32, image: &[u8]) {
    let name = match sniff(image) {
        Some(SourceFormat::Jpeg) => "jpeg",
        Some(SourceFormat::Png) => "png",
        Some(SourceFormat::Gif) => "gif",
        Some(SourceFormat::Webp) => "webp",
        // A hostile file may be none; what others decode has no target.
        Some(SourceFormat::Heic | SourceFormat::Avif) | None => return,
    };
    let mut noise = Noise::new(number);
    if name == "png" {
        fs::write(folder.join("inflate").join(format!("{number}")), stream(image)).unwrap();
    }
    fs::write(folder.join(name).join(format!("{number}")), image).unwrap();
    for tail in 1..TAILS {
        let mut bytes: [u8; 8] = std::array::from_fn(|_| noise.next() as u8);
        // Format and animation; the rest is left to chance.
        bytes[0] = bytes[0] & !0b1_0011 | (tail & 3) as u8 | ((tail & 4) << 2) as u8;
        fs::write(folder.join(name).join(format!("{number}-{tail}")), [image, &bytes].concat()).unwrap();
    }
}

/// Slopes, stripes and noise of several sizes, with the quality and the width behind them.
fn pixels_to_encode() -> Vec<Vec<u8>> {
    let mut noise = Noise::new(11);
    let mut seeds = Vec::new();
    for width in [1_u8, 15, 16, 17, 40] {
        for quality in [0, 30, 75, 100] {
            let grain = noise.next() % 64 + 1;
            let pixels = (0..u32::from(width) * 20).flat_map(|at| {
                let (x, y) = (at % u32::from(width), at / u32::from(width));
                [x * 6, y * 12, x * y, 255 * (x & 1)].map(|value| (value + noise.next() % grain) as u8)
            });
            let mut seed: Vec<u8> = pixels.collect();
            seed.extend([quality, width]);
            seeds.push(seed);
        }
    }
    seeds
}

/// The zlib stream of a PNG's pixels.
fn stream(png: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut rest = png.get(8..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        let (length, kind) = head.split_at(4);
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let Some(body) = behind.get(..length) else { break };
        if kind == b"IDAT" {
            stream.extend_from_slice(body);
        }
        rest = behind.get(length + 4..).unwrap_or_default();
    }
    stream
}

fn of_tests() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    FOLDERS
        .into_iter()
        .filter_map(|folder| fs::read_dir(root.join(folder)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| fs::read(path).unwrap())
        .filter(|file| sniff(file).is_some())
        .collect()
}

/// Small files of our own encoders.
fn thumbnails(images: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let made = images.iter().zip((1..).map(|number| number % 7)).flat_map(|(image, number)| {
        [OutputFormat::Png, OutputFormat::Jpeg, OutputFormat::Webp, OutputFormat::Gif].map(|format| {
            let options =
                Options { width: 7 + 2 * number, height: 5 + 3 * number, format, ..Options::default() };
            thumbnail(image, &options, &Limits::default()).ok().map(|made| made.data)
        })
    });
    made.flatten().collect()
}

/// Every colour type and depth, interlaced and not, with a transparent colour; and streams whose bytes stand as they are, so that
/// the fuzzer reaches filters and samples.
fn rare_pngs() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let kinds: [(u8, &[u8]); 5] =
        [(0, &[1, 2, 4, 8, 16]), (2, &[8, 16]), (3, &[1, 2, 4, 8]), (4, &[8, 16]), (6, &[8, 16])];
    for (colour_type, depths) in kinds {
        for &depth in depths {
            for interlaced in [false, true] {
                let mut image = Png::noise(13, 11, depth, colour_type, interlaced);
                if colour_type == 3 {
                    image = image.with(b"PLTE", &[200; 48]);
                }
                if matches!(colour_type, 0 | 2 | 3) {
                    image = image.with(b"tRNS", &[0, 1, 0, 1, 0, 1][..2 * channels(colour_type)]);
                }
                files.push(image.bytes());
                files.push(stored(depth, colour_type, interlaced));
            }
        }
    }
    files
}

fn stored(depth: u8, colour_type: u8, interlaced: bool) -> Vec<u8> {
    let mut noise = Noise::new(u32::from(depth) + 16 * u32::from(colour_type));
    let row = 1 + (channels(colour_type) * usize::from(depth) * 9).div_ceil(8);
    // Filters are where they belong unless interlaced, when passes have rows of other lengths.
    let raw: Vec<u8> = (0..9 * row)
        .map(|at| if interlaced || at % row == 0 { at / row % 5 } else { noise.next() as usize } as u8)
        .collect();
    let stream = miniz_oxide::deflate::compress_to_vec_zlib(&raw, 0);
    let palette = if colour_type == 3 { chunk(b"PLTE", &[90; 30]) } else { Vec::new() };
    [
        b"\x89PNG\r\n\x1A\n",
        &header_chunk(9, 9, depth, colour_type, interlaced)[..],
        &palette,
        &chunk(b"IDAT", &stream),
        &chunk(b"IEND", &[]),
    ]
    .concat()
}

/// Samplings and structures that encoders rarely use.
fn rare_jpegs() -> Vec<Vec<u8>> {
    let samplings: [&[(usize, usize)]; 7] = [
        &[(1, 1)],
        &[(1, 2), (1, 1), (1, 1)],
        &[(4, 1), (1, 1), (1, 1)],
        &[(3, 2), (1, 1), (1, 2)],
        &[(2, 2), (2, 1), (1, 2)],
        &[(2, 2), (1, 1), (1, 1), (2, 2)],
        &[(1, 1), (1, 1), (1, 1), (1, 1)],
    ];
    let styles = [
        Style::PLAIN,
        Style { interleaved: false, ..Style::PLAIN },
        Style { restart_interval: 1, omit_huffman: true, ..Style::PLAIN },
        Style { wide_quant: true, untidy: true, ..Style::PLAIN },
    ];
    (0..)
        .zip(samplings)
        .flat_map(|(seed, sampling)| {
            let source = Source::random(25, 18, sampling, seed);
            styles.map(|style| source.write(style))
        })
        .collect()
}
