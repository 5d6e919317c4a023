//! The strength of the loop filter, by trial: the level after which the picture is nearest to its source.

use crate::encode::macroblock::Macroblock;
use crate::encode::planes::Planes;
use crate::vp8::header::Strength;
use crate::vp8::loop_filter::{MacroblockFilter, Plane, filter_row};

/// Levels that are tried, of 0..=63.
const LEVELS: [u8; 14] = [0, 2, 4, 6, 8, 11, 14, 18, 22, 27, 32, 40, 50, 63];

/// As the decoder derives it at sharpness 0 (RFC 6386, section 15.2).
fn strength(level: u8) -> Strength {
    if level == 0 {
        return Strength::default();
    }
    Strength {
        edge_limit: 3 * level,
        interior_limit: level,
        high_variance: match level {
            40.. => 2,
            15.. => 1,
            _ => 0,
        },
    }
}

/// The planes as the decoder shows them at a level.
pub(super) fn filtered(planes: &Planes, macroblocks: &[Macroblock], level: u8) -> Planes {
    let mut planes = planes.clone();
    if level == 0 {
        return planes;
    }
    let stride = planes.stride;
    let strength = strength(level);
    let mut luma = Plane { pixels: &mut planes.y, stride };
    let mut chroma = planes.uv.each_mut().map(|plane| Plane { pixels: plane, stride: stride / 2 });
    for (row, macroblocks) in macroblocks.chunks(stride / 16).enumerate() {
        let filters: Vec<MacroblockFilter> = macroblocks
            .iter()
            .map(|macroblock| MacroblockFilter {
                strength,
                inner_edges: macroblock.any || !macroblock.whole_luma(),
            })
            .collect();
        filter_row(&mut luma, &mut chroma, 16 * row, row > 0, false, &filters);
    }
    planes
}

/// The best level and what it makes of `restored`. `guess` is where to begin.
pub(super) fn choose(
    source: &Planes,
    restored: &Planes,
    macroblocks: &[Macroblock],
    size: (usize, usize),
    guess: i32,
) -> (u8, Planes) {
    let mut at = LEVELS.iter().position(|&level| i32::from(level) >= guess).unwrap_or(LEVELS.len() - 1);
    let trial = |at: usize| {
        let planes = filtered(restored, macroblocks, LEVELS[at]);
        (error(source, &planes, size), planes)
    };
    let mut best = trial(at);
    // Downhill from the guess, in the one direction or the other.
    for up in [false, true] {
        let start = at;
        while let Some(next) =
            if up { Some(at + 1) } else { at.checked_sub(1) }.filter(|&next| next < LEVELS.len())
        {
            let tried = trial(next);
            if tried.0 >= best.0 {
                break;
            }
            (best, at) = (tried, next);
        }
        if at != start {
            break;
        }
    }
    (LEVELS[at], best.1)
}

/// The sum of squared differences of what is seen.
fn error(a: &Planes, b: &Planes, (width, height): (usize, usize)) -> u64 {
    let of = |a: &[u8], b: &[u8], stride: usize, width: usize, height: usize| -> u64 {
        let rows = a.chunks(stride).zip(b.chunks(stride)).take(height);
        rows.map(|(a, b)| {
            let pairs = a.iter().zip(b).take(width);
            u64::from(pairs.map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>())
        })
        .sum()
    };
    let chroma: u64 = a
        .uv
        .iter()
        .zip(&b.uv)
        .map(|(a_plane, b_plane)| of(a_plane, b_plane, a.stride / 2, width.div_ceil(2), height.div_ceil(2)))
        .sum();
    of(&a.y, &b.y, a.stride, width, height) + chroma
}
