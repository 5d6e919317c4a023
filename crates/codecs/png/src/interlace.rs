//! Adam7 (PNG specification, section 8): seven passes over the picture, each finer than the last.

use std::ops::ControlFlow;

use thumbs_canvas::Outcome;

use crate::expand::Expander;
use crate::format::Format;
use crate::pieces::Pieces;
use crate::row::Row;
use crate::scanlines::Scanlines;

/// First column, first row, and the distances between columns and between rows of a pass.
const PASSES: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

/// Hands out the rows of all passes.
pub(crate) fn rows(
    format: &Format,
    expander: &Expander,
    pieces: Pieces<'_>,
    sink: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
) -> Outcome {
    let mut scanlines = Scanlines::new(pieces, format, format.width);
    let mut pixels = Vec::new();
    let whole = Outcome { rows_decoded: format.height, rows: format.height, truncated: false };
    for (pass, (left, top, across, down)) in PASSES.into_iter().enumerate() {
        let count = |side: u32, first: u32, step: u32| side.saturating_sub(first).div_ceil(step);
        let (width, height) = (count(format.width, left, across), count(format.height, top, down));
        if width == 0 {
            continue;
        }
        scanlines.start_pass(format, width);
        let mut row = 0;
        while row < height {
            let count = scanlines.next((height - row) as usize);
            if count == 0 {
                // The last pass is every other row; before it the rows between are whole.
                let is_last = pass == PASSES.len() - 1;
                let rows_decoded = if is_last { format.height - height + row } else { 0 };
                return Outcome { rows_decoded, truncated: true, ..whole };
            }
            for index in 0..count {
                let bytes = expander.layout().row_bytes(width);
                let expanded = expander.expand(scanlines.row(index), &mut pixels);
                let pixels = expanded.get(..bytes).unwrap_or(expanded);
                if sink(Row { y: top + row * down, x: left, step: across, pixels }).is_break() {
                    return whole;
                }
                row += 1;
            }
        }
    }
    whole
}
