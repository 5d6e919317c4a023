//! The first frame alone, row by row: no screen is held.

use std::ops::ControlFlow;

use thumbs_canvas::Outcome;

use crate::blocks::Descriptor;
use crate::lzw::Lzw;
use crate::order;
use crate::palette::Palette;

/// Hands the rows of the screen to `sink` until that breaks off.
pub(crate) fn decode(
    frame: &Descriptor<'_>,
    width: usize,
    height: usize,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Outcome {
    let (left, top) = (frame.left as usize, frame.top as usize);
    let shown_rows = (frame.height as usize).min(height.saturating_sub(top));
    let mut rows = if frame.interlaced {
        let shown_width = (frame.width as usize).min(width.saturating_sub(left));
        Rows::Sorted(Plane::decode(frame, shown_width, shown_rows))
    } else {
        Rows::Coming(Lzw::new(frame.data), frame.width as usize)
    };
    let palette = Palette::new(frame);
    let mut row = vec![[0; 4]; width];
    let mut rows_decoded = 0;
    let mut truncated = false;
    for y in 0..height {
        match y.checked_sub(top).filter(|&y| y < shown_rows) {
            None => row.fill([0; 4]),
            Some(y) => match rows.get(y) {
                Some(indices) => {
                    row.fill([0; 4]);
                    palette.draw(indices, row.get_mut(left..).unwrap_or_default());
                    rows_decoded += 1;
                }
                // The row stays as the last one was.
                None => truncated = true,
            },
        }
        if sink(row.as_flattened()).is_break() {
            break;
        }
    }
    if let Rows::Sorted(plane) = &rows {
        (rows_decoded, truncated) = (plane.rows_decoded, plane.rows_decoded < shown_rows);
    }
    Outcome { rows_decoded: rows_decoded as u32, rows: shown_rows as u32, truncated }
}

/// Where the indices of a row come from.
enum Rows<'a> {
    /// In order, with the pixels of each.
    Coming(Lzw<'a>, usize),
    Sorted(Plane),
}

impl Rows<'_> {
    /// Row `y` of the frame; those that come are asked for one after the other.
    fn get(&mut self, y: usize) -> Option<&[u8]> {
        match self {
            Self::Coming(lzw, width) => lzw.next(*width),
            Self::Sorted(plane) => plane.indices.get(y * plane.width..(y + 1) * plane.width),
        }
    }
}

/// The indices of an interlaced frame as far as they lie on the screen: the only ones that are kept.
struct Plane {
    width: usize,
    indices: Vec<u8>,
    rows_decoded: usize,
}

impl Plane {
    fn decode(frame: &Descriptor<'_>, width: usize, height: usize) -> Self {
        let mut rows = Lzw::new(frame.data);
        let mut plane = Self { width, indices: vec![0; width * height], rows_decoded: 0 };
        let mut present = vec![false; height];
        for y in order::rows(frame) {
            let Some(indices) = rows.next(frame.width as usize) else { break };
            if let Some(present) = present.get_mut(y) {
                plane.indices[y * width..(y + 1) * width].copy_from_slice(&indices[..width]);
                *present = true;
                plane.rows_decoded += 1;
            }
        }
        // A missing row looks like the one above it, which an earlier pass has brought.
        for (y, present) in present.iter().enumerate().skip(1) {
            if !present {
                plane.indices.copy_within((y - 1) * width..y * width, y * width);
            }
        }
        plane
    }
}
