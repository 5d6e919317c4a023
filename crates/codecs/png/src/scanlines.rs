//! Rows of samples out of a zlib stream. Rows come in batches, as undoing filters is far faster for several at a time.

use thumbs_inflate::Inflate;

use crate::format::Format;
use crate::pieces::Pieces;
use crate::stairs::BATCH;
use crate::unfilter;

/// The rows of one image, or of one pass of an interlaced one.
pub(crate) struct Scanlines<'a> {
    inflate: Inflate<'a, Pieces<'a>>,
    bytes_per_pixel: usize,
    row_bytes: usize,
    /// The last row of the batch before, then the batch.
    rows: [Vec<u8>; BATCH + 1],
    count: usize,
}

impl<'a> Scanlines<'a> {
    /// `width` in pixels, at most the format's.
    pub(crate) fn new(pieces: Pieces<'a>, format: &Format, width: u32) -> Self {
        let mut scanlines = Self {
            inflate: Inflate::new(pieces),
            bytes_per_pixel: format.bytes_per_pixel(),
            row_bytes: 0,
            rows: std::array::from_fn(|_| Vec::new()),
            count: 0,
        };
        scanlines.start_pass(format, width);
        scanlines
    }

    /// Rows from here on are `width` pixels wide, and the first of them refers to none above.
    pub(crate) fn start_pass(&mut self, format: &Format, width: u32) {
        self.row_bytes = format.row_bytes(width);
        self.count = 0;
        for row in &mut self.rows {
            row.clear();
            row.resize(self.row_bytes, 0);
        }
    }

    /// Decodes up to `left` rows, at most a batch; says how many. 0 is the end of the data.
    pub(crate) fn next(&mut self, left: usize) -> usize {
        let last = self.count;
        self.rows.swap(0, last);
        let raw_bytes = self.row_bytes + 1;
        let wanted = left.min(BATCH);
        let raw = self.inflate.take(raw_bytes * wanted);
        self.count = raw.len() / raw_bytes;
        if unfilter::rows(raw, self.bytes_per_pixel, self.row_bytes, &mut self.rows, self.count).is_none() {
            self.count = 0;
        }
        self.count
    }

    /// A row of the batch.
    pub(crate) fn row(&self, index: usize) -> &[u8] {
        self.rows.get(index + 1).and_then(|row| row.get(..self.row_bytes)).unwrap_or_default()
    }

    /// The last row that was decoded.
    pub(crate) fn last_row(&self) -> &[u8] {
        self.rows.get(self.count).and_then(|row| row.get(..self.row_bytes)).unwrap_or_default()
    }
}
