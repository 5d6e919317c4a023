//! The public face: reads the container, checks the limits, and chooses the way through the file.

use std::num::NonZeroU32;

use crate::{
    animation::Frames,
    container::{Bitstream, Container, Content},
    error::Error,
    image::{Codec, Extent, Image, Layout},
    limits::Limits,
    picture,
};

/// A WebP file whose structure was found sound as far as its first image. Borrows the file; costs no memory.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    container: Container<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads the container and the first image's header; decodes nothing.
    ///
    /// # Errors
    /// [`Error::NotWebp`]; [`Error::Malformed`], also where the file ends within the first image's header;
    /// [`Error::Unsupported`] for versions of VP8 that no WebP file should hold.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { container: Container::parse(bytes)? })
    }

    /// Of the canvas, in pixels, at least 1. May exceed any limit, up to 2^24.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.container.width
    }

    /// Of the canvas, in pixels, at least 1. May exceed any limit, up to 2^24.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.container.height
    }

    /// Some pixel may be less than opaque. Always true for animations.
    #[must_use]
    pub const fn has_alpha(&self) -> bool {
        match &self.container.content {
            Content::Still(coded) => coded.has_alpha(),
            Content::Animation { .. } => true,
        }
    }

    /// The file is marked as an animation, of which the frames may be one.
    #[must_use]
    pub const fn is_animated(&self) -> bool {
        matches!(self.container.content, Content::Animation { .. })
    }

    /// Frames in the file, at least 1; 1 for a still image. A file that is cut short may hold only part of the last one.
    #[must_use]
    pub const fn frame_count(&self) -> u32 {
        match self.container.content {
            Content::Still(_) => 1,
            Content::Animation { frame_count, .. } => frame_count,
        }
    }

    /// How often an animation is to be played; 0 = for ever, and for still images.
    #[must_use]
    pub const fn loop_count(&self) -> u16 {
        match self.container.content {
            Content::Still(_) => 0,
            Content::Animation { loop_count, .. } => loop_count,
        }
    }

    /// Of the (first) image.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        let coded = match &self.container.content {
            Content::Still(coded) => coded,
            Content::Animation { first, .. } => &first.coded,
        };
        match coded.bitstream {
            Bitstream::Lossy { .. } => Codec::Lossy,
            Bitstream::Lossless { .. } => Codec::Lossless,
        }
    }

    /// The ICC profile, as it stands in the file.
    #[must_use]
    pub const fn icc_profile(&self) -> Option<&'a [u8]> {
        self.container.icc
    }

    /// The EXIF data, as they stand in the file: a TIFF header should come first.
    #[must_use]
    pub const fn exif(&self) -> Option<&'a [u8]> {
        self.container.exif
    }

    /// The XMP data, an XML document.
    #[must_use]
    pub const fn xmp(&self) -> Option<&'a [u8]> {
        self.container.xmp
    }

    /// It is an animation whose first frames are broken: it is shown from the next one on.
    #[must_use]
    pub const fn begins_late(&self) -> bool {
        matches!(self.container.content, Content::Animation { begins_late: true, .. })
    }

    /// The file is shorter than its header says. Its image may be complete all the same.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.container.cut
    }

    /// The still image, or an animation's first frame on its canvas, with every box of `shrink` x `shrink` pixels averaged.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`], before anything is allocated except for [`Limit::Tables`]; [`Error::Malformed`] where the
    /// data break the rules, or not even the first row is there.
    pub fn decode_still(&self, shrink: NonZeroU32, limits: &Limits) -> Result<Image, Error> {
        let (width, height) = self.output_size(shrink);
        let mut pixels = Vec::new();
        let mut layout = Layout::Rgb8;
        let extent = self.decode_rows(shrink, limits, &mut |row_layout, row| {
            if pixels.is_empty() {
                layout = row_layout;
                // Both sides are within the limits by now.
                pixels.reserve_exact(row.len() * height as usize);
            }
            pixels.extend_from_slice(row);
        })?;
        Ok(Image { width, height, layout, pixels, extent })
    }

    /// As [`Self::decode_still`], handing each row to `sink` as soon as it is finished; all rows have one layout. The rows
    /// handed over before an error are right, but should not be used.
    ///
    /// # Errors
    /// As [`Self::decode_still`].
    pub fn decode_rows(
        &self,
        shrink: NonZeroU32,
        limits: &Limits,
        sink: &mut dyn FnMut(Layout, &[u8]),
    ) -> Result<Extent, Error> {
        limits.check_canvas(self.width(), self.height())?;
        let coded = match self.container.content {
            Content::Still(coded) => coded,
            Content::Animation { first, .. } => {
                if !first.covers(self.width(), self.height()) {
                    let image = Frames::new(self.container, shrink, limits)?.decode(&first)?;
                    let line = image.width as usize * image.layout.bytes_per_pixel();
                    image.pixels.chunks_exact(line).for_each(|row| sink(image.layout, row));
                    return Ok(image.extent);
                }
                first.coded
            }
        };
        let layout = if coded.has_alpha() { Layout::Rgba8 } else { Layout::Rgb8 };
        picture::decode(&coded, shrink, limits.max_table_bytes, &mut |row| sink(layout, row))
    }

    /// All frames of an animation, or the one of a still image, each on the whole canvas as it is shown, with every box of
    /// `shrink` x `shrink` pixels averaged. The layout is [`Layout::Rgba8`]. What no frame covers is transparent; the
    /// background colour that a file may name is ignored, as viewers do.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`]. The iterator itself yields an error for each broken frame that comes first, and goes on; it ends with an
    /// error behind one that was shown.
    pub fn frames(&self, shrink: NonZeroU32, limits: &Limits) -> Result<Frames<'a>, Error> {
        limits.check_canvas(self.width(), self.height())?;
        limits.check_frames(self.width(), self.height(), self.frame_count())?;
        Frames::new(self.container, shrink, limits)
    }

    /// Width and height of results.
    const fn output_size(&self, shrink: NonZeroU32) -> (u32, u32) {
        (self.width().div_ceil(shrink.get()), self.height().div_ceil(shrink.get()))
    }
}
