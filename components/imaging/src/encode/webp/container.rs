//! The RIFF container of WebP (RFC 9649, section 2): chunks, and the headers of pictures with alpha or several frames.

use crate::raster::Loops;

use super::super::delta::Area;
use super::super::sink::{Failure, Sink};

/// Durations have 24 bits.
const MAX_DELAY_MS: u32 = (1 << 24) - 1;
/// VP8X flags (section 2.7).
pub(super) const FLAG_ALPHA: u8 = 1 << 4;
pub(super) const FLAG_ANIMATION: u8 = 1 << 1;
/// ANMF flag: replace what is below instead of blending.
const FLAG_REPLACE: u8 = 1 << 1;

/// The RIFF header and these chunks.
pub(super) fn finish(chunks: &[&[u8]], mut sink: Sink) -> Result<Vec<u8>, Failure> {
    let size = chunks.iter().map(|chunk| chunk.len()).sum::<usize>() + 4;
    let size = u32::try_from(size).map_err(|_| Failure::Unencodable)?;
    sink.put(b"RIFF")?;
    sink.put(&size.to_le_bytes())?;
    sink.put(b"WEBP")?;
    chunks.iter().try_for_each(|chunk| sink.put(chunk))?;
    sink.finish()
}

/// Name, size, payload, and a zero byte where the size is odd. Payloads stay far below 4 GiB: they are compressed
/// rasters of 32-bit memory.
pub(super) fn push_chunk(body: &mut Vec<u8>, name: [u8; 4], payload: &[u8]) {
    body.extend_from_slice(&name);
    body.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    body.extend_from_slice(payload);
    if payload.len() % 2 == 1 {
        body.push(0);
    }
}

/// Payload of VP8X: flags, three reserved bytes, canvas sides less one.
pub(super) fn extended_header(flags: u8, width: u32, height: u32) -> [u8; 10] {
    let ([w0, w1, w2], [h0, h1, h2]) = (u24(width - 1), u24(height - 1));
    [flags, 0, 0, 0, w0, w1, w2, h0, h1, h2]
}

/// Payload of ANIM: a background that viewers ignore (transparent), and how often to play, 0 being for ever.
pub(super) fn animation_header(loops: Loops) -> [u8; 6] {
    let [low, high] = match loops {
        Loops::Forever => 0,
        Loops::Times(plays) => plays,
    }
    .to_le_bytes();
    [0, 0, 0, 0, low, high]
}

/// Payload of ANMF: half the corner's coordinates, sides less one, duration, whether it is drawn over what is there or replaces it, and
/// the chunks of the frame itself.
pub(super) fn animation_frame(area: Area, delay_ms: u32, blend: bool, chunks: &[u8]) -> Vec<u8> {
    let delay_ms = delay_ms.min(MAX_DELAY_MS);
    let mut frame = Vec::with_capacity(16 + chunks.len());
    for field in [area.left / 2, area.top / 2, area.width - 1, area.height - 1, delay_ms] {
        frame.extend_from_slice(&u24(field));
    }
    frame.push(if blend { 0 } else { FLAG_REPLACE });
    frame.extend_from_slice(chunks);
    frame
}

/// The three low bytes, the lowest first.
const fn u24(value: u32) -> [u8; 3] {
    let [low, middle, high, _] = value.to_le_bytes();
    [low, middle, high]
}
