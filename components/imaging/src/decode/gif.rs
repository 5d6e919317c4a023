//! GIF. The decoder gives rows of the screen at full size, which the resampler reduces as they come.

use thumbs_gif::{Decoder, Limits};

use super::{Film, Job, Printer, check_rows};
use crate::error::Error;
use crate::resample::Layout;

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let decoder = Decoder::new(job.image)?;
    let info = decoder.info();
    let layout = if info.has_alpha { Layout::RGBA } else { Layout::RGBX };
    let printer = Printer::new(job, layout, info.width, info.height, 1);
    if job.animated { animation(&decoder, printer) } else { still(&decoder, printer) }
}

fn still(decoder: &Decoder<'_>, mut printer: Printer) -> Result<Film, Error> {
    // Sides, pixels and frames were checked with the header.
    let outcome = decoder.decode_rows(&Limits::NONE, &mut |row| printer.push(row))?;
    if outcome.truncated {
        check_rows(outcome.rows_decoded, outcome.rows)?;
    }
    Ok(Film::still(printer.finish()?, outcome.truncated))
}

fn animation(decoder: &Decoder<'_>, mut printer: Printer) -> Result<Film, Error> {
    let info = decoder.info();
    let mut film = Film::animation(info.loop_count.into(), info.is_cut);
    let mut frames = decoder.frames(&Limits::NONE)?;
    while let Some(frame) = frames.next_frame() {
        if frame.outcome.truncated {
            film.truncated = true;
            // Later frames usually change little, so that most of what they show is there.
            if film.frames.is_empty() {
                check_rows(frame.outcome.rows_decoded, frame.outcome.rows)?;
            }
        }
        film.push(printer.print(frame.pixels)?, frame.duration_ms);
    }
    Ok(film)
}
