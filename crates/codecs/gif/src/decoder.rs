//! The public face: reads the header, checks the limits, and chooses the way through the file.

use std::ops::ControlFlow;

use thumbs_canvas::{Limits, Outcome};

use crate::animation::Frames;
use crate::blocks::Blocks;
use crate::error::Error;
use crate::header::Header;
use crate::still;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Of the screen, in pixels, at least 1. May exceed any limit.
    pub width: u32,
    /// Of the screen, in pixels, at least 1. May exceed any limit.
    pub height: u32,
    /// At least 1; 1 for a still image. A file that is cut short may hold only part of the last one.
    pub frames: u32,
    /// Pixels that the file codes beyond those of the screen, over all frames: nobody sees them, and they have to be decoded all the same.
    pub hidden_pixels: u64,
    /// How often an animation is to be played; 0 is for ever.
    pub loop_count: u16,
    /// Some pixel may be transparent.
    pub has_alpha: bool,
    /// The file ends before its trailer does. Its pixels may be complete all the same.
    pub is_cut: bool,
}

/// A GIF file with at least one frame. Borrows the file; costs no memory.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    blocks: Blocks<'a>,
    header: Header,
}

impl<'a> Decoder<'a> {
    /// Walks over all blocks; decodes nothing.
    ///
    /// # Errors
    /// [`Error::NotGif`]; [`Error::Malformed`] where there are no frames.
    pub fn new(image: &'a [u8]) -> Result<Self, Error> {
        let blocks = Blocks::new(image)?;
        Ok(Self { header: Header::read(blocks.clone())?, blocks })
    }

    /// What the header says.
    #[must_use]
    pub const fn info(&self) -> Info {
        let Header { width, height, frames, hidden_pixels, has_alpha, loop_count, is_cut } = self.header;
        Info { width, height, frames, hidden_pixels, loop_count, has_alpha, is_cut }
    }

    /// The first frame on the screen: hands its rows, in order and of `R G B A` bytes, to `sink` until that breaks off. Rows that are
    /// missing look like the one above them.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], before anything is allocated. Damage is told by the [`Outcome`].
    pub fn decode_rows(
        &self,
        limits: &Limits,
        sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<Outcome, Error> {
        let Header { width, height, .. } = self.header;
        limits.check_size(width, height)?;
        let frame = self.blocks.clone().next().ok_or(Error::Malformed("there are no frames"))?;
        Ok(still::decode(&frame, width as usize, height as usize, sink))
    }

    /// All frames.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], before anything is allocated.
    pub fn frames(&self, limits: &Limits) -> Result<Frames<'a>, Error> {
        let Header { width, height, frames, hidden_pixels, .. } = self.header;
        limits.check_size(width, height)?;
        limits.check_frames(width, height, frames, hidden_pixels)?;
        Ok(Frames::new(width, height, self.blocks.clone()))
    }
}
