//! The loop filter (RFC 6386, section 15), over rows of finished macroblocks.
//!
//! Sixteen places along an edge go through it at once: a whole macroblock's of luma, or eight of U and eight of V. Edges
//! that run down are turned on their side for it.

use thumbs_lanes::{I16x8, U8x16};

use crate::vp8::header::Strength;

/// One plane of pixels.
pub(crate) struct Plane<'a> {
    pub(crate) pixels: &'a mut [u8],
    pub(crate) stride: usize,
}

/// The four pixels on both sides of an edge, nearest in the middle, for sixteen places along it.
type Window = [U8x16; 8];

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

/// An edge's kind and how strongly it is smoothed.
#[derive(Clone, Copy, Debug)]
struct Edge {
    kind: Kind,
    strength: Strength,
    /// Largest difference across it that is still smoothed.
    limit: i16,
}

impl Edge {
    /// Between macroblocks, or within one.
    fn new(strength: Strength, simple: bool, outer: bool) -> Self {
        let kind = match (simple, outer) {
            (true, _) => Kind::Simple,
            (false, true) => Kind::Outer,
            (false, false) => Kind::Inner,
        };
        // Between macroblocks the limit is 4 higher (section 15.2).
        Self { kind, strength, limit: i16::from(strength.edge_limit) + if outer { 4 } else { 0 } }
    }

    /// Smooths eight places; returns their six inner pixels, which may be out of a byte's range.
    #[inline(always)]
    fn smooth(self, [p3, p2, p1, p0, q0, q1, q2, q3]: [I16x8; 8]) -> [I16x8; 6] {
        let difference = |a: I16x8, b: I16x8| a.sub(b).abs();
        let above = |value: I16x8, limit: i16| value.is_greater(I16x8::splat(limit));
        let near_p = difference(p1, p0);
        let near_q = difference(q1, q0);

        let across = difference(p0, q0);
        let steepness = across.add(across).add(difference(p1, q1).shift_right(1));
        let mut left_alone = above(steepness, self.limit);
        if self.kind != Kind::Simple {
            let roughness = near_p
                .max(near_q)
                .max(difference(p3, p2).max(difference(p2, p1)))
                .max(difference(q3, q2).max(difference(q2, q1)));
            let rough = above(roughness, i16::from(self.strength.interior_limit));
            left_alone = left_alone.or(rough);
        }
        let high_variance = above(near_p.max(near_q), i16::from(self.strength.high_variance));

        let step = q0.sub(p0);
        let step = step.add(step).add(step);
        let taps = clamp_to_signed_byte(p1.sub(q1));
        let eighth = |value: I16x8, rounding: i16| {
            clamp_to_signed_byte(value.add(I16x8::splat(rounding))).shift_right(3)
        };
        let changed = |value: I16x8, change: I16x8| value.add(change.and_not(left_alone));
        let lowered = |value: I16x8, change: I16x8| value.sub(change.and_not(left_alone));
        match self.kind {
            Kind::Simple => {
                let change = clamp_to_signed_byte(step.add(taps));
                [p2, p1, changed(p0, eighth(change, 3)), lowered(q0, eighth(change, 4)), q1, q2]
            }
            Kind::Inner => {
                let change = clamp_to_signed_byte(step.add(taps.and(high_variance)));
                let (of_p, of_q) = (eighth(change, 3), eighth(change, 4));
                let half = of_q.add(I16x8::splat(1)).shift_right(1).and_not(high_variance);
                [p2, changed(p1, half), changed(p0, of_p), lowered(q0, of_q), lowered(q1, half), q2]
            }
            Kind::Outer => {
                let change = clamp_to_signed_byte(step.add(taps));
                // Where variance is high, only the nearest change, as in the simple filter.
                let narrow = change.and(high_variance);
                let wide = change.and_not(high_variance);
                let share = |weight: i16| wide.mul(I16x8::splat(weight)).add(I16x8::splat(63)).shift_right(7);
                let (far, middle, near) = (share(9), share(18), share(27));
                let (of_p, of_q) = (near.add(eighth(narrow, 3)), near.add(eighth(narrow, 4)));
                [
                    changed(p2, far),
                    changed(p1, middle),
                    changed(p0, of_p),
                    lowered(q0, of_q),
                    lowered(q1, middle),
                    lowered(q2, far),
                ]
            }
        }
    }

    #[inline(always)]
    fn filter(self, window: &mut Window) {
        let low = self.smooth(window.map(U8x16::widen_low));
        let high = self.smooth(window.map(U8x16::widen_high));
        for ((row, low), high) in window[1..7].iter_mut().zip(low).zip(high) {
            *row = U8x16::narrow(low, high);
        }
    }
}

#[inline(always)]
fn clamp_to_signed_byte(value: I16x8) -> I16x8 {
    value.max(I16x8::splat(-128)).min(I16x8::splat(127))
}

/// Rows of 8 bytes to columns of 16: `rows[k]` holds rows `2k` and `2k + 1`.
#[inline(always)]
fn columns_of(mut rows: [U8x16; 8]) -> Window {
    for _ in 0..4 {
        rows = rotate(rows);
    }
    rows
}

/// The other way round.
#[inline(always)]
fn rows_of(mut columns: Window) -> [U8x16; 8] {
    for _ in 0..3 {
        columns = rotate(columns);
    }
    columns
}

/// Moves each byte from address `a` to `a` with its 7 bits rotated left by one: where vector and place within it are the
/// upper 3 and the lower 4 bits.
#[inline(always)]
fn rotate(v: [U8x16; 8]) -> [U8x16; 8] {
    [
        v[0].zip_low(v[4]),
        v[0].zip_high(v[4]),
        v[1].zip_low(v[5]),
        v[1].zip_high(v[5]),
        v[2].zip_low(v[6]),
        v[2].zip_high(v[6]),
        v[3].zip_low(v[7]),
        v[3].zip_high(v[7]),
    ]
}

impl Plane<'_> {
    fn row<const N: usize>(&mut self, at: usize) -> Option<&mut [u8; N]> {
        self.pixels.get_mut(at..)?.first_chunk_mut()
    }

    /// 8 pixels at `at` and 8 of the row below.
    fn two_rows(&self, at: usize) -> U8x16 {
        let row = |at: usize| self.pixels.get(at..).and_then(<[u8]>::first_chunk).unwrap_or(&[0; 8]);
        U8x16::from_halves(row(at), row(at + self.stride))
    }

    fn set_two_rows(&mut self, at: usize, rows: U8x16) {
        let (mut even, mut odd) = ([0; 8], [0; 8]);
        rows.store_halves(&mut even, &mut odd);
        for (at, pixels) in [(at, even), (at + self.stride, odd)] {
            if let Some(row) = self.row(at) {
                *row = pixels;
            }
        }
    }
}

/// Smooths luma across a line between two rows: `at` is the first pixel below it.
fn filter_rows(plane: &mut Plane<'_>, at: usize, edge: Edge) {
    let first = at - 4 * plane.stride;
    let mut window = [U8x16::from_pixels([0; 4]); 8];
    for (y, row) in window.iter_mut().enumerate() {
        if let Some(pixels) = plane.row(first + y * plane.stride) {
            *row = U8x16::load(pixels);
        }
    }
    edge.filter(&mut window);
    for (y, row) in window.iter().enumerate().skip(1).take(6) {
        if let Some(pixels) = plane.row(first + y * plane.stride) {
            row.store(pixels);
        }
    }
}

/// The same for both planes of chroma.
fn filter_chroma_rows([u, v]: &mut [Plane<'_>; 2], at: usize, edge: Edge) {
    let first = at - 4 * u.stride;
    let mut window = [U8x16::from_pixels([0; 4]); 8];
    for (y, row) in window.iter_mut().enumerate() {
        let at = first + y * u.stride;
        if let (Some(u), Some(v)) = (u.row(at), v.row(at)) {
            *row = U8x16::from_halves(u, v);
        }
    }
    edge.filter(&mut window);
    for (y, row) in window.iter().enumerate().skip(1).take(6) {
        let at = first + y * u.stride;
        if let (Some(u), Some(v)) = (u.row(at), v.row(at)) {
            row.store_halves(u, v);
        }
    }
}

/// Smooths luma across a line between two columns: `at` is the first pixel to its right.
fn filter_columns(plane: &mut Plane<'_>, at: usize, edge: Edge) {
    let places: [usize; 8] = std::array::from_fn(|two| at - 4 + 2 * two * plane.stride);
    let mut window = columns_of(places.map(|at| plane.two_rows(at)));
    edge.filter(&mut window);
    for (at, rows) in places.into_iter().zip(rows_of(window)) {
        plane.set_two_rows(at, rows);
    }
}

/// The same for both planes of chroma.
fn filter_chroma_columns([u, v]: &mut [Plane<'_>; 2], at: usize, edge: Edge) {
    let places: [usize; 4] = std::array::from_fn(|two| at - 4 + 2 * two * u.stride);
    let rows = std::array::from_fn(|two| match places.get(two) {
        Some(&at) => u.two_rows(at),
        None => v.two_rows(places[two - 4]),
    });
    let mut window = columns_of(rows);
    edge.filter(&mut window);
    let rows = rows_of(window);
    let (of_u, of_v) = rows.split_at(4);
    for ((&at, &of_u), &of_v) in places.iter().zip(of_u).zip(of_v) {
        u.set_two_rows(at, of_u);
        v.set_two_rows(at, of_v);
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
        let outer = Edge::new(strength, simple, true);
        let inner = Edge::new(strength, simple, false);
        let inner_luma_edges = if inner_edges { &[4, 8, 12][..] } else { &[] };
        let at = top * luma.stride + 16 * x;
        if x > 0 {
            filter_columns(luma, at, outer);
        }
        for &edge in inner_luma_edges {
            filter_columns(luma, at + edge, inner);
        }
        if above {
            filter_rows(luma, at, outer);
        }
        for &edge in inner_luma_edges {
            filter_rows(luma, at + edge * luma.stride, inner);
        }
        if simple {
            continue;
        }
        let stride = chroma[0].stride;
        let at = top / 2 * stride + 8 * x;
        if x > 0 {
            filter_chroma_columns(chroma, at, outer);
        }
        if inner_edges {
            filter_chroma_columns(chroma, at + 4, inner);
        }
        if above {
            filter_chroma_rows(chroma, at, outer);
        }
        if inner_edges {
            filter_chroma_rows(chroma, at + 4 * stride, inner);
        }
    }
}
