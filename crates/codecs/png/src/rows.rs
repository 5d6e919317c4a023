//! From the zlib stream of a picture to rows of pixels, in the order in which they are stored.

use std::ops::ControlFlow;

use thumbs_canvas::Outcome;

use crate::expand::Expander;
use crate::format::Format;
use crate::interlace;
use crate::pieces::Pieces;
use crate::row::Row;
use crate::scanlines::Scanlines;

/// What becomes of rows that are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// They look like the last one that was there. Not if there was none, and not in an interlaced picture.
    Repeated,
    /// They are not handed out.
    Left,
}

/// Hands out the rows of a picture of the format's size, until the sink breaks off.
pub(crate) fn decode(
    format: &Format,
    expander: &Expander,
    pieces: Pieces<'_>,
    missing: Missing,
    sink: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
) -> Outcome {
    if format.interlaced {
        interlace::rows(format, expander, pieces, sink)
    } else {
        in_order(format, expander, pieces, missing, sink)
    }
}

fn in_order(
    format: &Format,
    expander: &Expander,
    pieces: Pieces<'_>,
    missing: Missing,
    sink: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>,
) -> Outcome {
    let mut scanlines = Scanlines::new(pieces, format, format.width);
    let mut expanded = Vec::new();
    let whole = Outcome { rows_decoded: format.height, rows: format.height, truncated: false };
    let mut y = 0;
    while y < format.height {
        let count = scanlines.next((format.height - y) as usize);
        if count == 0 {
            break;
        }
        for index in 0..count {
            let pixels = expander.expand(scanlines.row(index), &mut expanded);
            if sink(Row { y, x: 0, step: 1, pixels }).is_break() {
                return whole;
            }
            y += 1;
        }
    }
    if y == format.height {
        return whole;
    }
    if y > 0 && missing == Missing::Repeated {
        let pixels = expander.expand(scanlines.last_row(), &mut expanded);
        for y in y..format.height {
            if sink(Row { y, x: 0, step: 1, pixels }).is_break() {
                break;
            }
        }
    }
    Outcome { rows_decoded: y, truncated: true, ..whole }
}
