//! One thumbnail in the making, in four steps: open, decode, finish, encode. A caller with a clock times them; without
//! one there is [`crate::thumbnail`].

use std::ops::Deref;
use std::rc::Rc;

use crate::attention;
use crate::bounds;
use crate::colour::Converter;
use crate::decode::{self, CodedPart, Film, Job, Mosaic, Rows, Shape};
use crate::encode;
use crate::error::Error;
use crate::header::{self, Header};
use crate::options::{Concession, Limits, Options, OutputFormat, Rgb, SourceFormat, Warning};
use crate::placeholder;
use crate::plan::{Finish, Plan, Span};
use crate::raster::{Frame, Picture, Raster};
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
    /// Source pixels over all frames that were decoded.
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

/// A thumbnail in the making.
#[derive(Debug)]
pub struct Task<'a> {
    options: Options,
    source: SourceInfo,
    /// Of the frames that the file says there are.
    selection: Selection,
    /// That were decoded.
    decoded_frames: u32,
    /// Where the first frame is not to be had alone, others may be decoded for it.
    may_search: bool,
    plan: Plan,
    warnings: Vec<Warning>,
    stage: Stage<'a>,
}

#[derive(Debug)]
enum Stage<'a> {
    Opened(Image<'a>),
    Assembled(Image<'a>, Box<Mosaic>),
    Decoded(Film),
    Finished(Picture),
    /// Encoded, or broken off by an error.
    Over,
}

impl<'a> Task<'a> {
    /// Checks options, headers and limits.
    ///
    /// # Errors
    /// All but [`Error::BudgetUnreachable`].
    pub fn open(image: impl Into<Image<'a>>, options: &Options, limits: &Limits) -> Result<Self, Error> {
        let image = image.into();
        let header = header::read(&image)?;
        let source = SourceInfo::new(&header);
        let selection = bounds::check(&source, options, limits)?;
        let plan = Plan::new(header.width, header.height, header.orientation, options);
        let mut warnings = Vec::new();
        if selection.kept() == 1 && source.frames > 1 {
            warnings.push(Warning::AnimationDropped);
        }
        if plan.reduction() < 1.0 {
            warnings.push(Warning::Enlarged);
        }
        let may_search = bounds::may_search(&source, limits);
        let stage = Stage::Opened(image);
        Ok(Self {
            options: *options,
            source,
            selection,
            decoded_frames: 0,
            may_search,
            plan,
            warnings,
            stage,
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
                let mosaic = Box::new(Mosaic::new(&image, &self.plan)?);
                self.plan = *mosaic.plan();
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

    /// Pixels out of the file, reduced as far as the decoder can.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::UnsupportedFeature`]; [`Error::InvalidOptions`] if it is not the turn of this step.
    pub fn decode(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Opened(image) => {
                let film = self.decode_image(&image)?;
                self.keep(film);
            }
            Stage::Assembled(_, mosaic) => self.keep(mosaic.finish()?),
            _ => return Err(out_of_order()),
        }
        Ok(())
    }

    fn decode_image(&self, image: &[u8]) -> Result<Film, Error> {
        let header = header::read(image)?;
        let (converter, profile_ignored) = Converter::new(&header.colour, header.model);
        let job = Job {
            image,
            header: &header,
            plan: &self.plan,
            selection: self.selection,
            may_search: self.may_search,
            converter,
        };
        let film = decode::decode(&job)?;
        Ok(Film { profile_ignored: film.profile_ignored || profile_ignored, ..film })
    }

    fn keep(&mut self, film: Film) {
        if film.truncated {
            self.warn(Warning::Truncated);
        }
        if film.damaged {
            self.warn(Warning::Damaged);
        }
        if film.profile_ignored {
            self.warn(Warning::ProfileIgnored);
        }
        self.decoded_frames = film.decoded_frames;
        self.stage = Stage::Decoded(film);
    }

    /// The pictures upright, cut or padded to their box.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::InvalidOptions`] if it is not the turn of this step.
    pub fn finish(&mut self) -> Result<(), Error> {
        let Stage::Decoded(film) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return Err(out_of_order());
        };
        let picture = finish_frames(film, &self.plan, self.options.background)
            .ok_or_else(|| Error::Malformed("there are no pixels".to_owned()))?;
        self.stage = Stage::Finished(picture);
        Ok(())
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::BudgetUnreachable`]; [`Error::InvalidOptions`] if it is not the turn of this step.
    pub fn encode(&mut self) -> Result<Thumbnail, Error> {
        let Stage::Finished(picture) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return Err(out_of_order());
        };
        let encoded = encode::encode(&picture, &self.options, self.selection.is_thinned(), &shrink)?;
        for &warning in &encoded.warnings {
            self.warn(warning);
        }
        let placeholder = picture.frames().first().map(|frame| placeholder::thumb_hash(&frame.raster));
        let pixels = u64::from(self.source.width) * u64::from(self.source.height);
        Ok(Thumbnail {
            data: encoded.data,
            format: encoded.format,
            width: encoded.width,
            height: encoded.height,
            frames: encoded.frames,
            placeholder: placeholder.unwrap_or_default(),
            warnings: std::mem::take(&mut self.warnings),
            concessions: encoded.concessions,
            source: self.source,
            cost: Cost {
                peak_memory_bytes: linear_memory_bytes(),
                pixels: pixels.saturating_mul(u64::from(self.decoded_frames)),
                frames: self.decoded_frames,
            },
        })
    }

    fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

fn out_of_order() -> Error {
    Error::InvalidOptions("the steps of a task are open, decode, finish, encode, each once".to_owned())
}

/// Turns all frames upright and brings them to the size of the box.
fn finish_frames(film: Film, plan: &Plan, background: Option<Rgb>) -> Option<Picture> {
    let padding = background.map_or([0; 4], |Rgb([red, green, blue])| [red, green, blue, 255]);
    let (box_width, box_height) = (plan.box_width, plan.box_height);
    let mut chosen = None;
    let frames = film.frames.into_iter().map(|Frame { raster, delay_ms }| {
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
    Picture::new(frames.collect::<Option<_>>()?, film.loops)
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
