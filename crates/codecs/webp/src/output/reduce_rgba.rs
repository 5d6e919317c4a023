//! Box averages of a composed canvas.

use crate::output::{RowSink, boxes::Boxes};

/// As [`crate::output::reduce_argb::ArgbReducer`], from rows of bytes, always with alpha.
#[derive(Debug)]
pub(crate) struct RgbaReducer {
    boxes: Boxes,
    /// Per source column: red, green and blue times alpha, and alpha.
    sums: Vec<[u32; 4]>,
    line: Vec<u8>,
    next_row: usize,
}

impl RgbaReducer {
    pub(crate) fn new(boxes: Boxes) -> Self {
        Self {
            boxes,
            sums: vec![[0; 4]; if boxes.shrink > 1 { boxes.width } else { 0 }],
            line: vec![0; 4 * boxes.columns()],
            next_row: 0,
        }
    }

    /// One row of 4 bytes a pixel.
    pub(crate) fn push(&mut self, row: &[u8], sink: &mut RowSink<'_>) {
        if self.boxes.shrink == 1 {
            sink(row);
            return;
        }
        for (sums, pixel) in self.sums.iter_mut().zip(row.as_chunks::<4>().0) {
            let [r, g, b, a] = pixel.map(u32::from);
            for (sum, value) in sums.iter_mut().zip([r * a, g * a, b * a, a]) {
                *sum += value;
            }
        }
        let strip = self.boxes.strips(self.next_row, self.next_row + 1).next();
        self.next_row += 1;
        if let Some(box_rows) = strip.and_then(|strip| strip.completes) {
            self.emit(box_rows, sink);
        }
    }

    fn emit(&mut self, box_rows: usize, sink: &mut RowSink<'_>) {
        for (column, out) in self.line.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let range = self.boxes.column_range(column);
            let count = (box_rows * range.len()) as u64;
            let [r, g, b, weight] = self.sums[range].iter().fold([0_u64; 4], |total, sums| {
                std::array::from_fn(|channel| total[channel] + u64::from(sums[channel]))
            });
            let colour = |sum: u64| ((sum + weight / 2) / weight) as u8;
            *out = match weight {
                0 => [0; 4],
                _ => [colour(r), colour(g), colour(b), ((weight + count / 2) / count) as u8],
            };
        }
        sink(&self.line);
        self.sums.fill([0; 4]);
    }
}
