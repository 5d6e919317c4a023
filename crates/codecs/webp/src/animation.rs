//! Animations: frames composed on their canvas (RFC 9649, section 2.7.1.1), one canvas in memory.

use std::num::NonZeroU32;

use thumbs_canvas::{Canvas, Disposal, blend};

use crate::{
    container::{AnimationFrame, Coded, Container, Content, FrameWalk},
    error::Error,
    image::{Extent, Frame, Image, Layout},
    limits::Limits,
    output::{boxes::Boxes, reduce_rgba::RgbaReducer},
    picture,
};

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
    state: State,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No frame was shown yet.
    Blank,
    Shown,
    /// A frame could not be drawn over those before it.
    Failed,
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
        let canvas = needs_canvas.then(|| Canvas::new(width, height));
        Ok(Self {
            width,
            height,
            shrink,
            max_table_bytes: limits.max_table_bytes,
            canvas,
            source,
            state: State::Blank,
        })
    }

    /// Passes over a frame; how long it is shown. Nothing is decoded, so that frames behind it can't be shown any more.
    pub fn pass_over(&mut self) -> Option<u32> {
        self.state = State::Failed;
        self.next_frame().map(|frame| frame.map_or(0, |frame| frame.duration_ms))
    }

    fn next_frame(&mut self) -> Option<Result<AnimationFrame<'a>, Error>> {
        match &mut self.source {
            Source::Still(coded) => coded.take().map(|coded| {
                Ok(AnimationFrame { left: 0, top: 0, duration_ms: 0, blend: false, dispose: false, coded })
            }),
            Source::Animation(walk) => walk.next(),
        }
    }

    /// Draws a frame on the canvas, where there is one; gives what is shown then.
    pub(crate) fn decode(&mut self, frame: &AnimationFrame<'a>) -> Result<Image, Error> {
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
                let extent = draw(canvas, frame, self.max_table_bytes)?;
                let boxes = Boxes::new(self.width, self.height, self.shrink);
                let mut reducer = RgbaReducer::new(boxes);
                for row in canvas.pixels().chunks_exact(4 * self.width as usize) {
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
        if self.state == State::Failed {
            return None;
        }
        let frame = self.next_frame()?;
        let result =
            frame.and_then(|frame| Ok(Frame { image: self.decode(&frame)?, duration_ms: frame.duration_ms }));
        self.state = match (&result, self.state) {
            (Ok(_), _) => State::Shown,
            (Err(_), State::Blank) => {
                // What was drawn of the broken one is no part of the next.
                self.canvas = self.canvas.take().map(|_| Canvas::new(self.width, self.height));
                State::Blank
            }
            (Err(_), _) => State::Failed,
        };
        Some(result)
    }
}

fn draw(canvas: &mut Canvas, frame: &AnimationFrame<'_>, max_table_bytes: u32) -> Result<Extent, Error> {
    let has_alpha = frame.coded.has_alpha();
    let area = canvas.clip(frame.left, frame.top, frame.coded.width, frame.coded.height);
    canvas.start_frame(area, if frame.dispose { Disposal::Clear } else { Disposal::Keep });
    let mut y = 0;
    picture::decode(&frame.coded, NonZeroU32::MIN, max_table_bytes, &mut |row| {
        let line = canvas.row(area, y);
        y += 1;
        match (has_alpha, frame.blend) {
            (false, _) => {
                for (under, &[red, green, blue]) in line.iter_mut().zip(row.as_chunks::<3>().0) {
                    *under = [red, green, blue, 255];
                }
            }
            (true, false) => line.copy_from_slice(row.as_chunks().0),
            (true, true) => {
                for (under, over) in line.iter_mut().zip(row.as_chunks::<4>().0) {
                    *under = blend(*under, *over);
                }
            }
        }
    })
}
