//! The screen, and what is done to it between frames.

use std::ops::Range;

/// One pixel drawn over another (PNG specification, section 13.16; RFC 9649, section 2.7.1.1), rounded to the nearest.
#[inline]
#[must_use]
pub fn blend(under: [u8; 4], over: [u8; 4]) -> [u8; 4] {
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

/// A part of a canvas, in pixels, inside it; may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Area {
    /// In pixels.
    #[must_use]
    pub const fn width(self) -> usize {
        self.width
    }

    /// In pixels.
    #[must_use]
    pub const fn height(self) -> usize {
        self.height
    }
}

/// What happens to a frame's area before the next frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposal {
    /// Nothing.
    Keep,
    /// It becomes transparent.
    Clear,
    /// It becomes what it was before the frame.
    Restore,
}

/// The screen.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
    pending: Pending,
}

/// What is left to do before the next frame is drawn.
#[derive(Clone, Debug)]
enum Pending {
    Nothing,
    Clear(Area),
    /// With what was there.
    Restore(Area, Vec<[u8; 4]>),
}

impl Canvas {
    /// Takes `4 * width * height` bytes. A caller has checked both sides against its limits.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self { width, height, pixels: vec![[0; 4]; width * height], pending: Pending::Nothing }
    }

    /// All of it, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// What of an area lies on the canvas.
    #[must_use]
    pub fn clip(&self, left: u32, top: u32, width: u32, height: u32) -> Area {
        let (left, top) = ((left as usize).min(self.width), (top as usize).min(self.height));
        Area {
            left,
            top,
            width: (width as usize).min(self.width - left),
            height: (height as usize).min(self.height - top),
        }
    }

    /// Disposes of the frame before; the next one is drawn into this area. To restore it takes memory for its pixels.
    pub fn start_frame(&mut self, area: Area, disposal: Disposal) {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => {}
            Pending::Clear(area) => self.clear(area),
            Pending::Restore(area, saved) => self.restore(area, &saved),
        }
        self.pending = match disposal {
            Disposal::Keep => Pending::Nothing,
            Disposal::Clear => Pending::Clear(area),
            Disposal::Restore => Pending::Restore(area, self.save(area)),
        };
    }

    /// A row of an area, 0 at its top.
    pub fn row(&mut self, area: Area, row: usize) -> &mut [[u8; 4]] {
        let place = self.place(area, row);
        self.pixels.get_mut(place).unwrap_or_default()
    }

    fn clear(&mut self, area: Area) {
        for row in 0..area.height {
            self.row(area, row).fill([0; 4]);
        }
    }

    fn save(&self, area: Area) -> Vec<[u8; 4]> {
        let mut saved = Vec::with_capacity(area.width * area.height);
        for row in 0..area.height {
            saved.extend_from_slice(self.pixels.get(self.place(area, row)).unwrap_or_default());
        }
        saved
    }

    fn restore(&mut self, area: Area, saved: &[[u8; 4]]) {
        if area.width == 0 {
            return;
        }
        for (row, saved) in saved.chunks_exact(area.width).enumerate() {
            self.row(area, row).copy_from_slice(saved);
        }
    }

    fn place(&self, area: Area, row: usize) -> Range<usize> {
        let start = (area.top + row) * self.width + area.left;
        start..start + area.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blending_is_that_of_the_specifications() {
        assert_eq!(blend([1, 2, 3, 4], [9, 8, 7, 255]), [9, 8, 7, 255]);
        assert_eq!(blend([1, 2, 3, 4], [9, 8, 7, 0]), [1, 2, 3, 4]);
        assert_eq!(blend([1, 2, 3, 0], [9, 8, 7, 6]), [9, 8, 7, 6]);
        // 0.6 of white over opaque black, and 0.2 of a colour over another.
        assert_eq!(blend([0, 0, 0, 255], [255, 255, 255, 153]), [153, 153, 153, 255]);
        assert_eq!(blend([0, 100, 255, 255], [255, 100, 0, 51]), [51, 100, 204, 255]);
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
    fn a_frame_is_disposed_of_when_the_next_one_starts() {
        for (disposal, left) in [(Disposal::Keep, 2), (Disposal::Clear, 0), (Disposal::Restore, 1)] {
            let mut canvas = Canvas::new(4, 3);
            let (whole, area) = (canvas.clip(0, 0, 4, 3), canvas.clip(1, 1, 2, 2));
            canvas.start_frame(whole, Disposal::Keep);
            (0..3).for_each(|row| canvas.row(whole, row).fill([1; 4]));
            canvas.start_frame(area, disposal);
            (0..2).for_each(|row| canvas.row(area, row).fill([2; 4]));
            canvas.start_frame(whole, Disposal::Keep);
            let reds: Vec<u8> = canvas.pixels().iter().copied().step_by(4).collect();
            assert_eq!(reds, [1, 1, 1, 1, 1, left, left, 1, 1, left, left, 1], "{disposal:?}");
        }
    }

    #[test]
    fn an_area_of_no_pixels_is_disposed_of_like_any_other() {
        let mut canvas = Canvas::new(4, 3);
        for disposal in [Disposal::Restore, Disposal::Clear, Disposal::Keep] {
            canvas.start_frame(canvas.clip(9, 9, 1, 1), disposal);
        }
        assert_eq!(canvas.pixels(), [0; 48]);
    }
}
