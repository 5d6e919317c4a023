//! Thumbnails of one image in the making, in four steps: open, decode, finish, encode. It is decoded once for all of them. A caller with a
//! clock times the steps; without one there is [`crate::thumbnail`].

use std::ops::Deref;
use std::rc::Rc;

use crate::attention;
use crate::bounds;
use crate::colour::Converter;
use crate::decode::{self, CodedPart, Film, Job, Mosaic, Rows, Shape};
use crate::encode;
use crate::error::Error;
use crate::header::{self, Header};
use crate::look::Look;
use crate::options::{Concession, Limits, Options, OutputFormat, Rgb, SourceFormat, Warning};
use crate::placeholder;
use crate::plan::{Finish, Plan, Span};
use crate::raster::{Frame, Loops, Picture, Raster};
use crate::resample::{Axis, Layout, Scaler};
use crate::selection::Selection;

/// What an image says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// By its first bytes.
    pub format: SourceFormat,
    /// In pixels, as shown.
    pub width: u32,
    /// In pixels, as shown.
    pub height: u32,
    /// At least 1.
    pub frames: u32,
    /// 1 to 8, as in EXIF.
    pub orientation: u8,
    /// The file can hold transparency.
    pub has_alpha: bool,
    /// What the frames after the first code beyond the canvas.
    pub hidden_pixels: u64,
}

impl SourceInfo {
    pub(crate) fn new(header: &Header<'_>) -> Self {
        let (width, height) = header.orientation.sides(header.width, header.height);
        Self {
            format: header.format,
            width,
            height,
            frames: header.frames,
            orientation: header.orientation.exif(),
            has_alpha: header.has_alpha,
            hidden_pixels: header.hidden_pixels,
        }
    }
}

/// What the work took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Linear memory at its highest; 0 in a native build, where there is none.
    pub peak_memory_bytes: u64,
    /// Source pixels over all frames that were decoded, for all thumbnails of the task.
    pub pixels: u64,
    /// Frames that were decoded.
    pub frames: u32,
}

/// The finished work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// The file.
    pub data: Vec<u8>,
    /// Of `data`.
    pub format: OutputFormat,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In `data`, at least 1.
    pub frames: u32,
    /// Nothing of the picture is transparent.
    pub is_opaque: bool,
    /// ThumbHash of the first frame, at most 25 bytes.
    pub placeholder: Vec<u8>,
    /// Each at most once.
    pub warnings: Vec<Warning>,
    /// In the order they were tried.
    pub concessions: Vec<Concession>,
    /// The image this was made from.
    pub source: SourceInfo,
    /// What it took.
    pub cost: Cost,
}

/// The bytes of an image: the caller's, or such as several tasks and an intake share.
#[derive(Clone, Debug)]
pub enum Image<'a> {
    /// The caller's.
    Borrowed(&'a [u8]),
    /// Free with the last who has them.
    Shared(Rc<Vec<u8>>),
}

impl Deref for Image<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a [u8]> for Image<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Borrowed(bytes)
    }
}

impl From<Rc<Vec<u8>>> for Image<'_> {
    fn from(bytes: Rc<Vec<u8>>) -> Self {
        Self::Shared(bytes)
    }
}

/// Thumbnails of one image in the making.
#[derive(Debug)]
pub struct Task<'a> {
    outputs: Vec<Output>,
    prints: Vec<Print>,
    source: SourceInfo,
    /// That were decoded, in all.
    decoded_frames: u32,
    /// Where the first frame is not to be had alone, others may be decoded for it.
    may_search: bool,
    stage: Stage<'a>,
}

/// One thumbnail.
#[derive(Debug)]
struct Output {
    options: Options,
    /// The picture that it shows.
    print: usize,
    is_made: bool,
}

/// A picture on its way, which one or more thumbnails show.
#[derive(Debug)]
struct Print {
    /// Of the frames that the file says there are.
    selection: Selection,
    plan: Plan,
    background: Option<Rgb>,
    warnings: Vec<Warning>,
    stage: PrintStage,
}

#[derive(Debug)]
enum PrintStage {
    Planned,
    Decoded(Vec<Frame>, Loops),
    Finished(Picture),
}

#[derive(Debug)]
enum Stage<'a> {
    Opened(Image<'a>),
    Assembled(Image<'a>, Box<Mosaic>),
    Decoded,
    Finished,
    /// Broken off by an error.
    Over,
}

impl Print {
    fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Turns all frames upright and brings them to the size of the box.
    fn finish(&mut self) -> Option<()> {
        let PrintStage::Decoded(frames, loops) = std::mem::replace(&mut self.stage, PrintStage::Planned)
        else {
            return None;
        };
        self.stage = PrintStage::Finished(finish_frames(frames, loops, &self.plan, self.background)?);
        Some(())
    }
}

impl<'a> Task<'a> {
    /// Checks options, headers and limits. There is at least one of `outputs`, and no thumbnail but those.
    ///
    /// # Errors
    /// All but [`Error::BudgetUnreachable`].
    pub fn open(image: impl Into<Image<'a>>, outputs: &[Options], limits: &Limits) -> Result<Self, Error> {
        let image = image.into();
        let header = header::read(&image)?;
        let source = SourceInfo::new(&header);
        let (looks, of_outputs) = bounds::check(&source, outputs, limits)?;
        let print = |Look { options, selection }: Look| {
            let plan = Plan::new(header.width, header.height, header.orientation, &options);
            let mut warnings = Vec::new();
            if selection.kept() == 1 && source.frames > 1 {
                warnings.push(Warning::AnimationDropped);
            }
            if plan.reduction() < 1.0 {
                warnings.push(Warning::Enlarged);
            }
            let background = options.background;
            Print { selection, plan, background, warnings, stage: PrintStage::Planned }
        };
        let prints = looks.into_iter().map(print).collect();
        let outputs = outputs.iter().zip(of_outputs);
        let outputs = outputs.map(|(options, print)| Output { options: *options, print, is_made: false });
        Ok(Self {
            outputs: outputs.collect(),
            prints,
            source,
            decoded_frames: 0,
            may_search: bounds::may_search(&source, limits),
            stage: Stage::Opened(image),
        })
    }

    /// Of the image.
    #[must_use]
    pub fn format(&self) -> SourceFormat {
        self.source.format
    }

    /// Of a HEIC or AVIF, what is to be decoded next by a decoder of [`Task::format`] and given to [`Task::begin_part`] and
    /// [`Task::take_rows`], all before [`Task::decode`]; `None` where there is nothing left, or nothing at all.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::UnsupportedFeature`]; [`Error::InvalidOptions`] if it is not the turn of this step.
    pub fn next_part(&mut self) -> Result<Option<CodedPart>, Error> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Opened(image) if matches!(self.source.format, SourceFormat::Heic | SourceFormat::Avif) => {
                let plans: Vec<_> = self.prints.iter().map(|print| print.plan).collect();
                let mosaic = Box::new(Mosaic::new(&image, &plans)?);
                for (print, plan) in self.prints.iter_mut().zip(mosaic.plans()) {
                    print.plan = *plan;
                }
                self.stage = Stage::Assembled(image, mosaic);
            }
            stage => self.stage = stage,
        }
        match &mut self.stage {
            Stage::Opened(_) => Ok(None),
            Stage::Assembled(image, mosaic) => mosaic.next_part(image),
            _ => Err(out_of_order()),
        }
    }

    /// What the part that was asked for last turned out to be.
    ///
    /// # Errors
    /// As for [`Task::next_part`].
    pub fn begin_part(&mut self, shape: Shape) -> Result<(), Error> {
        match &mut self.stage {
            Stage::Assembled(_, mosaic) => mosaic.begin_part(shape),
            _ => Err(out_of_order()),
        }
    }

    /// The next rows of it, top to bottom; an even number, but for the last.
    ///
    /// # Errors
    /// As for [`Task::next_part`].
    pub fn take_rows(&mut self, rows: &Rows) -> Result<(), Error> {
        match &mut self.stage {
            Stage::Assembled(_, mosaic) => mosaic.take_rows(rows),
            _ => Err(out_of_order()),
        }
    }

    /// Pixels out of the file, reduced as far as the decoder can; of an animation once for each number of frames that are kept.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::UnsupportedFeature`]; [`Error::InvalidOptions`] if it is not the turn of this step.
    pub fn decode(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Opened(image) => {
                let mut all_kept: Vec<_> = self.prints.iter().map(|print| print.selection.kept()).collect();
                all_kept.sort_unstable();
                all_kept.dedup();
                for kept in all_kept {
                    let film = self.decode_image(&image, kept)?;
                    self.keep(film, kept);
                }
            }
            Stage::Assembled(_, mosaic) => {
                let film = mosaic.finish()?;
                // Of these formats it is one frame, of whatever is planned.
                self.keep(film, 1);
            }
            _ => return Err(out_of_order()),
        }
        self.stage = Stage::Decoded;
        Ok(())
    }

    fn decode_image(&self, image: &[u8], kept: u32) -> Result<Film, Error> {
        let header = header::read(image)?;
        let (converter, profile_ignored) = Converter::new(&header.colour, header.model);
        let prints = || self.prints.iter().filter(|print| print.selection.kept() == kept);
        let plans: Vec<_> = prints().map(|print| print.plan).collect();
        let selection = prints().next().ok_or_else(out_of_order)?.selection;
        let job =
            Job { image, header: &header, plans: &plans, selection, may_search: self.may_search, converter };
        let film = decode::decode(&job)?;
        Ok(Film { profile_ignored: film.profile_ignored || profile_ignored, ..film })
    }

    /// For the pictures of which so many frames are kept.
    fn keep(&mut self, film: Film, kept: u32) {
        let warnings = [
            (film.truncated, Warning::Truncated),
            (film.damaged, Warning::Damaged),
            (film.profile_ignored, Warning::ProfileIgnored),
        ];
        self.decoded_frames = self.decoded_frames.saturating_add(film.decoded_frames);
        let loops = film.loops;
        let prints = self.prints.iter_mut().filter(|print| print.selection.kept() == kept);
        for (print, frames) in prints.zip(film.reels()) {
            print.stage = PrintStage::Decoded(frames, loops);
            for (_, warning) in warnings.iter().filter(|(is_due, _)| *is_due) {
                print.warn(*warning);
            }
        }
    }

    /// The pictures upright, cut or padded to their box.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::InvalidOptions`] if it is not the turn of this step.
    pub fn finish(&mut self) -> Result<(), Error> {
        if !matches!(std::mem::replace(&mut self.stage, Stage::Over), Stage::Decoded) {
            return Err(out_of_order());
        }
        let finished = self.prints.iter_mut().map(Print::finish).collect::<Option<()>>();
        finished.ok_or_else(|| Error::Malformed("there are no pixels".to_owned()))?;
        self.stage = Stage::Finished;
        Ok(())
    }

    /// The file of one thumbnail, by its number from 0; in any order, each once.
    ///
    /// # Errors
    /// [`Error::BudgetUnreachable`]; [`Error::InvalidOptions`] if it is not the turn of this step, or there is no such thumbnail to be made.
    pub fn encode(&mut self, output: usize) -> Result<Thumbnail, Error> {
        let output =
            self.outputs.get_mut(output).filter(|output| !output.is_made).ok_or_else(out_of_order)?;
        let print = self.prints.get(output.print).ok_or_else(out_of_order)?;
        let (Stage::Finished, PrintStage::Finished(picture)) = (&self.stage, &print.stage) else {
            return Err(out_of_order());
        };
        output.is_made = true;
        let is_thinned = print.selection.is_thinned();
        let encoded = encode::encode(picture, &output.options, is_thinned, &shrink)?;
        let mut warnings = print.warnings.clone();
        warnings.extend(encoded.warnings.iter().filter(|warning| !print.warnings.contains(warning)));
        let placeholder = picture.frames().first().map(|frame| placeholder::thumb_hash(&frame.raster));
        let pixels = u64::from(self.source.width) * u64::from(self.source.height);
        Ok(Thumbnail {
            data: encoded.data,
            format: encoded.format,
            width: encoded.width,
            height: encoded.height,
            frames: encoded.frames,
            is_opaque: picture.frames().iter().all(|frame| frame.raster.is_opaque()),
            placeholder: placeholder.unwrap_or_default(),
            warnings,
            concessions: encoded.concessions,
            source: self.source,
            cost: Cost {
                peak_memory_bytes: linear_memory_bytes(),
                pixels: pixels.saturating_mul(u64::from(self.decoded_frames)),
                frames: self.decoded_frames,
            },
        })
    }
}

fn out_of_order() -> Error {
    Error::InvalidOptions("the steps of a task are open, decode, finish, encode, each once".to_owned())
}

/// Turns all frames upright and brings them to the size of the box.
fn finish_frames(frames: Vec<Frame>, loops: Loops, plan: &Plan, background: Option<Rgb>) -> Option<Picture> {
    let padding = background.map_or([0; 4], |Rgb([red, green, blue])| [red, green, blue, 255]);
    let (box_width, box_height) = (plan.box_width, plan.box_height);
    let mut chosen = None;
    let frames = frames.into_iter().map(|Frame { raster, delay_ms }| {
        let upright = plan.orientation.apply(raster);
        let raster = match plan.finish {
            Finish::Keep => Some(upright),
            Finish::Pad { left, top } => upright.padded(left, top, box_width, box_height, padding),
            Finish::Choose => {
                // The first frame decides for all: a crop that moved with them would shake.
                let (left, top) =
                    *chosen.get_or_insert_with(|| attention::offset(&upright, box_width, box_height));
                upright.cropped(left, top, box_width, box_height)
            }
        };
        raster.map(|raster| Frame { raster, delay_ms })
    });
    Picture::new(frames.collect::<Option<_>>()?, loops)
}

/// A smaller raster, for byte budgets.
fn shrink(raster: &Raster, width: u32, height: u32) -> Result<Raster, Error> {
    let axis = |side, wanted| Axis::new(Span::whole(side), 1, side, wanted);
    let (columns, rows) = (axis(raster.width(), width), axis(raster.height(), height));
    let mut scaler = Scaler::new(Layout::RGBA, columns, rows);
    let mut rgba = Vec::new();
    for row in raster.rgba().chunks_exact(Layout::RGBA.row_bytes(raster.width())) {
        scaler.push(row, |row| Converter::Srgb.store(row, &mut rgba));
    }
    Raster::new(width, height, rgba).ok_or(Error::BudgetUnreachable)
}

/// Linear memory never shrinks, so that its size now is its peak.
fn linear_memory_bytes() -> u64 {
    #[cfg(target_arch = "wasm32")]
    {
        const PAGE_BYTES: u64 = 65_536;
        core::arch::wasm32::memory_size::<0>() as u64 * PAGE_BYTES
    }
    #[cfg(not(target_arch = "wasm32"))]
    0
}
