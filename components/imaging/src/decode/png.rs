//! PNG, row by row.

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use super::{Film, Job, Printer, is_enough, malformed};
use crate::error::Error;
use crate::resample::{Depth, Layout};

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let mut decoder = Decoder::new_with_limits(std::io::Cursor::new(job.image), Limits { bytes: usize::MAX });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.ignore_checksums(true);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(error)?;
    let (width, height) = (reader.info().width, reader.info().height);
    let layout = match reader.output_color_type() {
        (ColorType::Grayscale, depth) => layout(1, depth, false),
        (ColorType::GrayscaleAlpha, depth) => layout(2, depth, true),
        (ColorType::Rgba, depth) => layout(4, depth, true),
        (_, depth) => layout(3, depth, false),
    };
    let mut printer = Printer::new(job, layout, width, height, 1);
    if reader.info().interlaced {
        let bytes = reader.output_buffer_size().ok_or_else(|| malformed("it is too large"))?;
        let mut pixels = vec![0; bytes];
        reader.next_frame(&mut pixels).map_err(error)?;
        for row in pixels.chunks_exact(layout.row_bytes(width)) {
            printer.push(row);
        }
        return Ok(Film::still(printer.finish(&[])?, false));
    }
    let mut row = vec![0; layout.row_bytes(width)];
    let mut rows = 0;
    while rows < height && !printer.is_done() {
        match reader.read_row(&mut row) {
            Ok(Some(_)) => printer.push(&row),
            _ => break,
        }
        rows += 1;
    }
    let truncated = !printer.is_done();
    if truncated && !is_enough(rows as usize, height as usize) {
        return Err(malformed("less than half of it is there"));
    }
    Ok(Film::still(printer.finish(&row)?, truncated))
}

const fn layout(channels: usize, depth: BitDepth, alpha: bool) -> Layout {
    let depth = if matches!(depth, BitDepth::Sixteen) { Depth::Sixteen } else { Depth::Eight };
    Layout { channels, depth, alpha }
}

fn error(_: DecodingError) -> Error {
    malformed("its PNG data is damaged")
}
