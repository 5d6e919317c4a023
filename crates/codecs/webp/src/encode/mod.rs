//! A lossy WebP encoder: VP8 key frames (RFC 6386) for thumbnails, where bytes count most and time second.
//!
//! A frame is coded twice: first at the costs of the default probabilities, then at those that fit it. Each macroblock takes
//! the modes and levels that weigh least, errors and bits together; the loop filter's level is found by trial.
//!
//! - `planes`: from R'G'B' to Y'CbCr; `forward`: from pixels to coefficients; `quantiser`: from quality to steps
//! - `search`: modes and levels of a macroblock, with `candidates`; `trellis`: levels of a block; `cost`: what they cost; `terms`:
//!   what weighs how much
//! - `filter`: the loop filter's level
//! - `tokens`, `modes`, `probabilities`, `macroblock`, `frame`, `bool_encoder`: the bitstream
//!
//! What is predicted and restored here goes through the decoder's own code, so that the two can't differ. All arithmetic is in
//! integers: same pixels and quality, same bytes, on every machine. Work is bounded for each pixel, whatever it shows.
//!
//! Not here: the container, alpha, lossless images.

mod bool_encoder;
mod candidates;
mod cost;
mod filter;
mod forward;
mod frame;
mod macroblock;
mod modes;
mod planes;
mod probabilities;
mod quantiser;
mod search;
mod terms;
mod tokens;
mod trellis;

#[cfg(test)]
mod tests;

use crate::output::upsample::Upsampler;
use crate::vp8::rows::YuvRows;

/// The longest side of a frame, in pixels: sides have 14 bits.
pub const MAX_LOSSY_SIDE: u32 = 16_383;

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A side is 0, or the pixels are not `width * height`.
    #[error("the pixels do not fill the picture")]
    Pixels,
    /// A side is beyond [`MAX_LOSSY_SIDE`], or the picture needs more than the format can hold.
    #[error("the picture is larger than lossy WebP allows")]
    TooLarge,
    /// The payload would have more bytes than were allowed.
    #[error("the picture takes more bytes than were allowed")]
    TooManyBytes,
}

/// The picture to code.
#[derive(Clone, Copy, Debug)]
struct Pixels<'a> {
    /// Red, green, blue, alpha; only whether a pixel is seen at all, and how much, is taken from alpha.
    rgba: &'a [[u8; 4]],
    width: usize,
    height: usize,
}

/// The payload of a `VP8 ` chunk: the colours of `rgba` (red, green, blue, alpha not multiplied in; row by row from the top), at
/// a quality of 0 to 100 that means what it means to libwebp. Alpha is not in it; colours that it hides are not kept.
///
/// # Errors
/// [`EncodeError::Pixels`], [`EncodeError::TooLarge`].
pub fn encode_lossy(rgba: &[[u8; 4]], width: u32, height: u32, quality: u8) -> Result<Vec<u8>, EncodeError> {
    encode_lossy_within(rgba, width, height, quality, usize::MAX)
}

/// [`encode_lossy`], where it has at most `max_bytes`. The last pass over the picture ends with the row by which it certainly has more; of a
/// picture of more than 512x512 pixels, or as many, that pass is the only one.
///
/// # Errors
/// As [`encode_lossy`], and [`EncodeError::TooManyBytes`].
pub fn encode_lossy_within(
    rgba: &[[u8; 4]],
    width: u32,
    height: u32,
    quality: u8,
    max_bytes: usize,
) -> Result<Vec<u8>, EncodeError> {
    Ok(encode_frame(rgba, width, height, quality, max_bytes)?.data)
}

/// [`encode_lossy`], and the picture that a decoder must make of it, red, green and blue, as the encoder itself restores it: what
/// decoders are held to in tests.
///
/// # Errors
/// As [`encode_lossy`].
pub fn encode_lossy_restored(
    rgba: &[[u8; 4]],
    width: u32,
    height: u32,
    quality: u8,
) -> Result<(Vec<u8>, Vec<u8>), EncodeError> {
    let frame::Frame { data, restored } = encode_frame(rgba, width, height, quality, usize::MAX)?;
    let (width, height) = (width as usize, height as usize);
    let [u, v] = &restored.uv;
    let rows = YuvRows { top: 0, count: height, y: &restored.y, u, v, stride: restored.stride };
    let mut rgb = Vec::with_capacity(3 * rgba.len());
    let mut upsampler = Upsampler::new(width, height, false);
    let mut sink = |row: &[u8]| rgb.extend_from_slice(row);
    upsampler.push(&rows, &[], &mut sink);
    upsampler.finish(&mut sink);
    Ok((data, rgb))
}

fn encode_frame(
    rgba: &[[u8; 4]],
    width: u32,
    height: u32,
    quality: u8,
    max_bytes: usize,
) -> Result<frame::Frame, EncodeError> {
    if width > MAX_LOSSY_SIDE || height > MAX_LOSSY_SIDE {
        return Err(EncodeError::TooLarge);
    }
    let (width, height) = (width as usize, height as usize);
    if rgba.is_empty() || rgba.len() != width * height {
        return Err(EncodeError::Pixels);
    }
    frame::encode(&Pixels { rgba, width, height }, quality, max_bytes)
}
