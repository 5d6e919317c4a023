//! GIF (version 89a). Palettes of at most 256 colours, one of them invisible where that is needed; frames store only what
//! changes. Alpha has one bit: half opaque and more is opaque.

use std::borrow::Cow;

use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use crate::raster::Loops;

use super::Settings;
use super::census::{MAX_PALETTE, distinct};
use super::clip::{Clip, pixels};
use super::delta::{Area, changed_area};
use super::dither::{Dither, Mapper};
use super::palette::{Lookup, Palette, distance, point};
use super::quantise::{self, Alpha, flattened};
use super::sink::{Failure, Sink};

/// # Errors
/// See [`Failure`].
pub(crate) fn write(clip: &Clip<'_>, settings: &Settings, mut sink: Sink) -> Result<Vec<u8>, Failure> {
    let (Ok(width), Ok(height)) = (u16::try_from(clip.width()), u16::try_from(clip.height())) else {
        return Err(Failure::Unencodable);
    };
    match write_frames(clip, settings, width, height, &mut sink) {
        Ok(()) => sink.finish(),
        Err(_) => Err(sink.blame()),
    }
}

fn write_frames(
    clip: &Clip<'_>,
    settings: &Settings,
    width: u16,
    height: u16,
    sink: &mut Sink,
) -> Result<(), EncodingError> {
    let max_colours = settings.colours.map_or(MAX_PALETTE, usize::from);
    let global = Global::of(clip, max_colours);
    let mut locals = Locals::new(&global, clip, max_colours);
    let mut encoder = Encoder::new(sink, width, height, &global.palette.rgb())?;
    if clip.is_animated() {
        encoder.set_repeat(repeat(clip.loops()))?;
    }
    let mut mapper = Mapper::new(&global.palette, global.dither);
    let mut canvas = Canvas::new(clip.width(), clip.height());
    let mut clock = Clock::default();
    let mut shots = clip.shots().peekable();
    while let Some(shot) = shots.next() {
        let source = one_bit(pixels(&shot.raster));
        let following = shots.peek().map(|next| one_bit(pixels(&next.raster)));
        let local = locals.palette(&source, mapper.lookup());
        let palette = local.as_ref().unwrap_or(&global.palette);
        let indices = match &local {
            Some(palette) => Mapper::new(palette, global.dither).indices(&source, clip.width()),
            None => mapper.indices(&source, clip.width()),
        };
        let drawing = canvas.plan(source, following.as_deref(), palette, indices);
        let mut frame = Frame {
            delay: clock.tick(shot.delay_ms),
            dispose: drawing.dispose,
            transparent: palette.transparent(),
            palette: local.as_ref().map(Palette::rgb),
            ..in_place(drawing.area)
        };
        // Holes make runs in what stands still and break them in what moves: which is shorter shows by trying.
        let mut holed = drawing.may_gain_by_holes().then(|| frame.clone());
        frame.buffer = Cow::Borrowed(&drawing.whole);
        frame.make_lzw_pre_encoded();
        if let Some(holed) = &mut holed {
            holed.buffer = Cow::Borrowed(&drawing.holed);
            holed.make_lzw_pre_encoded();
        }
        let shorter = holed.filter(|holed| holed.buffer.len() <= frame.buffer.len());
        let with_holes = shorter.is_some();
        encoder.write_lzw_pre_encoded_frame(shorter.as_ref().unwrap_or(&frame))?;
        canvas.settle(&drawing, with_holes, palette);
    }
    encoder.into_inner().map(drop)
}

fn one_bit(pixels: &[[u8; 4]]) -> Vec<[u8; 4]> {
    pixels.iter().map(|&pixel| flattened(pixel, Alpha::OneBit)).collect()
}

/// Areas are within a canvas of 16-bit sides.
fn in_place(area: Area) -> Frame<'static> {
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    Frame {
        left: side(area.left),
        top: side(area.top),
        width: side(area.width),
        height: side(area.height),
        ..Frame::default()
    }
}

/// The extension counts the repetitions after the first play, and 0 means for ever; without it a GIF plays once.
fn repeat(loops: Loops) -> Repeat {
    match loops {
        Loops::Forever => Repeat::Infinite,
        Loops::Times(plays) => Repeat::Finite(plays.saturating_sub(1)),
    }
}

/// The palette of the whole clip.
struct Global {
    palette: Palette,
    dither: Dither,
}

impl Global {
    fn of(clip: &Clip<'_>, max_colours: usize) -> Self {
        let room = max_colours.saturating_sub(usize::from(clip.is_animated()));
        let all = distinct(clip.pixels().map(|pixel| flattened(pixel, Alpha::OneBit)), room);
        if let Some(mut colours) = all {
            if clip.is_animated() {
                colours.push([0; 4]);
            }
            return Self { palette: Palette::new(colours), dither: Dither::None };
        }
        Self {
            palette: quantise::palette(clip, max_colours, Alpha::OneBit),
            dither: if clip.is_animated() { Dither::Ordered } else { Dither::Diffused },
        }
    }
}

/// Palettes of single frames, for those that the global one does badly.
struct Locals {
    max_colours: usize,
    /// Further attempts that may be in vain.
    patience: u32,
}

/// Mean squared distance from which a frame deserves its own palette although that costs 768 bytes and most of the likeness
/// to the frame before: an error of about 8 levels.
const MAX_GLOBAL_ERROR: f32 = 64.0;
/// What the error must at least fall to with its own palette.
const MAX_LOCAL_SHARE: f32 = 0.6;
/// Pixels of a frame by which that is judged.
const MAX_JUDGED: usize = 2048;
/// Pixels of a frame from which its own palette is made.
const MAX_LOCAL_SAMPLES: usize = 1 << 13;
/// Attempts in vain until no more are made: what is noise in every frame would cost seconds for nothing.
const PATIENCE: u32 = 8;

impl Locals {
    fn new(global: &Global, clip: &Clip<'_>, max_colours: usize) -> Self {
        let is_open = clip.is_animated() && global.dither != Dither::None;
        Self { max_colours, patience: if is_open { PATIENCE } else { 0 } }
    }

    /// The frame's own palette, if it deserves one.
    fn palette(&mut self, source: &[[u8; 4]], global: &mut Lookup<'_>) -> Option<Palette> {
        if self.patience == 0 {
            return None;
        }
        let judged = sampled(source, MAX_JUDGED);
        let global_error = mean_error(&judged, global);
        if global_error <= MAX_GLOBAL_ERROR {
            return None;
        }
        let own = quantise::of_samples(sampled(source, MAX_LOCAL_SAMPLES), self.max_colours, true);
        if mean_error(&judged, &mut Lookup::new(&own)) <= global_error * MAX_LOCAL_SHARE {
            return Some(own);
        }
        self.patience -= 1;
        None
    }
}

/// Evenly spread pixels, at most `samples` and one half more; with an odd stride, lest it keep to a few columns.
fn sampled(pixels: &[[u8; 4]], samples: usize) -> Vec<[u8; 4]> {
    pixels.iter().copied().step_by((pixels.len() / samples) | 1).collect()
}

fn mean_error(pixels: &[[u8; 4]], lookup: &mut Lookup<'_>) -> f32 {
    let error = |&pixel: &[u8; 4]| {
        let index = lookup.index(pixel);
        distance(point(lookup.palette().colour(index)), point(pixel))
    };
    pixels.iter().map(error).sum::<f32>() / pixels.len().max(1) as f32
}

/// What a viewer shows, and what it was made from.
struct Canvas {
    width: u32,
    height: u32,
    shown: Vec<[u8; 4]>,
    source: Vec<[u8; 4]>,
    is_blank: bool,
}

/// One frame to be stored.
struct Drawing {
    area: Area,
    dispose: DisposalMethod,
    /// Of the whole canvas: the pixel may be left out.
    stays: Vec<bool>,
    /// Indices of the area, unchanged pixels invisible.
    holed: Vec<u8>,
    /// Indices of the area.
    whole: Vec<u8>,
}

/// Frames of more pixels than this are written a second time, with holes, only if at least one pixel in so many may be one.
const LARGE_PIXELS: usize = 1 << 16;
const MIN_HOLE_SHARE: usize = 16;

impl Drawing {
    fn may_gain_by_holes(&self) -> bool {
        let pairs = self.holed.iter().zip(&self.whole);
        if self.whole.len() <= LARGE_PIXELS {
            return self.holed != self.whole;
        }
        pairs.filter(|(holed, whole)| holed != whole).count() >= self.whole.len() / MIN_HOLE_SHARE
    }
}

impl Canvas {
    fn new(width: u32, height: u32) -> Self {
        let blank = vec![[0; 4]; width as usize * height as usize];
        Self { width, height, shown: blank.clone(), source: blank, is_blank: true }
    }

    /// How to get to `source`. A pixel can't be made invisible by drawing, only by clearing the area of the frame before:
    /// so a frame covers, and is told to clear, what vanishes in the `following` one.
    fn plan(
        &mut self,
        source: Vec<[u8; 4]>,
        following: Option<&[[u8; 4]]>,
        palette: &Palette,
        indices: Vec<u8>,
    ) -> Drawing {
        // What looks the same, or shows a pixel that is the same, stays.
        let stays: Vec<bool> = indices
            .iter()
            .zip(&self.shown)
            .zip(source.iter().zip(&self.source))
            .map(|((&index, &shown), (new, old))| {
                shown == palette.colour(index) || (shown[3] > 0 && new == old)
            })
            .collect();
        let unchanged = vec![true; stays.len()];
        let changed = changed_area(&unchanged, &stays, self.width, |_, stays| !stays);
        let vanishing = following
            .and_then(|next| changed_area(&source, next, self.width, |now, next| now[3] > 0 && next[3] == 0));
        let area = match (changed, vanishing) {
            _ if self.is_blank => Area::whole(self.width, self.height),
            (Some(changed), Some(vanishing)) => changed.union(vanishing),
            (Some(area), None) | (None, Some(area)) => area,
            (None, None) => Area { left: 0, top: 0, width: 1, height: 1 },
        };
        let whole: Vec<u8> = area.rows(&indices, self.width).flatten().copied().collect();
        let holed = match palette.transparent() {
            Some(hole) => area
                .rows(&stays, self.width)
                .flatten()
                .zip(&whole)
                .map(|(&stays, &index)| if stays { hole } else { index })
                .collect(),
            None => whole.clone(),
        };
        self.source = source;
        self.is_blank = false;
        let dispose = if vanishing.is_some() { DisposalMethod::Background } else { DisposalMethod::Keep };
        Drawing { area, dispose, stays, holed, whole }
    }

    /// Takes over what a viewer shows once the frame's time is over.
    fn settle(&mut self, drawing: &Drawing, with_holes: bool, palette: &Palette) {
        let (left, width) = (drawing.area.left as usize, drawing.area.width as usize);
        let canvas_width = self.width.max(1) as usize;
        let rows = self.shown.chunks_exact_mut(canvas_width).skip(drawing.area.top as usize);
        let stays = drawing.area.rows(&drawing.stays, self.width);
        for ((row, indices), stays) in rows.zip(drawing.whole.chunks(width)).zip(stays) {
            let Some(row) = row.get_mut(left..left + width) else { continue };
            if drawing.dispose == DisposalMethod::Background {
                row.fill([0; 4]);
                continue;
            }
            for ((shown, &index), &stays) in row.iter_mut().zip(indices).zip(stays) {
                let is_hole = palette.transparent() == Some(index);
                if !(is_hole || with_holes && stays) {
                    *shown = palette.colour(index);
                }
            }
        }
    }
}

/// Centiseconds of which the sum never strays from the true time by more than rounding.
#[derive(Default)]
struct Clock {
    due_ms: u64,
    told_ms: u64,
}

/// Viewers show frames of 0 and 1 centiseconds for 10 of them, and have so for decades: sources with such delays keep
/// them, others must not fall into them.
pub(super) const SLOW_BELOW_MS: u32 = 11;

impl Clock {
    fn tick(&mut self, delay_ms: u32) -> u16 {
        self.due_ms += u64::from(delay_ms);
        let shortest = if delay_ms < SLOW_BELOW_MS { 0 } else { 2 };
        let longest = if delay_ms < SLOW_BELOW_MS { 1 } else { u16::MAX };
        let behind = (self.due_ms.saturating_sub(self.told_ms) + 5) / 10;
        let centiseconds = u16::try_from(behind).unwrap_or(u16::MAX).clamp(shortest, longest);
        self.told_ms += u64::from(centiseconds) * 10;
        if centiseconds == u16::MAX {
            // The longest there is: what is left of the time is lost, not given to the next frame.
            self.told_ms = self.due_ms;
        }
        centiseconds
    }
}
