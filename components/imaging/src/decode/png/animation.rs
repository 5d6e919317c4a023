//! APNG (PNG specification, section 4.9): frames drawn on the canvas, each resampled as the canvas then looks.

use super::super::canvas::{self, Area, Canvas};
use super::expand::Expander;
use super::interlace;
use super::pieces::Pieces;
use super::scanlines::Scanlines;
use super::{Film, Job, Printer, is_enough, malformed};
use crate::bytes::{be16, be32};
use crate::error::Error;
use crate::header::{PngChunks, PngFormat};
use crate::raster::{Frame, Loops};
use crate::resample::{Depth, Layout};

/// What happens to a frame's area before the next frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposal {
    Keep,
    Clear,
    Restore,
}

/// An fcTL chunk.
#[derive(Clone, Copy, Debug)]
struct Control {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    delay_ms: u32,
    disposal: Disposal,
    /// Drawn over what is there rather than instead of it.
    blends: bool,
}

impl Control {
    /// `None` for what the specification forbids.
    fn read(body: &[u8], format: &PngFormat) -> Option<Self> {
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
        let delay_ms = (numerator * 1000 + denominator / 2) / denominator;
        let blends = *body.get(25)? == 1;
        Some(Self { left, top, width, height, delay_ms: canvas::shown_ms(delay_ms), disposal, blends })
    }
}

pub(super) fn decode(job: &Job<'_>, format: &PngFormat, expander: &Expander) -> Result<Film, Error> {
    let mut printer = Printer::new(job, Layout::RGBA, format.width, format.height, 1);
    let mut canvas = Canvas::new(format.width, format.height);
    let mut film =
        Film { frames: Vec::new(), loops: Loops::Forever, truncated: false, profile_ignored: false };
    let mut control = None;
    let mut has_ended = false;
    let mut chunks = PngChunks::new(job.image);
    while let Some(chunk) = chunks.next() {
        match &chunk.kind {
            b"acTL" => {
                film.loops = match be32(chunk.body, 4).unwrap_or(0) {
                    0 => Loops::Forever,
                    times => Loops::Times(u16::try_from(times).unwrap_or(u16::MAX)),
                }
            }
            b"fcTL" => control = Control::read(chunk.body, format),
            b"IDAT" | b"fdAT" => {
                // Data without a control is the still image, or goes on with a frame that is done.
                let Some(control) = control.take() else { continue };
                let area = canvas.clip(control.left, control.top, control.width, control.height);
                // The first frame has nothing to go back to but transparency, which is what there was.
                let saved = (control.disposal == Disposal::Restore).then(|| canvas.save(area));
                let pieces = Pieces::new(chunk, chunks.clone());
                match draw(format, expander, pieces, area, control.blends, &mut canvas) {
                    Ok(complete) => film.truncated |= !complete,
                    Err(error) if film.frames.is_empty() => return Err(error),
                    // What was shown until here is worth keeping.
                    Err(_) => {
                        film.truncated = true;
                        break;
                    }
                }
                let raster = canvas.print(&mut printer)?;
                film.frames.push(Frame { raster, delay_ms: control.delay_ms });
                match saved {
                    Some(saved) => canvas.restore(area, &saved),
                    None if control.disposal == Disposal::Clear => canvas.clear(area),
                    None => {}
                }
            }
            b"IEND" => {
                has_ended = true;
                break;
            }
            _ => {}
        }
    }
    film.truncated |= !has_ended;
    if film.frames.is_empty() { Err(malformed("there are no frames")) } else { Ok(film) }
}

/// Draws what there is of a frame; `false` if rows are missing, `Err` if more than half are.
fn draw(
    format: &PngFormat,
    expander: &Expander,
    pieces: Pieces<'_>,
    area: Area,
    blends: bool,
    canvas: &mut Canvas,
) -> Result<bool, Error> {
    let layout = expander.layout();
    let mut put = |row: &[u8], y: usize, first: usize, step: usize| {
        let canvas = canvas.row(area, y).iter_mut().skip(first).step_by(step);
        for (under, pixel) in canvas.zip(row.chunks_exact(layout.bytes_per_pixel())) {
            let over = rgba(layout, pixel);
            *under = if blends { canvas::blend(*under, over) } else { over };
        }
    };
    if format.interlaced {
        let frame = PngFormat { width: area.width as u32, height: area.height as u32, ..*format };
        return interlace::passes(&frame, expander, pieces, |row, y, first, step| {
            put(row, y as usize, first as usize, step as usize);
        });
    }
    let mut scanlines = Scanlines::new(pieces, format, area.width as u32);
    let mut pixels = Vec::new();
    let mut rows = 0;
    while rows < area.height {
        let count = scanlines.next(area.height - rows);
        if count == 0 {
            break;
        }
        for index in 0..count {
            put(expander.expand(scanlines.row(index), &mut pixels), rows + index, 0, 1);
        }
        rows += count;
    }
    if is_enough(rows, area.height) {
        Ok(rows == area.height)
    } else {
        Err(malformed("less than half of it is there"))
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
        let format = PngFormat { width: 10, height: 10, depth: 8, colour_type: 6, interlaced: false };
        let control = |width: u32, left: u32| {
            let words = [0, width, 5, left, 5].map(u32::to_be_bytes).concat();
            Control::read(&[&words[..], &[0, 1, 0, 10, 2, 1]].concat(), &format)
        };
        let good = control(4, 6).unwrap();
        assert_eq!((good.delay_ms, good.disposal, good.blends), (100, Disposal::Restore, true));
        assert!(control(4, 7).is_none() && control(0, 0).is_none() && control(u32::MAX, 1).is_none());
    }

    #[test]
    fn sixteen_bits_are_rounded() {
        let grey = Layout { channels: 1, depth: Depth::Sixteen, alpha: false };
        assert_eq!(rgba(grey, &[0x80, 0x7F]), [128, 128, 128, 255]);
        assert_eq!(rgba(grey, &[0x00, 0x81]), [1, 1, 1, 255]);
    }
}
