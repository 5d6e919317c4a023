//! The samples of one component, at the scale of the picture: either all of them or a band that moves down with the decoding.

use crate::frame::Component;
use crate::idct;
use crate::shape::Shape;

/// Rows above the band that stay reachable: interpolation looks one row up and holds one row back.
const CONTEXT_ROWS: usize = 2;

/// Samples of one component.
///
/// Rows are `stride` apart, a multiple of 16 that covers whole MCUs, so that vectors of 16 never leave a row.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    samples: Vec<u8>,
    stride: usize,
    /// Real samples, without padding to blocks.
    width: usize,
    height: usize,
    shape: Shape,
    /// Block rows in the band.
    band_blocks: usize,
    /// The row that the band begins with.
    band_start: usize,
}

impl Plane {
    /// A band of one MCU row.
    pub(crate) fn band(component: &Component, shape: Shape) -> Self {
        Self::new(component, shape, component.v)
    }

    /// All rows at once.
    pub(crate) fn whole(component: &Component, shape: Shape) -> Self {
        Self::new(component, shape, component.padded_down)
    }

    /// What [`Plane::whole`] allocates.
    pub(crate) fn whole_bytes(component: &Component, shape: Shape) -> u64 {
        Self::stride(component, shape) as u64 * (component.padded_down * shape.down + CONTEXT_ROWS) as u64
    }

    fn stride(component: &Component, shape: Shape) -> usize {
        (component.padded_across * shape.across).next_multiple_of(16)
    }

    fn new(component: &Component, shape: Shape, band_blocks: usize) -> Self {
        let stride = Self::stride(component, shape);
        Self {
            samples: vec![128; stride * (CONTEXT_ROWS + band_blocks * shape.down)],
            stride,
            width: (component.width as usize * shape.across).div_ceil(8),
            height: (component.height as usize * shape.down).div_ceil(8),
            shape,
            band_blocks,
            band_start: 0,
        }
    }

    /// Samples that become of a block.
    pub(crate) const fn shape(&self) -> Shape {
        self.shape
    }

    /// Samples in a row that belong to the picture.
    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    /// Rows that belong to the picture.
    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    /// The first row that is not there yet, once the band is filled.
    pub(crate) const fn band_end(&self) -> usize {
        self.band_start + self.band_blocks * self.shape.down
    }

    /// Makes room for the next band.
    pub(crate) fn advance(&mut self) {
        let rows = self.band_blocks * self.shape.down * self.stride;
        self.samples.copy_within(rows.., 0);
        self.band_start += self.band_blocks * self.shape.down;
    }

    /// A row by its number in the picture, at most [`CONTEXT_ROWS`] above the band; rows above and below the picture repeat its
    /// first and last one.
    pub(crate) fn row(&self, y: isize) -> &[u8] {
        let y = y.clamp(0, self.height as isize - 1) as usize;
        let at = (y + CONTEXT_ROWS - self.band_start) * self.stride;
        &self.samples[at..at + self.stride]
    }

    /// The distance between rows.
    pub(crate) const fn row_stride(&self) -> usize {
        self.stride
    }

    /// Where the top left sample of a block lies, by the block's row within the band.
    pub(crate) const fn block_at(&self, band_row: usize, column: usize) -> usize {
        (CONTEXT_ROWS + band_row * self.shape.down) * self.stride + column * self.shape.across
    }

    /// Samples from a place that [`Plane::block_at`] gave to the end of the band.
    #[inline(always)]
    pub(crate) fn samples_mut(&mut self, at: usize) -> &mut [u8] {
        &mut self.samples[at..]
    }

    /// Makes a block mid-grey that was lost.
    pub(crate) fn blank(&mut self, at: usize) {
        let (shape, stride) = (self.shape, self.stride);
        idct::flat(shape, 0, self.samples_mut(at), stride);
    }
}
