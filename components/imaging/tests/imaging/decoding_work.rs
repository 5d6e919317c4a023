//! The work of decoding at the default limits: files that are written to be slow, a quarter as large as may be (and so their thumbnails), for the
//! work grows with the pixels. Measured as in `work.rs`, which has the encoders, by the time that the thread was on a processor.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use thumbs_imaging::options::{Fit, Limits, Options, OutputFormat};
use thumbs_imaging::{Intake, Keep};

use crate::pictures::{Noise, chunk, header_chunk};
use crate::work::{MOST, measured, noise};

/// Of the pixels that a file may have.
const SHARE: u32 = 4;
const SIDE: u32 = 4000;

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.put(0, 7);
        self.bytes
    }
}

/// A chunk of a WebP file.
fn riff(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = [&name[..], &(body.len() as u32).to_le_bytes(), body].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    riff(b"RIFF", &[b"WEBP".to_vec(), chunks.concat()].concat())
}

/// A lossless picture with every transform that costs something for each pixel: predicted by the costliest predictor, colours crossed, green
/// subtracted, a cache of colours; of noise in `channels` of its four channels.
fn lossless(side: u32, channels: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    let one_symbol = |bits: &mut Bits, symbol: u32| {
        bits.put(0b101, 3);
        bits.put(symbol, 8);
    };
    bits.put(0x2f, 8);
    bits.put(side - 1, 14);
    bits.put(side - 1, 14);
    bits.put(0, 4);
    for (transform, green) in [(0, 13), (1, 77)] {
        bits.put(1, 1);
        bits.put(transform, 2);
        // Blocks of four, the smallest: of one mode each, so that none costs a bit.
        bits.put(0, 3);
        bits.put(0, 1);
        for symbol in [green, 33, 44, 255, 0] {
            one_symbol(&mut bits, symbol);
        }
    }
    bits.put(0b101, 3);
    bits.put(0, 1);
    // A cache of 2^11 colours; one group of codes.
    bits.put(0b1, 1);
    bits.put(11, 4);
    bits.put(0, 1);
    for channel in 0..4 {
        if channel < channels {
            // Two symbols: 3 and 200.
            bits.put(0b111, 3);
            bits.put(3, 8);
            bits.put(200, 8);
        } else {
            one_symbol(&mut bits, 255);
        }
    }
    one_symbol(&mut bits, 0);
    let mut noise = Noise::new(side);
    for _ in 0..side * side {
        bits.put(noise.next() & ((1 << channels) - 1), channels as u32);
    }
    riff(b"VP8L", &bits.into_bytes())
}

/// Frames that each cover the whole canvas and blend with what is there.
fn animated_webp(side: u32, frames: usize) -> Vec<u8> {
    let three = |number: u32| number.to_le_bytes()[..3].to_vec();
    let header = [vec![0x12, 0, 0, 0], three(side - 1), three(side - 1)].concat();
    let frame =
        [three(0), three(0), three(side - 1), three(side - 1), three(100), vec![0], lossless(side, 2)]
            .concat();
    let mut chunks = vec![riff(b"VP8X", &header), riff(b"ANIM", &[0; 6])];
    chunks.extend(vec![riff(b"ANMF", &frame); frames]);
    webp(&chunks)
}

/// A progressive file of three components without chroma subsampling and with as many scans as may be, each of which has a code for each block.
fn many_scans(side: u32, scans: usize) -> Vec<u8> {
    let [high, low] = (side as u16).to_be_bytes();
    let mut file = vec![0xff, 0xd8];
    let mut segment = |marker: u8, body: &[u8]| {
        file.extend([0xff, marker]);
        file.extend((body.len() as u16 + 2).to_be_bytes());
        file.extend(body);
    };
    segment(0xdb, &[&[0][..], &[1; 64]].concat());
    segment(0xc2, &[8, high, low, high, low, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    // One code of one bit each: no difference of the DC term; the end of a block.
    let table = |class: u8| [&[class, 1][..], &[0; 15], &[0]].concat();
    segment(0xc4, &table(0));
    segment(0xc4, &table(0x10));
    let blocks = side.div_ceil(8).pow(2) as usize;
    segment(0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 0, 0]);
    file.extend(vec![0; (3 * blocks).div_ceil(8)]);
    for scan in 1..scans {
        let component = 1 + (scan % 3) as u8;
        file.extend([0xff, 0xda, 0, 8, 1, component, 0, 1, 5, 0]);
        file.extend(vec![0; blocks.div_ceil(8)]);
    }
    file.extend([0xff, 0xd9]);
    file
}

fn noisy_jpeg(side: u16, quality: u8, progressive: bool) -> Vec<u8> {
    let mut noise = Noise::new(side.into());
    let pixels: Vec<u8> = (0..usize::from(side).pow(2) * 3).map(|_| noise.next() as u8).collect();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, quality);
    encoder.set_progressive(progressive);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.encode(&pixels, side, side, ColorType::Rgb).unwrap();
    file
}

/// Rows of 16 bits and four channels, predicted by the costliest filter. What they decode to is cheap to write and not to read.
fn deep_png(side: u32, interlaced: bool) -> Vec<u8> {
    let passes: &[(u32, u32)] = match interlaced {
        false => &[(1, 1)],
        true => &[(8, 8), (8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2)],
    };
    let mut rows = Vec::new();
    for (across, down) in passes {
        let mut row = vec![1; 8 * side.div_ceil(*across) as usize + 1];
        row[0] = 4;
        (0..side.div_ceil(*down)).for_each(|_| rows.extend_from_slice(&row));
    }
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    file.extend(header_chunk(side, side, 16, 6, interlaced));
    file.extend(chunk(b"IDAT", &miniz_oxide::deflate::compress_to_vec_zlib(&rows, 1)));
    file.extend(chunk(b"IEND", &[]));
    file
}

#[test]
fn no_file_takes_longer_to_decode_than_its_pixels_may() {
    let files = [
        ("JPEG of noise", noisy_jpeg(2400, 95, false)),
        ("progressive JPEG of noise", noisy_jpeg(2000, 95, true)),
        ("JPEG of 100 scans", many_scans(SIDE, 100)),
        ("PNG of 16 bits", deep_png(SIDE, false)),
        ("interlaced PNG of 16 bits", deep_png(SIDE, true)),
        ("lossless WebP", webp(&[lossless(SIDE, 2)])),
        ("lossless WebP of four channels", webp(&[lossless(SIDE, 4)])),
        ("animated WebP", animated_webp(700, 50)),
        ("GIF", noise(700, 50, 4, 1)),
    ];
    let limits = Limits { max_pixels: (SIDE * SIDE).into(), ..Limits::default() };
    for (name, file) in &files {
        for side in [50, 1024] {
            let options = Options {
                width: side,
                height: side,
                fit: Fit::Fill,
                format: OutputFormat::Jpeg,
                ..Options::default()
            };
            let decode = || {
                let mut intake = Intake::new(Keep::Image, Some(file.len() as u64), &limits);
                intake.feed(file).unwrap();
                intake.thumbnails(&[options]).unwrap().decode()
            };
            let Some((decoded, spent)) = measured(SHARE, decode) else { return };
            println!("{name} of {} bytes to {side}: {spent:?} if it were {SHARE} times as large", file.len());
            assert!(decoded.is_ok(), "{name}: {:?}", decoded.err());
            assert!(spent < MOST, "{name} to {side}: {spent:?}");
        }
    }
}
