//! What eight thumbnails of one photo cost beside one, in the sandbox: the largest of them alone, all of them in one task, and each in a task
//! of its own.

use std::fmt;

use anyhow::{Context, Result};
use thumbs_imaging::options::OutputFormat;

use crate::{
    measure::{Times, by_turns, timed_ms},
    photos,
    sandbox::Sandbox,
};

/// What it is called where only this is asked for.
pub(crate) const NAME: &str = "variants";

/// The head of its table.
pub(crate) const HEAD: &str = "\
| eight variants of | file KB | as | the largest alone, ms | all, ms | all / largest | all / each alone |
|---|---|---|---|---|---|---|";

/// Their sides, in pixels, from the smallest icon to twice what a card shows.
const SIDES: [u32; 8] = [32, 48, 64, 96, 128, 160, 192, 256];

const FORMATS: [(&str, OutputFormat); 3] =
    [("PNG", OutputFormat::Png), ("JPEG", OutputFormat::Jpeg), ("WebP", OutputFormat::Webp)];

/// One photo in one format, in milliseconds of processor time.
pub(crate) struct Several {
    name: &'static str,
    file_bytes: usize,
    format: &'static str,
    largest: Times,
    together: Times,
    apart: Times,
}

/// Of photos of 12 megapixels, one after the other.
pub(crate) fn measure(sandbox: &Sandbox, mut show: impl FnMut(&Several)) -> Result<()> {
    for (name, photo) in photos::of_twelve_megapixels() {
        let photo = match photo {
            Ok(photo) => photo,
            Err(error) => {
                eprintln!("bench: {name} is left out: {error:#}");
                continue;
            }
        };
        for (format, output) in FORMATS {
            let timed = |sides: &[u32]| Ok(timed_ms(|| sandbox.thumbnails(&photo, output, sides))?.0);
            let largest = SIDES.last().context("there are sides")?;
            let [largest, together, apart] = by_turns([
                Box::new(|| Ok(Some(timed(std::slice::from_ref(largest))?))),
                Box::new(|| Ok(Some(timed(&SIDES)?))),
                Box::new(|| SIDES.chunks(1).map(timed).sum::<Result<f64>>().map(Some)),
            ])?;
            let times = |times: Option<Times>| times.context("it was measured");
            let (largest, together, apart) = (times(largest)?, times(together)?, times(apart)?);
            show(&Several { name, file_bytes: photo.len(), format, largest, together, apart });
        }
    }
    Ok(())
}

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {} | {} | {:.1} | {:.1} | {:.2} | {:.2} |",
            self.name,
            self.file_bytes / 1000,
            self.format,
            self.largest.median(),
            self.together.median(),
            self.together.ratio_to(&self.largest),
            self.together.ratio_to(&self.apart),
        )
    }
}
