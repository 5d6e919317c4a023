//! An animation of odd rectangles, disposals, blendings and delays, in GIF or APNG, made into a lossless animation: other decoders show what
//! was composed by the rules of the formats, for as long.
//!
//! The first six bytes are the format, the canvas and what is made; each eight after them are a frame. Pixels are opaque or transparent.

#![no_main]

use std::num::NonZeroU32;

use thumbs_imaging::options::{Fit, Limits, Options, OutputFormat};
use thumbs_imaging::thumbnail;

type Pixel = [u8; 4];

/// Larger ones tell nothing new.
const MAX_SIDE: u8 = 40;
const MAX_FRAMES: usize = 12;
const CLEAR: Pixel = [0; 4];
/// Whose last one is transparent.
const PALETTE: [Pixel; 4] = [[255, 0, 0, 255], [0, 128, 255, 255], [250, 250, 240, 255], CLEAR];

/// One frame as the input has it.
#[derive(Clone, Copy)]
struct Frame {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// 0 keeps, 1 clears, 2 restores.
    disposal: u8,
    /// Transparent pixels replace what is below them, which GIF has not.
    replaces: bool,
    delay: u16,
    pattern: u8,
}

/// A canvas and for how many milliseconds it is shown.
type Shown = (Vec<Pixel>, u32);

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    let Some((&[kind, width, height, through, ..], frames)) = input.split_first_chunk::<6>() else {
        return libfuzzer_sys::Corpus::Reject;
    };
    let (width, height) = (u32::from(width % MAX_SIDE) + 1, u32::from(height % MAX_SIDE) + 1);
    let is_gif = kind & 1 == 0;
    let frames = frames.as_chunks::<8>().0.iter().take(MAX_FRAMES).enumerate();
    let frames: Vec<Frame> =
        frames.map(|(index, bytes)| frame(*bytes, index, is_gif, width, height)).collect();
    if frames.len() < 2 {
        return libfuzzer_sys::Corpus::Reject;
    }
    let file = if is_gif { gif(&frames, width, height) } else { apng(&frames, width, height) };
    let expected = played(composed(&frames, width, height, is_gif));
    // Through an animated PNG of ours, or at once.
    let file = if through & 1 == 1 { made(&file, width, height, OutputFormat::Png) } else { file };
    let webp = made(&file, width, height, OutputFormat::Webp);
    let shown = played(shown(&webp, width, height));
    assert_eq!(shown.len(), expected.len(), "canvases that differ from the one before");
    for (index, ((shown, ms), (expected, expected_ms))) in shown.iter().zip(&expected).enumerate() {
        assert_eq!(ms, expected_ms, "time of canvas {index}");
        let other = shown.iter().zip(expected).enumerate().find(|(_, (one, other))| one != other);
        assert_eq!(other, None, "canvas {index} of {width}x{height}");
    }
    libfuzzer_sys::Corpus::Keep
});

fn frame(bytes: [u8; 8], index: usize, is_gif: bool, width: u32, height: u32) -> Frame {
    let [left, top, frame_width, frame_height, how, delay_low, delay_high, pattern] = bytes;
    let place = |begin: u8, length: u8, side: u32| {
        let begin = u32::from(begin) % side;
        // What of a frame of a GIF is beyond the canvas is not seen, unless it is the first, to which the canvas grows; a PNG has no such frame.
        let most = if is_gif && index > 0 && how & 8 != 0 { side + 9 } else { side - begin };
        (begin, u32::from(length) % most + 1)
    };
    let (left, frame_width) = place(left, frame_width, width);
    let (top, frame_height) = place(top, frame_height, height);
    // The first of a PNG is its still image.
    let is_whole = !is_gif && index == 0;
    let (left, top) = if is_whole { (0, 0) } else { (left, top) };
    let (frame_width, frame_height) = if is_whole { (width, height) } else { (frame_width, frame_height) };
    Frame {
        left,
        top,
        width: frame_width,
        height: frame_height,
        disposal: how % 3,
        replaces: !is_gif && how & 4 != 0,
        delay: u16::from_le_bytes([delay_low, delay_high & 3]),
        pattern,
    }
}

impl Frame {
    /// A place in the palette.
    fn index(&self, x: u32, y: u32) -> u8 {
        let mixed = (x * 7 + y * 13 + u32::from(self.pattern)).wrapping_mul(2_654_435_761) >> 13;
        // Runs and areas as well as noise.
        let place = if self.pattern & 64 == 0 { mixed } else { (x / 4 + y / 3) ^ u32::from(self.pattern) };
        (place % 4) as u8
    }

    fn indices(&self) -> impl Iterator<Item = u8> {
        (0..self.height).flat_map(move |y| (0..self.width).map(move |x| self.index(x, y)))
    }
}

/// By the rules: GIF 89a, section 23, as browsers have it (cleared is transparent), and PNG's third edition, section 11.3.6.2.
fn composed(frames: &[Frame], width: u32, height: u32, is_gif: bool) -> Vec<Shown> {
    let mut canvas = vec![CLEAR; (width * height) as usize];
    let mut seen = Vec::new();
    for frame in frames {
        let before = canvas.clone();
        let area = || {
            (0..frame.height)
                .flat_map(|y| (0..frame.width).map(move |x| (x, y)))
                .filter(|(x, y)| frame.left + x < width && frame.top + y < height)
        };
        let at = |x: u32, y: u32| ((frame.top + y) * width + frame.left + x) as usize;
        for (x, y) in area() {
            let pixel = PALETTE[usize::from(frame.index(x, y))];
            if pixel != CLEAR || frame.replaces {
                canvas[at(x, y)] = pixel;
            }
        }
        let ms = if is_gif { u32::from(frame.delay) * 10 } else { u32::from(frame.delay) };
        // Nobody means so short a time.
        seen.push((canvas.clone(), if ms <= 10 { 100 } else { ms }));
        match frame.disposal {
            0 => {}
            1 => area().for_each(|(x, y)| canvas[at(x, y)] = CLEAR),
            _ => canvas = before,
        }
    }
    seen
}

/// Canvases that are the same one after the other are one.
fn played(shown: Vec<Shown>) -> Vec<Shown> {
    let mut played: Vec<Shown> = Vec::new();
    for (canvas, ms) in shown {
        match played.last_mut().filter(|(last, _)| *last == canvas) {
            Some((_, time)) => *time += ms,
            None => played.push((canvas, ms)),
        }
    }
    played
}

fn made(file: &[u8], width: u32, height: u32, format: OutputFormat) -> Vec<u8> {
    let quality = (format == OutputFormat::Webp).then_some(100);
    let options = Options { width, height, fit: Fit::Fill, format, quality, ..Options::default() };
    let made = thumbnail(file, &options, &Limits::default()).expect("an animation by the rules");
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    made.data
}

/// As our decoder of WebP shows it, which the tests of its crate hold to others: that of `image-webp` rounds where it blends.
fn shown(webp: &[u8], width: u32, height: u32) -> Vec<Shown> {
    let decoder = thumbs_webp::Decoder::new(webp).expect("a file of ours");
    let frames = decoder.frames(NonZeroU32::MIN, &thumbs_webp::Limits::default()).expect("frames");
    frames
        .map(|frame| {
            let thumbs_webp::Frame { image, duration_ms } = frame.expect("a frame");
            assert_eq!((image.width, image.height), (width, height));
            let pixels = image.pixels.as_chunks::<4>().0.iter();
            (pixels.map(|pixel| if pixel[3] == 0 { CLEAR } else { *pixel }).collect(), duration_ms)
        })
        .collect()
}

fn gif(frames: &[Frame], width: u32, height: u32) -> Vec<u8> {
    let side = |side: u32| (side as u16).to_le_bytes();
    let mut file = b"GIF89a".to_vec();
    file.extend([side(width), side(height)].concat());
    file.extend([0x81, 0, 0]);
    file.extend(PALETTE.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]));
    for frame in frames {
        let disposal = [1, 2, 3][usize::from(frame.disposal)];
        file.extend([0x21, 0xF9, 4, disposal << 2 | 1]);
        file.extend(frame.delay.to_le_bytes());
        file.extend([3, 0, 0x2C]);
        file.extend([side(frame.left), side(frame.top), side(frame.width), side(frame.height)].concat());
        file.extend([0, 2]);
        let codes = cleared_codes(frame.indices());
        for block in codes.chunks(255) {
            file.push(block.len() as u8);
            file.extend(block);
        }
        file.push(0);
    }
    file.push(0x3B);
    file
}

/// Codes of three bits, with a clearing one before they would grow: 4 clears, 5 ends.
fn cleared_codes(indices: impl Iterator<Item = u8>) -> Vec<u8> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    let mut put = |code: u8| {
        bits |= u32::from(code) << count;
        count += 3;
        while count >= 8 {
            bytes.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    };
    for (at, index) in indices.enumerate() {
        if at % 2 == 0 {
            put(4);
        }
        put(index);
    }
    put(5);
    // To a whole byte.
    (0..3).for_each(|_| put(0));
    bytes
}

fn apng(frames: &[Frame], width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    chunk(&mut file, b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat());
    chunk(&mut file, b"acTL", &[(frames.len() as u32).to_be_bytes(), [0; 4]].concat());
    let mut number = 0_u32;
    for (index, frame) in frames.iter().enumerate() {
        let mut control = Vec::new();
        for word in [number, frame.width, frame.height, frame.left, frame.top] {
            control.extend(word.to_be_bytes());
        }
        control.extend(frame.delay.to_be_bytes());
        control.extend(1000_u16.to_be_bytes());
        control.extend([frame.disposal, u8::from(!frame.replaces)]);
        chunk(&mut file, b"fcTL", &control);
        number += 1;
        let mut rows = Vec::new();
        for (at, index) in (0..).zip(frame.indices()) {
            if at % frame.width == 0 {
                rows.push(0);
            }
            rows.extend(PALETTE[usize::from(index)]);
        }
        let stream = miniz_oxide::deflate::compress_to_vec_zlib(&rows, 1);
        if index == 0 {
            chunk(&mut file, b"IDAT", &stream);
        } else {
            chunk(&mut file, b"fdAT", &[&number.to_be_bytes()[..], &stream].concat());
            number += 1;
        }
    }
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    file.extend((body.len() as u32).to_be_bytes());
    let begin = file.len();
    file.extend(kind);
    file.extend(body);
    let mut crc = u32::MAX;
    for byte in &file[begin..] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    file.extend((!crc).to_be_bytes());
}
