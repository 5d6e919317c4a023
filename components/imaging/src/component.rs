//! The component of `wit/imaging`: translates between its types and ours, field by field. Nothing is decided here.

#[expect(unsafe_code, reason = "generated; documented in wit/imaging")]
mod bindings {
    wit_bindgen::generate!({ world: "imaging", path: "../../wit/imaging", pub_export_macro: false });

    use super::Imaging;
    export!(Imaging with_types_in self);
}

use std::cell::RefCell;

use bindings::exports::thumbs::imaging::thumbnailer as wit;

use crate::error::{Error, Limit};
use crate::options::{Concession, Fit, Gravity, Limits, Options, OutputFormat, Rgb, SourceFormat, Warning};
use crate::{Chroma, Cost, Intake, Keep, Rows, Shape, SourceInfo, Task, Thumbnail};

struct Imaging;

impl wit::Guest for Imaging {
    type Intake = RefCell<Intake>;
    type Task = RefCell<Task<'static>>;

    fn check(
        source: wit::SourceInfo,
        outputs: Vec<wit::Options>,
        limits: wit::Limits,
    ) -> Result<(), wit::Error> {
        let outputs: Vec<Options> = outputs.into_iter().map(Into::into).collect();
        Ok(crate::check(&source.into(), &outputs, &limits.into())?)
    }

    fn make(
        image: Vec<u8>,
        options: wit::Options,
        limits: wit::Limits,
    ) -> Result<wit::Thumbnail, wit::Error> {
        Ok(crate::thumbnail(&image, &options.into(), &limits.into())?.into())
    }
}

fn bytes(piece: &wit::Piece) -> &[u8] {
    let bytes: &[u8] = bytemuck::cast_slice(&piece.words);
    let size = usize::try_from(piece.size_bytes).unwrap_or(usize::MAX);
    &bytes[..size.min(bytes.len())]
}

impl wit::GuestIntake for RefCell<Intake> {
    fn new(keep: wit::Keep, size_bytes: Option<u64>, limits: wit::Limits) -> Self {
        let keep = match keep {
            wit::Keep::Header => Keep::Header,
            wit::Keep::Image => Keep::Image,
        };
        Self::new(Intake::new(keep, size_bytes, &limits.into()))
    }

    fn feed(&self, piece: wit::Piece) -> Result<Option<wit::SourceFormat>, wit::Error> {
        Ok(self.borrow_mut().feed(bytes(&piece))?.map(Into::into))
    }

    fn source(&self) -> Result<wit::SourceInfo, wit::Error> {
        Ok(self.borrow_mut().source()?.into())
    }

    fn thumbnails(&self, outputs: Vec<wit::Options>) -> Result<wit::Task, wit::Error> {
        let outputs: Vec<Options> = outputs.into_iter().map(Into::into).collect();
        Ok(wit::Task::new(RefCell::new(self.borrow().thumbnails(&outputs)?)))
    }
}

impl wit::GuestTask for RefCell<Task<'static>> {
    fn format(&self) -> wit::SourceFormat {
        self.borrow().format().into()
    }

    fn next_part(&self) -> Result<Option<wit::CodedPart>, wit::Error> {
        let part = self.borrow_mut().next_part()?;
        Ok(part.map(|part| wit::CodedPart {
            configuration: part.configuration,
            data: part.data,
            max_pixels: part.max_pixels,
        }))
    }

    fn begin_part(&self, shape: wit::Shape) -> Result<(), wit::Error> {
        Ok(self.borrow_mut().begin_part(shape.into())?)
    }

    fn take_rows(&self, rows: wit::Rows) -> Result<(), wit::Error> {
        let wit::Rows { luma, cb, cr } = rows;
        let [luma, cb, cr] = [luma, cb, cr].map(|plane| bytes(&plane).to_vec());
        Ok(self.borrow_mut().take_rows(&Rows { luma, cb, cr })?)
    }

    fn decode(&self) -> Result<(), wit::Error> {
        Ok(self.borrow_mut().decode()?)
    }

    fn finish(&self) -> Result<(), wit::Error> {
        Ok(self.borrow_mut().finish()?)
    }

    fn encode(&self, output: u32) -> Result<wit::Thumbnail, wit::Error> {
        let output = usize::try_from(output).unwrap_or(usize::MAX);
        Ok(self.borrow_mut().encode(output)?.into())
    }
}

impl From<wit::Shape> for Shape {
    fn from(shape: wit::Shape) -> Self {
        let wit::Shape { width, height, bit_depth, chroma, primaries, transfer, matrix, full_range } = shape;
        let chroma = match chroma {
            wit::Chroma::Monochrome => Chroma::Monochrome,
            wit::Chroma::HalvedBothWays => Chroma::HalvedBothWays,
            wit::Chroma::HalvedAcross => Chroma::HalvedAcross,
            wit::Chroma::Full => Chroma::Full,
        };
        Self { width, height, bit_depth, chroma, primaries, transfer, matrix, full_range }
    }
}

impl From<wit::Limits> for Limits {
    fn from(limits: wit::Limits) -> Self {
        Self {
            max_pixels: limits.max_pixels,
            max_side: limits.max_side,
            max_frames: limits.max_frames,
            max_total_pixels: limits.max_total_pixels,
            max_output_side: limits.max_output_side,
            max_output_pixels: limits.max_output_pixels,
        }
    }
}

impl From<wit::Options> for Options {
    fn from(options: wit::Options) -> Self {
        Self {
            width: options.width,
            height: options.height,
            fit: match options.fit {
                wit::Fit::Cover => Fit::Cover,
                wit::Fit::Contain => Fit::Contain,
                wit::Fit::Fill => Fit::Fill,
            },
            format: options.format.into(),
            gravity: options.gravity.into(),
            animated: options.animated,
            background: options.background.map(|wit::Rgb { red, green, blue }| Rgb([red, green, blue])),
            quality: options.quality,
            lossless: options.lossless,
            max_bytes: options.max_bytes,
            max_output_frames: options.max_output_frames,
        }
    }
}

impl From<wit::Gravity> for Gravity {
    fn from(gravity: wit::Gravity) -> Self {
        match gravity {
            wit::Gravity::Center => Self::Center,
            wit::Gravity::North => Self::North,
            wit::Gravity::NorthEast => Self::NorthEast,
            wit::Gravity::East => Self::East,
            wit::Gravity::SouthEast => Self::SouthEast,
            wit::Gravity::South => Self::South,
            wit::Gravity::SouthWest => Self::SouthWest,
            wit::Gravity::West => Self::West,
            wit::Gravity::NorthWest => Self::NorthWest,
            wit::Gravity::Attention => Self::Attention,
        }
    }
}

impl From<wit::OutputFormat> for OutputFormat {
    fn from(format: wit::OutputFormat) -> Self {
        match format {
            wit::OutputFormat::Png => Self::Png,
            wit::OutputFormat::Jpeg => Self::Jpeg,
            wit::OutputFormat::Webp => Self::Webp,
            wit::OutputFormat::Gif => Self::Gif,
        }
    }
}

impl From<OutputFormat> for wit::OutputFormat {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Png => Self::Png,
            OutputFormat::Jpeg => Self::Jpeg,
            OutputFormat::Webp => Self::Webp,
            OutputFormat::Gif => Self::Gif,
        }
    }
}

impl From<SourceFormat> for wit::SourceFormat {
    fn from(format: SourceFormat) -> Self {
        match format {
            SourceFormat::Jpeg => Self::Jpeg,
            SourceFormat::Png => Self::Png,
            SourceFormat::Gif => Self::Gif,
            SourceFormat::Webp => Self::Webp,
            SourceFormat::Heic => Self::Heic,
            SourceFormat::Avif => Self::Avif,
        }
    }
}

impl From<SourceInfo> for wit::SourceInfo {
    fn from(source: SourceInfo) -> Self {
        let SourceInfo { format, width, height, frames, orientation, has_alpha, hidden_pixels } = source;
        Self { format: format.into(), width, height, frames, orientation, has_alpha, hidden_pixels }
    }
}

impl From<wit::SourceInfo> for SourceInfo {
    fn from(source: wit::SourceInfo) -> Self {
        let wit::SourceInfo { format, width, height, frames, orientation, has_alpha, hidden_pixels } = source;
        let format = match format {
            wit::SourceFormat::Jpeg => SourceFormat::Jpeg,
            wit::SourceFormat::Png => SourceFormat::Png,
            wit::SourceFormat::Gif => SourceFormat::Gif,
            wit::SourceFormat::Webp => SourceFormat::Webp,
            wit::SourceFormat::Heic => SourceFormat::Heic,
            wit::SourceFormat::Avif => SourceFormat::Avif,
        };
        Self { format, width, height, frames, orientation, has_alpha, hidden_pixels }
    }
}

impl From<Thumbnail> for wit::Thumbnail {
    fn from(thumbnail: Thumbnail) -> Self {
        let Cost { peak_memory_bytes, pixels, frames } = thumbnail.cost;
        Self {
            data: thumbnail.data,
            format: thumbnail.format.into(),
            width: thumbnail.width,
            height: thumbnail.height,
            frames: thumbnail.frames,
            is_opaque: thumbnail.is_opaque,
            placeholder: thumbnail.placeholder,
            warnings: thumbnail.warnings.into_iter().map(Into::into).collect(),
            concessions: thumbnail.concessions.into_iter().map(Into::into).collect(),
            source: thumbnail.source.into(),
            cost: wit::Cost { peak_memory_bytes, pixels, frames },
        }
    }
}

impl From<Warning> for wit::Warning {
    fn from(warning: Warning) -> Self {
        match warning {
            Warning::Truncated => Self::Truncated,
            Warning::AnimationDropped => Self::AnimationDropped,
            Warning::ProfileIgnored => Self::ProfileIgnored,
            Warning::Enlarged => Self::Enlarged,
            Warning::Damaged => Self::Damaged,
        }
    }
}

impl From<Concession> for wit::Concession {
    fn from(concession: Concession) -> Self {
        match concession {
            Concession::Quality(quality) => Self::Quality(quality),
            Concession::Colours(colours) => Self::Colours(colours),
            Concession::Frames(frames) => Self::Frames(frames),
            Concession::Width(pixels) => Self::Width(pixels),
        }
    }
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::UnsupportedFormat(kind) => Self::UnsupportedFormat(kind.map(str::to_owned)),
            Error::UnsupportedFeature(what) => Self::UnsupportedFeature(what),
            Error::Malformed(what) => Self::Malformed(what),
            Error::LimitExceeded(limit) => Self::LimitExceeded(match limit {
                Limit::Pixels => wit::Limit::Pixels,
                Limit::Side => wit::Limit::Side,
                Limit::Frames => wit::Limit::Frames,
                Limit::TotalPixels => wit::Limit::TotalPixels,
                Limit::HeldPixels => wit::Limit::HeldPixels,
                Limit::OutputSide => wit::Limit::OutputSide,
                Limit::OutputPixels => wit::Limit::OutputPixels,
            }),
            Error::InvalidOptions(what) => Self::InvalidOptions(what),
            Error::BudgetUnreachable => Self::BudgetUnreachable,
        }
    }
}
