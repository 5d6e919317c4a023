//! WebP: lossless frames (`vp8l`) and lossy ones (the crate `thumbs_webp`) in the RIFF container (RFC 9649, section 2). Which of
//! the two, docs/decisions/0021-webp-is-written-lossy-where-that-is-smaller.md says.

use crate::raster::Loops;

use super::Settings;
use super::census::{Census, MAX_PALETTE, distinct, visible};
use super::clip::{Clip, pixels};
use super::delta::{Area, Patch, patch};
use super::dither::{Dither, Mapper};
use super::quantise::{self, Alpha};
use super::sink::{Failure, Sink};
use super::vp8l;

/// Durations have 24 bits.
const MAX_DELAY_MS: u32 = (1 << 24) - 1;
/// The quality that loses nothing.
pub(super) const LOSSLESS_QUALITY: u8 = 100;
/// First byte of ALPH: not filtered, compressed.
const ALPHA_COMPRESSED: u8 = 1;
/// The header of a VP8L stream, which an ALPH chunk leaves out.
const VP8L_HEADER_BYTES: usize = 5;
/// VP8X flags (RFC 9649, section 2.7).
const FLAG_ALPHA: u8 = 1 << 4;
const FLAG_ANIMATION: u8 = 1 << 1;
/// ANMF flag: replace what is below instead of blending.
const FLAG_REPLACE: u8 = 1 << 1;

/// # Errors
/// See [`Failure`].
pub(crate) fn write(clip: &Clip<'_>, settings: &Settings, sink: Sink) -> Result<Vec<u8>, Failure> {
    let (width, height) = (clip.width(), clip.height());
    if width > vp8l::MAX_SIDE || height > vp8l::MAX_SIDE {
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
        let body = still(&shown(pixels(clip.first())), clip, settings, palette.is_some());
        return finish(&[&body], sink);
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
        let payload = lossless(&patch.pixels, patch.area, palette.is_some());
        push_chunk(&mut frames, *b"ANMF", &animation_frame(&patch, shot.delay_ms, &payload));
        if !sink.has_room(frames.len()) {
            return Err(Failure::OverBudget);
        }
        canvas = next;
    }
    let mut headers = Vec::new();
    push_chunk(&mut headers, *b"VP8X", &extended_header(flags, width, height));
    push_chunk(&mut headers, *b"ANIM", &animation_header(clip.loops()));
    finish(&[&headers, &frames], sink)
}

/// The chunks of a still image: lossy, unless a lossless one is smaller or asked for.
fn still(pixels: &[[u8; 4]], clip: &Clip<'_>, settings: &Settings, is_reduced: bool) -> Vec<u8> {
    let area = Area::whole(clip.width(), clip.height());
    let census = Census::of(clip);
    let lossy = if settings.lossless || settings.quality >= LOSSLESS_QUALITY || is_reduced {
        None
    } else {
        // What the encoder refuses, sides of 16,384, is left to the other.
        thumbs_webp::encode_lossy(pixels, area.width, area.height, settings.quality).ok()
    };
    let lossy = lossy.map(|frame| {
        let mut body = Vec::new();
        if !census.opaque {
            push_chunk(&mut body, *b"VP8X", &extended_header(FLAG_ALPHA, area.width, area.height));
            push_chunk(&mut body, *b"ALPH", &alpha(pixels, area));
        }
        push_chunk(&mut body, *b"VP8 ", &frame);
        body
    });
    // Of a photograph the lossless file is several times larger: not worth its time.
    let is_photograph = !census.flat && census.colours.is_none();
    match lossy {
        Some(lossy) if is_photograph => lossy,
        lossy => {
            let mut body = Vec::new();
            push_chunk(&mut body, *b"VP8L", &lossless(pixels, area, is_reduced));
            lossy.filter(|lossy| lossy.len() < body.len()).unwrap_or(body)
        }
    }
}

/// Payload of ALPH: alpha as the green of a lossless image.
fn alpha(pixels: &[[u8; 4]], area: Area) -> Vec<u8> {
    let grey: Vec<[u8; 4]> = pixels.iter().map(|&[.., alpha]| [alpha, alpha, alpha, 255]).collect();
    let stream = lossless(&grey, area, false);
    let mut payload = vec![ALPHA_COMPRESSED];
    payload.extend_from_slice(stream.get(VP8L_HEADER_BYTES..).unwrap_or_default());
    payload
}

/// The shorter of the two ways, where it can't be told beforehand which that is.
fn lossless(pixels: &[[u8; 4]], area: Area, is_reduced: bool) -> Vec<u8> {
    let indexed = distinct(pixels.iter().copied(), MAX_PALETTE)
        .map(|palette| vp8l::indexed(pixels, area.width, area.height, &palette));
    match indexed {
        // Dithering leaves nothing to predict.
        Some(indexed) if is_reduced => indexed,
        Some(indexed) => {
            let predicted = vp8l::predicted(pixels, area.width, area.height);
            if indexed.len() <= predicted.len() { indexed } else { predicted }
        }
        None => vp8l::predicted(pixels, area.width, area.height),
    }
}

/// The RIFF header and these chunks.
fn finish(chunks: &[&[u8]], mut sink: Sink) -> Result<Vec<u8>, Failure> {
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
