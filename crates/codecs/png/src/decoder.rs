//! The public face: reads the header, checks the limits, and chooses the way through the file.

use std::ops::ControlFlow;

use thumbs_canvas::{Limits, Outcome};

use crate::animation::Frames;
use crate::chunks::Chunks;
use crate::colour::Colour;
use crate::error::Error;
use crate::expand::Expander;
use crate::header::Header;
use crate::pieces::Pieces;
use crate::row::{Layout, Row};
use crate::rows::{self, Missing};
use crate::text::Text;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// In pixels, of the canvas where there is one, at least 1. May exceed any limit.
    pub width: u32,
    /// In pixels, of the canvas where there is one, at least 1. May exceed any limit.
    pub height: u32,
    /// At least 1; 1 for a still image. Those that are there: a file that is cut short may hold only part of the last one, and one
    /// that breaks the rules may promise one that is none.
    pub frames: u32,
    /// How often an animation is to be played; 0 is for ever.
    pub loop_count: u32,
    /// Some pixel may be less than opaque.
    pub has_alpha: bool,
    /// The samples are grey, alpha apart.
    pub is_grey: bool,
    /// Rows come in passes.
    pub is_interlaced: bool,
    /// It is an animation, of one frame or more, and the still image is none of these: it was meant for viewers that show no animations.
    pub hides_still: bool,
    /// The file ends before its end chunk does. Its pixels may be complete all the same.
    pub is_cut: bool,
}

/// A PNG file whose header was found sound. Borrows the file; costs no memory.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    chunks: Chunks<'a>,
    header: Header<'a>,
}

impl<'a> Decoder<'a> {
    /// Walks over all chunks; decodes nothing.
    ///
    /// # Errors
    /// [`Error::NotPng`], [`Error::CgBi`]; [`Error::Malformed`] where the image header makes no sense.
    pub fn new(image: &'a [u8]) -> Result<Self, Error> {
        let chunks = Chunks::new(image).ok_or(Error::NotPng)?;
        Ok(Self { header: Header::read(chunks.clone())?, chunks })
    }

    /// What the header says.
    #[must_use]
    pub const fn info(&self) -> Info {
        let Header { format, frames, loop_count, has_alpha, hides_still, is_cut, .. } = self.header;
        Info {
            width: format.width,
            height: format.height,
            frames,
            loop_count,
            has_alpha,
            is_grey: matches!(format.colour_type, 0 | 4),
            is_interlaced: format.interlaced,
            hides_still,
            is_cut,
        }
    }

    /// What the file says of its colours.
    #[must_use]
    pub const fn colour(&self) -> Colour<'a> {
        self.header.colour
    }

    /// The EXIF data, as they stand in the file: a TIFF header should come first.
    #[must_use]
    pub const fn exif(&self) -> Option<&'a [u8]> {
        self.header.exif
    }

    /// XMP, an XML document.
    #[must_use]
    pub const fn xmp(&self) -> Option<Text<'a>> {
        self.header.texts.xmp
    }

    /// EXIF data in the way of ImageMagick: a line with a name, a line with the number of bytes, then these in hexadecimal.
    #[must_use]
    pub const fn raw_exif(&self) -> Option<Text<'a>> {
        self.header.texts.raw_exif
    }

    /// Of the rows that [`Decoder::decode_rows`] gives.
    ///
    /// # Errors
    /// [`Error::Malformed`] where there is no palette, and pixels are its indices.
    pub fn layout(&self) -> Result<Layout, Error> {
        Ok(self.expander()?.layout())
    }

    /// The still image: hands its rows to `sink` until that breaks off. They come in order, and all of them, rows that are missing as the
    /// last one that was there; but of an interlaced image pass by pass, and without those that are missing. Where not even one row is
    /// there, none comes.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], before anything is allocated; [`Error::Malformed`] where there are no pixels, or no palette for them.
    /// Damage to the pixels is told by the [`Outcome`].
    pub fn decode_rows(
        &self,
        limits: &Limits,
        sink: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome, Error> {
        let format = &self.header.format;
        limits.check_size(format.width, format.height)?;
        let expander = self.expander()?;
        let pieces = Pieces::of_still(self.chunks.clone()).ok_or(Error::Malformed("there are no pixels"))?;
        Ok(rows::decode(format, &expander, pieces, Missing::Repeated, sink))
    }

    /// The frames of an animation.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], before anything is allocated; [`Error::Malformed`] where there is no palette, and pixels are its indices.
    pub fn frames(&self, limits: &Limits) -> Result<Frames<'a>, Error> {
        let Info { width, height, frames, .. } = self.info();
        limits.check_size(width, height)?;
        limits.check_frames(width, height, frames, 0)?;
        Ok(Frames::new(self.header.format, self.expander()?, self.chunks.clone()))
    }

    fn expander(&self) -> Result<Expander, Error> {
        Expander::new(&self.header.format, &self.header.palette)
    }
}
