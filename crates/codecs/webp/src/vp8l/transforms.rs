//! The four transforms (RFC 9649, section 3.5) and how to undo them on a batch of rows.

use thumbs_lanes::{I16x8, U8x16};

use crate::vp8l::predictors::{add, undo_row};

/// One pixel for each square block of an image.
#[derive(Clone, Debug)]
pub(crate) struct BlockImage {
    /// Blocks are `1 << block_bits` pixels a side.
    pub(crate) block_bits: u32,
    pub(crate) blocks_per_row: usize,
    pub(crate) pixels: Vec<u32>,
}

impl BlockImage {
    fn row(&self, y: usize) -> &[u32] {
        let first = (y >> self.block_bits) * self.blocks_per_row;
        &self.pixels[first..first + self.blocks_per_row]
    }
}

/// What the encoder did, with what is needed to undo it.
#[derive(Clone, Debug)]
pub(crate) enum Transform {
    /// Section 4.1.
    Predictor {
        modes: BlockImage,
        /// The last finished row; empty before the first.
        above: Vec<u32>,
    },
    /// Section 4.2.
    CrossColour(BlockImage),
    /// Section 4.3.
    SubtractGreen,
    /// Section 4.4. Several pixels may be packed into one.
    ColourIndexing {
        /// For each value of green, the `1 << pack_bits` colours that it stands for.
        expansions: Vec<u32>,
        /// `1 << pack_bits` pixels are in one.
        pack_bits: u32,
        /// In pixels, unpacked.
        width: usize,
    },
}

impl Transform {
    /// Undoes it on whole rows beginning with row `top` of the image. `width`: of these rows, in pixels. `spare` may be
    /// exchanged with `rows`.
    pub(crate) fn undo(&mut self, rows: &mut Vec<u32>, spare: &mut Vec<u32>, top: usize, width: usize) {
        match self {
            Self::Predictor { modes, above } => {
                let mut last: &[u32] = above;
                for (y, row) in (top..).zip(rows.chunks_exact_mut(width)) {
                    undo_row(row, last, modes.row(y), modes.block_bits);
                    last = row;
                }
                *above = last.to_vec();
            }
            Self::CrossColour(multipliers) => {
                for (y, row) in (top..).zip(rows.chunks_exact_mut(width)) {
                    let blocks = row.chunks_mut(1 << multipliers.block_bits);
                    for (block, &multiplier) in blocks.zip(multipliers.row(y)) {
                        undo_cross_colour(block, multiplier);
                    }
                }
            }
            Self::SubtractGreen => {
                let (chunks, rest) = rows.as_chunks_mut::<4>();
                for chunk in chunks {
                    let pixels = U8x16::load_pixels(chunk);
                    pixels.add(pixels.green_twice()).store_pixels(chunk);
                }
                for pixel in rest {
                    let green = (*pixel >> 8) & 0xff;
                    *pixel = add(*pixel, green | (green << 16));
                }
            }
            Self::ColourIndexing { expansions, pack_bits, width: unpacked } => {
                spare.clear();
                match pack_bits {
                    0 => spare.extend(rows.iter().map(|pixel| expansions[(pixel >> 8) as u8 as usize])),
                    1 => unpack::<2>(rows, width, *unpacked, expansions, spare),
                    2 => unpack::<4>(rows, width, *unpacked, expansions, spare),
                    _ => unpack::<8>(rows, width, *unpacked, expansions, spare),
                }
                std::mem::swap(rows, spare);
            }
        }
    }
}

/// Red and blue were lowered by shares of green, blue also by a share of red.
fn undo_cross_colour(block: &mut [u32], multiplier: u32) {
    let signed = |shift: u32| i16::from((multiplier >> shift) as u8 as i8);
    let (green_to_red, green_to_blue, red_to_blue) = (signed(0), signed(8), signed(16));
    let of_green = I16x8::splat_pair(green_to_blue, green_to_red);
    let of_red = I16x8::splat_pair(red_to_blue, 0);
    let (chunks, rest) = block.as_chunks_mut::<4>();
    for chunk in chunks {
        // Numbers of 16 bits by turns: green above blue, alpha above red. Shares fit, since 128 * 128 does.
        let pixels = U8x16::load_pixels(chunk);
        let green = pixels.as_i16x8().shift_right(8).even_twice();
        let pixels = pixels.add(green.mul(of_green).shift_right(5).and(I16x8::splat(0xff)).as_u8x16());
        let red = pixels.red_as_high_byte().shift_right(8);
        pixels.add(red.mul(of_red).shift_right(5).and(I16x8::splat(0xff)).as_u8x16()).store_pixels(chunk);
    }
    let share = |weight: i16, value: u8| ((weight * i16::from(value as i8)) >> 5) as u8;
    for pixel in rest {
        let [blue, green, red, alpha] = pixel.to_le_bytes();
        let red = red.wrapping_add(share(green_to_red, green));
        let blue = blue.wrapping_add(share(green_to_blue, green)).wrapping_add(share(red_to_blue, red));
        *pixel = u32::from_le_bytes([blue, green, red, alpha]);
    }
}

/// Replaces each pixel by `N` colours, and cuts rows of `packed` pixels to `unpacked`.
fn unpack<const N: usize>(
    rows: &[u32],
    packed: usize,
    unpacked: usize,
    expansions: &[u32],
    out: &mut Vec<u32>,
) {
    let expansions = expansions.as_chunks::<N>().0;
    for row in rows.chunks_exact(packed) {
        let end = out.len() + unpacked;
        for pixel in row {
            out.extend_from_slice(&expansions[(pixel >> 8) as u8 as usize]);
        }
        out.truncate(end);
    }
}

/// What each value of green stands for, from a palette in its stored form, in which each colour is the difference to the
/// one before. What the palette has no colour for is transparent black.
pub(crate) fn expansions(mut palette: Vec<u32>, pack_bits: u32) -> Vec<u32> {
    let mut last = 0;
    for colour in &mut palette {
        last = add(*colour, last);
        *colour = last;
    }
    let (count, index_bits) = (1 << pack_bits, 8 >> pack_bits);
    (0..256_usize)
        .flat_map(|green| (0..count).map(move |at| (green >> (at * index_bits)) & ((1 << index_bits) - 1)))
        .map(|index| palette.get(index).copied().unwrap_or(0))
        .collect()
}
