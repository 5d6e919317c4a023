//! Rows of a decoded picture: planes of luma and colour differences, and how they become rows for the resampler.

use std::ops::Range;

/// How the planes of colour differences are sampled.
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

/// What a decoded part is; see `wit/heic`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/heic")]
pub struct Shape {
    pub width: u32,
    pub height: u32,
    pub bit_depth: u8,
    pub chroma: Chroma,
    pub primaries: u8,
    pub transfer: u8,
    pub matrix: u8,
    pub full_range: bool,
}

/// Rows of a decoded part, a plane each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the planes")]
pub struct Rows {
    pub luma: Vec<u8>,
    pub cb: Vec<u8>,
    pub cr: Vec<u8>,
}

impl Shape {
    pub(super) const fn sample_bytes(self) -> usize {
        if self.bit_depth > 8 { 2 } else { 1 }
    }

    pub(super) const fn halves_across(self) -> u32 {
        matches!(self.chroma, Chroma::HalvedBothWays | Chroma::HalvedAcross) as u32
    }

    pub(super) const fn halves_down(self) -> u32 {
        matches!(self.chroma, Chroma::HalvedBothWays) as u32
    }

    /// Samples of the second and third plane that go with so many of luma.
    pub(super) const fn chroma_width(self, luma: u32) -> usize {
        match self.chroma {
            Chroma::Monochrome => 0,
            _ => luma.div_ceil(1 << self.halves_across()) as usize,
        }
    }
}

/// Rows of three planes, without padding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strip<'a> {
    pub(super) shape: Shape,
    planes: [&'a [u8]; 3],
    /// Samples of a row of luma.
    width: u32,
    /// Of luma.
    pub(super) rows: u32,
    /// The one that is counted as the first.
    first: u32,
}

impl<'a> Strip<'a> {
    /// `None` where the planes are not whole rows that go together.
    pub(super) fn new(shape: Shape, rows: &'a Rows) -> Option<Self> {
        let bytes = shape.sample_bytes();
        let stride = shape.width as usize * bytes;
        let count = rows.luma.len().checked_div(stride)?;
        let chroma = count.div_ceil(1 << shape.halves_down()) * shape.chroma_width(shape.width) * bytes;
        let is_whole = count > 0 && count * stride == rows.luma.len();
        let fits = rows.cb.len() == chroma && rows.cr.len() == chroma;
        let planes = [rows.luma.as_slice(), &rows.cb, &rows.cr];
        let rows = u32::try_from(count).ok()?;
        (is_whole && fits).then_some(Self { shape, planes, width: shape.width, rows, first: 0 })
    }

    /// Of pictures of this shape side by side, from row `first` on.
    pub(super) fn of_band(shape: Shape, band: &'a [Vec<u8>; 3], width: u32, rows: u32, first: u32) -> Self {
        Self { shape, planes: band.each_ref().map(Vec::as_slice), width, rows, first }
    }

    /// The row of a plane that goes with a row of luma.
    pub(super) fn plane_row(&self, plane: usize, row: u32) -> &'a [u8] {
        let row = self.first + row;
        let (width, row) = match plane {
            0 => (self.width as usize, row),
            _ => (self.shape.chroma_width(self.width), row >> self.shape.halves_down()),
        };
        let stride = width * self.shape.sample_bytes();
        let start = row as usize * stride;
        self.planes.get(plane).and_then(|plane| plane.get(start..start + stride)).unwrap_or_default()
    }

    /// The samples of `columns`, counted from `left` on, to where the resampler looks for them in a row: luma alone, or with colour
    /// differences, or with these and alpha.
    pub(super) fn interleave(
        &self,
        row: u32,
        left: u32,
        columns: Range<u32>,
        opacity: Option<Opacity<'_>>,
        out: &mut [u8],
    ) {
        let shift = 16 - u32::from(self.shape.bit_depth.min(16));
        match self.shape.sample_bytes() {
            1 => self.interleave_as::<1>(|sample| sample, row, left, columns, opacity, out),
            _ => {
                let stored = |sample| (u16::from_le_bytes(sample) << shift).to_be_bytes();
                self.interleave_as::<2>(stored, row, left, columns, opacity, out);
            }
        }
    }

    fn interleave_as<const BYTES: usize>(
        &self,
        stored: impl Fn([u8; BYTES]) -> [u8; BYTES],
        row: u32,
        left: u32,
        columns: Range<u32>,
        opacity: Option<Opacity<'_>>,
        out: &mut [u8],
    ) {
        let [luma, cb, cr] = [0, 1, 2].map(|plane| self.plane_row(plane, row).as_chunks::<BYTES>().0);
        let channels = match (self.shape.chroma, opacity) {
            (_, Some(_)) => 4,
            (Chroma::Monochrome, None) => 1,
            (_, None) => 3,
        };
        let start = (left + columns.start) as usize;
        let halves = self.shape.halves_across();
        let chroma = |plane: &[[u8; BYTES]], index: usize| {
            plane.get((start + index) >> halves).map_or([0; BYTES], |&sample| stored(sample))
        };
        let out =
            out.as_chunks_mut::<BYTES>().0.get_mut(columns.start as usize * channels..).unwrap_or_default();
        let luma = luma.get(start..).unwrap_or_default();
        for (index, (pixel, &sample)) in
            out.chunks_exact_mut(channels).zip(luma).take(columns.len()).enumerate()
        {
            match pixel {
                [y] => *y = stored(sample),
                [y, u, v] => (*y, *u, *v) = (stored(sample), chroma(cb, index), chroma(cr, index)),
                [y, u, v, alpha] => {
                    (*y, *u, *v) = (stored(sample), chroma(cb, index), chroma(cr, index));
                    *alpha = [opacity.map_or(u8::MAX, |opacity| opacity.at(start + index)); BYTES];
                }
                _ => {}
            }
        }
    }
}

/// A row of alpha, for a picture that may be of another size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opacity<'a> {
    row: &'a [u8],
    /// Of the picture.
    width: usize,
}

impl<'a> Opacity<'a> {
    /// Of `plane`, which has `sides`, the row for that of a picture which has `picture_sides`.
    pub(super) fn new(plane: &'a [u8], sides: (u32, u32), picture_sides: (u32, u32), row: u32) -> Self {
        let stride = sides.0 as usize;
        let row = u64::from(row) * u64::from(sides.1) / u64::from(picture_sides.1.max(1));
        let start = usize::try_from(row).unwrap_or(usize::MAX).saturating_mul(stride);
        let row = plane.get(start..start.saturating_add(stride)).unwrap_or_default();
        Self { row, width: picture_sides.0 as usize }
    }

    /// For a column of the picture; what is missing is opaque.
    fn at(self, column: usize) -> u8 {
        let column =
            if self.row.len() == self.width { column } else { column * self.row.len() / self.width.max(1) };
        self.row.get(column).copied().unwrap_or(u8::MAX)
    }
}
