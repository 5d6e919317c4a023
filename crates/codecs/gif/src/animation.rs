//! Animations: frames drawn on the screen one after the other, one screen in memory.

use thumbs_canvas::{Area, Canvas, Frame, Outcome};

use crate::blocks::{Blocks, Descriptor};
use crate::lzw::Lzw;
use crate::order;
use crate::palette::Palette;

const MS_PER_CS: u32 = 10;

/// The frames of [`crate::Decoder::frames`], each on the whole screen as it is shown. What no frame covers is transparent.
#[derive(Debug)]
pub struct Frames<'a> {
    canvas: Canvas,
    blocks: Blocks<'a>,
}

impl<'a> Frames<'a> {
    /// Takes memory for the screen.
    pub(crate) fn new(width: u32, height: u32, blocks: Blocks<'a>) -> Self {
        Self { canvas: Canvas::new(width, height), blocks }
    }

    /// Draws the next frame. What is missing of one that is truncated is not drawn.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let frame = self.blocks.next()?;
        let area = self.canvas.clip(frame.left, frame.top, frame.width, frame.height);
        self.canvas.start_frame(area, frame.disposal);
        let rows_decoded = draw(&frame, area, &mut self.canvas);
        let outcome = Outcome {
            rows_decoded: rows_decoded as u32,
            rows: area.height() as u32,
            truncated: rows_decoded < area.height(),
        };
        Some(Frame { pixels: self.canvas.pixels(), duration_ms: duration_ms(&frame), outcome })
    }

    /// Passes over a frame, which is not drawn; how long it is shown. What is drawn after it lacks it.
    pub fn pass_over(&mut self) -> Option<u32> {
        self.blocks.next().map(|frame| duration_ms(&frame))
    }
}

fn duration_ms(frame: &Descriptor<'_>) -> u32 {
    MS_PER_CS * u32::from(frame.delay_cs)
}

/// Draws what there is of a frame; says how many of the area's rows that was.
fn draw(frame: &Descriptor<'_>, area: Area, canvas: &mut Canvas) -> usize {
    let palette = Palette::new(frame);
    let mut rows = Lzw::new(frame.data);
    let mut drawn = 0;
    for y in order::rows(frame) {
        // Rows below the canvas matter only if interlaced ones of it may follow.
        if drawn == area.height() {
            break;
        }
        let Some(indices) = rows.next(frame.width as usize) else { break };
        if y < area.height() {
            palette.draw(indices, canvas.row(area, y));
            drawn += 1;
        }
    }
    drawn
}
