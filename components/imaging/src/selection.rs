//! Which frames of an animation a thumbnail takes, decided before any of them is decoded.

use crate::options::{Limits, Options, OutputFormat};

/// Some of the frames of a file, evenly spread, the first among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Those that the file has, at least 1.
    total: u32,
    /// Those that are kept, 1 to `total`.
    kept: u32,
    /// More than one was asked for.
    is_animated: bool,
}

impl Selection {
    /// Of an image of `total` frames: one for a still; else as many as are asked for and as the limit on the thumbnail's pixels lets
    /// through: `pixels` are those of one frame, of all thumbnails that are made of the image at once. A thumbnail that runs less smoothly is of
    /// more use than none, and the play time stays; who asked is told.
    pub(crate) fn new(total: u32, options: &Options, pixels: u64, limits: &Limits) -> Self {
        let total = total.max(1);
        if !options.animated || options.format == OutputFormat::Jpeg {
            return Self { total, kept: 1, is_animated: false };
        }
        let fitting = u32::try_from(limits.max_output_pixels / pixels.max(1)).unwrap_or(u32::MAX);
        let kept = options.max_output_frames.unwrap_or(u32::MAX).min(fitting).clamp(1, total);
        Self { total, kept, is_animated: true }
    }

    pub(crate) const fn kept(self) -> u32 {
        self.kept
    }

    /// Frames of an animation that stays one, or was asked to, are left out.
    pub(crate) const fn is_thinned(self) -> bool {
        self.is_animated && self.kept < self.total
    }

    /// Frames are drawn over each other, so that all before the last that is kept are decoded; what follows it is not.
    pub(crate) fn decoded(self) -> u32 {
        let last = u64::from(self.kept - 1) * u64::from(self.total);
        u32::try_from(last.div_ceil(u64::from(self.kept)) + 1).unwrap_or(self.total)
    }

    /// Whether the frame of this number, from 0, is kept.
    pub(crate) fn keeps(self, index: u32) -> bool {
        // Where the running share of frames reaches the next whole number.
        let share = |index: u32| u64::from(index) * u64::from(self.kept) / u64::from(self.total);
        index == 0 || share(index) > share(index - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(total: u32, asked: Option<u32>) -> Selection {
        Selection::new(
            total,
            &Options { max_output_frames: asked, ..Options::default() },
            10_000,
            &Limits::default(),
        )
    }

    #[test]
    fn kept_frames_are_evenly_spread_and_nothing_behind_the_last_is_decoded() {
        let kept = |total, asked| -> Vec<u32> {
            let selection = selection(total, Some(asked));
            (0..total).filter(|&index| selection.keeps(index)).collect()
        };
        assert_eq!(kept(9, 3), [0, 3, 6]);
        assert_eq!(kept(4, 4), [0, 1, 2, 3]);
        assert_eq!(kept(5, 9), [0, 1, 2, 3, 4]);
        assert_eq!(kept(7, 1), [0]);
        for total in 1..40 {
            for asked in 1..45 {
                let kept = kept(total, asked);
                assert_eq!(kept.len() as u32, asked.min(total), "{asked} of {total}");
                assert_eq!(
                    selection(total, Some(asked)).decoded(),
                    kept.last().unwrap() + 1,
                    "{asked} of {total}"
                );
            }
        }
    }

    #[test]
    fn a_still_takes_one_frame() {
        for options in [
            Options { animated: false, ..Options::default() },
            Options { format: OutputFormat::Jpeg, ..Options::default() },
        ] {
            let selection = Selection::new(u32::MAX, &options, 10_000, &Limits::default());
            assert_eq!((selection.kept(), selection.decoded()), (1, 1));
        }
    }

    #[test]
    fn large_frames_are_fewer() {
        let limits = Limits { max_output_pixels: 30_000, ..Limits::default() };
        let kept = |pixels| Selection::new(50, &Options::default(), pixels, &limits).kept();
        assert_eq!((kept(600), kept(10_000), kept(10_001), kept(40_000)), (50, 3, 2, 1));
    }
}
