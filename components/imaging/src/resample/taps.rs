//! Lanczos weights of three lobes: how much each cell of one axis counts in each wanted pixel.

use std::f64::consts::PI;

use super::Axis;

const LOBES: f64 = 3.0;

/// The weights of one axis. `first` and the end of the cells that count never decrease from pixel to pixel.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    pixels: Vec<Reach>,
    weights: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Reach {
    first_cell: u32,
    first_weight: u32,
    count: u32,
}

impl Taps {
    pub(crate) fn new(axis: &Axis) -> Self {
        let cells = axis.cells();
        let step = axis.span.length / f64::from(axis.wanted);
        // When enlarging the kernel keeps the width of its source pixels; when reducing it grows with the step.
        let stretch = step.max(1.0);
        let support = LOBES * stretch;
        let mut taps = Self { pixels: Vec::with_capacity(axis.wanted as usize), weights: Vec::new() };
        let mut exact = Vec::new();
        for pixel in 0..axis.wanted {
            let centre = axis.span.start + (f64::from(pixel) + 0.5) * step;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "casts of floats saturate"
            )]
            let (first, end) = ((centre - support + 0.5) as u32, (centre + support + 0.5) as u32);
            let first = first.min(cells - 1);
            let end = end.clamp(first + 1, cells);
            exact.clear();
            exact.extend((first..end).map(|cell| lanczos((f64::from(cell) + 0.5 - centre) / stretch)));
            let sum: f64 = exact.iter().sum();
            let first_weight = taps.weights.len();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "single precision is what pixels are weighed in"
            )]
            taps.weights.extend(exact.iter().map(|weight| (weight / sum) as f32));
            #[expect(
                clippy::cast_possible_truncation,
                reason = "six times the cells, of which there are 16 bits"
            )]
            taps.pixels.push(Reach {
                first_cell: first,
                first_weight: first_weight as u32,
                count: end - first,
            });
        }
        taps
    }

    /// Wanted pixels.
    pub(crate) fn len(&self) -> usize {
        self.pixels.len()
    }

    /// The first cell that counts in a wanted pixel, and the weights from there on.
    pub(crate) fn of(&self, pixel: usize) -> (usize, &[f32]) {
        let reach = self.pixels[pixel];
        let first_weight = reach.first_weight as usize;
        (reach.first_cell as usize, &self.weights[first_weight..first_weight + reach.count as usize])
    }

    /// The cell after the last that counts.
    pub(crate) fn end(&self, pixel: usize) -> usize {
        let (first, weights) = self.of(pixel);
        first + weights.len()
    }
}

/// `libm`'s sine and not the platform's: the last bit of the weights must be the same everywhere.
fn lanczos(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else if x.abs() < LOBES {
        let angle = PI * x;
        LOBES * libm::sin(angle) * libm::sin(angle / LOBES) / (angle * angle)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;

    fn taps(side: u32, wanted: u32) -> Taps {
        Taps::new(&Axis::new(Span { start: 0.0, length: f64::from(side) }, 1, side, wanted))
    }

    #[test]
    fn weights_of_a_pixel_sum_to_one() {
        for (side, wanted) in [(1, 1), (1, 2048), (2, 3), (7, 100), (300, 100), (16384, 1), (4000, 2048)] {
            let taps = taps(side, wanted);
            for pixel in 0..taps.len() {
                let sum: f32 = taps.of(pixel).1.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{side} to {wanted}, pixel {pixel}: {sum}");
            }
        }
    }

    #[test]
    fn the_same_size_leaves_pixels_alone() {
        let taps = taps(10, 10);
        for pixel in 0..10 {
            let (first, weights) = taps.of(pixel);
            assert!((weights[pixel - first] - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn reaches_move_forward_and_end_at_the_last_cell() {
        for (side, wanted) in [(5, 1000), (300, 100), (4000, 2048), (9, 9)] {
            let taps = taps(side, wanted);
            for pixel in 1..taps.len() {
                assert!(taps.of(pixel).0 >= taps.of(pixel - 1).0);
                assert!(taps.end(pixel) >= taps.end(pixel - 1));
            }
            assert_eq!(taps.of(0).0, 0);
            assert_eq!(taps.end(taps.len() - 1), side as usize);
        }
    }
}
