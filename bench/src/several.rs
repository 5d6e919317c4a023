//! What eight thumbnails of one photo cost beside one, in the sandbox: the largest of them alone, all of them in one task, and each in a task
//! of its own.

use std::fmt;

use anyhow::{Context, Result};

use crate::{
    measure::{Times, by_turns, timed_ms},
    sandbox::Sandbox,
    scene,
};

/// What it is called where only one row is asked for.
pub(crate) const NAME: &str = "variants";

/// Their sides, in pixels, from the smallest icon to twice what a card shows.
const SIDES: [u32; 8] = [32, 48, 64, 96, 128, 160, 192, 256];

/// What was measured, in milliseconds of processor time.
pub(crate) struct Several {
    largest: Times,
    together: Times,
    apart: Times,
}

/// Of a photo of 12 megapixels.
pub(crate) fn measure(sandbox: &Sandbox) -> Result<Several> {
    let photo = scene::jpeg(4000, 3000, false)?;
    let timed = |sides: &[u32]| Ok(timed_ms(|| sandbox.thumbnails(&photo, sides))?.0);
    let largest = SIDES.last().context("there are sides")?;
    let [largest, together, apart] = by_turns([
        Box::new(|| Ok(Some(timed(std::slice::from_ref(largest))?))),
        Box::new(|| Ok(Some(timed(&SIDES)?))),
        Box::new(|| SIDES.chunks(1).map(timed).sum::<Result<f64>>().map(Some)),
    ])?;
    let times = |times: Option<Times>| times.context("it was measured");
    Ok(Several { largest: times(largest)?, together: times(together)?, apart: times(apart)? })
}

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} variants of a JPEG of 12 MP, {} to {} pixels a side, PNG, in the sandbox: {:.1} ms; the largest alone {:.1} ms (ratio {:.2}); each alone {:.1} ms (ratio {:.2}).",
            SIDES.len(),
            SIDES[0],
            SIDES[SIDES.len() - 1],
            self.together.median(),
            self.largest.median(),
            self.together.ratio_to(&self.largest),
            self.apart.median(),
            self.together.ratio_to(&self.apart),
        )
    }
}
