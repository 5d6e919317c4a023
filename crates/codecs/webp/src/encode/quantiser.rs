//! From `quality` to quantiser steps and to what a bit is worth.

use crate::vp8::header::{Quantiser, Steps};
use crate::vp8::tables::{AC_STEPS, DC_STEPS};

/// The quantiser index of each quality from 0 to 100, the one that libwebp takes: with `c` the quality in 0..=1, bent at 0.75
/// from `c * 2 / 3` to `2 * c - 1`, it is `127 * (1 - cbrt(c))`.
#[rustfmt::skip]
const INDEX_BY_QUALITY: [u8; 101] = [
    127, 103, 96, 92, 89, 86, 83, 81, 79, 77, 75, 73, 72, 70, 69, 68, 66, 65, 64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52,
    51, 51, 50, 49, 48, 48, 47, 46, 45, 45, 44, 43, 43, 42, 41, 41, 40, 40, 39, 38, 38, 37, 37, 36, 36, 35, 35, 34, 33, 33, 32,
    32, 31, 31, 30, 30, 29, 29, 28, 28, 28, 27, 27, 26, 26, 24, 23, 22, 21, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5,
    4, 3, 2, 1, 0, 0,
];

/// The index of a quality; those above 100 count as 100.
pub(super) fn index_of(quality: u8) -> i32 {
    i32::from(INDEX_BY_QUALITY[usize::from(quality.min(100))])
}

/// What is added to the index for single kinds of coefficients, -15..=15.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deltas {
    pub(super) chroma_dc: i32,
    pub(super) chroma_ac: i32,
}

/// The steps as the decoder derives them (RFC 6386, section 14.1). `index` is 0..=127.
pub(super) fn quantiser(index: i32, deltas: Deltas) -> Quantiser {
    let dc = |delta: i32, last: i32| i32::from(DC_STEPS[(index + delta).clamp(0, last) as usize]);
    let ac = |delta: i32| i32::from(AC_STEPS[(index + delta).clamp(0, 127) as usize]);
    Quantiser {
        luma: Steps { dc: dc(0, 127), ac: ac(0) },
        luma_dc: Steps { dc: dc(0, 127) * 2, ac: (ac(0) * 155 / 100).max(8) },
        chroma: Steps { dc: dc(deltas.chroma_dc, 117), ac: ac(deltas.chroma_ac) },
    }
}
