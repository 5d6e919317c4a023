//! VP8L, WebP's lossless bitstream (RFC 9649, section 3): one image, no container. There are two ways to store it: a palette
//! with packed indices, and prediction from neighbours.
//!
//! Not used: the cross-colour transform, the colour cache, and several prefix codes per image. They save a few percent of
//! photographs at thumbnail size for more than twice the time.

mod bits;
mod matches;
mod predict;
mod prefix;

use bits::BitWriter;
use matches::Token;
use prefix::PrefixCode;

/// Sides are stored in 14 bits.
pub(super) const MAX_SIDE: u32 = 1 << 14;

const SIGNATURE: u32 = 0x2F;
/// Numbers of the transforms.
const PREDICTOR: u32 = 0;
const SUBTRACT_GREEN: u32 = 2;
const COLOUR_INDEXING: u32 = 3;

/// Symbols of the five codes: green, lengths of copies and (not used) the colour cache; red; blue; alpha; distances.
const SYMBOLS: [usize; 5] = [256 + 24, 256, 256, 256, 40];
/// Distances below this are in units of rows and columns.
const NEAR_DISTANCES: usize = 120;

/// Copies shorter than this cost more than what they stand for: a pixel of four channels, or a packed index.
const MIN_COPY: usize = 3;
const MIN_COPY_OF_INDICES: usize = 4;

/// For many colours. `width` and `height` are 1 to [`MAX_SIDE`].
pub(super) fn predicted(pixels: &[[u8; 4]], width: u32, height: u32) -> Vec<u8> {
    let mut argb: Vec<u32> = pixels.iter().copied().map(argb).collect();
    let mut bits = header(pixels, width, height);
    put_transform(&mut bits, SUBTRACT_GREEN);
    predict::subtract_green(&mut argb);
    let predicted = predict::predict(&argb, width as usize);
    drop(argb);
    put_transform(&mut bits, PREDICTOR);
    bits.put(predict::BLOCK_BITS - 2, 3);
    put_image(&mut bits, &predicted.modes, predicted.columns, MIN_COPY_OF_INDICES, Role::Part);
    bits.put_bit(false);
    put_image(&mut bits, &predicted.residuals, width as usize, MIN_COPY, Role::Whole);
    bits.finish()
}

/// For at most 256 colours: `palette` holds them all. `width` and `height` are 1 to [`MAX_SIDE`].
pub(super) fn indexed(pixels: &[[u8; 4]], width: u32, height: u32, palette: &[[u8; 4]]) -> Vec<u8> {
    let mut colours: Vec<u32> = palette.iter().copied().map(argb).collect();
    colours.sort_unstable();
    colours.dedup();
    colours.truncate(256);
    let mut bits = header(pixels, width, height);
    put_transform(&mut bits, COLOUR_INDEXING);
    // 0 to 255.
    bits.put(colours.len().saturating_sub(1) as u32, 8);
    let mut last = [0u8; 4];
    let steps: Vec<u32> = colours
        .iter()
        .map(|colour| {
            let colour = colour.to_le_bytes();
            let step = std::array::from_fn(|channel| colour[channel].wrapping_sub(last[channel]));
            last = colour;
            u32::from_le_bytes(step)
        })
        .collect();
    put_image(&mut bits, &steps, steps.len(), MIN_COPY, Role::Part);
    bits.put_bit(false);

    // Few colours share a byte, the leftmost in its low bits; the byte is the green of a pixel.
    let index_bits = match colours.len() {
        0..=2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 8,
    };
    let per_byte = 8 / index_bits;
    let index = |pixel: [u8; 4]| colours.binary_search(&argb(pixel)).unwrap_or(0) as u32;
    let packed: Vec<u32> = pixels
        .chunks(width.max(1) as usize)
        .flat_map(|row| row.chunks(per_byte))
        .map(|group| {
            let places = (0..8).step_by(index_bits);
            let byte = group.iter().zip(places).map(|(&pixel, place)| index(pixel) << place).sum::<u32>();
            0xFF00_0000 | byte << 8
        })
        .collect();
    put_image(&mut bits, &packed, (width as usize).div_ceil(per_byte), MIN_COPY_OF_INDICES, Role::Whole);
    bits.finish()
}

fn header(pixels: &[[u8; 4]], width: u32, height: u32) -> BitWriter {
    let mut bits = BitWriter::default();
    bits.put(SIGNATURE, 8);
    bits.put(width.saturating_sub(1), 14);
    bits.put(height.saturating_sub(1), 14);
    bits.put_bit(pixels.iter().any(|pixel| pixel[3] < 255));
    // The version.
    bits.put(0, 3);
    bits
}

fn argb([red, green, blue, alpha]: [u8; 4]) -> u32 {
    u32::from_le_bytes([blue, green, red, alpha])
}

fn put_transform(bits: &mut BitWriter, number: u32) {
    bits.put_bit(true);
    bits.put(number, 2);
}

/// What an image is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The picture itself, which might be divided among several codes.
    Whole,
    /// Part of a transform.
    Part,
}

/// Prefix codes, then the pixels; with copies of earlier ones where that is shorter.
fn put_image(bits: &mut BitWriter, pixels: &[u32], width: usize, min_copy: usize, role: Role) {
    let copying = Coded::new(matches::find(pixels, width, min_copy), width);
    let coded = if copying.tokens.len() == pixels.len() {
        copying
    } else {
        let telling = Coded::new(matches::literal(pixels), width);
        if telling.cost < copying.cost { telling } else { copying }
    };
    // No colour cache; one group of codes.
    bits.put_bit(false);
    if role == Role::Whole {
        bits.put_bit(false);
    }
    coded.put(bits, width);
}

/// A sequence of tokens and the codes made for it.
struct Coded {
    tokens: Vec<Token>,
    codes: [PrefixCode; 5],
    /// In bits, without the codes themselves.
    cost: u64,
}

impl Coded {
    fn new(tokens: Vec<Token>, width: usize) -> Self {
        let mut counts = SYMBOLS.map(|symbols| vec![0u32; symbols]);
        let mut extra_bits = 0;
        for &token in &tokens {
            each_symbol(token, width, |code, symbol, (_, extra)| {
                extra_bits += u64::from(extra);
                if let Some(count) = counts[code].get_mut(symbol) {
                    *count += 1;
                }
            });
        }
        let codes = std::array::from_fn(|code| PrefixCode::new(&counts[code]));
        let cost =
            codes.iter().zip(&counts).map(|(code, counts): (&PrefixCode, _)| code.cost(counts)).sum::<u64>();
        Self { tokens, codes, cost: cost + extra_bits }
    }

    fn put(&self, bits: &mut BitWriter, width: usize) {
        for code in &self.codes {
            code.describe(bits);
        }
        for &token in &self.tokens {
            each_symbol(token, width, |code, symbol, (extra, extra_bits)| {
                self.codes[code].put(bits, symbol);
                bits.put(extra, extra_bits);
            });
        }
    }
}

/// The symbols of a token, in order: which code, which symbol, which bits after it and how many.
fn each_symbol(token: Token, width: usize, mut symbol: impl FnMut(usize, usize, (u32, u32))) {
    match token {
        Token::Pixel(pixel) => {
            let [blue, green, red, alpha] = pixel.to_le_bytes().map(usize::from);
            symbol(0, green, (0, 0));
            symbol(1, red, (0, 0));
            symbol(2, blue, (0, 0));
            symbol(3, alpha, (0, 0));
        }
        Token::Copy { length, distance } => {
            let (length, extra) = in_octaves(usize::from(length));
            symbol(0, 256 + length, extra);
            let (distance, extra) = in_octaves(distance_code(distance as usize, width));
            symbol(4, distance, extra);
        }
    }
}

/// A number from 1: its symbol, and the bits that tell it from others of the same symbol (RFC 9649, section 5.2.2).
fn in_octaves(number: usize) -> (usize, (u32, u32)) {
    let number = number.saturating_sub(1);
    if number < 4 {
        return (number, (0, 0));
    }
    let octave = number.ilog2();
    let extra_bits = octave - 1;
    let symbol = 2 * octave as usize + ((number >> extra_bits) & 1);
    // Below 2^19, as distances are.
    (symbol, ((number & ((1 << extra_bits) - 1)) as u32, extra_bits))
}

/// Distances that lead to pixels near by, in whatever direction, have short codes.
fn distance_code(distance: usize, width: usize) -> usize {
    let (dx, dy) = (distance % width.max(1), distance / width.max(1));
    if dy > 7 || (dx > 8 && dx + 8 < width) {
        return distance + NEAR_DISTANCES;
    }
    // A step to the left, or up and then to the right.
    let near = [(dx as i32, dy as i32), (dx as i32 - width as i32, dy as i32 + 1)];
    NEAR.iter()
        .position(|step| near.contains(&(i32::from(step.0), i32::from(step.1))))
        .map_or(distance + NEAR_DISTANCES, |code| code + 1)
}

/// Steps to the left and up, by code (RFC 9649, section 5.2.2).
#[rustfmt::skip]
const NEAR: [(i8, i8); NEAR_DISTANCES] = [
    (0, 1), (1, 0), (1, 1), (-1, 1), (0, 2), (2, 0), (1, 2), (-1, 2),
    (2, 1), (-2, 1), (2, 2), (-2, 2), (0, 3), (3, 0), (1, 3), (-1, 3),
    (3, 1), (-3, 1), (2, 3), (-2, 3), (3, 2), (-3, 2), (0, 4), (4, 0),
    (1, 4), (-1, 4), (4, 1), (-4, 1), (3, 3), (-3, 3), (2, 4), (-2, 4),
    (4, 2), (-4, 2), (0, 5), (3, 4), (-3, 4), (4, 3), (-4, 3), (5, 0),
    (1, 5), (-1, 5), (5, 1), (-5, 1), (2, 5), (-2, 5), (5, 2), (-5, 2),
    (4, 4), (-4, 4), (3, 5), (-3, 5), (5, 3), (-5, 3), (0, 6), (6, 0),
    (1, 6), (-1, 6), (6, 1), (-6, 1), (2, 6), (-2, 6), (6, 2), (-6, 2),
    (4, 5), (-4, 5), (5, 4), (-5, 4), (3, 6), (-3, 6), (6, 3), (-6, 3),
    (0, 7), (7, 0), (1, 7), (-1, 7), (5, 5), (-5, 5), (7, 1), (-7, 1),
    (4, 6), (-4, 6), (6, 4), (-6, 4), (2, 7), (-2, 7), (7, 2), (-7, 2),
    (3, 7), (-3, 7), (7, 3), (-7, 3), (5, 6), (-5, 6), (6, 5), (-6, 5),
    (8, 0), (4, 7), (-4, 7), (7, 4), (-7, 4), (8, 1), (8, 2), (6, 6),
    (-6, 6), (8, 3), (5, 7), (-5, 7), (7, 5), (-7, 5), (8, 4), (6, 7),
    (-6, 7), (7, 6), (-7, 6), (8, 5), (7, 7), (-7, 7), (8, 6), (8, 7),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::census::distinct;
    use proptest::prelude::*;

    fn decoded(stream: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF".to_vec();
        file.extend(u32::try_from(stream.len() + 12 + stream.len() % 2).unwrap().to_le_bytes());
        file.extend(b"WEBPVP8L");
        file.extend(u32::try_from(stream.len()).unwrap().to_le_bytes());
        file.extend(stream);
        file.resize(file.len() + stream.len() % 2, 0);
        let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(file)).unwrap();
        let has_alpha = decoder.has_alpha();
        let mut buffer = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.read_image(&mut buffer).unwrap();
        let step = if has_alpha { 4 } else { 3 };
        buffer.chunks_exact(step).flat_map(|p| [p[0], p[1], p[2], p.get(3).copied().unwrap_or(255)]).collect()
    }

    fn check(pixels: &[[u8; 4]], width: u32) {
        let height = u32::try_from(pixels.len()).unwrap() / width;
        assert!(
            decoded(&predicted(pixels, width, height)) == pixels.as_flattened(),
            "{width}x{height}, predicted"
        );
        if let Some(palette) = distinct(pixels.iter().copied(), 256) {
            let stream = indexed(pixels, width, height, &palette);
            assert!(decoded(&stream) == pixels.as_flattened(), "{width}x{height} with {palette:?}");
        }
    }

    #[test]
    fn single_pixels_and_lines_survive() {
        check(&[[1, 2, 3, 4]], 1);
        check(&[[0; 4]], 1);
        check(&[[9, 200, 7, 255]; 300], 300);
        check(&[[9, 200, 7, 255]; 300], 1);
    }

    #[test]
    fn every_palette_size_survives() {
        for colours in [1u32, 2, 3, 4, 5, 15, 16, 17, 255, 256] {
            let pixel = |index: u32| [(index * 7 % colours) as u8, (index % colours) as u8, 90, 255];
            for width in [1, 5, 16, 33] {
                let pixels: Vec<[u8; 4]> =
                    (0..width * 20).map(|index| pixel(index * index % colours)).collect();
                check(&pixels, width);
            }
        }
    }

    #[test]
    fn smooth_and_drawn_pictures_become_small() {
        let smooth: Vec<[u8; 4]> =
            (0..10_000u32).map(|i| [(i % 100 * 2) as u8, (i / 100 * 2) as u8, 99, 255]).collect();
        assert!(predicted(&smooth, 100, 100).len() < 400);
        let drawn: Vec<[u8; 4]> =
            (0..10_000u32).map(|i| if (i / 7) % 3 == 0 { [0, 0, 0, 255] } else { [255; 4] }).collect();
        assert!(indexed(&drawn, 100, 100, &[[0, 0, 0, 255], [255; 4]]).len() < 400);
    }

    proptest! {
        #[test]
        fn any_picture_survives(
            width in 1u32..50,
            pool in prop::collection::vec(any::<[u8; 4]>(), 1..400),
            picks in prop::collection::vec((any::<prop::sample::Index>(), 1usize..30), 1..60),
        ) {
            let mut pixels: Vec<[u8; 4]> =
                picks.iter().flat_map(|(pick, run)| vec![*pick.get(&pool); *run]).collect();
            pixels.extend(&pool);
            pixels.resize(pixels.len().next_multiple_of(width as usize), [1, 2, 3, 4]);
            check(&pixels, width);
        }

        #[test]
        fn distance_codes_lead_back(distance in 1usize..5000, width in 1usize..300) {
            let code = distance_code(distance, width);
            let led = match NEAR.get(code - 1) {
                Some(&(dx, dy)) => i64::from(dx) + i64::from(dy) * width as i64,
                None => (code - NEAR_DISTANCES) as i64,
            };
            prop_assert_eq!(led, distance as i64);
        }
    }
}
