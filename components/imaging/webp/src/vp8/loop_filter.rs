//! The loop filter (RFC 6386, section 15), over rows of finished macroblocks.
//!
//! Sixteen (or eight) places along an edge go through the filter at once as the lanes of small arrays, which the compiler
//! turns into vector instructions. Edges that run down are turned on their side for it.

use crate::vp8::header::Strength;

/// One plane of pixels.
pub(crate) struct Plane<'a> {
    pub(crate) pixels: &'a mut [u8],
    pub(crate) stride: usize,
}

/// The four pixels on both sides of an edge, nearest in the middle, `N` places along it.
type Window<const N: usize> = [[u8; N]; 8];

/// How an edge is smoothed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Two pixels change, luma only.
    Simple,
    /// Between macroblocks: up to six pixels change.
    Outer,
    /// Within a macroblock: up to four pixels change.
    Inner,
}

/// Clamps to what a signed byte holds, as the RFC's arithmetic does after each step.
#[inline(always)]
fn narrow(value: i16) -> i16 {
    value.clamp(-128, 127)
}

#[inline(always)]
fn difference(a: u8, b: u8) -> i16 {
    i16::from(a.abs_diff(b))
}

/// `pixel + change`, both as signed bytes.
#[inline(always)]
fn shifted(pixel: u8, change: i16) -> u8 {
    (narrow(i16::from(pixel) - 128 + change) + 128) as u8
}

/// One place along an edge; returns its six inner pixels.
#[inline(always)]
fn filter_place(kind: Kind, strength: Strength, edge_limit: i16, p: [u8; 8]) -> [u8; 6] {
    let [p3, p2, p1, p0, q0, q1, q2, q3] = p;
    let signed = |pixel: u8| i16::from(pixel) - 128;
    let interior = i16::from(strength.interior_limit);
    let steep = difference(p0, q0) * 2 + difference(p1, q1) / 2 > edge_limit;
    let rough = kind != Kind::Simple
        && (difference(p3, p2) > interior)
            | (difference(p2, p1) > interior)
            | (difference(p1, p0) > interior)
            | (difference(q1, q0) > interior)
            | (difference(q2, q1) > interior)
            | (difference(q3, q2) > interior);
    let variance = i16::from(strength.high_variance);
    let high_variance =
        kind == Kind::Simple || (difference(p1, p0) > variance) | (difference(q1, q0) > variance);

    let outer_taps = narrow(signed(p1) - signed(q1));
    let across = 3 * (signed(q0) - signed(p0));
    let both = narrow(across + outer_taps);

    // Changes of p2, p1, p0; those of q2, q1, q0 are the same with the sign turned, but for the rounding of the nearest.
    let two_pixels = (narrow(both + 3) >> 3, narrow(both + 4) >> 3);
    let (wide, middle, near_p, near_q) = match kind {
        Kind::Simple => (0, 0, two_pixels.0, two_pixels.1),
        Kind::Outer => {
            let change = |weight: i16| narrow((weight * both + 63) >> 7);
            if high_variance {
                (0, 0, two_pixels.0, two_pixels.1)
            } else {
                (change(9), change(18), change(27), change(27))
            }
        }
        Kind::Inner => {
            if high_variance {
                (0, 0, two_pixels.0, two_pixels.1)
            } else {
                let narrowed = narrow(across);
                let (near_p, near_q) = (narrow(narrowed + 3) >> 3, narrow(narrowed + 4) >> 3);
                (0, (near_q + 1) >> 1, near_p, near_q)
            }
        }
    };
    if steep | rough {
        [p2, p1, p0, q0, q1, q2]
    } else {
        [
            shifted(p2, wide),
            shifted(p1, middle),
            shifted(p0, near_p),
            shifted(q0, -near_q),
            shifted(q1, -middle),
            shifted(q2, -wide),
        ]
    }
}

#[inline(always)]
fn filter_window<const N: usize>(kind: Kind, strength: Strength, window: &mut Window<N>) {
    // Between macroblocks the limit is 4 higher (section 15.2).
    let edge_limit = i16::from(strength.edge_limit) + if kind == Kind::Inner { 0 } else { 4 };
    filter_window_limited(kind, strength, edge_limit, window);
}

#[inline(always)]
fn filter_window_limited<const N: usize>(
    kind: Kind,
    strength: Strength,
    edge_limit: i16,
    window: &mut Window<N>,
) {
    for lane in 0..N {
        let place = std::array::from_fn(|at| window[at][lane]);
        let filtered = filter_place(kind, strength, edge_limit, place);
        for (row, pixel) in window[1..7].iter_mut().zip(filtered) {
            row[lane] = pixel;
        }
    }
}

impl Plane<'_> {
    /// Smooths across a line between two rows: `at` is the first pixel below it.
    fn filter_rows<const N: usize>(&mut self, at: usize, filter: impl FnOnce(&mut Window<N>)) {
        let first = at - 4 * self.stride;
        let pixels = &mut self.pixels[first..first + 7 * self.stride + N];
        let mut window: Window<N> = [[0; N]; 8];
        for (y, row) in window.iter_mut().enumerate() {
            row.copy_from_slice(&pixels[y * self.stride..y * self.stride + N]);
        }
        filter(&mut window);
        for (y, row) in window.iter().enumerate().skip(1).take(6) {
            pixels[y * self.stride..y * self.stride + N].copy_from_slice(row);
        }
    }

    /// Smooths across a line between two columns: `at` is the first pixel to its right.
    fn filter_columns<const N: usize>(&mut self, at: usize, filter: impl FnOnce(&mut Window<N>)) {
        let first = at - 4;
        let pixels = &mut self.pixels[first..first + (N - 1) * self.stride + 8];
        let mut window: Window<N> = [[0; N]; 8];
        for lane in 0..N {
            let row = &pixels[lane * self.stride..lane * self.stride + 8];
            for (x, &pixel) in row.iter().enumerate() {
                window[x][lane] = pixel;
            }
        }
        filter(&mut window);
        for lane in 0..N {
            let row = &mut pixels[lane * self.stride..lane * self.stride + 8];
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = window[x][lane];
            }
        }
    }
}

/// What the filter must know of a macroblock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MacroblockFilter {
    pub(crate) strength: Strength,
    /// Edges between its 4x4 blocks are smoothed too.
    pub(crate) inner_edges: bool,
}

/// Smooths one row of macroblocks that begins at row `top` of the luma plane; `above`: there is a row above it.
///
/// Changes up to 3 rows above `top`, and reads 4. Macroblocks must be taken in order, since each changes its left neighbour.
pub(crate) fn filter_row(
    luma: &mut Plane<'_>,
    chroma: &mut [Plane<'_>; 2],
    top: usize,
    above: bool,
    simple: bool,
    macroblocks: &[MacroblockFilter],
) {
    for (x, &MacroblockFilter { strength, inner_edges }) in macroblocks.iter().enumerate() {
        if strength.edge_limit == 0 {
            continue;
        }
        let at = top * luma.stride + 16 * x;
        if simple {
            let outer = i16::from(strength.edge_limit) + 4;
            let inner = i16::from(strength.edge_limit);
            let filter = |limit| {
                move |window: &mut Window<16>| filter_window_limited(Kind::Simple, strength, limit, window)
            };
            if x > 0 {
                luma.filter_columns(at, filter(outer));
            }
            for edge in [4, 8, 12].into_iter().filter(|_| inner_edges) {
                luma.filter_columns(at + edge, filter(inner));
            }
            if above {
                luma.filter_rows(at, filter(outer));
            }
            for edge in [4, 8, 12].into_iter().filter(|_| inner_edges) {
                luma.filter_rows(at + edge * luma.stride, filter(inner));
            }
            continue;
        }
        let outer16 = |window: &mut Window<16>| filter_window(Kind::Outer, strength, window);
        let inner16 = |window: &mut Window<16>| filter_window(Kind::Inner, strength, window);
        let outer8 = |window: &mut Window<8>| filter_window(Kind::Outer, strength, window);
        let inner8 = |window: &mut Window<8>| filter_window(Kind::Inner, strength, window);
        if x > 0 {
            luma.filter_columns(at, outer16);
        }
        for edge in [4, 8, 12].into_iter().filter(|_| inner_edges) {
            luma.filter_columns(at + edge, inner16);
        }
        if above {
            luma.filter_rows(at, outer16);
        }
        for edge in [4, 8, 12].into_iter().filter(|_| inner_edges) {
            luma.filter_rows(at + edge * luma.stride, inner16);
        }
        for plane in &mut *chroma {
            let at = top / 2 * plane.stride + 8 * x;
            if x > 0 {
                plane.filter_columns(at, outer8);
            }
            if inner_edges {
                plane.filter_columns(at + 4, inner8);
            }
            if above {
                plane.filter_rows(at, outer8);
            }
            if inner_edges {
                plane.filter_rows(at + 4 * plane.stride, inner8);
            }
        }
    }
}
