//! The four transforms (RFC 9649, section 3.5) and how to undo them on a batch of rows.

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
        /// The last finished row, and one entry more (see [`undo_row`]).
        above: Vec<u32>,
    },
    /// Section 4.2.
    CrossColour(BlockImage),
    /// Section 4.3.
    SubtractGreen,
    /// Section 4.4. Several pixels may be packed into one.
    ColourIndexing {
        /// 256 entries; what the file has no colour for is transparent black.
        palette: Vec<u32>,
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
                for (y, row) in (top..).zip(rows.chunks_exact_mut(width)) {
                    undo_row(row, above, y == 0, modes.row(y), modes.block_bits);
                    above[..width].copy_from_slice(row);
                }
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
                for pixel in rows.iter_mut() {
                    let green = (*pixel >> 8) & 0xff;
                    let red_and_blue = (*pixel & 0x00ff_00ff) + (green | (green << 16));
                    *pixel = (*pixel & 0xff00_ff00) | (red_and_blue & 0x00ff_00ff);
                }
            }
            Self::ColourIndexing { palette, pack_bits, width: unpacked } => {
                spare.clear();
                let (per_pixel, index_bits) = (1 << *pack_bits, 8 >> *pack_bits);
                for row in rows.chunks_exact(width) {
                    let end = spare.len() + *unpacked;
                    for packed in row {
                        let mut indices = packed >> 8 & 0xff;
                        for _ in 0..per_pixel {
                            spare.push(palette[(indices & ((1 << index_bits) - 1)) as usize]);
                            indices >>= index_bits;
                        }
                    }
                    spare.truncate(end);
                }
                std::mem::swap(rows, spare);
            }
        }
    }
}

/// Section 4.2: red and blue were lowered by shares of green, blue also by a share of red.
fn undo_cross_colour(block: &mut [u32], multiplier: u32) {
    let signed = |shift: u32| i32::from((multiplier >> shift) as u8 as i8);
    let (green_to_red, green_to_blue, red_to_blue) = (signed(0), signed(8), signed(16));
    let share = |weight: i32, value: u8| (weight * i32::from(value as i8)) >> 5;
    for pixel in block {
        let [blue, green, red, alpha] = pixel.to_le_bytes();
        let red = (i32::from(red) + share(green_to_red, green)) as u8;
        let blue = (i32::from(blue) + share(green_to_blue, green) + share(red_to_blue, red)) as u8;
        *pixel = u32::from_le_bytes([blue, green, red, alpha]);
    }
}

/// The palette from its stored form, in which each colour is the difference to the one before.
pub(crate) fn palette(mut stored: Vec<u32>) -> Vec<u32> {
    let mut last = 0;
    for colour in &mut stored {
        last = add(*colour, last);
        *colour = last;
    }
    stored.resize(256, 0);
    stored
}
