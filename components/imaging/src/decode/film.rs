//! What decoding gives: pictures of the planned sizes, as stored.

use crate::error::Error;
use crate::raster::{Frame, Loops, Raster};

/// Frames shown for less than this are shown by browsers, and were meant by their makers, for [`USUAL_MS`].
const MIN_MS: u32 = 11;
const USUAL_MS: u32 = 100;

/// One moment of the image, in each of the planned sizes.
#[derive(Debug)]
pub(crate) struct Shot {
    rasters: Vec<Raster>,
    delay_ms: u32,
}

/// Pictures that are not turned yet.
#[derive(Debug)]
pub(crate) struct Film {
    pub(crate) shots: Vec<Shot>,
    pub(crate) loops: Loops,
    /// Of the file, those left out or broken included.
    pub(crate) decoded_frames: u32,
    /// The data end early; what is missing was filled.
    pub(crate) truncated: bool,
    /// Something within is broken; it was covered up or left out.
    pub(crate) damaged: bool,
    /// A colour profile could not be used.
    pub(crate) profile_ignored: bool,
}

impl Film {
    /// One picture.
    pub(super) fn still(rasters: Vec<Raster>, truncated: bool) -> Self {
        let shots = vec![Shot { rasters, delay_ms: 0 }];
        Self { decoded_frames: 1, truncated, ..Self::blank(shots, Loops::Times(1)) }
    }

    /// An animation without frames. `loop_count`: how often it plays, 0 is for ever.
    pub(super) fn animation(loop_count: u32, truncated: bool) -> Self {
        let loops = match loop_count {
            0 => Loops::Forever,
            times => Loops::Times(u16::try_from(times).unwrap_or(u16::MAX)),
        };
        Self { truncated, ..Self::blank(Vec::new(), loops) }
    }

    const fn blank(shots: Vec<Shot>, loops: Loops) -> Self {
        Self { shots, loops, decoded_frames: 0, truncated: false, damaged: false, profile_ignored: false }
    }

    /// One more frame, which says that it is shown for `said_ms`.
    pub(super) fn push(&mut self, rasters: Vec<Raster>, said_ms: u32) {
        self.shots.push(Shot { rasters, delay_ms: shown_ms(said_ms) });
    }

    /// A frame that is left out: the one before it is shown in its stead.
    pub(super) fn pass_over(&mut self, said_ms: u32) {
        if let Some(last) = self.shots.last_mut() {
            last.delay_ms = last.delay_ms.saturating_add(shown_ms(said_ms));
        }
    }

    /// A first frame that can't be shown: the animation begins with the next. The error of the very first counts if none can.
    pub(super) fn begin_late(&mut self, broken: &mut Option<Error>, error: Error) {
        self.damaged = true;
        broken.get_or_insert(error);
    }

    /// The film, if there is something on it.
    ///
    /// # Errors
    /// Why its first frame could not be shown.
    pub(super) fn finished(self, broken: Option<Error>) -> Result<Self, Error> {
        if self.shots.is_empty() {
            return Err(broken.unwrap_or_else(|| Error::Malformed("there are no frames".to_owned())));
        }
        Ok(self)
    }

    /// The film of a file that is whole, or cut: where it is whole, what is missing is broken.
    pub(super) fn of_file(self, is_cut: bool) -> Self {
        let lacks = self.truncated;
        Self { truncated: lacks && is_cut, damaged: self.damaged || lacks && !is_cut, ..self }
    }

    /// A film of one frame, which does not play.
    pub(super) fn stopped(mut self) -> Self {
        self.shots.iter_mut().for_each(|shot| shot.delay_ms = 0);
        Self { loops: Loops::Times(1), ..self }
    }

    /// Whether nothing was shown yet.
    pub(super) const fn is_blank(&self) -> bool {
        self.shots.is_empty()
    }

    /// The frames of each size by themselves, in the order of the plans.
    pub(crate) fn reels(self) -> Vec<Vec<Frame>> {
        let sizes = self.shots.first().map_or(0, |shot| shot.rasters.len());
        let mut reels: Vec<Vec<Frame>> = (0..sizes).map(|_| Vec::with_capacity(self.shots.len())).collect();
        for Shot { rasters, delay_ms } in self.shots {
            for (reel, raster) in reels.iter_mut().zip(rasters) {
                reel.push(Frame { raster, delay_ms });
            }
        }
        reels
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
