//! Decoded pictures in the one layout that all stages after decoding share. No file format is known here.

/// 8-bit sRGB with straight (not premultiplied) alpha, row-major, 4 bytes a pixel, no padding between rows.
///
/// Invariant: `rgba().len() == 4 * width * height`, and neither side is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raster {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

impl Raster {
    /// `None` where a side is 0 or `rgba` is not exactly `4 * width * height` bytes.
    #[must_use]
    pub fn new(width: u32, height: u32, rgba: Vec<u8>) -> Option<Self> {
        let bytes = (width as usize).checked_mul(height as usize)?.checked_mul(4)?;
        (bytes > 0 && bytes == rgba.len()).then_some(Self { width, height, rgba })
    }

    /// In pixels, at least 1.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// In pixels, at least 1.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, `R G B A` each.
    #[must_use]
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// The part of `width` x `height` pixels at (`left`, `top`); `None` unless it is inside and not empty.
    #[must_use]
    pub fn cropped(&self, left: u32, top: u32, width: u32, height: u32) -> Option<Self> {
        let inside = left.checked_add(width)? <= self.width && top.checked_add(height)? <= self.height;
        if !inside || width == 0 {
            return None;
        }
        let columns = 4 * left as usize..4 * (left + width) as usize;
        let rows = self.rgba.chunks_exact(4 * self.width as usize).skip(top as usize).take(height as usize);
        Self::new(width, height, rows.filter_map(|row| row.get(columns.clone())).flatten().copied().collect())
    }

    /// This at (`left`, `top`) in `width` x `height` pixels of `padding`; `None` unless it fits in there.
    #[must_use]
    pub fn padded(&self, left: u32, top: u32, width: u32, height: u32, padding: [u8; 4]) -> Option<Self> {
        let fits = left.checked_add(self.width)? <= width && top.checked_add(self.height)? <= height;
        if !fits {
            return None;
        }
        let mut rgba = padding.repeat((width as usize).checked_mul(height as usize)?);
        let columns = 4 * left as usize..4 * (left + self.width) as usize;
        let boxed = rgba.chunks_exact_mut(4 * width as usize).skip(top as usize);
        for (boxed, row) in boxed.zip(self.rgba.chunks_exact(4 * self.width as usize)) {
            boxed.get_mut(columns.clone())?.copy_from_slice(row);
        }
        Self::new(width, height, rgba)
    }

    /// Every pixel has alpha 255.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        self.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255)
    }
}

/// One picture of an animation, shown for `delay_ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The whole canvas as shown: disposal and blending are already applied.
    pub raster: Raster,
    /// How long it is shown, in milliseconds; 0 for a still image.
    pub delay_ms: u32,
}

/// How often an animation is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loops {
    /// Without end.
    Forever,
    /// This many times in all, at least 1.
    Times(u16),
}

/// A still image (one frame) or an animation. All frames have the same size; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    frames: Vec<Frame>,
    loops: Loops,
}

impl Picture {
    /// `None` where there is no frame or the frames differ in size.
    #[must_use]
    pub fn new(frames: Vec<Frame>, loops: Loops) -> Option<Self> {
        let first = frames.first()?;
        let (width, height) = (first.raster.width, first.raster.height);
        frames
            .iter()
            .all(|frame| frame.raster.width == width && frame.raster.height == height)
            .then_some(Self { frames, loops })
    }

    /// At least one.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// How often they are played.
    #[must_use]
    pub const fn loops(&self) -> Loops {
        self.loops
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters() -> Raster {
        Raster::new(3, 2, b"abcdef".iter().flat_map(|&letter| [letter; 4]).collect()).unwrap()
    }

    fn text(raster: &Raster) -> String {
        raster
            .rgba()
            .chunks_exact(4)
            .map(|pixel| if pixel[0] == 0 { '.' } else { char::from(pixel[0]) })
            .collect()
    }

    #[test]
    fn crops_inside_only() {
        assert_eq!(text(&letters().cropped(1, 0, 2, 2).unwrap()), "bcef");
        assert_eq!(text(&letters().cropped(0, 1, 3, 1).unwrap()), "def");
        for (left, top, width, height) in [(2, 0, 2, 1), (0, 1, 1, 2), (0, 0, 0, 1), (u32::MAX, 0, 1, 1)] {
            assert_eq!(letters().cropped(left, top, width, height), None);
        }
    }

    #[test]
    fn pads_with_transparency_or_a_colour() {
        assert_eq!(text(&letters().padded(1, 0, 4, 3, [0; 4]).unwrap()), ".abc.def....");
        assert_eq!(text(&letters().padded(1, 0, 4, 3, *b"#--!").unwrap()), "#abc#def####");
        assert_eq!(letters().padded(1, 0, 3, 3, [0; 4]), None);
        assert_eq!(letters().padded(0, u32::MAX, 3, 3, [0; 4]), None);
    }
}
