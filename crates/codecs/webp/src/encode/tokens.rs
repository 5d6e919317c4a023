//! Levels as the token tree codes them (RFC 6386, section 13): one walk over the decisions, whoever wants them.

use crate::vp8::tables::BANDS;

/// Block types, as the probabilities count them.
pub(super) const LUMA_WITHOUT_DC: usize = 0;
pub(super) const LUMA_DC: usize = 1;
pub(super) const CHROMA: usize = 2;
pub(super) const LUMA_WITH_DC: usize = 3;

/// Quantised coefficients in scan order, each -[`MAX_LEVEL`]..=[`MAX_LEVEL`].
pub(super) type Levels = [i16; 16];

/// The largest level that is written. The format could tell 2,114; with the smallest step no coefficient comes near.
pub(super) const MAX_LEVEL: i32 = 2_047;

/// The category that a magnitude from 5 on belongs to: its smallest value, and the probabilities of its extra bits, highest first.
pub(super) fn category(magnitude: u32) -> (u32, &'static [u8]) {
    match magnitude {
        ..7 => (5, &[159]),
        7..11 => (7, &[165, 145]),
        11..19 => (11, &[173, 148, 140]),
        19..35 => (19, &[176, 155, 140, 135]),
        35..67 => (35, &[180, 157, 141, 134, 130]),
        67.. => (67, &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129]),
    }
}

/// The decisions of the tree above 1, as pairs of a node and which way it goes.
pub(super) fn path_above_one(magnitude: u32) -> &'static [(usize, bool)] {
    match magnitude {
        ..3 => &[(3, false), (4, false)],
        3 => &[(3, false), (4, true), (5, false)],
        4 => &[(3, false), (4, true), (5, true)],
        5..7 => &[(3, true), (6, false), (7, false)],
        7..11 => &[(3, true), (6, false), (7, true)],
        11..19 => &[(3, true), (6, true), (8, false), (9, false)],
        19..35 => &[(3, true), (6, true), (8, false), (9, true)],
        35..67 => &[(3, true), (6, true), (8, true), (10, false)],
        67.. => &[(3, true), (6, true), (8, true), (10, true)],
    }
}

/// Where a decision of the tree is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Block type.
    pub(super) kind: usize,
    /// Band of the coefficient's position.
    pub(super) band: usize,
    /// 0 to 2: how large the coefficient before was.
    pub(super) context: usize,
}

/// Who takes the decisions.
pub(super) trait Sink {
    /// A decision at a node with a probability of the frame's.
    fn decide(&mut self, place: Place, node: usize, bit: bool);
    /// A bit whose probability never changes.
    fn fixed(&mut self, bit: bool, prob: u8);
}

/// The context after a coefficient of this magnitude.
pub(super) const fn context_after(magnitude: u32) -> usize {
    if magnitude > 2 { 2 } else { magnitude as usize }
}

/// Hands the decisions of one block, from scan position `first` on, to `sink`. Returns whether any level is not 0.
pub(super) fn walk(sink: &mut impl Sink, kind: usize, context: usize, first: usize, levels: &Levels) -> bool {
    let end = levels.iter().rposition(|&level| level != 0).map_or(first, |last| last + 1).max(first);
    let mut context = context;
    let mut after_zero = false;
    for (&level, &band) in levels.iter().zip(&BANDS).take(end).skip(first) {
        let place = Place { kind, band: usize::from(band), context };
        if !after_zero {
            sink.decide(place, 0, true);
        }
        let magnitude = u32::from(level.unsigned_abs());
        sink.decide(place, 1, magnitude > 0);
        if magnitude > 0 {
            sink.decide(place, 2, magnitude > 1);
            if magnitude > 1 {
                for &(node, bit) in path_above_one(magnitude) {
                    sink.decide(place, node, bit);
                }
            }
            if magnitude > 4 {
                let (smallest, probs) = category(magnitude);
                let extra = magnitude - smallest;
                for (at, &prob) in probs.iter().rev().enumerate().rev() {
                    sink.fixed((extra >> at) & 1 == 1, prob);
                }
            }
            sink.fixed(level < 0, 128);
        }
        after_zero = magnitude == 0;
        context = context_after(magnitude);
    }
    if let Some(&band) = BANDS.get(end) {
        sink.decide(Place { kind, band: usize::from(band), context }, 0, false);
    }
    end > first
}
