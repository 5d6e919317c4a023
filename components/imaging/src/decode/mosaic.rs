//! HEIC and AVIF: pictures that are put together of parts, each decoded by another component. Their rows go into the resampler as soon as a
//! row of the picture is whole, so that no more than one row of parts is held; alpha, which comes before all colours, as a byte a pixel.
//!
//! Parts that no pixel of the thumbnail comes from are never asked for, and a thumbnail within the file stands in for the picture where it
//! is large enough.

use std::ops::Range;

use thumbs_heif::{Alpha, Heif, Picture};

use super::stand_in;
use super::strip::{Chroma, Opacity, Rows, Shape, Strip};
use super::{Film, Printer, check_rows, malformed};
use crate::colour::{Converter, Matrix};
use crate::error::Error;
use crate::header::{Colour, Model};
use crate::plan::Plan;
use crate::resample::{Axis, Depth, Layout};

/// A part that is to be decoded; see `wit/imaging`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/imaging")]
pub struct CodedPart {
    pub configuration: Vec<u8>,
    pub data: Vec<u8>,
    pub max_pixels: u64,
}

/// What a part belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Alpha,
    Picture,
}

/// The part that rows are taken of.
#[derive(Clone, Copy, Debug)]
struct Open {
    of: Of,
    index: usize,
    /// Once it is known.
    shape: Option<Shape>,
    /// Rows that came.
    rows: u32,
}

/// A picture in the making.
#[derive(Debug)]
pub(crate) struct Mosaic {
    plans: Vec<Plan>,
    picture: Picture,
    alpha: Option<Alpha>,
    /// Rows and columns of the picture that pixels of any thumbnail come from, counted from the corner of what is shown.
    needed: Needed,
    /// Of the parts that are still to come, the last one first.
    rest: Vec<(Of, usize)>,
    open: Option<Open>,
    opacity: Vec<u8>,
    /// Rows of a row of parts, each as wide as the whole picture, plane by plane.
    band: [Vec<u8>; 3],
    converter: Option<Converter>,
    profile_ignored: bool,
    printer: Option<Printer>,
    /// Of the first part of the picture; all have the same.
    shape: Option<Shape>,
    /// Of what is shown, that the printer has.
    rows: u32,
    row: Vec<u8>,
    is_cut: bool,
}

#[derive(Clone, Debug)]
struct Needed {
    columns: Range<u32>,
    rows: Range<u32>,
}

impl Mosaic {
    /// # Errors
    /// [`Error::Malformed`], [`Error::UnsupportedFeature`].
    pub(crate) fn new(image: &[u8], plans: &[Plan]) -> Result<Self, Error> {
        let Heif { picture, alpha, thumbnails, is_cut, .. } = thumbs_heif::read(image)?;
        // Alpha would have to be as small.
        let thumbnails = if alpha.is_none() { thumbnails } else { Vec::new() };
        let (plans, picture) = match stand_in::choose(plans, &picture, thumbnails) {
            Some(stand_in) => stand_in,
            None => (plans.to_vec(), picture),
        };
        let (converter, profile_ignored) = match picture.profile.clone() {
            None => (None, false),
            Some(profile) => {
                let colour = image.get(profile).map_or(Colour::Broken, |bytes| Colour::Icc(vec![bytes]));
                let (converter, ignored) = Converter::new(&colour, model(&picture));
                (Some(converter), ignored)
            }
        };
        let crop = picture.crop;
        let needed = Needed {
            columns: union(plans.iter().map(|plan| Axis::new(plan.columns, 1, crop.width, plan.width))),
            rows: union(plans.iter().map(|plan| Axis::new(plan.rows, 1, crop.height, plan.height))),
        };
        let mut mosaic = Self {
            plans,
            rest: Vec::new(),
            open: None,
            opacity: Vec::new(),
            band: Default::default(),
            converter,
            profile_ignored,
            printer: None,
            shape: None,
            rows: 0,
            row: Vec::new(),
            is_cut,
            needed,
            picture,
            alpha,
        };
        let of_picture = (0..mosaic.picture.parts.len()).filter(|&index| mosaic.is_needed(index));
        let of_picture: Vec<_> = of_picture.map(|index| (Of::Picture, index)).collect();
        let of_alpha = mosaic.alpha.iter().flat_map(|alpha| 0..alpha.picture.parts.len());
        mosaic.rest = of_alpha.map(|index| (Of::Alpha, index)).chain(of_picture).rev().collect();
        Ok(mosaic)
    }

    /// For the picture that is really decoded, which may be a smaller one.
    pub(crate) fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// `None` where there is none left, or the file ends before it.
    ///
    /// # Errors
    /// [`Error::InvalidOptions`] where rows of the last one are missing.
    pub(crate) fn next_part(&mut self, image: &[u8]) -> Result<Option<CodedPart>, Error> {
        if let Some(open) = self.open {
            let height = self.mosaic_of(open.of).part_height;
            if open.rows < height {
                return Err(out_of_order());
            }
            self.open = None;
        }
        let Some((of, index)) = self.rest.pop() else { return Ok(None) };
        let picture = self.mosaic_of(of);
        let part = picture.parts.get(index).ok_or_else(|| malformed("a part is missing"))?;
        let mut data = Vec::new();
        for extent in &part.extents {
            // What is read to the end of the file ends there.
            let end = if extent.end == usize::MAX { image.len() } else { extent.end };
            match image.get(extent.start..end) {
                Some(bytes) => data.extend_from_slice(bytes),
                None => {
                    self.rest.clear();
                    return Ok(None);
                }
            }
        }
        let configuration = image.get(part.configuration.clone()).unwrap_or_default().to_vec();
        let max_pixels = u64::from(picture.part_width) * u64::from(picture.part_height);
        self.open = Some(Open { of, index, shape: None, rows: 0 });
        Ok(Some(CodedPart { configuration, data, max_pixels }))
    }

    /// # Errors
    /// [`Error::Malformed`], [`Error::UnsupportedFeature`]; [`Error::InvalidOptions`] where no part was asked for.
    pub(crate) fn begin_part(&mut self, shape: Shape) -> Result<(), Error> {
        let open = self.open.filter(|open| open.shape.is_none()).ok_or_else(out_of_order)?;
        let picture = self.mosaic_of(open.of);
        // What stands over at the right and below was added to fill a block.
        if shape.width < picture.part_width || shape.height < picture.part_height {
            return Err(malformed("a coded picture is smaller than the file says"));
        }
        if !(8..=16).contains(&shape.bit_depth) {
            return Err(malformed("a coded picture has an impossible bit depth"));
        }
        match open.of {
            Of::Alpha => {
                let pixels = picture.width as usize * picture.height as usize;
                // What is missing is opaque.
                self.opacity.resize(pixels, u8::MAX);
            }
            Of::Picture => match self.shape {
                None => self.begin_picture(shape)?,
                Some(first) if (first.bit_depth, first.chroma) == (shape.bit_depth, shape.chroma) => {}
                Some(_) => return Err(malformed("the parts of the picture are of different kinds")),
            },
        }
        self.open = Some(Open { shape: Some(shape), ..open });
        Ok(())
    }

    fn begin_picture(&mut self, shape: Shape) -> Result<(), Error> {
        let Picture { crop, part_width, part_height, columns, nclx, .. } = self.picture;
        let odd = |side: u32, halves: u32| !side.is_multiple_of(1 << halves);
        let one_row = self.picture.parts.len() == columns as usize;
        if columns > 1 && odd(part_width, shape.halves_across())
            || !one_row && odd(part_height, shape.halves_down())
        {
            return Err(malformed("the colours of its parts do not meet"));
        }
        let (primaries, transfer) =
            nclx.map_or((shape.primaries, shape.transfer), |nclx| (nclx.primaries, nclx.transfer));
        let (code, full_range) =
            nclx.map_or((shape.matrix, shape.full_range), |nclx| (nclx.matrix, nclx.full_range));
        let is_grey = shape.chroma == Chroma::Monochrome;
        let matrix = Matrix::new(code, primaries, full_range, shape.bit_depth, is_grey);
        let converter = self.converter.take().unwrap_or_else(|| {
            let (converter, ignored) =
                Converter::new(&Colour::said(primaries, transfer), model(&self.picture));
            self.profile_ignored = ignored;
            converter
        });
        let premultiplied = self.alpha.as_ref().map(|alpha| alpha.is_premultiplied);
        let layout = Layout {
            channels: match premultiplied {
                Some(_) => 4,
                None if is_grey => 1,
                None => 3,
            },
            depth: if shape.bit_depth > 8 { Depth::Sixteen } else { Depth::Eight },
            // Whether the resampler has to multiply it in.
            alpha: premultiplied == Some(false),
        };
        let matrix = if premultiplied == Some(true) { matrix.of_multiplied() } else { matrix };
        let printer = Printer::planned(&self.plans, converter, layout, crop.width, crop.height, 1);
        self.printer = Some(printer.through(matrix));
        self.row = vec![0; layout.row_bytes(crop.width)];
        if columns > 1 {
            let width = columns as usize * part_width as usize;
            let chroma_width = columns as usize * shape.chroma_width(part_width);
            let chroma_height = part_height.div_ceil(1 << shape.halves_down()) as usize;
            let bytes = shape.sample_bytes();
            let chroma = vec![0; chroma_width * chroma_height * bytes];
            self.band = [vec![0; width * part_height as usize * bytes], chroma.clone(), chroma];
        }
        self.shape = Some(shape);
        Ok(())
    }

    /// # Errors
    /// [`Error::InvalidOptions`] where they are of no part, or not as many samples as rows have.
    pub(crate) fn take_rows(&mut self, rows: &Rows) -> Result<(), Error> {
        let mut open = self.open.ok_or_else(out_of_order)?;
        let shape = open.shape.ok_or_else(out_of_order)?;
        let strip = Strip::new(shape, rows).ok_or_else(out_of_order)?;
        // An odd number only comes last.
        if !open.rows.is_multiple_of(2) || open.rows.saturating_add(strip.rows) > shape.height {
            return Err(out_of_order());
        }
        let first = open.rows;
        open.rows += strip.rows;
        self.open = Some(open);
        match open.of {
            Of::Alpha => self.keep_opacity(open.index, first, &strip),
            Of::Picture if self.picture.columns == 1 => {
                let top = part_place(&self.picture, open.index).1 + first;
                let kept = strip.rows.min(self.picture.part_height.saturating_sub(first));
                self.print(top, kept, &strip);
            }
            Of::Picture => self.keep_rows(open.index, first, &strip),
        }
        Ok(())
    }

    fn keep_opacity(&mut self, index: usize, first: u32, strip: &Strip<'_>) {
        let Some(Alpha { picture, .. }) = &self.alpha else { return };
        let (left, top) = part_place(picture, index);
        let width = picture.part_width.min(picture.width.saturating_sub(left)) as usize;
        let bytes = strip.shape.sample_bytes();
        for row in 0..strip.rows {
            let y = top + first + row;
            if first + row >= picture.part_height || y >= picture.height {
                return;
            }
            let start = y as usize * picture.width as usize + left as usize;
            let samples = strip.plane_row(0, row).get(..width * bytes).unwrap_or_default();
            let kept = self.opacity.get_mut(start..start + width).unwrap_or_default();
            if bytes == 1 {
                kept.copy_from_slice(samples);
            } else {
                let highest = (1_u32 << strip.shape.bit_depth) - 1;
                for (kept, &sample) in kept.iter_mut().zip(samples.as_chunks::<2>().0) {
                    let sample = u32::from(u16::from_le_bytes(sample)).min(highest);
                    // At most 255.
                    *kept = ((sample * 255 + highest / 2) / highest).to_le_bytes()[0];
                }
            }
        }
    }

    /// Into the band, and from there on, once its last needed part has them as well.
    fn keep_rows(&mut self, index: usize, first: u32, strip: &Strip<'_>) {
        let Picture { part_width, part_height, columns, .. } = self.picture;
        let (left, top) = part_place(&self.picture, index);
        let bytes = strip.shape.sample_bytes();
        let kept = strip.rows.min(part_height.saturating_sub(first));
        for (plane, band) in self.band.iter_mut().enumerate() {
            let (part, halves_across, halves_down) = match plane {
                0 => (part_width as usize, 0, 0),
                _ => {
                    let shape = strip.shape;
                    (shape.chroma_width(part_width), shape.halves_across(), shape.halves_down())
                }
            };
            let stride = part * columns as usize * bytes;
            let left = (left >> halves_across) as usize * bytes;
            for row in 0..kept.div_ceil(1 << halves_down) {
                let start = ((first >> halves_down) + row) as usize * stride + left;
                let samples = strip.plane_row(plane, row << halves_down).get(..part * bytes);
                if let (Some(kept), Some(samples)) = (band.get_mut(start..start + part * bytes), samples) {
                    kept.copy_from_slice(samples);
                }
            }
        }
        let is_last = !self
            .rest
            .last()
            .is_some_and(|&(of, next)| of == Of::Picture && part_place(&self.picture, next).1 == top);
        if is_last {
            let band = std::mem::take(&mut self.band);
            let width = part_width * columns;
            let whole = Strip::of_band(strip.shape, &band, width, part_height, first);
            self.print(top + first, kept, &whole);
            self.band = band;
        }
    }

    /// So many rows of the whole picture, of which the first is the one at `top`.
    fn print(&mut self, top: u32, count: u32, strip: &Strip<'_>) {
        let crop = self.picture.crop;
        for row in 0..count {
            let Some(shown) = (top + row).checked_sub(crop.top).filter(|&shown| shown < crop.height) else {
                continue;
            };
            let Some(printer) = &mut self.printer else { return };
            // Those of parts that are not needed.
            while self.rows < shown && !printer.is_done() {
                let _ = printer.push(&[]);
                self.rows += 1;
            }
            if printer.is_done() {
                return;
            }
            if self.needed.rows.contains(&shown) {
                let sides = (self.picture.width, self.picture.height);
                let opacity = self.alpha.as_ref().map(|Alpha { picture, .. }| {
                    Opacity::new(&self.opacity, (picture.width, picture.height), sides, top + row)
                });
                let columns = self.needed.columns.clone();
                strip.interleave(row, crop.left, columns, opacity, &mut self.row);
            }
            let _ = printer.push(&self.row);
            self.rows += 1;
        }
    }

    /// The picture, if at least half of it is there.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub(crate) fn finish(mut self) -> Result<Film, Error> {
        let mut printer = self.printer.take().ok_or_else(|| malformed("less than half of it is there"))?;
        let truncated = !printer.is_done();
        if truncated {
            check_rows(
                self.rows.saturating_sub(self.needed.rows.start),
                self.needed.rows.len().try_into().unwrap_or(u32::MAX),
            )?;
            // As the last row that is there.
            while printer.push(&self.row).is_continue() {}
        }
        let film = Film::still(printer.finish()?, truncated);
        Ok(Film { profile_ignored: self.profile_ignored, ..film }.of_file(self.is_cut))
    }

    const fn mosaic_of(&self, of: Of) -> &Picture {
        match (of, &self.alpha) {
            (Of::Alpha, Some(alpha)) => &alpha.picture,
            _ => &self.picture,
        }
    }

    /// Whether pixels of the thumbnail come from a part of the picture.
    fn is_needed(&self, index: usize) -> bool {
        let (left, top) = part_place(&self.picture, index);
        let crop = self.picture.crop;
        let meets = |start: u32, length: u32, needed: &Range<u32>, cut: u32| {
            start < cut + needed.end && start.saturating_add(length) > cut + needed.start
        };
        meets(left, self.picture.part_width, &self.needed.columns, crop.left)
            && meets(top, self.picture.part_height, &self.needed.rows, crop.top)
    }
}

/// The left and the top of a part in its picture.
fn part_place(picture: &Picture, index: usize) -> (u32, u32) {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    let (row, column) = (index / picture.columns.max(1), index % picture.columns.max(1));
    (column.saturating_mul(picture.part_width), row.saturating_mul(picture.part_height))
}

/// From the first that any of them reads to the last.
fn union(axes: impl Iterator<Item = Axis>) -> Range<u32> {
    let read = axes.map(|axis| axis.first..axis.end);
    read.reduce(|all, next| all.start.min(next.start)..all.end.max(next.end)).unwrap_or_default()
}

fn model(picture: &Picture) -> Model {
    if picture.is_grey { Model::Grey } else { Model::Rgb }
}

fn out_of_order() -> Error {
    Error::InvalidOptions(
        "parts are begun once they were asked for, then their rows are taken, all of them".to_owned(),
    )
}
