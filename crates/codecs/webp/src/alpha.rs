//! The alpha plane of lossy images (RFC 9649, section 2.7.1.2, `ALPH`): raw or as the green of a VP8L stream, each row
//! predicted from its neighbours or not.

use crate::{error::Error, vp8l::rows::LosslessRows};

/// How values were predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    None,
    Horizontal,
    Vertical,
    Gradient,
}

#[derive(Debug)]
enum Source<'a> {
    Raw(&'a [u8]),
    Lossless(Box<LosslessRows<'a>>),
}

/// Yields the plane's rows from the top.
#[derive(Debug)]
pub(crate) struct AlphaRows<'a> {
    source: Source<'a>,
    filter: Filter,
    width: usize,
    /// Rows decoded but not yet taken.
    ready: Vec<u8>,
    /// How many bytes of `ready` have been taken.
    taken: usize,
    /// The last row decoded; empty before the first.
    above: Vec<u8>,
}

impl<'a> AlphaRows<'a> {
    /// `data`: the payload of an `ALPH` chunk.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::LimitExceeded`] for the tables.
    pub(crate) fn new(data: &'a [u8], width: u32, height: u32, max_table_bytes: u32) -> Result<Self, Error> {
        let (&head, data) = data.split_first().ok_or(Error::Malformed("alpha chunk empty"))?;
        // The bits for preprocessing only tell what the encoder did.
        let filter = match (head >> 2) & 3 {
            0 => Filter::None,
            1 => Filter::Horizontal,
            2 => Filter::Vertical,
            _ => Filter::Gradient,
        };
        let source = match head & 3 {
            0 => Source::Raw(data),
            1 => Source::Lossless(Box::new(LosslessRows::without_header(
                data,
                width,
                height,
                max_table_bytes,
            )?)),
            _ => return Err(Error::Malformed("unknown alpha compression")),
        };
        let width = width as usize;
        Ok(Self { source, filter, width, ready: Vec::new(), taken: 0, above: Vec::new() })
    }

    /// The next `count` rows, one byte a pixel.
    ///
    /// # Errors
    /// [`Error::Malformed`], also where the data end: unlike colour, alpha comes before anything that can be shown.
    pub(crate) fn rows(&mut self, count: usize) -> Result<&[u8], Error> {
        const SHORT: Error = Error::Malformed("alpha cut short");
        let needed = count * self.width;
        self.ready.drain(..self.taken);
        self.taken = 0;
        while self.ready.len() < needed {
            let before = self.ready.len();
            match &mut self.source {
                Source::Raw(data) => {
                    let (rows, rest) = data.split_at_checked(needed - before).ok_or(SHORT)?;
                    self.ready.extend_from_slice(rows);
                    *data = rest;
                }
                Source::Lossless(rows) => {
                    let rows = rows.next_rows()?.ok_or(SHORT)?;
                    self.ready.extend(rows.pixels.iter().map(|pixel| (pixel >> 8) as u8));
                }
            }
            for row in self.ready[before..].chunks_exact_mut(self.width) {
                undo(self.filter, row, &self.above);
                self.above.clear();
                self.above.extend_from_slice(row);
            }
        }
        self.taken = needed;
        Ok(&self.ready[..needed])
    }
}

/// Undoes the prediction of one row in place; `above` is empty for the first.
fn undo(filter: Filter, row: &mut [u8], above: &[u8]) {
    let horizontal = |row: &mut [u8], first: u8| {
        let mut left = first;
        for value in row {
            left = value.wrapping_add(left);
            *value = left;
        }
    };
    match (filter, above) {
        (Filter::None, _) => {}
        // In the first row, all predict from the left, and its first value from 0.
        (_, []) => horizontal(row, 0),
        (Filter::Horizontal, [first, ..]) => horizontal(row, *first),
        (Filter::Vertical, above) => {
            for (value, above) in row.iter_mut().zip(above) {
                *value = value.wrapping_add(*above);
            }
        }
        (Filter::Gradient, above) => {
            let (mut left, mut corner) = (above[0], above[0]);
            for (value, &above) in row.iter_mut().zip(above) {
                let gradient = i16::from(left) + i16::from(above) - i16::from(corner);
                left = value.wrapping_add(gradient.clamp(0, 255) as u8);
                (*value, corner) = (left, above);
            }
        }
    }
}
