//! Adam7 (PNG specification, section 8): seven passes over the picture, each finer than the last. Pixels of all passes are
//! added to the cells they belong to, or put into a plane where that takes less memory.

use super::expand::Expander;
use super::pieces::Pieces;
use super::scanlines::Scanlines;
use super::{Film, Job, Printer, malformed};
use crate::error::Error;
use crate::header::PngFormat;

/// First column, first row, and the distances between columns and between rows of a pass.
const PASSES: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

pub(super) fn decode(
    job: &Job<'_>,
    format: &PngFormat,
    expander: &Expander,
    pieces: Pieces<'_>,
) -> Result<Film, Error> {
    let mut printer = Printer::new(job, expander.layout(), format.width, format.height, 1);
    let mut scatter = printer.scatter();
    let complete = passes(format, expander, pieces, |row, y, x, step| scatter.add(row, y, x, step))?;
    let raster = printer.finish_scattered(scatter)?;
    Ok(Film::still(raster, !complete))
}

/// Hands out the rows of all passes, each with its place: row, first column, distance of columns. `false` if rows of the
/// last pass are missing, `Err` if more than those are.
pub(super) fn passes(
    format: &PngFormat,
    expander: &Expander,
    pieces: Pieces<'_>,
    mut emit: impl FnMut(&[u8], u32, u32, u32),
) -> Result<bool, Error> {
    let mut scanlines = Scanlines::new(pieces, format, format.width);
    let mut pixels = Vec::new();
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
                // The last pass is every other row: without it there is a half.
                return if pass == PASSES.len() - 1 {
                    Ok(false)
                } else {
                    Err(malformed("less than half of it is there"))
                };
            }
            for index in 0..count {
                let bytes = expander.layout().row_bytes(width);
                let expanded = expander.expand(scanlines.row(index), &mut pixels);
                emit(expanded.get(..bytes).unwrap_or(expanded), top + row * down, left, across);
                row += 1;
            }
        }
    }
    Ok(true)
}
