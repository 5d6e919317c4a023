//! The pixels of one frame as the chunks that hold them: a lossless image, or a lossy one with its alpha beside it.

use thumbs_webp::EncodeError;

use super::super::census::{Census, MAX_PALETTE, distinct};
use super::super::delta::Area;
use super::super::sink::Failure;
use super::super::vp8l;
use super::container::push_chunk;

/// First byte of ALPH: not filtered, compressed.
const ALPHA_COMPRESSED: u8 = 1;
/// The header of a VP8L stream, which an ALPH chunk leaves out.
const VP8L_HEADER_BYTES: usize = 5;

/// How frames may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In the smaller way, a lossy one at this quality of 0 to 100.
    Smaller(u8),
    /// Without loss.
    Lossless,
    /// Without loss of what is dithered to few colours.
    Dithered,
}

/// A lossy frame in two parts.
pub(super) struct Lossy {
    /// The chunk ALPH; nothing where all is opaque.
    pub(super) alpha: Vec<u8>,
    /// The chunk VP8.
    pub(super) colours: Vec<u8>,
}

/// Colours of `pixels` at a quality of 0 to 100; their alpha is that of `mask`.
///
/// # Errors
/// [`Failure::OverBudget`] where the colours take more than `max_bytes`;
/// [`Failure::Unencodable`] where a side is beyond what VP8 can hold.
pub(super) fn lossy(
    pixels: &[[u8; 4]],
    mask: &[[u8; 4]],
    area: Area,
    quality: u8,
    max_bytes: usize,
) -> Result<Lossy, Failure> {
    let frame = thumbs_webp::encode_lossy_within(pixels, area.width, area.height, quality, max_bytes);
    let frame = frame.map_err(|error| match error {
        EncodeError::TooManyBytes => Failure::OverBudget,
        EncodeError::Pixels | EncodeError::TooLarge => Failure::Unencodable,
    })?;
    let (mut alpha, mut colours) = (Vec::new(), Vec::new());
    push_chunk(&mut colours, *b"VP8 ", &frame);
    if mask.iter().any(|pixel| pixel[3] < u8::MAX) {
        push_chunk(&mut alpha, *b"ALPH", &alpha_payload(mask, area));
    }
    Ok(Lossy { alpha, colours })
}

/// Alpha as the green of a lossless image.
fn alpha_payload(pixels: &[[u8; 4]], area: Area) -> Vec<u8> {
    let grey: Vec<[u8; 4]> = pixels.iter().map(|&[.., alpha]| [alpha, alpha, alpha, 255]).collect();
    let stream = smaller_vp8l(&grey, area, false);
    let mut payload = vec![ALPHA_COMPRESSED];
    payload.extend_from_slice(stream.get(VP8L_HEADER_BYTES..).unwrap_or_default());
    payload
}

/// The chunk VP8L. `is_dithered`: to few colours, which leaves nothing to predict.
pub(super) fn lossless(pixels: &[[u8; 4]], area: Area, is_dithered: bool) -> Vec<u8> {
    let mut chunk = Vec::new();
    push_chunk(&mut chunk, *b"VP8L", &smaller_vp8l(pixels, area, is_dithered));
    chunk
}

/// The shorter of the two ways, where it can't be told beforehand which that is.
fn smaller_vp8l(pixels: &[[u8; 4]], area: Area, is_dithered: bool) -> Vec<u8> {
    let indexed = distinct(pixels.iter().copied(), MAX_PALETTE)
        .map(|palette| vp8l::indexed(pixels, area.width, area.height, &palette));
    match indexed {
        Some(indexed) if is_dithered => indexed,
        indexed => {
            let predicted = vp8l::predicted(pixels, area.width, area.height);
            indexed.filter(|indexed| indexed.len() <= predicted.len()).unwrap_or(predicted)
        }
    }
}

/// Whether a lossless image of this is several times larger than a lossy one, and not worth its time.
pub(super) fn is_photograph(census: &Census) -> bool {
    !census.flat && census.colours.is_none()
}
