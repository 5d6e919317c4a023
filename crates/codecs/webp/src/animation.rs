//! Animations: frames composed on their canvas (RFC 9649, section 2.7.1.1), one canvas in memory.

use std::num::NonZeroU32;

use crate::{
    Extent, Image, Layout,
    container::{AnimationFrame, Coded, Container, Content, FrameWalk},
    error::Error,
    limits::Limits,
    output::{boxes::Boxes, reduce_rgba::RgbaReducer},
    picture,
};

/// A frame as it is shown: the whole canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// In [`Layout::Rgba8`]. Its extent is that of the frame's own image, not of the canvas.
    pub image: Image,
    /// How long it is shown, as the file has it: 0 is left to the viewer, which usually takes 100.
    pub duration_ms: u32,
}

impl AnimationFrame<'_> {
    /// Nothing of the canvas remains beside it.
    pub(crate) const fn covers(&self, canvas_width: u32, canvas_height: u32) -> bool {
        self.coded.width == canvas_width && self.coded.height == canvas_height
    }

    /// What it shows does not depend on the frames before it.
    const fn stands_alone(&self, canvas_width: u32, canvas_height: u32) -> bool {
        self.covers(canvas_width, canvas_height) && !(self.blend && self.coded.has_alpha())
    }
}

/// Pixels of the canvas at full size.
#[derive(Clone, Debug)]
struct Canvas {
    width: usize,
    /// R, G, B, A, not premultiplied.
    pixels: Vec<u8>,
}

impl Canvas {
    fn row(&mut self, left: usize, y: usize, width: usize) -> &mut [u8] {
        let first = 4 * (y * self.width + left);
        &mut self.pixels[first..first + 4 * width]
    }
}

/// Where frames come from.
#[derive(Debug)]
enum Source<'a> {
    /// A still image, once.
    Still(Option<Coded<'a>>),
    Animation(FrameWalk<'a>),
}

/// Yields the frames of [`crate::Decoder::frames`].
#[derive(Debug)]
pub struct Frames<'a> {
    width: u32,
    height: u32,
    shrink: NonZeroU32,
    max_table_bytes: u32,
    /// `None` where every frame stands alone and can be decoded at reduced size at once.
    canvas: Option<Canvas>,
    source: Source<'a>,
    /// What to clear before the next frame is drawn.
    dispose: Option<AnimationFrame<'a>>,
    failed: bool,
}

impl<'a> Frames<'a> {
    /// The limits on the canvas have been checked.
    pub(crate) fn new(container: Container<'a>, shrink: NonZeroU32, limits: &Limits) -> Result<Self, Error> {
        let Container { width, height, content, .. } = container;
        limits.check_canvas(width, height)?;
        let source = match content {
            Content::Still(coded) => Source::Still(Some(coded)),
            Content::Animation { chunks, .. } => Source::Animation(FrameWalk::new(chunks, width, height)),
        };
        let needs_canvas = match &source {
            Source::Still(_) => false,
            Source::Animation(walk) => {
                walk.clone().any(|frame| frame.is_ok_and(|frame| !frame.stands_alone(width, height)))
            }
        };
        let canvas = needs_canvas
            .then(|| Canvas { width: width as usize, pixels: vec![0; 4 * width as usize * height as usize] });
        Ok(Self {
            width,
            height,
            shrink,
            max_table_bytes: limits.max_table_bytes,
            canvas,
            source,
            dispose: None,
            failed: false,
        })
    }

    fn next_frame(&mut self) -> Option<Result<AnimationFrame<'a>, Error>> {
        match &mut self.source {
            Source::Still(coded) => coded.take().map(|coded| {
                Ok(AnimationFrame { left: 0, top: 0, duration_ms: 0, blend: false, dispose: false, coded })
            }),
            Source::Animation(walk) => walk.next(),
        }
    }

    fn decode(&mut self, frame: &AnimationFrame<'a>) -> Result<Image, Error> {
        let (width, height) =
            (self.width.div_ceil(self.shrink.get()), self.height.div_ceil(self.shrink.get()));
        let mut pixels = Vec::with_capacity(4 * width as usize * height as usize);
        let extent = match &mut self.canvas {
            None => {
                let has_alpha = frame.coded.has_alpha();
                picture::decode(&frame.coded, self.shrink, self.max_table_bytes, &mut |row| {
                    if has_alpha {
                        pixels.extend_from_slice(row);
                    } else {
                        pixels.extend(row.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]));
                    }
                })?
            }
            Some(canvas) => {
                if let Some(last) = self.dispose.take() {
                    clear(canvas, &last);
                }
                let extent = draw(canvas, frame, self.max_table_bytes)?;
                self.dispose = frame.dispose.then_some(*frame);
                let boxes = Boxes::new(self.width, self.height, self.shrink);
                let mut reducer = RgbaReducer::new(boxes);
                for row in canvas.pixels.chunks_exact(4 * canvas.width) {
                    reducer.push(row, &mut |row| pixels.extend_from_slice(row));
                }
                extent
            }
        };
        Ok(Image { width, height, layout: Layout::Rgba8, pixels, extent })
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let frame = self.next_frame()?;
        let result =
            frame.and_then(|frame| Ok(Frame { image: self.decode(&frame)?, duration_ms: frame.duration_ms }));
        self.failed = result.is_err();
        Some(result)
    }
}

fn clear(canvas: &mut Canvas, frame: &AnimationFrame<'_>) {
    for y in frame.top..frame.top + frame.coded.height {
        canvas.row(frame.left as usize, y as usize, frame.coded.width as usize).fill(0);
    }
}

fn draw(canvas: &mut Canvas, frame: &AnimationFrame<'_>, max_table_bytes: u32) -> Result<Extent, Error> {
    let has_alpha = frame.coded.has_alpha();
    let mut y = frame.top as usize;
    picture::decode(&frame.coded, NonZeroU32::MIN, max_table_bytes, &mut |row| {
        let line = canvas.row(frame.left as usize, y, frame.coded.width as usize);
        y += 1;
        match (has_alpha, frame.blend) {
            (false, _) => {
                for (under, over) in line.chunks_exact_mut(4).zip(row.chunks_exact(3)) {
                    under.copy_from_slice(&[over[0], over[1], over[2], 255]);
                }
            }
            (true, false) => line.copy_from_slice(row),
            (true, true) => {
                for (under, over) in line.as_chunks_mut::<4>().0.iter_mut().zip(row.as_chunks::<4>().0) {
                    *under = blend(*under, *over);
                }
            }
        }
    })
}

/// `over` drawn over `under` (section 2.7.1.1, "alpha-blending"), rounded to nearest.
fn blend(under: [u8; 4], over: [u8; 4]) -> [u8; 4] {
    match (under[3], over[3]) {
        (_, 255) | (0, _) => over,
        (_, 0) => under,
        (under_alpha, over_alpha) => {
            // Weights with a factor of 255.
            let over_weight = u32::from(over_alpha) * 255;
            let under_weight = u32::from(under_alpha) * (255 - u32::from(over_alpha));
            let weight = over_weight + under_weight;
            let mut mixed: [u8; 4] = std::array::from_fn(|at| {
                let sum = u32::from(over[at]) * over_weight + u32::from(under[at]) * under_weight;
                ((sum + weight / 2) / weight) as u8
            });
            mixed[3] = ((weight + 127) / 255) as u8;
            mixed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blends_like_the_formula_of_the_rfc() {
        assert_eq!(blend([1, 2, 3, 4], [9, 8, 7, 255]), [9, 8, 7, 255]);
        assert_eq!(blend([1, 2, 3, 4], [9, 8, 7, 0]), [1, 2, 3, 4]);
        assert_eq!(blend([0, 0, 0, 0], [9, 8, 7, 6]), [9, 8, 7, 6]);
        assert_eq!(blend([0, 100, 255, 255], [255, 100, 0, 51]), [51, 100, 204, 255]);
        // Half over half: 3/4 opaque, two thirds of it from above.
        assert_eq!(blend([0, 0, 0, 128], [255, 255, 255, 128]), [170, 170, 170, 192]);
    }
}
