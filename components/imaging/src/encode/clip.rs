//! The frames an encoder is handed: those of the picture, borrowed, or fewer and smaller ones made from them. Format
//! writers see nothing else.

use std::borrow::Cow;

use crate::error::Error;
use crate::raster::{Frame, Loops, Picture, Raster};

use super::Shrink;

/// One frame and how long it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Shot<'a> {
    pub(crate) raster: Cow<'a, Raster>,
    pub(crate) delay_ms: u32,
}

/// At least one shot, all of one size.
#[derive(Clone, Debug)]
pub(crate) struct Clip<'a> {
    first: Shot<'a>,
    rest: Vec<Shot<'a>>,
    loops: Loops,
}

impl<'a> Clip<'a> {
    /// All frames, or the first alone. `None` only for a picture without frames, which can't be made.
    pub(crate) fn of(picture: &'a Picture, animated: bool) -> Option<Self> {
        let shot = |frame: &'a Frame| Shot { raster: Cow::Borrowed(&frame.raster), delay_ms: frame.delay_ms };
        let (first, rest) = picture.frames().split_first()?;
        let rest = if animated { rest.iter().map(shot).collect() } else { Vec::new() };
        Some(Self { first: shot(first), rest, loops: picture.loops() })
    }

    pub(crate) fn len(&self) -> usize {
        1 + self.rest.len()
    }

    pub(crate) fn is_animated(&self) -> bool {
        !self.rest.is_empty()
    }

    pub(crate) fn first(&self) -> &Raster {
        &self.first.raster
    }

    pub(crate) fn shots(&self) -> impl Iterator<Item = &Shot<'a>> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    pub(crate) fn loops(&self) -> Loops {
        self.loops
    }

    /// In pixels, at least 1.
    pub(crate) fn width(&self) -> u32 {
        self.first().width()
    }

    /// In pixels, at least 1.
    pub(crate) fn height(&self) -> u32 {
        self.first().height()
    }

    /// Every pixel of every frame, frame by frame.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = [u8; 4]> {
        self.shots().flat_map(|shot| pixels(&shot.raster).iter().copied())
    }

    /// `frames` of the frames (at least one, at most all), evenly spread over the sequence. A kept frame is shown for
    /// its own time and that of the dropped ones after it, so the play time stays.
    pub(crate) fn thinned(&self, frames: usize) -> Clip<'a> {
        let total = self.len();
        let frames = frames.clamp(1, total);
        let mut first = self.first.clone();
        let mut rest: Vec<Shot<'a>> = Vec::with_capacity(frames - 1);
        for (index, shot) in self.rest.iter().enumerate().map(|(index, shot)| (index + 1, shot)) {
            // Kept where the running share of frames reaches the next whole number.
            if index * frames / total > (index - 1) * frames / total {
                rest.push(shot.clone());
            } else {
                let last = rest.last_mut().unwrap_or(&mut first);
                last.delay_ms = last.delay_ms.saturating_add(shot.delay_ms);
            }
        }
        if rest.is_empty() {
            first.delay_ms = 0;
        }
        Clip { first, rest, loops: self.loops }
    }

    /// For a format whose delays are hundredths of a second and at least two of these: as many frames as that leaves room for, each begun
    /// about when it should, so that the play time stays. `None` where all have room.
    pub(crate) fn in_hundredths(&self) -> Option<Clip<'a>> {
        const MS: u64 = 10;
        const LEAST: u64 = 2;
        let is_short = |shot: &Shot<'a>| u64::from(shot.delay_ms) < LEAST * MS;
        if !self.shots().any(is_short) {
            return None;
        }
        let nearest = |ms: u64| (ms + MS / 2) / MS;
        let end = nearest(self.shots().map(|shot| u64::from(shot.delay_ms)).sum());
        let mut kept: Vec<(u64, &Shot<'a>)> = Vec::with_capacity(self.len());
        let mut time_ms = 0;
        for shot in self.shots() {
            let start = nearest(time_ms);
            time_ms += u64::from(shot.delay_ms);
            let earliest = kept.last().map_or(0, |(before, _)| before + LEAST);
            // What is shown for long is not left out for what flits by before it.
            let start = if is_short(shot) { start } else { start.max(earliest) };
            if kept.is_empty() || start >= earliest && start + LEAST <= end {
                kept.push((start, shot));
            }
        }
        let ends = kept.iter().skip(1).map(|&(start, _)| start).chain([end]);
        let mut shots = kept.iter().zip(ends).map(|(&(start, shot), end)| Shot {
            raster: shot.raster.clone(),
            delay_ms: u32::try_from((end - start) * MS).unwrap_or(u32::MAX),
        });
        Some(Clip { first: shots.next()?, rest: shots.collect(), loops: self.loops })
    }

    /// All frames at another size.
    pub(crate) fn resized(
        &self,
        width: u32,
        height: u32,
        shrink: &Shrink<'_>,
    ) -> Result<Clip<'static>, Error> {
        let resize = |shot: &Shot<'_>| -> Result<Shot<'static>, Error> {
            Ok(Shot { raster: Cow::Owned(shrink(&shot.raster, width, height)?), delay_ms: shot.delay_ms })
        };
        Ok(Clip {
            first: resize(&self.first)?,
            rest: self.rest.iter().map(resize).collect::<Result<_, _>>()?,
            loops: self.loops,
        })
    }
}

/// A raster's pixels, `[R, G, B, A]` each.
pub(crate) fn pixels(raster: &Raster) -> &[[u8; 4]] {
    raster.rgba().as_chunks().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn film(delays_ms: &[u32]) -> Picture {
        let frames = delays_ms
            .iter()
            .zip(0u8..)
            .map(|(&delay_ms, shade)| Frame {
                raster: Raster::new(1, 1, vec![shade, 0, 0, 255]).unwrap(),
                delay_ms,
            })
            .collect();
        Picture::new(frames, Loops::Forever).unwrap()
    }

    fn shades(clip: &Clip<'_>) -> Vec<u8> {
        clip.pixels().map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn thinning_spreads_the_kept_frames_evenly() {
        let picture = film(&[10; 9]);
        let clip = Clip::of(&picture, true).unwrap();
        assert_eq!(shades(&clip.thinned(3)), [0, 3, 6]);
        assert_eq!(shades(&clip.thinned(1)), [0]);
        assert_eq!(shades(&clip.thinned(100)), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_single_remaining_frame_is_a_still() {
        let picture = film(&[10, 20, 30]);
        assert_eq!(Clip::of(&picture, true).unwrap().thinned(1).first.delay_ms, 0);
    }

    proptest! {
        #[test]
        fn thinning_keeps_the_play_time(delays in prop::collection::vec(0u32..5_000, 2..80), keep in 2usize..90) {
            let picture = film(&delays);
            let clip = Clip::of(&picture, true).unwrap();
            let thinned = clip.thinned(keep);
            prop_assert_eq!(thinned.len(), keep.min(delays.len()));
            let total: u32 = thinned.shots().map(|shot| shot.delay_ms).sum();
            prop_assert_eq!(total, delays.iter().sum::<u32>());
        }
    }
}
