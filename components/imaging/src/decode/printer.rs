//! Rows in, a raster of the planned size out: the resampler with the colour conversion behind it.

use std::ops::ControlFlow;

use super::Job;
use crate::colour::{Converter, Matrix};
use crate::error::Error;
use crate::plan::Plan;
use crate::raster::Raster;
use crate::resample::{Axis, Layout, Pixel, Scaler, Scatter};

/// Prints one picture after the other, all of one size and layout.
#[derive(Debug)]
pub(crate) struct Printer {
    scaler: Scaler,
    /// Of the pictures that come in.
    layout: Layout,
    source_width: u32,
    converter: Converter,
    width: u32,
    height: u32,
    rgba: Vec<u8>,
    /// Where the samples are luma and colour differences.
    matrix: Option<Matrix>,
    /// A row of red, green and blue.
    converted: Vec<Pixel>,
}

impl Printer {
    /// For pictures of `width` x `height`, which a decoder has already reduced by `scale` on both axes (1 where not).
    pub(crate) fn new(job: &Job<'_>, layout: Layout, width: u32, height: u32, scale: u32) -> Self {
        Self::planned(job.plan, job.converter.clone(), layout, width, height, scale)
    }

    /// The same, by what of the job it needs.
    pub(super) fn planned(
        plan: &Plan,
        converter: Converter,
        layout: Layout,
        width: u32,
        height: u32,
        scale: u32,
    ) -> Self {
        let columns = Axis::new(plan.columns, scale, width, plan.width);
        let rows = Axis::new(plan.rows, scale, height, plan.height);
        Self {
            scaler: Scaler::new(layout, columns, rows),
            layout,
            source_width: width,
            converter,
            width: plan.width,
            height: plan.height,
            rgba: Vec::new(),
            matrix: None,
            converted: Vec::new(),
        }
    }

    /// For samples of luma and colour differences instead of red, green and blue. Means of the ones are means of the others, so that they
    /// are converted when they are few.
    pub(super) fn through(self, matrix: Matrix) -> Self {
        Self { matrix: Some(matrix), ..self }
    }

    /// No further rows change anything.
    pub(super) const fn is_done(&self) -> bool {
        self.scaler.is_done()
    }

    /// Takes the next row, top to bottom. Breaks off where the rows that follow are below the part that is kept.
    pub(crate) fn push(&mut self, row: &[u8]) -> ControlFlow<()> {
        if !self.scaler.is_done() {
            let (converter, rgba) = (&self.converter, &mut self.rgba);
            let (matrix, converted) = (&self.matrix, &mut self.converted);
            self.scaler.push(row, |row| match matrix {
                None => converter.store(row, rgba),
                Some(matrix) => {
                    converted.clear();
                    converted.extend(row.iter().map(|&pixel| matrix.to_rgb(pixel)));
                    converter.store(converted, rgba);
                }
            });
        }
        if self.scaler.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// A whole picture, row by row.
    pub(crate) fn print(&mut self, pixels: &[u8]) -> Result<Raster, Error> {
        for row in pixels.chunks_exact(self.layout.row_bytes(self.source_width)) {
            if self.push(row).is_break() {
                break;
            }
        }
        self.finish()
    }

    /// For a picture whose pixels come in another order than row by row.
    pub(crate) fn scatter(&self) -> Scatter {
        self.scaler.scatter(self.source_width)
    }

    /// The raster of a scattered picture.
    pub(crate) fn finish_scattered(&mut self, scatter: Scatter) -> Result<Raster, Error> {
        let (converter, rgba) = (&self.converter, &mut self.rgba);
        self.scaler.push_scattered(scatter, |row| converter.store(row, rgba));
        self.finish()
    }

    /// The raster, and ready for the next picture.
    pub(crate) fn finish(&mut self) -> Result<Raster, Error> {
        self.scaler.restart();
        let rgba = std::mem::take(&mut self.rgba);
        Raster::new(self.width, self.height, rgba)
            .ok_or_else(|| Error::Malformed("its pixels do not fill its frame".to_owned()))
    }
}
