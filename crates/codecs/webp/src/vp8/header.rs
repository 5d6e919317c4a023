//! The frame header of a VP8 key frame (RFC 6386, section 9): sizes, segments, quantisers, filter strengths, probabilities.
//! What it reads is turned at once into what the rows need; nothing later looks at an index or a delta.

use crate::{
    error::Error,
    vp8::{
        bool_decoder::BoolDecoder,
        tables::{
            AC_STEPS, BANDS, COEFFICIENT_UPDATE_PROBS, CoefficientProbs, DC_STEPS, DEFAULT_COEFFICIENT_PROBS,
            TOKEN_PROBS,
        },
    },
};

const SEGMENTS: usize = 4;
/// Frame tag, start code and size.
const UNCOMPRESSED_BYTES: usize = 10;

/// Width and height in pixels, at least 1 each, from the first 10 bytes.
///
/// # Errors
/// [`Error::Malformed`] or, for what VP8 has beyond still images, [`Error::Unsupported`].
pub(crate) fn key_frame_size(data: &[u8]) -> Result<(u32, u32), Error> {
    let head =
        data.first_chunk::<UNCOMPRESSED_BYTES>().ok_or(Error::Malformed("VP8 frame header cut short"))?;
    if head[0] & 1 != 0 {
        return Err(Error::Unsupported("a VP8 frame that is no key frame"));
    }
    if (head[0] >> 1) & 7 > 3 {
        return Err(Error::Unsupported("this version of VP8"));
    }
    if head[3..6] != [0x9d, 0x01, 0x2a] {
        return Err(Error::Malformed("VP8 start code missing"));
    }
    // The upper two bits ask for upscaling on display, which WebP ignores.
    let width = u32::from(u16::from_le_bytes([head[6], head[7]]) & 0x3fff);
    let height = u32::from(u16::from_le_bytes([head[8], head[9]]) & 0x3fff);
    if width == 0 || height == 0 {
        return Err(Error::Malformed("VP8 frame without pixels"));
    }
    Ok((width, height))
}

/// The factor of the DC coefficient and of the 15 others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steps {
    pub(crate) dc: i32,
    pub(crate) ac: i32,
}

/// Quantiser steps of one segment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quantiser {
    pub(crate) luma: Steps,
    /// Of the block that holds the DC coefficients of a macroblock's luma.
    pub(crate) luma_dc: Steps,
    pub(crate) chroma: Steps,
}

/// How strongly the edges of a macroblock are smoothed (RFC 6386, section 15.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strength {
    /// Largest difference across an inner edge that is still smoothed; 0 = the macroblock is left as it is.
    pub(crate) edge_limit: u8,
    /// Largest difference between neighbours on one side of the edge.
    pub(crate) interior_limit: u8,
    /// From which difference on the variance counts as high.
    pub(crate) high_variance: u8,
}

/// Probabilities by scan position instead of band; position 16 is never used for a decision but may be looked at.
pub(crate) type PositionProbs = [[[u8; TOKEN_PROBS]; 3]; 17];

/// Everything the macroblock rows need.
#[derive(Clone, Debug)]
pub(crate) struct FrameHeader {
    /// Of the tree of segment numbers; `None` where macroblocks carry none.
    pub(crate) segment_probs: Option<[u8; 3]>,
    pub(crate) quantisers: [Quantiser; SEGMENTS],
    pub(crate) simple_filter: bool,
    /// By segment, and by whether the macroblock is predicted in 4x4 blocks.
    pub(crate) strengths: [[Strength; 2]; SEGMENTS],
    /// By block type.
    pub(crate) coefficient_probs: [PositionProbs; 4],
    /// Of a macroblock having coefficients; `None` where none may be skipped.
    pub(crate) skip_prob: Option<u8>,
}

/// The parts of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) header: FrameHeader,
    /// The first partition, after the header: prediction modes.
    pub(crate) modes: BoolDecoder<'a>,
    /// 1, 2, 4 or 8 partitions with coefficients; macroblock row `n` is in partition `n % len`.
    pub(crate) coefficients: Vec<BoolDecoder<'a>>,
}

#[derive(Default)]
struct Segments {
    map_probs: Option<[u8; 3]>,
    /// The values below are added to the frame's instead of replacing them.
    relative: bool,
    quantisers: [i32; SEGMENTS],
    filter_levels: [i32; SEGMENTS],
}

impl Segments {
    /// RFC 6386, section 9.3.
    fn read(bits: &mut BoolDecoder<'_>) -> Option<Self> {
        if !bits.flag() {
            return None;
        }
        let mut segments = Self { relative: true, ..Self::default() };
        let (has_map, has_values) = (bits.flag(), bits.flag());
        if has_values {
            segments.relative = !bits.flag();
            for value in &mut segments.quantisers {
                *value = bits.optional_signed(7);
            }
            for value in &mut segments.filter_levels {
                *value = bits.optional_signed(6);
            }
        }
        if has_map {
            segments.map_probs =
                Some(std::array::from_fn(|_| if bits.flag() { bits.number(8) } else { 255 }));
        }
        Some(segments)
    }

    fn level(own: i32, frame: i32, relative: bool) -> i32 {
        if relative { frame + own } else { own }
    }
}

/// RFC 6386, section 9.6.
fn read_quantisers(bits: &mut BoolDecoder<'_>, segments: Option<&Segments>) -> [Quantiser; SEGMENTS] {
    let frame_index = i32::from(bits.number(7));
    let [luma_dc, second_dc, second_ac, chroma_dc, chroma_ac] =
        std::array::from_fn(|_| bits.optional_signed(4));
    std::array::from_fn(|segment| {
        let index = segments.map_or(frame_index, |segments| {
            Segments::level(segments.quantisers[segment], frame_index, segments.relative)
        });
        let index = index.clamp(0, 127);
        let dc = |delta: i32, last: i32| i32::from(DC_STEPS[(index + delta).clamp(0, last) as usize]);
        let ac = |delta: i32| i32::from(AC_STEPS[(index + delta).clamp(0, 127) as usize]);
        Quantiser {
            luma: Steps { dc: dc(luma_dc, 127), ac: ac(0) },
            luma_dc: Steps { dc: dc(second_dc, 127) * 2, ac: (ac(second_ac) * 155 / 100).max(8) },
            // The chroma DC step is capped at 132, which is the entry 117.
            chroma: Steps { dc: dc(chroma_dc, 117), ac: ac(chroma_ac) },
        }
    })
}

#[derive(Default)]
struct FilterHeader {
    simple: bool,
    level: i32,
    sharpness: u8,
    /// Added for intra-predicted macroblocks, which all are here.
    intra_delta: i32,
    /// Added for macroblocks predicted in 4x4 blocks.
    subblock_delta: i32,
}

impl FilterHeader {
    /// RFC 6386, sections 9.3 (second half) and 9.6.
    fn read(bits: &mut BoolDecoder<'_>) -> Self {
        let simple = bits.flag();
        let level = i32::from(bits.number(6));
        let mut header = Self { simple, level, sharpness: bits.number(3), ..Self::default() };
        // First: deltas are in use. Second: they are sent now, as they must be in a key frame that has them.
        if bits.flag() && bits.flag() {
            let deltas: [i32; 8] = std::array::from_fn(|_| bits.optional_signed(6));
            (header.intra_delta, header.subblock_delta) = (deltas[0], deltas[4]);
        }
        header
    }

    fn strength(&self, level: i32, subblocks: bool) -> Strength {
        // The frame's level 0 switches the filter off whatever the segments say.
        if self.level == 0 {
            return Strength::default();
        }
        let delta = self.intra_delta + if subblocks { self.subblock_delta } else { 0 };
        let level = (level.clamp(0, 63) + delta).clamp(0, 63) as u8;
        if level == 0 {
            return Strength::default();
        }
        let interior_limit = match self.sharpness {
            0 => level,
            sharpness => (level >> if sharpness > 4 { 2 } else { 1 }).min(9 - sharpness),
        }
        .max(1);
        Strength {
            edge_limit: 2 * level + interior_limit,
            interior_limit,
            high_variance: match level {
                40.. => 2,
                15.. => 1,
                _ => 0,
            },
        }
    }
}

fn read_coefficient_probs(bits: &mut BoolDecoder<'_>) -> CoefficientProbs {
    let mut probs = DEFAULT_COEFFICIENT_PROBS;
    let current = probs.as_flattened_mut().as_flattened_mut().as_flattened_mut();
    let update = COEFFICIENT_UPDATE_PROBS.as_flattened().as_flattened().as_flattened();
    for (prob, &update_prob) in current.iter_mut().zip(update) {
        if bits.bit(update_prob) {
            *prob = bits.number(8);
        }
    }
    probs
}

fn by_position(probs: &CoefficientProbs) -> [PositionProbs; 4] {
    std::array::from_fn(|kind| {
        std::array::from_fn(|position| probs[kind][BANDS.get(position).map_or(0, |&band| usize::from(band))])
    })
}

/// Splits what follows the first partition (RFC 6386, section 9.5). Missing bytes shorten the last partitions.
fn split_partitions(data: &[u8], count: usize) -> Vec<BoolDecoder<'_>> {
    let (sizes, mut rest) = data.split_at_checked(3 * (count - 1)).unwrap_or((data, &[]));
    let mut partitions = Vec::with_capacity(count);
    for size in 0..count - 1 {
        let size = sizes
            .get(3 * size..3 * size + 3)
            .map_or(0, |size| u32::from_le_bytes([size[0], size[1], size[2], 0]) as usize);
        let (partition, after) = rest.split_at(size.min(rest.len()));
        partitions.push(BoolDecoder::new(partition));
        rest = after;
    }
    partitions.push(BoolDecoder::new(rest));
    partitions
}

impl<'a> Frame<'a> {
    /// # Errors
    /// As [`key_frame_size`]; [`Error::Malformed`] where the header is not all there.
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, Error> {
        key_frame_size(data)?;
        let (head, body) = data.split_at(UNCOMPRESSED_BYTES);
        let first_bytes = (u32::from_le_bytes([head[0], head[1], head[2], 0]) >> 5) as usize;
        let (first, others) = body.split_at(first_bytes.min(body.len()));

        let mut bits = BoolDecoder::new(first);
        // Colour space and "no clamping needed": the one has a single value, the other is only a hint.
        bits.number(2);
        let segments = Segments::read(&mut bits);
        let filter = FilterHeader::read(&mut bits);
        let partitions = 1 << bits.number(2);
        let quantisers = read_quantisers(&mut bits, segments.as_ref());
        // Whether probabilities outlive this frame: no frame follows.
        bits.flag();
        let coefficient_probs = by_position(&read_coefficient_probs(&mut bits));
        let skip_prob = bits.flag().then(|| bits.number(8));
        if bits.is_exhausted() {
            return Err(Error::Malformed("VP8 frame header cut short"));
        }

        let strengths = std::array::from_fn(|segment| {
            let level = segments.as_ref().map_or(filter.level, |segments| {
                Segments::level(segments.filter_levels[segment], filter.level, segments.relative)
            });
            [filter.strength(level, false), filter.strength(level, true)]
        });
        let header = FrameHeader {
            segment_probs: segments.and_then(|segments| segments.map_probs),
            quantisers,
            simple_filter: filter.simple,
            strengths,
            coefficient_probs,
            skip_prob,
        };
        Ok(Self { header, modes: bits, coefficients: split_partitions(others, partitions) })
    }
}
