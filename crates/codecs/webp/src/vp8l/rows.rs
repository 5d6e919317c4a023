//! Turns a VP8L bitstream into rows of pixels, top to bottom, holding little more than what references can reach.

use crate::{
    error::Error,
    vp8l::{
        bit_reader::BitReader,
        header::HEADER_BYTES,
        pixels::{GroupMap, PixelDecoder},
        tables::Tables,
        transforms::{BlockImage, Transform, expansions},
    },
};

/// Pixels decoded before they are transformed: they should still be in the nearest caches then.
const BATCH_PIXELS: usize = 1 << 13;

/// Some whole rows of an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArgbRows<'a> {
    /// Of the first row.
    pub(crate) top: usize,
    /// `0xAARRGGBB`, no padding between rows.
    pub(crate) pixels: &'a [u32],
}

/// See the module.
#[derive(Debug)]
pub(crate) struct LosslessRows<'a> {
    bits: BitReader<'a>,
    decoder: PixelDecoder,
    /// In the order in which they are undone.
    transforms: Vec<Transform>,
    /// In entropy-coded pixels, which may hold several pixels each.
    packed_width: usize,
    height: usize,
    next_row: usize,
    batch_rows: usize,
    rows: Vec<u32>,
    spare: Vec<u32>,
}

impl<'a> LosslessRows<'a> {
    /// A `VP8L` payload, whose header has been read already.
    ///
    /// # Errors
    /// [`Error::Malformed`], and [`Error::LimitExceeded`] for the tables.
    pub(crate) fn new(data: &'a [u8], width: u32, height: u32, max_table_bytes: u32) -> Result<Self, Error> {
        Self::without_header(data.get(HEADER_BYTES..).unwrap_or(&[]), width, height, max_table_bytes)
    }

    /// The stream after the header; `ALPH` chunks hold only that.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn without_header(
        data: &'a [u8],
        width: u32,
        height: u32,
        max_table_bytes: u32,
    ) -> Result<Self, Error> {
        let (width, height) = (width as usize, height as usize);
        let mut bits = BitReader::new(data);
        let (transforms, packed_width) = read_transforms(&mut bits, width, height, max_table_bytes)?;
        let batch_rows = (BATCH_PIXELS / packed_width).max(1);
        let cache_bits = read_cache_bits(&mut bits)?;
        let (tables, map) = read_groups(&mut bits, packed_width, height, cache_bits, max_table_bytes)?;
        let batch = batch_rows * packed_width;
        let decoder = PixelDecoder::new(tables, map, cache_bits, packed_width, height, batch);
        Ok(Self {
            bits,
            decoder,
            transforms,
            packed_width,
            height,
            next_row: 0,
            batch_rows,
            rows: Vec::new(),
            spare: Vec::new(),
        })
    }

    /// The next rows; `None` after the last one, or where the data end before the next row does.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn next_rows(&mut self) -> Result<Option<ArgbRows<'_>>, Error> {
        let top = self.next_row;
        let first = top * self.packed_width;
        let until = (top + self.batch_rows).min(self.height) * self.packed_width;
        if first == until {
            return Ok(None);
        }
        if self.decoder.decoded() < until {
            self.decoder.decode(&mut self.bits, until)?;
        }
        let available = (self.decoder.decoded() / self.packed_width * self.packed_width).min(until);
        if available <= first {
            return Ok(None);
        }
        self.rows.clear();
        self.rows.extend_from_slice(self.decoder.pixels(first, available));
        let mut width = self.packed_width;
        for transform in &mut self.transforms {
            transform.undo(&mut self.rows, &mut self.spare, top, width);
            if let Transform::ColourIndexing { width: unpacked, .. } = transform {
                width = *unpacked;
            }
        }
        self.next_row = available / self.packed_width;
        Ok(Some(ArgbRows { top, pixels: &self.rows }))
    }
}

/// The bits of colour cache indices; 0 = there is none (section 3.6.2.3).
fn read_cache_bits(bits: &mut BitReader<'_>) -> Result<u32, Error> {
    if !bits.flag() {
        return Ok(0);
    }
    match bits.bits(4) {
        size @ 1..=11 => Ok(size),
        _ => Err(Error::Malformed("colour cache size out of range")),
    }
}

/// An image without transforms and with one group of codes, as they are used within an image (section 3.7.1).
fn read_inner_image(
    bits: &mut BitReader<'_>,
    width: usize,
    height: usize,
    max_table_bytes: u32,
) -> Result<Vec<u32>, Error> {
    let cache_bits = read_cache_bits(bits)?;
    let tables = Tables::read(bits, 1, width * height, cache_bits, max_table_bytes, |_| Some(0))?;
    let map = GroupMap { block_bits: 0, blocks_per_row: 0, numbers: Vec::new() };
    let total = width * height;
    let mut decoder = PixelDecoder::new(tables, map, cache_bits, width, height, total);
    decoder.decode(bits, total)?;
    if decoder.decoded() < total {
        return Err(Error::Malformed("inner image cut short"));
    }
    Ok(decoder.into_pixels())
}

fn read_block_image(
    bits: &mut BitReader<'_>,
    width: usize,
    height: usize,
    max_table_bytes: u32,
) -> Result<BlockImage, Error> {
    let block_bits = bits.bits(3) + 2;
    let blocks_per_row = width.div_ceil(1 << block_bits);
    let rows = height.div_ceil(1 << block_bits);
    let pixels = read_inner_image(bits, blocks_per_row, rows, max_table_bytes)?;
    Ok(BlockImage { block_bits, blocks_per_row, pixels })
}

/// All transforms, in the order in which they are undone, and the width of what is left (section 3.5).
fn read_transforms(
    bits: &mut BitReader<'_>,
    width: usize,
    height: usize,
    max_table_bytes: u32,
) -> Result<(Vec<Transform>, usize), Error> {
    let mut transforms = Vec::new();
    let mut seen = [false; 4];
    let mut packed_width = width;
    while bits.flag() {
        let kind = bits.bits(2) as usize;
        if std::mem::replace(&mut seen[kind], true) {
            return Err(Error::Malformed("the same transform twice"));
        }
        transforms.push(match kind {
            0 => Transform::Predictor {
                modes: read_block_image(bits, packed_width, height, max_table_bytes)?,
                above: Vec::new(),
            },
            1 => Transform::CrossColour(read_block_image(bits, packed_width, height, max_table_bytes)?),
            2 => Transform::SubtractGreen,
            _ => {
                let colours = bits.bits(8) as usize + 1;
                let pack_bits = match colours {
                    ..=2 => 3,
                    3..=4 => 2,
                    5..=16 => 1,
                    _ => 0,
                };
                let palette = read_inner_image(bits, colours, 1, max_table_bytes)?;
                let unpacked = packed_width;
                packed_width = packed_width.div_ceil(1 << pack_bits);
                Transform::ColourIndexing {
                    expansions: expansions(palette, pack_bits),
                    pack_bits,
                    width: unpacked,
                }
            }
        });
    }
    transforms.reverse();
    Ok((transforms, packed_width))
}

/// The codes of the main image, and where each group of them applies.
fn read_groups(
    bits: &mut BitReader<'_>,
    width: usize,
    height: usize,
    cache_bits: u32,
    max_table_bytes: u32,
) -> Result<(Tables, GroupMap), Error> {
    if !bits.flag() {
        let tables = Tables::read(bits, 1, width * height, cache_bits, max_table_bytes, |_| Some(0))?;
        return Ok((tables, GroupMap { block_bits: 0, blocks_per_row: 0, numbers: Vec::new() }));
    }
    let image = read_block_image(bits, width, height, max_table_bytes)?;
    let number_of = |pixel: u32| (pixel >> 8) as u16;
    // A group that no block names still stands in the file; its table is not kept.
    let largest = image.pixels.iter().map(|&pixel| number_of(pixel)).max().unwrap_or(0);
    let mut dense = vec![None; usize::from(largest) + 1];
    for &pixel in &image.pixels {
        dense[usize::from(number_of(pixel))] = Some(0);
    }
    for (number, slot) in dense.iter_mut().flatten().enumerate() {
        *slot = number as u16;
    }
    let tables =
        Tables::read(bits, dense.len(), width * height, cache_bits, max_table_bytes, |group| dense[group])?;
    let numbers =
        image.pixels.iter().map(|&pixel| dense[usize::from(number_of(pixel))].unwrap_or(0)).collect();
    let map = GroupMap { block_bits: image.block_bits, blocks_per_row: image.blocks_per_row, numbers };
    Ok((tables, map))
}
