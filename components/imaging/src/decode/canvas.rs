//! What an animation is drawn on: a screen of `R G B A` bytes, transparent at first. Formats differ in what they do to it;
//! here are the few things all of them do.

use super::Printer;
use crate::error::Error;
use crate::raster::Raster;

/// Frames shown for less than this are shown by browsers, and were meant by their makers, for [`USUAL_MS`].
const MIN_MS: u32 = 11;
const USUAL_MS: u32 = 100;

/// How long a frame is shown that says so.
pub(crate) const fn shown_ms(said_ms: u32) -> u32 {
    if said_ms < MIN_MS { USUAL_MS } else { said_ms }
}

/// One pixel drawn over another, alpha not multiplied in (PNG specification, section 13.16), rounded to the nearest.
pub(crate) fn blend(under: [u8; 4], over: [u8; 4]) -> [u8; 4] {
    match (under[3], over[3]) {
        (_, 255) | (0, _) => over,
        (_, 0) => under,
        (behind, front) => {
            // Both shares are in 255ths of 255ths.
            let front_share = 255 * u32::from(front);
            let behind_share = u32::from(behind) * (255 - u32::from(front));
            let share = front_share + behind_share;
            let mix = |channel: usize| {
                let sum = u32::from(over[channel]) * front_share + u32::from(under[channel]) * behind_share;
                ((sum + share / 2) / share) as u8
            };
            [mix(0), mix(1), mix(2), ((share + 127) / 255) as u8]
        }
    }
}

/// A part of the canvas, in pixels, inside it; may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// The screen.
#[derive(Debug)]
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, pixels: vec![[0; 4]; width * height] }
    }

    /// What of an area lies on the canvas.
    pub(crate) fn clip(&self, left: u32, top: u32, width: u32, height: u32) -> Area {
        let (left, top) = ((left as usize).min(self.width), (top as usize).min(self.height));
        Area {
            left,
            top,
            width: (width as usize).min(self.width - left),
            height: (height as usize).min(self.height - top),
        }
    }

    /// A row of an area, 0 at its top.
    pub(crate) fn row(&mut self, area: Area, row: usize) -> &mut [[u8; 4]] {
        let start = (area.top + row) * self.width + area.left;
        self.pixels.get_mut(start..start + area.width).unwrap_or_default()
    }

    /// Makes an area transparent.
    pub(crate) fn clear(&mut self, area: Area) {
        for row in 0..area.height {
            self.row(area, row).fill([0; 4]);
        }
    }

    /// The pixels of an area.
    pub(crate) fn save(&mut self, area: Area) -> Vec<[u8; 4]> {
        let mut saved = Vec::with_capacity(area.width * area.height);
        for row in 0..area.height {
            saved.extend_from_slice(self.row(area, row));
        }
        saved
    }

    /// Puts back what [`Canvas::save`] gave.
    pub(crate) fn restore(&mut self, area: Area, saved: &[[u8; 4]]) {
        if area.width == 0 {
            return;
        }
        for (row, saved) in saved.chunks_exact(area.width).enumerate() {
            self.row(area, row).copy_from_slice(saved);
        }
    }

    /// The canvas as a thumbnail.
    pub(crate) fn print(&self, printer: &mut Printer) -> Result<Raster, Error> {
        for row in self.pixels.chunks_exact(self.width) {
            if printer.is_done() {
                break;
            }
            printer.push(row.as_flattened());
        }
        printer.finish(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_delays_are_not_meant() {
        assert_eq!((shown_ms(0), shown_ms(10), shown_ms(11), shown_ms(5000)), (100, 100, 11, 5000));
    }

    #[test]
    fn blending_is_that_of_the_specification() {
        assert_eq!(blend([1, 2, 3, 4], [9, 8, 7, 255]), [9, 8, 7, 255]);
        assert_eq!(blend([1, 2, 3, 4], [9, 8, 7, 0]), [1, 2, 3, 4]);
        assert_eq!(blend([1, 2, 3, 0], [9, 8, 7, 6]), [9, 8, 7, 6]);
        // 0.6 of white over opaque black.
        assert_eq!(blend([0, 0, 0, 255], [255, 255, 255, 153]), [153, 153, 153, 255]);
        // Two halves of red and blue: three quarters opaque, two thirds of it in front.
        assert_eq!(blend([0, 0, 240, 128], [240, 0, 0, 128]), [160, 0, 80, 192]);
    }

    #[test]
    fn areas_are_clipped_to_the_canvas() {
        let canvas = Canvas::new(4, 3);
        assert_eq!(canvas.clip(1, 1, 9, 9), Area { left: 1, top: 1, width: 3, height: 2 });
        assert_eq!(canvas.clip(9, 0, 1, 1), Area { left: 4, top: 0, width: 0, height: 1 });
        assert_eq!(canvas.clip(u32::MAX, u32::MAX, u32::MAX, u32::MAX).height, 0);
    }

    #[test]
    fn an_area_comes_back_as_it_was_saved() {
        let mut canvas = Canvas::new(4, 3);
        canvas.row(canvas.clip(0, 0, 4, 3), 1).fill([1; 4]);
        let area = canvas.clip(1, 1, 2, 2);
        let saved = canvas.save(area);
        let before = canvas.pixels.clone();
        canvas.clear(area);
        assert_ne!(canvas.pixels, before);
        canvas.restore(area, &saved);
        assert_eq!(canvas.pixels, before);
    }
}
