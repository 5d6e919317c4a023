//! From decoded frames to the bytes of a file, within a byte budget if there is one.
//!
//! - `clip`: the frames to write; `census`: what their pixels have in common; `delta`: what changes between them
//! - `palette`, `quantise`, `dither`: fewer colours
//! - `png`, `jpeg`, `webp` (with `vp8l`), `gif`: one format each, into a `sink` that stops at the budget
//! - `budget`: what is given up, in which order
//!
//! Same frames and options, same bytes: integer arithmetic or floats in a fixed order, no randomness, no threads. How the
//! picture got its size is not known here; who calls brings the resampler for the case that a budget asks for a smaller one.

mod budget;
mod census;
mod clip;
mod delta;
mod dither;
mod gif;
mod jpeg;
mod palette;
mod png;
mod quantise;
mod sink;
mod vp8l;
mod webp;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod viewer;

use crate::error::{Error, Limit};
use crate::options::{Concession, Options, OutputFormat, Rgb, Warning};
use crate::raster::{Picture, Raster};

use budget::Attempt;
use clip::Clip;
use sink::{Failure, Sink};

/// Makes a raster of exactly these sides (width, height), both at most what it had.
pub type Shrink<'f> = dyn Fn(&Raster, u32, u32) -> Result<Raster, Error> + 'f;

/// A finished file, and what was given up to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The file.
    pub data: Vec<u8>,
    /// The format asked for.
    pub format: OutputFormat,
    /// In pixels: as in the picture, or less where the byte budget left no other way.
    pub width: u32,
    /// In pixels, as `width`.
    pub height: u32,
    /// 1 for a still image.
    pub frames: u32,
    /// Given up for the bounds asked for, in the order in which it was tried.
    pub concessions: Vec<Concession>,
    /// [`Warning::AnimationDropped`] where one of several frames is left.
    pub warnings: Vec<Warning>,
}

/// Quality of JPEG and lossy WebP where none is asked for. At 100 pixels a side, block edges are still invisible at 85 and a JPEG
/// has some 3 to 5 KB; 90 costs a fifth more for no difference that is seen.
pub const DEFAULT_QUALITY: u8 = 85;

/// The largest side of a picture that is encoded, in pixels: what all four formats can hold.
pub const MAX_SIDE: u32 = 16_384;

/// How one attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settings {
    /// 1 to 100, for JPEG and WebP; 100 is a lossless WebP.
    quality: u8,
    /// Neither quality nor colours may be given up.
    lossless: bool,
    /// A palette of at most this many colours (2 to 256), even if that loses some; `None` is what the format can hold.
    colours: Option<u16>,
    /// Time is less important than bytes.
    thorough: bool,
    /// What transparency lies over in formats that have none.
    background: Rgb,
}

/// Writes `picture` in `options.format`, animated where that is asked for and the format can, within `options.max_bytes` and
/// `options.max_output_frames`. Of the options only `format`, `animated`, `background`, `quality`, `lossless` and these two are read. `is_thinned`: frames
/// were left out before, of which the concessions are to tell.
///
/// With `max_bytes`, at most ten attempts are made, and those that exceed it stop as soon as they do.
///
/// # Errors
/// [`Error::LimitExceeded`] beyond [`MAX_SIDE`]; [`Error::BudgetUnreachable`] where not even the smallest file, of 16 pixels
/// on the longer side, fits; whatever `shrink` reports.
pub fn encode(
    picture: &Picture,
    options: &Options,
    is_thinned: bool,
    shrink: &Shrink<'_>,
) -> Result<Encoded, Error> {
    let keeps_animation = options.animated && options.format != OutputFormat::Jpeg;
    let mut all = Clip::of(picture, keeps_animation).ok_or(Error::LimitExceeded(Limit::Frames))?;
    let frames_before = all.len();
    // Viewers decide how long they show what says that it is hardly shown at all.
    let is_timed = |clip: &Clip<'_>| clip.shots().all(|shot| shot.delay_ms >= gif::SLOW_BELOW_MS);
    if options.format == OutputFormat::Gif && all.is_animated() && is_timed(&all) {
        all = all.in_hundredths().unwrap_or(all);
    }
    if all.width() > MAX_SIDE || all.height() > MAX_SIDE {
        return Err(Error::LimitExceeded(Limit::OutputSide));
    }
    let max_frames = options.max_output_frames.map_or(usize::MAX, |frames| frames as usize);
    let asked = Attempt {
        settings: Settings {
            quality: options.quality.unwrap_or(DEFAULT_QUALITY),
            lossless: options.lossless,
            colours: None,
            thorough: false,
            background: options.background.unwrap_or(Rgb::WHITE),
        },
        frames: all.len().min(max_frames).max(1),
        longer_side: all.width().max(all.height()),
    };
    let (made, file) = match options.max_bytes {
        None => {
            let file = asked.make(&all, options.format, None, shrink)?;
            (asked, file.map_err(|_| Error::LimitExceeded(Limit::OutputSide))?)
        }
        Some(max_bytes) => budget::fit(&all, options.format, asked, max_bytes, shrink)?,
    };
    let mut concessions = Vec::new();
    if made.settings.quality != asked.settings.quality {
        concessions.push(Concession::Quality(made.settings.quality));
    }
    concessions.extend(made.settings.colours.map(Concession::Colours));
    if made.frames != frames_before || is_thinned {
        concessions.push(Concession::Frames(file.frames));
    }
    if made.longer_side != asked.longer_side {
        concessions.push(Concession::Width(file.width));
    }
    let warnings = if picture.frames().len() > 1 && file.frames == 1 {
        vec![Warning::AnimationDropped]
    } else {
        Vec::new()
    };
    Ok(Encoded {
        data: file.bytes,
        format: options.format,
        width: file.width,
        height: file.height,
        frames: file.frames,
        concessions,
        warnings,
    })
}

fn write(clip: &Clip<'_>, format: OutputFormat, settings: &Settings, sink: Sink) -> Result<Vec<u8>, Failure> {
    match format {
        OutputFormat::Png => png::write(clip, settings, sink),
        OutputFormat::Jpeg => jpeg::write(clip, settings, sink),
        OutputFormat::Webp => webp::write(clip, settings, sink),
        OutputFormat::Gif => gif::write(clip, settings, sink),
    }
}
