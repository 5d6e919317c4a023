//! APNG (PNG specification, section 4.9): frames drawn on their canvas, one canvas in memory.

use std::ops::ControlFlow;

use thumbs_canvas::{Canvas, Disposal, Frame, blend};

use crate::chunks::{Chunk, Chunks, be16, be32};
use crate::expand::Expander;
use crate::format::Format;
use crate::pieces::Pieces;
use crate::row::{Depth, Layout};
use crate::rows::{self, Missing};

/// An fcTL chunk.
#[derive(Clone, Copy, Debug)]
struct Control {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    duration_ms: u32,
    disposal: Disposal,
    /// Drawn over what is there rather than instead of it.
    blends: bool,
}

impl Control {
    /// `None` for what the specification forbids.
    fn read(body: &[u8], format: &Format) -> Option<Self> {
        let (width, height, left, top) = (be32(body, 4)?, be32(body, 8)?, be32(body, 12)?, be32(body, 16)?);
        let inside = left.checked_add(width)? <= format.width && top.checked_add(height)? <= format.height;
        if width == 0 || height == 0 || !inside {
            return None;
        }
        let (numerator, denominator) = (u32::from(be16(body, 20)?), u32::from(be16(body, 22)?));
        let denominator = if denominator == 0 { 100 } else { denominator };
        let disposal = match body.get(24)? {
            1 => Disposal::Clear,
            2 => Disposal::Restore,
            _ => Disposal::Keep,
        };
        let duration_ms = (numerator * 1000 + denominator / 2) / denominator;
        let blends = *body.get(25)? == 1;
        Some(Self { left, top, width, height, duration_ms, disposal, blends })
    }
}

/// The frames of [`crate::Decoder::frames`], each on the whole canvas as it is shown. What no frame covers is transparent.
#[derive(Debug)]
pub struct Frames<'a> {
    format: Format,
    expander: Expander,
    canvas: Canvas,
    chunks: Chunks<'a>,
}

impl<'a> Frames<'a> {
    /// Takes memory for the canvas.
    pub(crate) fn new(format: Format, expander: Expander, chunks: Chunks<'a>) -> Self {
        let canvas = Canvas::new(format.width, format.height);
        Self { format, expander, canvas, chunks }
    }

    /// Draws the next frame. What is missing of one that is truncated is not drawn; frames after it may build on that.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let (control, first) = self.find()?;
        let pieces = Pieces::new(first, self.chunks.clone());
        Some(self.draw(&control, pieces))
    }

    /// Passes over a frame, which is not drawn; how long it is shown. What is drawn after it lacks it.
    pub fn pass_over(&mut self) -> Option<u32> {
        self.find().map(|(control, _)| control.duration_ms)
    }

    /// The next frame's control, and the first chunk of its data.
    fn find(&mut self) -> Option<(Control, Chunk<'a>)> {
        let mut control = None;
        for chunk in self.chunks.by_ref() {
            match &chunk.kind {
                b"fcTL" => control = Control::read(chunk.body, &self.format),
                b"IDAT" | b"fdAT" => {
                    // Data without a control is the still image, or goes on with a frame that is done.
                    let Some(control) = control.take() else { continue };
                    return Some((control, chunk));
                }
                b"IEND" => break,
                _ => {}
            }
        }
        // Behind the end is nothing.
        self.chunks.by_ref().for_each(drop);
        None
    }

    fn draw(&mut self, control: &Control, pieces: Pieces<'_>) -> Frame<'_> {
        let area = self.canvas.clip(control.left, control.top, control.width, control.height);
        // The first frame has nothing to go back to but transparency, which is what there was.
        self.canvas.start_frame(area, control.disposal);
        let format = Format { width: control.width, height: control.height, ..self.format };
        let (expander, canvas) = (&self.expander, &mut self.canvas);
        let layout = expander.layout();
        let outcome = rows::decode(&format, expander, pieces, Missing::Left, &mut |row| {
            let places = canvas.row(area, row.y as usize).iter_mut();
            if row.step == 1 {
                put(places, layout, row.pixels, control.blends);
            } else {
                let places = places.skip(row.x as usize).step_by(row.step as usize);
                put(places, layout, row.pixels, control.blends);
            }
            ControlFlow::Continue(())
        });
        Frame { pixels: self.canvas.pixels(), duration_ms: control.duration_ms, outcome }
    }
}

fn put<'c>(places: impl Iterator<Item = &'c mut [u8; 4]>, layout: Layout, pixels: &[u8], blends: bool) {
    for (under, pixel) in places.zip(pixels.chunks_exact(layout.bytes_per_pixel())) {
        let over = rgba(layout, pixel);
        *under = if blends { blend(*under, over) } else { over };
    }
}

/// A pixel as the canvas has it: 8 bits a channel, rounded.
fn rgba(layout: Layout, pixel: &[u8]) -> [u8; 4] {
    let mut samples = [0; 4];
    match layout.depth {
        Depth::Eight => {
            for (sample, &byte) in samples.iter_mut().zip(pixel) {
                *sample = byte;
            }
        }
        Depth::Sixteen => {
            for (sample, &word) in samples.iter_mut().zip(pixel.as_chunks::<2>().0) {
                *sample = ((u32::from(u16::from_be_bytes(word)) * 255 + 32_767) / 65_535) as u8;
            }
        }
    }
    let [a, b, c, d] = samples;
    match layout.channels {
        1 => [a, a, a, 255],
        2 => [a, a, a, b],
        3 => [a, b, c, 255],
        _ => [a, b, c, d],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_outside_of_the_canvas_is_refused() {
        let format = Format { width: 10, height: 10, depth: 8, colour_type: 6, interlaced: false };
        let control = |width: u32, left: u32| {
            let words = [0, width, 5, left, 5].map(u32::to_be_bytes).concat();
            Control::read(&[&words[..], &[0, 1, 0, 10, 2, 1]].concat(), &format)
        };
        let good = control(4, 6).unwrap();
        assert_eq!((good.duration_ms, good.disposal, good.blends), (100, Disposal::Restore, true));
        assert!(control(4, 7).is_none() && control(0, 0).is_none() && control(u32::MAX, 1).is_none());
    }

    #[test]
    fn sixteen_bits_are_rounded() {
        let grey = Layout { channels: 1, depth: Depth::Sixteen, has_alpha: false };
        assert_eq!(rgba(grey, &[0x80, 0x7F]), [128, 128, 128, 255]);
        assert_eq!(rgba(grey, &[0x00, 0x81]), [1, 1, 1, 255]);
    }
}
