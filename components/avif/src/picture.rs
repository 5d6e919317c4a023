//! A decoded picture, and why there is none.

use re_rav1d::{Decoder, PixelLayout, PlanarImageComponent, Plane, Settings};

use crate::sequence;

/// Frames are whole blocks, of at most so many pixels a side.
const LARGEST_BLOCK: u64 = 128;
/// The head of `av1C`, before units that it may hold.
const HEAD_BYTES: usize = 4;

/// How the two planes of colour differences are sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chroma {
    /// There are none.
    Monochrome,
    /// 4:2:0.
    HalvedBothWays,
    /// 4:2:2.
    HalvedAcross,
    /// 4:4:4.
    Full,
}

/// What a picture says of its colours, by the tables of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/avif")]
pub struct Colours {
    pub primaries: u8,
    pub transfer: u8,
    pub matrix: u8,
    pub full_range: bool,
}

impl Colours {
    /// Nothing is said: unspecified, and the range of video.
    pub const UNSAID: Self = Self { primaries: 2, transfer: 2, matrix: 2, full_range: false };
}

/// What a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/avif")]
pub struct Shape {
    pub width: u32,
    pub height: u32,
    pub bit_depth: u8,
    pub chroma: Chroma,
    pub colours: Colours,
}

/// Rows of its planes: bytes, or words of little endian where the depth is above 8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the planes")]
pub struct Rows {
    pub luma: Vec<u8>,
    pub cb: Vec<u8>,
    pub cr: Vec<u8>,
}

/// Why there is no picture. Repeating the call gives the same error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It uses a tool that is not decoded.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// It breaks the rules of its format.
    #[error("the picture can't be decoded: {0}")]
    Malformed(&'static str),
    /// It has more pixels than were allowed.
    #[error("the picture is too large")]
    TooLarge,
}

/// A decoded picture.
pub struct Picture {
    planes: [Option<Plane>; 3],
    /// Bytes from one row to the next: of luma, of colour differences.
    strides: [usize; 2],
    shape: Shape,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl Picture {
    /// `config` is the body of `av1C`. Nothing is set aside for a picture of more than `max_pixels`, the edges of its last blocks aside.
    ///
    /// # Errors
    /// Any; see [`Error`].
    pub fn decode(config: &[u8], data: &[u8], max_pixels: u64) -> Result<Self, Error> {
        let sequence = sequence::find(data)
            .or_else(|| sequence::find(config.get(HEAD_BYTES..)?))
            .ok_or(Error::Malformed("it has no sequence header"))?;
        let (width, height) = (u64::from(sequence.width), u64::from(sequence.height));
        let most = max_pixels.saturating_add(LARGEST_BLOCK * (width + height + LARGEST_BLOCK));
        if width * height > most {
            return Err(Error::TooLarge);
        }
        let mut settings = Settings::new();
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_all_layers(false);
        settings.set_frame_size_limit(u32::try_from(most).unwrap_or(u32::MAX));
        let mut decoder = Decoder::with_settings(&settings)?;
        let units = [config.get(HEAD_BYTES..).unwrap_or_default(), data].concat();
        match decoder.send_data(units, None, None, None) {
            Err(error) if !error.is_again() => return Err(error.into()),
            _ => {}
        }
        let frame = loop {
            match decoder.get_picture() {
                Ok(frame) => break frame,
                Err(error) if !error.is_again() => return Err(error.into()),
                Err(_) => {}
            }
            match decoder.send_pending_data() {
                // Nothing was left to be sent, and still there is no picture.
                Ok(()) => break decoder.get_picture()?,
                Err(error) if error.is_again() => {}
                Err(error) => return Err(error.into()),
            }
        };
        let chroma = match frame.pixel_layout() {
            PixelLayout::I400 => Chroma::Monochrome,
            PixelLayout::I420 => Chroma::HalvedBothWays,
            PixelLayout::I422 => Chroma::HalvedAcross,
            PixelLayout::I444 => Chroma::Full,
        };
        let shape = Shape {
            width: frame.width(),
            height: frame.height(),
            bit_depth: u8::try_from(frame.bit_depth()).map_err(|_| Error::Malformed("its bit depth"))?,
            chroma,
            colours: sequence.colours,
        };
        let colours = chroma != Chroma::Monochrome;
        let difference = |plane| colours.then(|| frame.plane(plane));
        let strides = [
            frame.stride(PlanarImageComponent::Y) as usize,
            if colours { frame.stride(PlanarImageComponent::U) as usize } else { 0 },
        ];
        let planes = [
            Some(frame.plane(PlanarImageComponent::Y)),
            difference(PlanarImageComponent::U),
            difference(PlanarImageComponent::V),
        ];
        Ok(Self { planes, strides, shape })
    }

    /// What it is.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// So many rows of luma from `first` on, which is even, and the rows of colour differences that go with them; fewer at the end.
    #[must_use]
    pub fn rows(&self, first: u32, count: u32) -> Rows {
        let Shape { width, height, bit_depth, chroma, .. } = self.shape;
        let across = u32::from(matches!(chroma, Chroma::HalvedBothWays | Chroma::HalvedAcross));
        let down = u32::from(chroma == Chroma::HalvedBothWays);
        let sample_bytes = if bit_depth > 8 { 2 } else { 1 };
        let end = first.saturating_add(count).min(height);
        let [luma, cb, cr] = &self.planes;
        let plane = |plane: &Option<Plane>, stride: usize, across: u32, down: u32| {
            let Some(plane) = plane else { return Vec::new() };
            let bytes = width.div_ceil(1 << across) as usize * sample_bytes;
            let rows = first >> down..end.div_ceil(1 << down);
            let mut taken = Vec::with_capacity(bytes * rows.len());
            for row in rows {
                let start = row as usize * stride;
                taken.extend_from_slice(plane.get(start..start + bytes).unwrap_or_default());
            }
            taken
        };
        let [luma_stride, chroma_stride] = self.strides;
        Rows {
            luma: plane(luma, luma_stride, 0, 0),
            cb: plane(cb, chroma_stride, across, down),
            cr: plane(cr, chroma_stride, across, down),
        }
    }
}

impl From<re_rav1d::Error> for Error {
    fn from(error: re_rav1d::Error) -> Self {
        match error {
            re_rav1d::Error::UnsupportedBitstream => Self::Unsupported("a picture of this kind"),
            re_rav1d::Error::Again => Self::Malformed("it ends too early"),
            _ => Self::Malformed("its bits make no sense"),
        }
    }
}
