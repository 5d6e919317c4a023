//! WebP (RFC 9649): lossless frames (`vp8l`) and lossy ones (the crate `thumbs_webp`), whichever is smaller, of an animation frame by
//! frame (docs/decisions/0021-webp-is-written-lossy-where-that-is-smaller.md, 0049-an-animation-mixes-lossy-and-lossless-frames.md).
//!
//! - `bitstream`: pixels as chunks, lossless or lossy; `animation`: which of these for a frame; `container`: what is around them

mod animation;
mod bitstream;
mod container;

#[cfg(test)]
mod tests;

use super::Settings;
use super::census::{Census, visible};
use super::clip::{Clip, pixels};
use super::delta::{Area, Patch, patch};
use super::dither::{Dither, Mapper};
use super::quantise::{self, Alpha};
use super::sink::{Failure, Sink};
use super::vp8l;

use animation::Trials;
use bitstream::{Lossy, Way};
use container::{FLAG_ALPHA, FLAG_ANIMATION, finish, push_chunk};

/// The quality that loses nothing.
pub(super) const LOSSLESS_QUALITY: u8 = 100;

/// # Errors
/// See [`Failure`].
pub(crate) fn write(clip: &Clip<'_>, settings: &Settings, sink: Sink) -> Result<Vec<u8>, Failure> {
    if clip.width() > vp8l::MAX_SIDE || clip.height() > vp8l::MAX_SIDE {
        return Err(Failure::Unencodable);
    }
    let palette = settings.colours.map(|colours| quantise::palette(clip, usize::from(colours), Alpha::Full));
    let dither = if clip.is_animated() { Dither::Ordered } else { Dither::Diffused };
    let mut mapper = palette.as_ref().map(|palette| Mapper::new(palette, dither));
    let way = if mapper.is_some() {
        Way::Dithered
    } else if settings.lossless || settings.quality >= LOSSLESS_QUALITY {
        Way::Lossless
    } else {
        Way::Smaller(settings.quality)
    };
    let shown = |frame: &[[u8; 4]]| match &mut mapper {
        Some(mapper) => mapper.colours(frame, clip.width()),
        None => visible_of(frame),
    };
    if clip.is_animated() {
        animated(clip, way, shown, sink)
    } else {
        finish(&[&still(clip, way, shown, sink.room())?], sink)
    }
}

/// Whether the frames of an animation are lossy, by the first: of these a lower quality makes smaller ones, of others fewer colours.
pub(super) fn is_mostly_lossy(clip: &Clip<'_>, settings: &Settings) -> bool {
    let area = Area::whole(clip.width(), clip.height());
    let pixels = visible_of(pixels(clip.first()));
    let first = Patch { area, pixels: pixels.clone(), blend: false };
    let way = Way::Smaller(settings.quality.min(LOSSLESS_QUALITY - 1));
    !animation::draw(&first, &pixels, way, &mut Trials::default()).chunks.starts_with(b"VP8L")
}

fn visible_of(frame: &[[u8; 4]]) -> Vec<[u8; 4]> {
    frame.iter().copied().map(visible).collect()
}

/// The chunks of a still image: lossy, unless a lossless one is smaller or asked for.
///
/// # Errors
/// [`Failure::OverBudget`] where it certainly takes more than `max_bytes`, which may not show before it is written.
fn still(
    clip: &Clip<'_>,
    way: Way,
    shown: impl FnOnce(&[[u8; 4]]) -> Vec<[u8; 4]>,
    max_bytes: usize,
) -> Result<Vec<u8>, Failure> {
    let area = Area::whole(clip.width(), clip.height());
    let pixels = shown(pixels(clip.first()));
    let lossless = || bitstream::lossless(&pixels, area, way == Way::Dithered);
    let Way::Smaller(quality) = way else { return Ok(lossless()) };
    let lossy = |max_bytes: usize| {
        let Lossy { alpha, colours } = bitstream::lossy(&pixels, &pixels, area, quality, max_bytes)?;
        let mut body = Vec::new();
        if !alpha.is_empty() {
            let header = container::extended_header(FLAG_ALPHA, area.width, area.height);
            push_chunk(&mut body, *b"VP8X", &header);
        }
        Ok([body, alpha, colours].concat())
    };
    if bitstream::is_photograph(&Census::of_frame(&pixels, area.width)) {
        return match lossy(max_bytes) {
            Err(Failure::Unencodable) => Ok(lossless()),
            made => made,
        };
    }
    let lossless = lossless();
    let lossy = lossy(max_bytes.min(lossless.len())).ok();
    Ok(lossy.filter(|lossy| lossy.len() < lossless.len()).unwrap_or(lossless))
}

fn animated(
    clip: &Clip<'_>,
    way: Way,
    mut shown: impl FnMut(&[[u8; 4]]) -> Vec<[u8; 4]>,
    sink: Sink,
) -> Result<Vec<u8>, Failure> {
    let (width, height) = (clip.width(), clip.height());
    let mut has_alpha = !Census::of(clip).opaque;
    let mut frames = Vec::new();
    let mut trials = Trials::default();
    let mut source: Vec<[u8; 4]> = Vec::new();
    for shot in clip.shots() {
        let next = shown(pixels(&shot.raster));
        let patch = if source.is_empty() {
            Patch { area: Area::whole(width, height), pixels: next.clone(), blend: false }
        } else {
            patch(&source, &next, width, true, true)
        };
        let whole = patch.area.rows(&next, width).flatten().copied().collect::<Vec<_>>();
        let drawn = animation::draw(&patch, &whole, way, &mut trials);
        has_alpha |= drawn.has_alpha;
        let frame = container::animation_frame(patch.area, shot.delay_ms, drawn.blend, &drawn.chunks);
        push_chunk(&mut frames, *b"ANMF", &frame);
        if !sink.has_room(frames.len()) {
            return Err(Failure::OverBudget);
        }
        source = next;
    }
    let flags = FLAG_ANIMATION | if has_alpha { FLAG_ALPHA } else { 0 };
    let mut headers = Vec::new();
    push_chunk(&mut headers, *b"VP8X", &container::extended_header(flags, width, height));
    push_chunk(&mut headers, *b"ANIM", &container::animation_header(clip.loops()));
    finish(&[&headers, &frames], sink)
}
