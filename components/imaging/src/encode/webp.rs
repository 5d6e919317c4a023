//! WebP: lossless frames (VP8L) in the RIFF container, which is ours for animations (RFC 9649, section 2.7). Lossy frames
//! are not written: there is no encoder for them that is pure Rust, permissive and well kept.

use image_webp::{ColorType, WebPEncoder};

use crate::raster::Loops;

use super::Settings;
use super::census::{Census, visible};
use super::clip::{Clip, pixels};
use super::delta::{Area, Patch, patch};
use super::dither::{Dither, Mapper};
use super::quantise::{self, Alpha};
use super::sink::{Failure, Sink};

/// The largest side of a VP8L image (14 bits, RFC 9649 section 3.4).
const MAX_SIDE: u32 = 1 << 14;
/// Durations have 24 bits.
const MAX_DELAY_MS: u32 = (1 << 24) - 1;
/// VP8X flags (RFC 9649, section 2.7).
const FLAG_ALPHA: u8 = 1 << 4;
const FLAG_ANIMATION: u8 = 1 << 1;
/// ANMF flag: replace what is below instead of blending.
const FLAG_REPLACE: u8 = 1 << 1;

/// # Errors
/// See [`Failure`].
pub(crate) fn write(clip: &Clip<'_>, settings: &Settings, sink: Sink) -> Result<Vec<u8>, Failure> {
    let (width, height) = (clip.width(), clip.height());
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(Failure::Unencodable);
    }
    let palette = settings.colours.map(|colours| quantise::palette(clip, usize::from(colours), Alpha::Full));
    let dither = if clip.is_animated() { Dither::Ordered } else { Dither::Diffused };
    let mut mapper = palette.as_ref().map(|palette| Mapper::new(palette, dither));
    let mut shown = |frame: &[[u8; 4]]| -> Vec<[u8; 4]> {
        match &mut mapper {
            Some(mapper) => mapper.colours(frame, width),
            None => frame.iter().copied().map(visible).collect(),
        }
    };
    if !clip.is_animated() {
        let payload = vp8l(&shown(pixels(clip.first())), width, height)?;
        let mut body = Vec::new();
        push_chunk(&mut body, *b"VP8L", &payload);
        return finish(&body, sink);
    }

    let mut flags = FLAG_ANIMATION | if Census::of(clip).opaque { 0 } else { FLAG_ALPHA };
    let mut frames = Vec::new();
    let mut canvas: Vec<[u8; 4]> = Vec::new();
    for shot in clip.shots() {
        let next = shown(pixels(&shot.raster));
        let patch = if canvas.is_empty() {
            Patch { area: Area::whole(width, height), pixels: next.clone(), blend: false }
        } else {
            patch(&canvas, &next, width, true, true)
        };
        // Holes for unchanged pixels are alpha even in a clip that has none.
        flags |= if patch.blend { FLAG_ALPHA } else { 0 };
        let payload = vp8l(&patch.pixels, patch.area.width, patch.area.height)?;
        push_chunk(&mut frames, *b"ANMF", &animation_frame(&patch, shot.delay_ms, &payload));
        if !sink.has_room(frames.len()) {
            return Err(Failure::OverBudget);
        }
        canvas = next;
    }
    let mut body = Vec::new();
    push_chunk(&mut body, *b"VP8X", &extended_header(flags, width, height));
    push_chunk(&mut body, *b"ANIM", &animation_header(clip.loops()));
    body.extend_from_slice(&frames);
    finish(&body, sink)
}

/// The VP8L bitstream of one image, without any container.
fn vp8l(pixels: &[[u8; 4]], width: u32, height: u32) -> Result<Vec<u8>, Failure> {
    let opaque = pixels.iter().all(|pixel| pixel[3] == 255);
    let mut file = Vec::new();
    let encoder = WebPEncoder::new(&mut file);
    let written = if opaque {
        let rgb: Vec<[u8; 3]> = pixels.iter().map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        encoder.encode(rgb.as_flattened(), width, height, ColorType::Rgb8)
    } else {
        encoder.encode(pixels.as_flattened(), width, height, ColorType::Rgba8)
    };
    written.map_err(|_| Failure::Unencodable)?;
    // RIFF size WEBP, VP8L size, payload, padding: the encoder is given no metadata and so writes this form only.
    let size = file.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let payload = size.and_then(|size| file.get(20..20 + usize::try_from(size).ok()?));
    payload.map(<[u8]>::to_vec).ok_or(Failure::Unencodable)
}

fn finish(body: &[u8], mut sink: Sink) -> Result<Vec<u8>, Failure> {
    let size = u32::try_from(body.len() + 4).map_err(|_| Failure::Unencodable)?;
    sink.put(b"RIFF")?;
    sink.put(&size.to_le_bytes())?;
    sink.put(b"WEBP")?;
    sink.put(body)?;
    sink.finish()
}

/// Name, size, payload, and a zero byte where the size is odd. Payloads stay far below 4 GiB: they are compressed
/// rasters of 32-bit memory.
fn push_chunk(body: &mut Vec<u8>, name: [u8; 4], payload: &[u8]) {
    body.extend_from_slice(&name);
    body.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    body.extend_from_slice(payload);
    if payload.len() % 2 == 1 {
        body.push(0);
    }
}

/// Payload of VP8X: flags, three reserved bytes, canvas sides less one.
fn extended_header(flags: u8, width: u32, height: u32) -> [u8; 10] {
    let ([w0, w1, w2], [h0, h1, h2]) = (u24(width - 1), u24(height - 1));
    [flags, 0, 0, 0, w0, w1, w2, h0, h1, h2]
}

/// Payload of ANIM: a background that viewers ignore (transparent), and how often to play, 0 being for ever.
fn animation_header(loops: Loops) -> [u8; 6] {
    let [low, high] = match loops {
        Loops::Forever => 0,
        Loops::Times(plays) => plays,
    }
    .to_le_bytes();
    [0, 0, 0, 0, low, high]
}

/// Payload of ANMF: half the corner's coordinates, sides less one, duration, how to draw, and the frame's own chunk.
fn animation_frame(patch: &Patch, delay_ms: u32, payload: &[u8]) -> Vec<u8> {
    let area = patch.area;
    let delay_ms = delay_ms.min(MAX_DELAY_MS);
    let mut frame = Vec::with_capacity(24 + payload.len());
    for field in [area.left / 2, area.top / 2, area.width - 1, area.height - 1, delay_ms] {
        frame.extend_from_slice(&u24(field));
    }
    frame.push(if patch.blend { 0 } else { FLAG_REPLACE });
    push_chunk(&mut frame, *b"VP8L", payload);
    frame
}

/// The three low bytes, the lowest first.
const fn u24(value: u32) -> [u8; 3] {
    let [low, middle, high, _] = value.to_le_bytes();
    [low, middle, high]
}
