//! Rows in, rasters of the planned sizes out: a resampler for each, with the colour conversion behind it.

use std::ops::ControlFlow;

use super::Job;
use crate::colour::{Converter, Matrix};
use crate::error::Error;
use crate::plan::Plan;
use crate::raster::Raster;
use crate::resample::{Axis, Layout, Pixel, Scaler, Scatter};

/// Prints one picture after the other, all of one size and layout, in each of the planned sizes.
#[derive(Debug)]
pub(crate) struct Printer {
    /// One for each plan, in their order.
    sheets: Vec<Sheet>,
    /// Of the pictures that come in.
    layout: Layout,
    source_width: u32,
    ink: Ink,
}

/// One size.
#[derive(Debug)]
struct Sheet {
    scaler: Scaler,
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

/// From resampled pixels to sRGB.
#[derive(Debug)]
struct Ink {
    converter: Converter,
    /// Where the samples are luma and colour differences.
    matrix: Option<Matrix>,
    /// A row of red, green and blue.
    converted: Vec<Pixel>,
}

impl Ink {
    fn store(&mut self, row: &[Pixel], rgba: &mut Vec<u8>) {
        match &self.matrix {
            None => self.converter.store(row, rgba),
            Some(matrix) => {
                self.converted.clear();
                self.converted.extend(row.iter().map(|&pixel| matrix.to_rgb(pixel)));
                self.converter.store(&self.converted, rgba);
            }
        }
    }
}

impl Printer {
    /// For pictures of `width` x `height`, which a decoder has already reduced by `scale` on both axes (1 where not).
    pub(crate) fn new(job: &Job<'_>, layout: Layout, width: u32, height: u32, scale: u32) -> Self {
        Self::planned(job.plans, job.converter.clone(), layout, width, height, scale)
    }

    /// The same, by what of the job it needs.
    pub(super) fn planned(
        plans: &[Plan],
        converter: Converter,
        layout: Layout,
        width: u32,
        height: u32,
        scale: u32,
    ) -> Self {
        let sheet = |plan: &Plan| {
            let columns = Axis::new(plan.columns, scale, width, plan.width);
            let rows = Axis::new(plan.rows, scale, height, plan.height);
            let scaler = Scaler::new(layout, columns, rows);
            Sheet { scaler, width: plan.width, height: plan.height, rgba: Vec::new() }
        };
        Self {
            sheets: plans.iter().map(sheet).collect(),
            layout,
            source_width: width,
            ink: Ink { converter, matrix: None, converted: Vec::new() },
        }
    }

    /// For samples of luma and colour differences instead of red, green and blue. Means of the ones are means of the others, so that they
    /// are converted when they are few.
    pub(super) fn through(self, matrix: Matrix) -> Self {
        Self { ink: Ink { matrix: Some(matrix), ..self.ink }, ..self }
    }

    /// No further rows change anything.
    pub(super) fn is_done(&self) -> bool {
        self.sheets.iter().all(|sheet| sheet.scaler.is_done())
    }

    /// Takes the next row, top to bottom. Breaks off where the rows that follow are below the part that is kept.
    pub(crate) fn push(&mut self, row: &[u8]) -> ControlFlow<()> {
        let mut is_done = true;
        for Sheet { scaler, rgba, .. } in &mut self.sheets {
            if !scaler.is_done() {
                scaler.push(row, |row| self.ink.store(row, rgba));
            }
            is_done &= scaler.is_done();
        }
        if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// A whole picture, row by row.
    pub(crate) fn print(&mut self, pixels: &[u8]) -> Result<Vec<Raster>, Error> {
        for row in pixels.chunks_exact(self.layout.row_bytes(self.source_width)) {
            if self.push(row).is_break() {
                break;
            }
        }
        self.finish()
    }

    /// For a picture whose pixels come in another order than row by row: one for each size.
    pub(crate) fn scatters(&self) -> Vec<Scatter> {
        self.sheets.iter().map(|sheet| sheet.scaler.scatter(self.source_width)).collect()
    }

    /// The rasters of a scattered picture.
    pub(crate) fn finish_scattered(&mut self, scatters: Vec<Scatter>) -> Result<Vec<Raster>, Error> {
        for (Sheet { scaler, rgba, .. }, scatter) in self.sheets.iter_mut().zip(scatters) {
            scaler.push_scattered(scatter, |row| self.ink.store(row, rgba));
        }
        self.finish()
    }

    /// The rasters, one for each size, and ready for the next picture.
    pub(crate) fn finish(&mut self) -> Result<Vec<Raster>, Error> {
        let finish = |Sheet { scaler, width, height, rgba }: &mut Sheet| {
            scaler.restart();
            Raster::new(*width, *height, std::mem::take(rgba))
                .ok_or_else(|| Error::Malformed("its pixels do not fill its frame".to_owned()))
        };
        self.sheets.iter_mut().map(finish).collect()
    }
}
