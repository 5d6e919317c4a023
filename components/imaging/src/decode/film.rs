//! What decoding gives: pictures of the planned size, as stored.

use crate::raster::{Frame, Loops, Raster};

/// Frames shown for less than this are shown by browsers, and were meant by their makers, for [`USUAL_MS`].
const MIN_MS: u32 = 11;
const USUAL_MS: u32 = 100;

/// Pictures that are not turned yet.
#[derive(Debug)]
pub(crate) struct Film {
    pub(crate) frames: Vec<Frame>,
    pub(crate) loops: Loops,
    /// The file ends early; what is missing was filled.
    pub(crate) truncated: bool,
    /// A colour profile could not be used.
    pub(crate) profile_ignored: bool,
}

impl Film {
    /// One picture.
    pub(super) fn still(raster: Raster, truncated: bool) -> Self {
        let frames = vec![Frame { raster, delay_ms: 0 }];
        Self { frames, loops: Loops::Times(1), truncated, profile_ignored: false }
    }

    /// An animation without frames. `loop_count`: how often it plays, 0 is for ever.
    pub(super) fn animation(loop_count: u32, truncated: bool) -> Self {
        let loops = match loop_count {
            0 => Loops::Forever,
            times => Loops::Times(u16::try_from(times).unwrap_or(u16::MAX)),
        };
        Self { frames: Vec::new(), loops, truncated, profile_ignored: false }
    }

    /// One more frame, which says that it is shown for `said_ms`.
    pub(super) fn push(&mut self, raster: Raster, said_ms: u32) {
        self.frames.push(Frame { raster, delay_ms: shown_ms(said_ms) });
    }
}

/// How long a frame is shown that says so.
const fn shown_ms(said_ms: u32) -> u32 {
    if said_ms < MIN_MS { USUAL_MS } else { said_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_delays_are_not_meant() {
        assert_eq!((shown_ms(0), shown_ms(10), shown_ms(11), shown_ms(5000)), (100, 100, 11, 5000));
    }
}
