//! An image that comes in pieces, and what is kept of it: all of it, to make thumbnails of, or an outline, to read its header from.
//!
//! - `outline`: the same file without what a header is not read from
//! - `walk`: what a walk over the structure of a file asks for; `gif`, `jpeg`, `png`, `webp`: the walks

mod gif;
mod jpeg;
mod outline;
mod png;
mod walk;
mod webp;

use std::rc::Rc;

use crate::bounds;
use crate::error::Error;
use crate::options::{Limits, Options, SourceFormat};
use crate::sniff::sniff;
use crate::task::{SourceInfo, Task};
use outline::Outline;

/// What of EXIF or XMP is looked at: more than either ever takes before the orientation.
pub(crate) const MAX_METADATA_BYTES: usize = 1 << 20;

/// What an [`Intake`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// What the header is read from.
    Header,
    /// All of the image.
    Image,
}

/// An image that comes in pieces.
#[derive(Debug)]
pub struct Intake {
    limits: Limits,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Outline(Box<Outline>),
    Image {
        bytes: Rc<Vec<u8>>,
        /// As far as it was announced; none is set aside beyond that.
        size_bytes: usize,
    },
}

impl Intake {
    /// Nothing yet of an image of `size_bytes`, as far as that is known.
    #[must_use]
    pub fn new(keep: Keep, size_bytes: Option<u64>, limits: &Limits) -> Self {
        let kept = match keep {
            Keep::Header => Kept::Outline(Box::default()),
            Keep::Image => Kept::Image {
                bytes: Rc::default(),
                size_bytes: size_bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0),
            },
        };
        Self { limits: *limits, kept }
    }

    /// Takes the next bytes; says what the image is once that is known.
    ///
    /// # Errors
    /// Where only the header is kept, what is certain already: [`Error::UnsupportedFormat`], [`Error::LimitExceeded`] for side and pixels, and
    /// what is wrong with the header of a JPEG.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Option<SourceFormat>, Error> {
        match &mut self.kept {
            Kept::Image { bytes, size_bytes } => {
                // Nobody else has it before the first thumbnail is begun.
                let bytes = Rc::make_mut(bytes);
                bytes.reserve_exact(size_bytes.saturating_sub(bytes.len()));
                bytes.extend_from_slice(piece);
                Ok(sniff(bytes))
            }
            Kept::Outline(outline) => {
                if let Some(source) = outline.feed(piece)? {
                    bounds::check_frame(&source, &self.limits)?;
                }
                Ok(outline.format())
            }
        }
    }

    /// What the header says, when all is fed. Of the limits those on one frame are checked.
    ///
    /// # Errors
    /// As [`crate::probe`].
    pub fn source(&mut self) -> Result<SourceInfo, Error> {
        match &mut self.kept {
            Kept::Image { bytes, .. } => crate::probe(bytes, &self.limits),
            Kept::Outline(outline) => {
                let source = outline.source()?;
                bounds::check_frame(&source, &self.limits)?;
                Ok(source)
            }
        }
    }

    /// Begins thumbnails of what was fed.
    ///
    /// # Errors
    /// As [`Task::open`]; [`Error::InvalidOptions`] where only the header was kept.
    pub fn thumbnails(&self, outputs: &[Options]) -> Result<Task<'static>, Error> {
        match &self.kept {
            Kept::Image { bytes, .. } => Task::open(Rc::clone(bytes), outputs, &self.limits),
            Kept::Outline(_) => {
                Err(Error::InvalidOptions("of this image only the header was kept".to_owned()))
            }
        }
    }
}
