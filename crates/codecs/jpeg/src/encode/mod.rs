//! A JPEG encoder (ITU-T T.81) for thumbnails, where bytes count most and time second.
//!
//! The levels of each block are the path that costs least, errors and bits weighed against each other; what bits cost is learnt from
//! the picture itself. The file is baseline or progressive, whichever is smaller, with Huffman tables made for each scan.
//!
//! - `planes`: from R'G'B' to Y'CbCr, chroma halved where it is asked for; `forward`: from samples to coefficients
//! - `quantiser`: from quality to steps; `trellis`: levels of a block; `levels`: those of the whole picture; `cost`: what symbols cost
//! - `scan`, with `refine`: a scan's symbols, to be counted or written; `script`: which scans there are; `huffman`: codes from counts
//! - `bits`, `file`: the bytes
//!
//! Same pixels and options, same bytes, on every machine: integers, and floats in a fixed order. Work is bounded for each pixel,
//! whatever it shows: see [`MAX_STEPS_PER_SAMPLE`].
//!
//! Not here: transparency, colour profiles, metadata.

mod bits;
mod cost;
mod file;
mod forward;
mod huffman;
mod levels;
mod planes;
mod quantiser;
mod refine;
mod scan;
mod script;
mod trellis;

#[cfg(test)]
mod tests;

use levels::Levels;
use planes::Planes;
use quantiser::Quantiser;

/// The longest side of a picture that is encoded, in pixels: all that the header can hold.
pub const MAX_ENCODED_SIDE: u32 = 65_535;

/// Steps of the search for levels, at most, for each sample of a plane: each coefficient has at most two levels to choose from, each reached
/// from at most 16 others.
pub const MAX_STEPS_PER_SAMPLE: u64 = 2 * 16;

/// How much of the colour differences is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chroma {
    /// All of it (4:4:4).
    Full,
    /// Half of it, both ways (4:2:0).
    Halved,
}

/// Why there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A side is 0, or the pixels are not `width * height`.
    #[error("the pixels do not fill the picture")]
    Pixels,
    /// A side is beyond [`MAX_ENCODED_SIDE`].
    #[error("the picture is larger than JPEG allows")]
    TooLarge,
}

/// A file, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// All of it.
    pub data: Vec<u8>,
    /// Steps of the search for levels, at most [`MAX_STEPS_PER_SAMPLE`] for each sample of each plane, sides filled up to whole blocks.
    pub steps: u64,
}

/// A JPEG file of `rgb`, row by row from the top, at a quality of 1 to 100, of which 100 is the finest that the format holds. What is grey all
/// over is stored without colour.
///
/// # Errors
/// [`EncodeError::Pixels`], [`EncodeError::TooLarge`].
pub fn encode(
    rgb: &[[u8; 3]],
    width: u32,
    height: u32,
    quality: u8,
    chroma: Chroma,
) -> Result<Encoded, EncodeError> {
    if width > MAX_ENCODED_SIDE || height > MAX_ENCODED_SIDE {
        return Err(EncodeError::TooLarge);
    }
    let (across, down) = (width as usize, height as usize);
    if rgb.is_empty() || rgb.len() != across * down {
        return Err(EncodeError::Pixels);
    }
    let quantiser = Quantiser::of(quality);
    let planes = Planes::of(rgb, across, chroma);
    let levels = Levels::of(planes, &quantiser);
    let data = file::write(&levels, &quantiser);
    Ok(Encoded { data, steps: levels.steps })
}
