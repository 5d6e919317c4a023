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
    /// So many times in all, at least 1.
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
