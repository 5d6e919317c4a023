//! GIF (GIF89a specification): frames drawn on the canvas one after the other, each resampled as the canvas then looks. A
//! still image is resampled row by row, without a canvas.

use super::canvas::{Area, Canvas, shown_ms};
use super::lzw::Lzw;
use super::{Film, Job, Printer, is_enough, malformed};
use crate::error::Error;
use crate::header::{Disposal, GifFrame, GifWalk, Header};
use crate::raster::Frame;
use crate::resample::Layout;

/// Where the rows of an interlaced frame begin, and how far apart they are, pass by pass.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];
const MS_PER_CS: u32 = 10;

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let header = job.header;
    let layout = if header.has_alpha { Layout::RGBA } else { Layout::RGBX };
    let mut printer = Printer::new(job, layout, header.width, header.height, 1);
    let mut walk = GifWalk::new(job.image)?;
    if !job.animated {
        let frame = walk.next().ok_or_else(|| malformed("there are no frames"))?;
        return still(&frame, header, &mut printer);
    }
    let mut canvas = Canvas::new(header.width, header.height);
    let mut frames = Vec::new();
    let mut truncated = false;
    for frame in walk.by_ref() {
        let area = canvas.clip(frame.left, frame.top, frame.width, frame.height);
        let saved = (frame.disposal == Disposal::Restore).then(|| canvas.save(area));
        let rows = draw(&frame, area, &mut canvas);
        if rows < area.height {
            if frames.is_empty() && !is_enough(rows, area.height) {
                return Err(malformed("less than half of it is there"));
            }
            truncated = true;
        }
        frames.push(Frame {
            raster: canvas.print(&mut printer)?,
            delay_ms: shown_ms(MS_PER_CS * u32::from(frame.delay_cs)),
        });
        match (frame.disposal, saved) {
            (Disposal::Restore, Some(saved)) => canvas.restore(area, &saved),
            (Disposal::Clear, _) => canvas.clear(area),
            _ => {}
        }
    }
    truncated |= !walk.has_ended();
    Ok(Film { frames, loops: walk.loops(), truncated, profile_ignored: false })
}

/// Draws what there is of a frame; says how many of the area's rows that was.
fn draw(frame: &GifFrame<'_>, area: Area, canvas: &mut Canvas) -> usize {
    let palette = Palette::new(frame);
    let mut rows = Lzw::new(frame.data);
    let mut drawn = 0;
    for y in order(frame) {
        // Rows below the canvas matter only if interlaced ones of it may follow.
        if drawn == area.height {
            break;
        }
        let Some(indices) = rows.next(frame.width as usize) else { break };
        if y < area.height {
            palette.draw(indices, canvas.row(area, y));
            drawn += 1;
        }
    }
    drawn
}

/// The first frame alone, row by row; its indices are kept only if they come interlaced.
fn still(frame: &GifFrame<'_>, header: &Header<'_>, printer: &mut Printer) -> Result<Film, Error> {
    let palette = Palette::new(frame);
    let (width, height) = (header.width as usize, header.height as usize);
    let (left, top) = (frame.left as usize, frame.top as usize);
    let shown_rows = (frame.height as usize).min(height.saturating_sub(top));
    let frame_width = frame.width as usize;
    let mut rows = Lzw::new(frame.data);
    let mut plane = Vec::new();
    let mut in_plane = 0;
    if frame.interlaced {
        let shown_width = frame_width.min(width.saturating_sub(left));
        plane = vec![0; shown_width * shown_rows];
        let mut present = vec![false; shown_rows];
        for y in order(frame) {
            let Some(indices) = rows.next(frame_width) else { break };
            if let Some(present) = present.get_mut(y) {
                plane[y * shown_width..(y + 1) * shown_width].copy_from_slice(&indices[..shown_width]);
                *present = true;
                in_plane += 1;
            }
        }
        // A missing row looks like the one above it, which an earlier pass has brought.
        for (y, present) in present.iter().enumerate().skip(1) {
            if !present {
                plane.copy_within((y - 1) * shown_width..y * shown_width, y * shown_width);
            }
        }
        if !is_enough(in_plane, shown_rows) && shown_rows > 0 {
            return Err(malformed("less than half of it is there"));
        }
    }
    let mut row = vec![[0; 4]; width];
    let mut truncated = frame.interlaced && in_plane < shown_rows;
    for y in 0..height {
        if printer.is_done() {
            break;
        }
        let inside = y.checked_sub(top).filter(|&y| y < shown_rows);
        match inside {
            None => row.fill([0; 4]),
            Some(y) => {
                let indices = if frame.interlaced {
                    let shown_width = plane.len() / shown_rows;
                    plane.get(y * shown_width..(y + 1) * shown_width)
                } else {
                    rows.next(frame_width)
                };
                match indices {
                    Some(indices) => {
                        row.fill([0; 4]);
                        palette.draw(indices, row.get_mut(left..).unwrap_or_default());
                    }
                    None if !is_enough(y, shown_rows) => {
                        return Err(malformed("less than half of it is there"));
                    }
                    // The row stays as the last one was.
                    None => truncated = true,
                }
            }
        }
        printer.push(row.as_flattened());
    }
    Ok(Film::still(printer.finish(&[])?, truncated))
}

/// In which order the rows of a frame come.
fn order(frame: &GifFrame<'_>) -> impl Iterator<Item = usize> {
    let height = frame.height as usize;
    let passes = if frame.interlaced { &PASSES[..] } else { &[(0, 1)] };
    passes.iter().flat_map(move |&(first, step)| (first..height).step_by(step))
}

/// All 256 indices a byte can be, as pixels.
struct Palette {
    /// `R G B A` each, as one number: pixels are looked up and compared as a whole.
    pixels: Box<[u32; 256]>,
    opaque: bool,
}

const INVISIBLE: u32 = 0;

impl Palette {
    /// Indices beyond the palette are black, as in browsers.
    fn new(frame: &GifFrame<'_>) -> Self {
        let mut pixels = Box::new([u32::from_ne_bytes([0, 0, 0, 255]); 256]);
        for (pixel, &[red, green, blue]) in pixels.iter_mut().zip(frame.palette.as_chunks::<3>().0) {
            *pixel = u32::from_ne_bytes([red, green, blue, 255]);
        }
        if let Some(index) = frame.transparent {
            pixels[usize::from(index)] = INVISIBLE;
        }
        Self { pixels, opaque: frame.transparent.is_none() }
    }

    /// Draws as many indices as there is room for.
    // On its own, where its few values stay in registers.
    #[inline(never)]
    fn draw(&self, indices: &[u8], row: &mut [[u8; 4]]) {
        if self.opaque {
            for (pixel, &index) in row.iter_mut().zip(indices) {
                *pixel = self.pixels[usize::from(index)].to_ne_bytes();
            }
        } else {
            for (pixel, &index) in row.iter_mut().zip(indices) {
                let (under, over) = (u32::from_ne_bytes(*pixel), self.pixels[usize::from(index)]);
                *pixel = if over == INVISIBLE { under } else { over }.to_ne_bytes();
            }
        }
    }
}
