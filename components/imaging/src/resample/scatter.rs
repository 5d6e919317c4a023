//! Pixels that come in any order, as in interlaced files: added to the cells they belong to or, where cells are so small
//! that their sums would take more memory than the pixels, put where they belong first.

use super::shrink::{pixel_of, samples_scale, weights};
use super::{Axis, Layout, Pixel, Scaler};

/// Bytes of a cell's sums; a plane of pixels is cheaper than cells of so few bytes.
const CELL_BYTES: usize = size_of::<Cell>();

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    sums: [u32; 4],
    count: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Scatter {
    layout: Layout,
    columns: Axis,
    rows: Axis,
    width: u32,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Cells(Vec<Cell>),
    /// All columns of the rows from `rows.first`, and which of these rows have come.
    Plane {
        pixels: Vec<u8>,
        present: Vec<bool>,
    },
}

impl Scatter {
    pub(super) fn new(layout: Layout, width: u32, columns: Axis, rows: Axis) -> Self {
        let cell_pixels = columns.cell as usize * rows.cell as usize;
        // Of two rows of a cell at least one is in the first passes, so that no cell stays empty.
        let cells = rows.cell >= 2 && cell_pixels * layout.bytes_per_pixel() >= CELL_BYTES;
        let store = if cells {
            Store::Cells(vec![Cell::default(); columns.cells() as usize * rows.cells() as usize])
        } else {
            let count = (rows.end - rows.first) as usize;
            Store::Plane { pixels: vec![0; layout.row_bytes(width) * count], present: vec![false; count] }
        };
        Self { layout, columns, rows, width, store }
    }

    /// Takes the pixels of row `y`, of which the first is in column `first` and each further one `step` columns on.
    pub(crate) fn add(&mut self, row: &[u8], y: u32, first: u32, step: u32) {
        let Some(y) = y.checked_sub(self.rows.first).filter(|_| y < self.rows.end) else { return };
        let bytes = self.layout.bytes_per_pixel();
        let pixels = row.chunks_exact(bytes).zip((first..).step_by(step as usize));
        match &mut self.store {
            Store::Cells(cells) => {
                let start = (y / self.rows.cell * self.columns.cells()) as usize;
                let cells = cells.get_mut(start..).unwrap_or_default();
                for (pixel, x) in pixels {
                    let Some(x) = x.checked_sub(self.columns.first).filter(|_| x < self.columns.end) else {
                        continue;
                    };
                    let Some(cell) = cells.get_mut((x / self.columns.cell) as usize) else { continue };
                    for (sum, weight) in cell.sums.iter_mut().zip(weights(self.layout, pixel)) {
                        *sum += weight;
                    }
                    cell.count += 1;
                }
            }
            Store::Plane { pixels: plane, present } => {
                let row_bytes = self.layout.row_bytes(self.width);
                let start = y as usize * row_bytes;
                let plane = plane.get_mut(start..start + row_bytes).unwrap_or_default();
                for (pixel, x) in pixels {
                    if let Some(place) = plane.get_mut(x as usize * bytes..(x as usize + 1) * bytes) {
                        place.copy_from_slice(pixel);
                    }
                }
                if let Some(present) = present.get_mut(y as usize) {
                    *present = true;
                }
            }
        }
    }

    /// Resamples what was added. A row that did not come is taken to be like the one above it.
    pub(super) fn finish(self, scaler: &mut Scaler, mut emit: impl FnMut(&[Pixel])) {
        match self.store {
            Store::Cells(cells) => {
                let scale = samples_scale(self.layout);
                for row in cells.chunks_exact(self.columns.cells() as usize) {
                    let row: Vec<Pixel> = row
                        .iter()
                        .map(|cell| {
                            #[expect(clippy::cast_possible_truncation, reason = "as precise as a Pixel")]
                            let factor = (1.0 / (f64::from(cell.count.max(1)) * scale)) as f32;
                            pixel_of(self.layout.channels, cell.sums, factor)
                        })
                        .collect();
                    scaler.push_cells(&row, &mut emit);
                }
            }
            Store::Plane { mut pixels, present } => {
                let row_bytes = self.layout.row_bytes(self.width);
                for (y, present) in present.iter().enumerate().skip(1) {
                    if !present {
                        pixels.copy_within((y - 1) * row_bytes..y * row_bytes, y * row_bytes);
                    }
                }
                for _ in 0..self.rows.first {
                    scaler.push(&[], &mut emit);
                }
                for row in pixels.chunks_exact(row_bytes) {
                    scaler.push(row, &mut emit);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;

    fn axis(start: f64, length: f64, side: u32, wanted: u32) -> Axis {
        Axis::new(Span { start, length }, 1, side, wanted)
    }

    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    /// Cells and planes, with margins left out: the order in which pixels come must make no difference at all.
    #[test]
    fn the_order_of_pixels_makes_no_difference() {
        let (width, height) = (61, 47);
        for (layout, wanted) in [(Layout::RGB, 3), (Layout::RGBA, 3), (Layout::GREY, 2), (Layout::RGBA, 40)] {
            let (columns, rows) = (axis(7.0, 47.0, width, wanted), axis(0.0, 47.0, height, wanted));
            let pixels = noise(layout.row_bytes(width) * height as usize);
            let row = |y: u32| &pixels[y as usize * layout.row_bytes(width)..][..layout.row_bytes(width)];
            let (mut in_order, mut scattered) = (Vec::new(), Vec::new());
            let mut scaler = Scaler::new(layout, columns, rows);
            for y in 0..height {
                scaler.push(row(y), |row| in_order.push(row.to_vec()));
            }
            scaler.restart();
            let mut scatter = Scatter::new(layout, width, columns, rows);
            for (first_row, first, row_step, step) in [(0, 0, 2, 2), (0, 1, 2, 2), (1, 0, 2, 1)] {
                for y in (first_row..height).step_by(row_step) {
                    let every = row(y)
                        .chunks_exact(layout.bytes_per_pixel())
                        .skip(first as usize)
                        .step_by(step as usize);
                    let every: Vec<u8> = every.flatten().copied().collect();
                    scatter.add(&every, y, first, step);
                }
            }
            scatter.finish(&mut scaler, |row| scattered.push(row.to_vec()));
            assert_eq!(in_order, scattered, "{layout:?} to {wanted}");
        }
    }
}
