//! The five bytes in front of a VP8L bitstream (RFC 9649, section 3.4).

use crate::error::Error;

/// Bytes before the transforms.
pub(crate) const HEADER_BYTES: usize = 5;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LosslessHeader {
    /// 1..=16,384 pixels.
    pub(crate) width: u32,
    /// 1..=16,384 pixels.
    pub(crate) height: u32,
    /// Where false, the pixels' alpha is to be ignored.
    pub(crate) has_alpha: bool,
}

/// # Errors
/// [`Error::Malformed`], or [`Error::Unsupported`] for another version than 0.
pub(crate) fn lossless_header(data: &[u8]) -> Result<LosslessHeader, Error> {
    let head = data.first_chunk::<HEADER_BYTES>().ok_or(Error::Malformed("VP8L header cut short"))?;
    if head[0] != 0x2f {
        return Err(Error::Malformed("VP8L signature missing"));
    }
    let bits = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    if bits >> 29 != 0 {
        return Err(Error::Unsupported("this version of VP8L"));
    }
    Ok(LosslessHeader {
        width: (bits & 0x3fff) + 1,
        height: ((bits >> 14) & 0x3fff) + 1,
        has_alpha: (bits >> 28) & 1 == 1,
    })
}
