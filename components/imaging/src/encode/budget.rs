//! Byte budgets. What may be given up is one ladder of attempts, from all that was asked for down to the least that still
//! is a thumbnail; the first rung that fits is found by bisection, as files get smaller down the ladder (where one does not,
//! the result is a rung too low, never one that does not fit).
//!
//! Attempts are counted by their pixels, and what is too dear for what is left of [`MAX_PIXELS`] is passed over like one that does not
//! fit: a large thumbnail gives up more than it would have to, rather than take ten times as long as one without a budget. A large animation that may be
//! lossy, whose first attempt alone would take most of it, begins with fewer frames.
//!
//! The order: lossy quality or number of colours, frames, size; first each down to where it begins to hurt, then, in the same
//! order, each as far as it goes.

use crate::error::Error;
use crate::options::OutputFormat;

use super::census::{MAX_PALETTE, distinct, visible};
use super::clip::Clip;
use super::sink::{Failure, Sink};
use super::{Settings, Shrink, webp, write};

/// What one file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) settings: Settings,
    /// At least 1.
    pub(super) frames: usize,
    /// In pixels; the other side keeps its proportion.
    pub(super) longer_side: u32,
}

/// A file that was written.
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) frames: u32,
}

/// Each pair: down to where it begins to hurt, and down to the end.
const QUALITY_FLOORS: [u8; 2] = [40, 10];
const COLOUR_FLOORS: [u16; 2] = [32, 4];
const SIDE_DIVISORS: [u32; 2] = [2, u32::MAX];
const FRAME_DIVISORS: [usize; 2] = [3, usize::MAX];
/// No thumbnail gets smaller than this on its longer side, in pixels.
const MIN_LONGER_SIDE: u32 = 16;

/// Pixels that all attempts together may have: three times those of the largest thumbnail at the default limits, and as many as an emoji of 128
/// pixels a side and 75 frames takes in ten attempts. Noise, which costs most, takes 0.25 us a pixel in the sandbox.
const MAX_PIXELS: u64 = 12 << 20;

/// Sizes of palettes worth telling apart.
const COLOURS: [u16; 21] =
    [256, 224, 192, 160, 128, 112, 96, 80, 64, 56, 48, 40, 32, 24, 20, 16, 12, 10, 8, 6, 4];

impl Attempt {
    /// The file, or why there is none.
    ///
    /// # Errors
    /// Those of `shrink`.
    pub(super) fn make(
        &self,
        all: &Clip<'_>,
        format: OutputFormat,
        max_bytes: Option<u64>,
        shrink: &Shrink<'_>,
    ) -> Result<Result<File, Failure>, Error> {
        let thinned;
        let mut clip = all;
        if self.frames < clip.len() {
            thinned = clip.thinned(self.frames);
            clip = &thinned;
        }
        let resized;
        let (width, height) = self.sides(all);
        if (width, height) != (clip.width(), clip.height()) {
            resized = clip.resized(width, height, shrink)?;
            clip = &resized;
        }
        let frames = u32::try_from(clip.len()).unwrap_or(u32::MAX);
        let (width, height) = (clip.width(), clip.height());
        let written = write(clip, format, &self.settings, Sink::new(max_bytes));
        Ok(written.map(|bytes| File { bytes, width, height, frames }))
    }

    /// In pixels, at least 1. A frame of an animation that may be lossy takes time as two and a half, a still in WebP, which is written in both ways, as
    /// one and a quarter.
    fn cost(&self, all: &Clip<'_>, format: OutputFormat) -> u64 {
        let (width, height) = self.sides(all);
        let pixels = u64::from(width) * u64::from(height) * self.frames as u64;
        match format {
            _ if self.may_be_lossy(format) => pixels * 5 / 2,
            OutputFormat::Webp if self.frames == 1 && !self.settings.lossless => pixels * 5 / 4,
            _ => pixels,
        }
    }

    /// Whether it is an animation that has lossy frames, for all that is known before it is made.
    fn may_be_lossy(&self, format: OutputFormat) -> bool {
        let loses_quality = self.settings.colours.is_none() && !self.settings.lossless;
        format == OutputFormat::Webp && self.frames > 1 && loses_quality
    }

    /// The same, with so few frames, and only then so small, that there can be others after it.
    fn affordable(mut self, all: &Clip<'_>, format: OutputFormat) -> Self {
        let cost = self.cost(all, format);
        if !self.may_be_lossy(format) || cost <= MAX_PIXELS / 2 {
            return self;
        }
        let frames = self.frames as u64 * (MAX_PIXELS / 3) / cost;
        self.frames = usize::try_from(frames).unwrap_or(self.frames).max(2);
        while self.cost(all, format) > MAX_PIXELS / 2 && self.longer_side > MIN_LONGER_SIDE {
            self.longer_side = self.longer_side * 15 / 16;
        }
        self
    }

    fn sides(&self, all: &Clip<'_>) -> (u32, u32) {
        let longer = u64::from(all.width().max(all.height())).max(1);
        let scaled = |side: u32| {
            let scaled = (u64::from(side) * u64::from(self.longer_side) + longer / 2) / longer;
            u32::try_from(scaled).unwrap_or(side).max(1)
        };
        (scaled(all.width()), scaled(all.height()))
    }
}

/// The first rung whose file has at most `max_bytes`.
///
/// # Errors
/// [`Error::BudgetUnreachable`] if the last one has more, and those of `shrink`.
pub(super) fn fit(
    all: &Clip<'_>,
    format: OutputFormat,
    asked: Attempt,
    max_bytes: u64,
    shrink: &Shrink<'_>,
) -> Result<(Attempt, File), Error> {
    let asked = asked.affordable(all, format);
    let make = |attempt: &Attempt| attempt.make(all, format, Some(max_bytes), shrink);
    if let Ok(file) = make(&asked)? {
        return Ok((asked, file));
    }
    let rungs = ladder(all, format, asked);
    let (mut first_unknown, mut first_known) = (0, rungs.len());
    let mut left = MAX_PIXELS.saturating_sub(asked.cost(all, format));
    let mut best = None;
    while first_unknown < first_known {
        let middle = first_unknown + (first_known - first_unknown) / 2;
        let Some(rung) = rungs.get(middle) else { break };
        let cost = rung.cost(all, format);
        // The last rung costs next to nothing and is never out of reach.
        if cost > left / 2 && middle + 1 < rungs.len() {
            first_unknown = middle + 1;
            continue;
        }
        left = left.saturating_sub(cost);
        match make(rung)? {
            Ok(file) => {
                best = Some((*rung, file));
                first_known = middle;
            }
            Err(_) => first_unknown = middle + 1,
        }
    }
    best.ok_or(Error::BudgetUnreachable)
}

/// All that may be tried after `asked`, in falling order.
fn ladder(all: &Clip<'_>, format: OutputFormat, asked: Attempt) -> Vec<Attempt> {
    let mut last = asked;
    let mut rungs = Vec::new();
    if format == OutputFormat::Png {
        last.settings.thorough = true;
        rungs.push(last);
    }
    let colours = colour_steps(all, format);
    let loses_quality = loses_quality(all, asked, format);
    let least_side = MIN_LONGER_SIDE.min(asked.longer_side);
    for depth in 0..2 {
        if asked.settings.lossless {
            // Frames and size are all that may be given up.
        } else if loses_quality {
            while last.settings.quality > QUALITY_FLOORS[depth] {
                last.settings.quality -= 1;
                rungs.push(last);
            }
        } else {
            let from = last.settings.colours.unwrap_or(u16::MAX);
            for &count in colours.iter().filter(|&&count| count < from && count >= COLOUR_FLOORS[depth]) {
                last.settings.colours = Some(count);
                rungs.push(last);
            }
        }
        let least_frames = asked.frames.div_ceil(FRAME_DIVISORS[depth]).max(1);
        while last.frames > least_frames {
            last.frames = (last.frames * 15 / 16).max(least_frames);
            rungs.push(last);
        }
        let least_side = (asked.longer_side / SIDE_DIVISORS[depth]).max(least_side);
        while last.longer_side > least_side {
            last.longer_side = (last.longer_side * 15 / 16).max(least_side);
            rungs.push(last);
        }
    }
    rungs
}

/// Quality is given up rather than colours.
fn loses_quality(all: &Clip<'_>, asked: Attempt, format: OutputFormat) -> bool {
    match format {
        OutputFormat::Jpeg => true,
        OutputFormat::Webp => asked.frames == 1 || webp::is_mostly_lossy(all, &asked.settings),
        OutputFormat::Png | OutputFormat::Gif => false,
    }
}

/// Palettes that have fewer colours than there are.
fn colour_steps(all: &Clip<'_>, format: OutputFormat) -> Vec<u16> {
    // A GIF has 256 at most in any case: that is nothing given up.
    let most = if format == OutputFormat::Gif { MAX_PALETTE - 1 } else { MAX_PALETTE };
    let there = distinct(all.pixels().map(visible), MAX_PALETTE)
        .map_or(most, |colours| colours.len().saturating_sub(1));
    COLOURS.into_iter().filter(|&count| usize::from(count) <= there.min(most)).collect()
}
