//! From component planes to rows of pixels: upsampling, colour conversion, and handing bands to the caller's closure as soon as
//! every sample that a row needs is there.

use crate::colour::Conversion;
use crate::frame::{Component, Frame};
use crate::image::Band;
use crate::plane::Plane;
use crate::scale::Scale;
use crate::shape::Shape;
use crate::upsample;

/// Rows handed over at once, at most.
const BAND_ROWS: u32 = 16;

/// How a component's samples come to the picture's grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resample {
    /// They are on it.
    Same,
    /// Half as many across, down, or both: interpolated.
    Across,
    Down,
    Both,
    /// Any other ratio: repeated. Samples for so many of the picture's, across and down.
    Repeat {
        across: (usize, usize),
        down: (usize, usize),
    },
}

impl Resample {
    fn of(frame: &Frame, component: &Component, scale: Scale) -> Self {
        let (shape, side) = (Shape::of(frame, component, scale), scale.block_side() as usize);
        // Samples across and down for each block of the finest component, and for as much of this one.
        let (whole_h, whole_v) = (frame.h_max * side, frame.v_max * side);
        let (h, v) = (component.h * shape.across, component.v * shape.down);
        match (h == whole_h, 2 * h == whole_h, v == whole_v, 2 * v == whole_v) {
            (true, _, true, _) => Self::Same,
            (_, true, true, _) => Self::Across,
            (true, _, _, true) => Self::Down,
            (_, true, _, true) => Self::Both,
            _ => Self::Repeat { across: (h, whole_h), down: (v, whole_v) },
        }
    }
}

/// Makes the rows, in order, once.
pub(crate) struct Output<'s> {
    conversion: Conversion,
    width: usize,
    height: u32,
    resample: Vec<Resample>,
    /// One row of each component, upsampled.
    rows: Vec<Vec<u8>>,
    sums: Vec<i16>,
    band: Vec<u8>,
    next_row: u32,
    sink: &'s mut dyn FnMut(Band<'_>),
}

impl<'s> Output<'s> {
    pub(crate) fn new(
        frame: &Frame,
        scale: Scale,
        conversion: Conversion,
        sink: &'s mut dyn FnMut(Band<'_>),
    ) -> Self {
        let (width, height) = (scale.reduced(frame.width) as usize, scale.reduced(frame.height));
        let resample =
            frame.components.iter().map(|component| Resample::of(frame, component, scale)).collect();
        let row = vec![0; width.next_multiple_of(16) + 32];
        Self {
            conversion,
            width,
            height,
            resample,
            rows: vec![row; frame.components.len()],
            sums: upsample::sums_for(width),
            band: vec![0; width * conversion.format().channels() * BAND_ROWS.min(height) as usize],
            next_row: 0,
            sink,
        }
    }

    /// Hands over the rows for which all components have their samples.
    pub(crate) fn emit(&mut self, planes: &[Plane]) {
        let ready = self.ready_rows(planes);
        let row_bytes = self.width * self.conversion.format().channels();
        while self.next_row < ready {
            let rows = (ready - self.next_row).min(BAND_ROWS);
            for index in 0..rows {
                let at = index as usize * row_bytes;
                self.make_row(planes, (self.next_row + index) as isize, at..at + row_bytes);
            }
            let pixels = &self.band[..rows as usize * row_bytes];
            (self.sink)(Band { first_row: self.next_row, pixels });
            self.next_row += rows;
        }
    }

    /// The first output row that has to wait.
    fn ready_rows(&self, planes: &[Plane]) -> u32 {
        let ready = planes.iter().zip(&self.resample).map(|(plane, resample)| {
            let end = plane.band_end();
            if end >= plane.height() {
                return self.height;
            }
            let rows = match *resample {
                Resample::Same | Resample::Across => end,
                // The last one leans on the row that follows.
                Resample::Down | Resample::Both => 2 * end - 1,
                Resample::Repeat { down, .. } => (end * down.1).div_ceil(down.0),
            };
            (rows as u32).min(self.height)
        });
        ready.min().unwrap_or(self.height)
    }

    fn make_row(&mut self, planes: &[Plane], y: isize, bytes: std::ops::Range<usize>) {
        let neighbours = (y >> 1, (y >> 1) + if y & 1 == 1 { 1 } else { -1 });
        for ((plane, resample), row) in planes.iter().zip(&self.resample).zip(&mut self.rows) {
            let (width, sums) = (plane.width(), &mut self.sums);
            match *resample {
                Resample::Same => {}
                Resample::Across => {
                    upsample::widen(plane.row(y), width, sums);
                    upsample::double::<false>(sums, width, row);
                }
                Resample::Down => {
                    upsample::between(plane.row(neighbours.0), plane.row(neighbours.1), y & 1 == 1, row);
                }
                Resample::Both => {
                    upsample::blend(plane.row(neighbours.0), plane.row(neighbours.1), width, sums);
                    upsample::double::<true>(sums, width, row);
                }
                Resample::Repeat { across, down } => {
                    let source = plane.row((y as usize * down.0 / down.1) as isize);
                    upsample::repeat(&source[..width], across.0, across.1, row);
                }
            }
        }
        let mut channels: [&[u8]; 4] = [&[]; 4];
        for (index, channel) in channels.iter_mut().enumerate().take(planes.len()) {
            *channel =
                if self.resample[index] == Resample::Same { planes[index].row(y) } else { &self.rows[index] };
        }
        self.conversion.row(&channels[..planes.len()], &mut self.band[bytes]);
    }
}
