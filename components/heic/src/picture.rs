//! A decoded picture, and why there is none.

use heic_decoder::bitreader::strip_emulation_prevention;
use heic_decoder::hevc::ctu::Plane;
use heic_decoder::hevc::params::{Sps, parse_sps};
use heic_decoder::isobmff::{HevcDecoderConfig, ResolvedImage};
use heic_decoder::{HeifError, decode_one_image};

use crate::configuration;

/// Coded pictures are whole blocks, of at most so many pixels a side; what stands over is cut off.
const LARGEST_BLOCK: u64 = 64;
/// The decoder holds eight bytes a pixel and more while it is at it: more in one piece would not fit the memory of an instance. Phones write
/// tiles of 512 x 512.
const MOST_PIXELS_AT_ONCE: u64 = 20 << 20;
/// Type of a NAL unit.
const SEQUENCE_PARAMETERS: u8 = 33;
/// Of a NAL unit.
const HEAD_BYTES: usize = 2;

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
#[expect(missing_docs, reason = "documented in wit/heic")]
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
#[expect(missing_docs, reason = "documented in wit/heic")]
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
#[derive(Debug)]
pub struct Picture {
    /// Bytes, or words of little endian.
    planes: [Vec<u8>; 3],
    shape: Shape,
}

impl Picture {
    /// `config` is the body of `hvcC`. Nothing is set aside for a picture of more than `max_pixels`, the edges of its last blocks aside.
    ///
    /// # Errors
    /// Any; see [`Error`].
    pub fn decode(config: &[u8], data: &[u8], max_pixels: u64) -> Result<Self, Error> {
        let hevc_config = configuration::read(config)?;
        let sequence = sequence_parameters(&hevc_config)?;
        let (width, height) =
            (u64::from(sequence.pic_width_in_luma_samples), u64::from(sequence.pic_height_in_luma_samples));
        let edges = LARGEST_BLOCK * (width + height + LARGEST_BLOCK);
        if width * height > max_pixels.saturating_add(edges) {
            return Err(Error::TooLarge);
        }
        if width * height > MOST_PIXELS_AT_ONCE {
            return Err(Error::Unsupported("HEVC of more than 20 megapixels that are not in tiles"));
        }
        if sequence.bit_depth_luma != sequence.bit_depth_chroma && sequence.chroma_format_idc != 0 {
            return Err(Error::Unsupported("a picture of two bit depths"));
        }
        let (sequence, picture) = decode_one_image(&ResolvedImage { hevc_config, data: data.to_vec() })?;
        let shape = shape(&sequence)?;
        let window = Window::new(&sequence, shape);
        // One plane after the other, so that each is given back as soon as it was copied.
        let planes = [
            (picture.y, 0, 0),
            (picture.cb, shape.across(), shape.down()),
            (picture.cr, shape.across(), shape.down()),
        ];
        let planes = planes.map(|(plane, across, down)| window.cut(plane, across, down, shape.bit_depth > 8));
        Ok(Self { planes, shape })
    }

    /// What it is.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// So many rows of luma from `first` on, which is even, and the rows of colour differences that go with them; fewer at the end.
    #[must_use]
    pub fn rows(&self, first: u32, count: u32) -> Rows {
        let Shape { width, height, bit_depth, .. } = self.shape;
        let sample_bytes = if bit_depth > 8 { 2 } else { 1 };
        let end = first.saturating_add(count).min(height);
        let [luma, cb, cr] = &self.planes;
        let taken = |plane: &[u8], across: u32, down: u32| {
            let stride = width.div_ceil(1 << across) as usize * sample_bytes;
            let (first, end) = ((first >> down) as usize, end.div_ceil(1 << down) as usize);
            plane.get(first * stride..end * stride).unwrap_or_default().to_vec()
        };
        let (across, down) = (self.shape.across(), self.shape.down());
        Rows { luma: taken(luma, 0, 0), cb: taken(cb, across, down), cr: taken(cr, across, down) }
    }
}

impl Shape {
    fn across(self) -> u32 {
        u32::from(matches!(self.chroma, Chroma::HalvedBothWays | Chroma::HalvedAcross))
    }

    fn down(self) -> u32 {
        u32::from(self.chroma == Chroma::HalvedBothWays)
    }
}

/// What of the coded picture is shown, in samples of luma.
struct Window {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Window {
    fn new(sequence: &Sps, shape: Shape) -> Self {
        let [left, _, top, _] = sequence.conformance_window.map(|side| side as usize);
        Self { left, top, width: shape.width as usize, height: shape.height as usize }
    }

    /// Its samples of a plane that has so many halves of luma's sides.
    fn cut(&self, plane: Plane, across: u32, down: u32, wide: bool) -> Vec<u8> {
        let stride = plane.width;
        let samples = plane.into_samples();
        if stride == 0 {
            return Vec::new();
        }
        let (left, width) = (self.left >> across, self.width.div_ceil(1 << across));
        let (top, height) = (self.top >> down, self.height.div_ceil(1 << down));
        let mut bytes = Vec::with_capacity(width * height * if wide { 2 } else { 1 });
        for row in samples.chunks_exact(stride).skip(top).take(height) {
            let row = row.get(left..left + width).unwrap_or_default();
            // Samples are never negative, nor longer than the bit depth.
            let words = row.iter().map(|sample| sample.to_le_bytes());
            if wide {
                bytes.extend(words.flat_map(|[low, high, ..]| [low, high]));
            } else {
                bytes.extend(words.map(|[low, ..]| low));
            }
        }
        bytes
    }
}

fn sequence_parameters(config: &HevcDecoderConfig) -> Result<Sps, Error> {
    let unit = config.nalus_of_type(SEQUENCE_PARAMETERS).next().and_then(|unit| unit.get(HEAD_BYTES..));
    let unit = unit.ok_or(Error::Malformed("its sequence parameters are missing"))?;
    Ok(parse_sps(&strip_emulation_prevention(unit))?)
}

fn shape(sequence: &Sps) -> Result<Shape, Error> {
    let [left, right, top, bottom] = sequence.conformance_window;
    let shown = |side: u32, before: u32, behind: u32| {
        let side = side.checked_sub(before)?.checked_sub(behind)?;
        (side > 0).then_some(side)
    };
    let (width, height) = (sequence.pic_width_in_luma_samples, sequence.pic_height_in_luma_samples);
    let sides = shown(width, left, right).zip(shown(height, top, bottom));
    let (width, height) = sides.ok_or(Error::Malformed("nothing of it is shown"))?;
    let chroma = match sequence.chroma_format_idc {
        0 => Chroma::Monochrome,
        1 => Chroma::HalvedBothWays,
        2 => Chroma::HalvedAcross,
        _ => Chroma::Full,
    };
    let bit_depth = u8::try_from(sequence.bit_depth_luma).ok().filter(|depth| (8..=16).contains(depth));
    let bit_depth = bit_depth.ok_or(Error::Unsupported("a picture of this bit depth"))?;
    let code = |code: u16| u8::try_from(code).unwrap_or(Colours::UNSAID.primaries);
    let colours = sequence.color_info.map_or(Colours::UNSAID, |said| Colours {
        primaries: code(said.color_primaries),
        transfer: code(said.transfer_characteristics),
        matrix: code(said.matrix_coefficients),
        full_range: said.full_range,
    });
    Ok(Shape { width, height, bit_depth, chroma, colours })
}

impl From<HeifError> for Error {
    fn from(error: HeifError) -> Self {
        match error {
            HeifError::Unsupported(what) => Self::Unsupported(what),
            HeifError::MalformedHevc(how) | HeifError::MalformedBox(how) => Self::Malformed(how),
            HeifError::LimitExceeded(_) => Self::TooLarge,
            HeifError::Truncated { .. } => Self::Malformed("it ends too early"),
            HeifError::CabacDesync(_) | HeifError::NotHeif(_) => Self::Malformed("its bits make no sense"),
        }
    }
}
