//! GIF. The decoder gives rows of the screen at full size, which the resampler reduces as they come.

use thumbs_gif::{Decoder, Limits};

use super::{Film, Job, Printer, check_rows};
use crate::error::Error;
use crate::resample::Layout;

pub(super) fn decode(job: &Job<'_>) -> Result<Film, Error> {
    let decoder = Decoder::new(job.image)?;
    let info = decoder.info();
    let layout = if info.has_alpha { Layout::RGBA } else { Layout::RGBX };
    let printer = || Printer::new(job, layout, info.width, info.height, 1);
    if job.selection.kept() > 1 {
        return animation(job, &decoder, printer());
    }
    job.still_or(|| still(&decoder, printer()), || animation(job, &decoder, printer()))
}

fn still(decoder: &Decoder<'_>, mut printer: Printer) -> Result<Film, Error> {
    // Sides, pixels and frames were checked with the header.
    let outcome = decoder.decode_rows(&Limits::NONE, &mut |row| printer.push(row))?;
    if outcome.truncated || outcome.rows == 0 {
        check_rows(outcome.rows_decoded, outcome.rows)?;
    }
    Ok(Film::still(printer.finish()?, outcome.truncated))
}

fn animation(job: &Job<'_>, decoder: &Decoder<'_>, mut printer: Printer) -> Result<Film, Error> {
    let info = decoder.info();
    let mut film = Film::animation(info.loop_count.into(), info.is_cut);
    let mut broken = None;
    let mut frames = decoder.frames(&Limits::NONE)?;
    while job.goes_on(film.decoded_frames, &film) {
        let Some(frame) = frames.next_frame() else {
            film.truncated |= film.decoded_frames < job.selection.decoded();
            break;
        };
        let index = film.decoded_frames;
        film.decoded_frames += 1;
        // Later frames usually change little, so that most of what they show is there.
        if film.is_blank()
            && let Err(error) = check_rows(frame.outcome.rows_decoded, frame.outcome.rows)
        {
            film.begin_late(&mut broken, error);
            continue;
        }
        film.truncated |= frame.outcome.truncated;
        if film.is_blank() || job.selection.keeps(index) {
            film.push(printer.print(frame.pixels)?, frame.duration_ms);
        } else {
            film.pass_over(frame.duration_ms);
        }
    }
    while let Some(duration_ms) = frames.pass_over() {
        film.pass_over(duration_ms);
    }
    film.finished(broken)
}
