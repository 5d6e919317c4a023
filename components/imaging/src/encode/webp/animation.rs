//! The frames of an animation, each as the smallest of the ways there are to get to it: a lossless or a lossy patch, with holes where
//! nothing changes or whole.
//!
//! What changes is told by the sources, not by what a decoder has made of them: a pixel is coded anew when its source changes, with an
//! error of its own, and else stays as it is. So errors neither add up nor spread, however many lossy frames follow each other.

use super::super::census::Census;
use super::super::delta::{Area, Patch};
use super::bitstream::{Way, is_photograph, lossless, lossy};

/// A lossless frame of so few bytes can't be beaten by a lossy one, whose headers take as many.
const TINY_BYTES: usize = 64;
/// Sides of what VP8 codes as one.
const MACROBLOCK: usize = 16;
/// Where telling holes takes more than this share of a lossy frame, it may be shorter without them.
const MAX_HOLES_SHARE: usize = 4;
/// Lossy patches of more pixels are not tried a second time: 256 a side.
const MAX_TRIED_PIXELS: usize = 1 << 16;

/// Frames in a row that were shorter without loss, after which lossy ones are hardly tried any more: of text and flat drawings none ever is shorter.
const ENOUGH_LOST: u32 = 3;
/// One frame in so many is tried then, and each that takes so many times what one of those took: what is shown may change.
const SELDOM: u32 = 8;
const MUCH_LARGER: usize = 2;

/// Which frames of an animation are worth being tried in both ways, by how those before them went.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// Tried in a row, and shorter without loss.
    lost: u32,
    /// The longest of these, without loss.
    most_lost_bytes: usize,
    /// Since the last that was tried.
    passed_over: u32,
}

impl Trials {
    /// Whether the next one is, which takes so many bytes without loss.
    const fn is_due(&mut self, exact_bytes: usize) -> bool {
        let is_other = exact_bytes / MUCH_LARGER >= self.most_lost_bytes;
        let is_due = self.lost < ENOUGH_LOST || is_other || self.passed_over + 1 >= SELDOM;
        self.passed_over = if is_due { 0 } else { self.passed_over + 1 };
        is_due
    }

    /// How it went with the one that was due.
    fn tell(&mut self, exact_bytes: usize, is_lossy_shorter: bool) {
        if is_lossy_shorter {
            *self = Self::default();
        } else {
            self.lost = self.lost.saturating_add(1);
            self.most_lost_bytes = self.most_lost_bytes.max(exact_bytes);
        }
    }
}

/// How a frame is stored.
pub(super) struct Drawn {
    /// Drawn over what is there, or instead of it.
    pub(super) blend: bool,
    /// Has alpha, if only for holes.
    pub(super) has_alpha: bool,
    /// What ANMF holds behind its header.
    pub(super) chunks: Vec<u8>,
}

/// The smallest way to draw `patch`. `whole`: the same area without holes.
pub(super) fn draw(patch: &Patch, whole: &[[u8; 4]], way: Way, trials: &mut Trials) -> Drawn {
    let census = Census::of_frame(&patch.pixels, patch.area.width);
    let exact = || Drawn {
        blend: patch.blend,
        has_alpha: !census.opaque,
        chunks: lossless(&patch.pixels, patch.area, way == Way::Dithered),
    };
    let Way::Smaller(quality) = way else { return exact() };
    if is_photograph(&census) {
        return nearly(patch, whole, quality, usize::MAX).unwrap_or_else(exact);
    }
    let exact = exact();
    let exact_bytes = exact.chunks.len();
    if exact_bytes <= TINY_BYTES || !trials.is_due(exact_bytes) {
        return exact;
    }
    let lossy = nearly(patch, whole, quality, exact_bytes).filter(|lossy| lossy.chunks.len() < exact_bytes);
    trials.tell(exact_bytes, lossy.is_some());
    lossy.unwrap_or(exact)
}

/// The shorter lossy way; `None` where VP8 can't hold the area, and possibly where it takes more than `max_bytes`.
fn nearly(patch: &Patch, whole: &[[u8; 4]], quality: u8, max_bytes: usize) -> Option<Drawn> {
    let drawn = |pixels: &[[u8; 4]], mask: &[[u8; 4]], blend: bool, max_bytes: usize| {
        let parts = lossy(pixels, mask, patch.area, quality, max_bytes).ok()?;
        let holes = parts.alpha.len();
        Some((Drawn { blend, has_alpha: holes > 0, chunks: [parts.alpha, parts.colours].concat() }, holes))
    };
    if !patch.blend {
        return drawn(whole, whole, false, max_bytes).map(|(drawn, _)| drawn);
    }
    // Without a bound: where it takes too much for its holes, it may be that the other way does not.
    let (holed, holes) = drawn(&behind_holes(patch, whole), &patch.pixels, true, usize::MAX)?;
    if holes * MAX_HOLES_SHARE <= holed.chunks.len() || whole.len() > MAX_TRIED_PIXELS {
        return Some(holed);
    }
    let full = drawn(whole, whole, false, holed.chunks.len()).map(|(drawn, _)| drawn);
    Some(full.filter(|full| full.chunks.len() < holed.chunks.len()).unwrap_or(holed))
}

/// What is coded where holes will be: the picture itself beside what is seen, lest holes have edges that blur into it; nothing in
/// macroblocks of which nothing is seen.
fn behind_holes(patch: &Patch, whole: &[[u8; 4]]) -> Vec<[u8; 4]> {
    let Area { width, height, .. } = patch.area;
    let (width, height) = (width as usize, height as usize);
    let mut pixels = whole.to_vec();
    for top in (0..height).step_by(MACROBLOCK) {
        for left in (0..width).step_by(MACROBLOCK) {
            let rows = top..(top + MACROBLOCK).min(height);
            let places = move |y: usize| y * width + left..y * width + (left + MACROBLOCK).min(width);
            if rows.clone().all(|y| patch.pixels[places(y)].iter().all(|pixel| pixel[3] == 0)) {
                rows.for_each(|y| pixels[places(y)].fill([0; 4]));
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_three_that_lost_one_in_eight_is_tried_until_one_wins() {
        let mut trials = Trials::default();
        let mut tried = |wins: u32| {
            (0..20)
                .map(|frame| trials.is_due(100).then(|| trials.tell(100, frame == wins)).is_some())
                .collect::<Vec<_>>()
        };
        let places = |tried: Vec<bool>| (0..20).filter(|&at| tried[at]).collect::<Vec<_>>();
        assert_eq!(places(tried(20)), [0, 1, 2, 10, 18]);
        assert_eq!(places(tried(6)), [6, 7, 8, 9, 17]);
    }

    #[test]
    fn a_frame_much_larger_than_those_that_lost_is_tried_at_once() {
        let mut trials = Trials::default();
        for exact_bytes in [70, 100, 80] {
            assert!(trials.is_due(exact_bytes));
            trials.tell(exact_bytes, false);
        }
        assert!(!trials.is_due(199));
        assert!(trials.is_due(200));
        trials.tell(200, false);
        assert!(!trials.is_due(300));
    }
}
