//! The grid of boxes that an image is averaged over: where they begin and end, and exact division by what they hold.

use std::num::NonZeroU32;

/// `shrink` x `shrink` boxes from the top left; those at the right and the bottom edge may be smaller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boxes {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) shrink: usize,
}

/// Source rows `first..last` of one pushed batch that lie in the same row of boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strip {
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// `Some(rows of the boxes)` where these rows complete them.
    pub(crate) completes: Option<usize>,
}

impl Boxes {
    /// Sizes in pixels, at least 1.
    pub(crate) fn new(width: u32, height: u32, shrink: NonZeroU32) -> Self {
        // A box beyond the image holds no more than one that reaches its ends, and keeps sums within bounds. Not down to
        // 1, though, which stands for pixels passed on as they are.
        let shrink = shrink.get().min(width.max(height).max(2));
        Self { width: width as usize, height: height as usize, shrink: shrink as usize }
    }

    /// Boxes in a row.
    pub(crate) const fn columns(&self) -> usize {
        self.width.div_ceil(self.shrink)
    }

    /// Source columns of a box.
    pub(crate) fn column_range(&self, column: usize) -> std::ops::Range<usize> {
        column * self.shrink..((column + 1) * self.shrink).min(self.width)
    }

    /// Cuts source rows `first..last` at the borders of boxes.
    pub(crate) fn strips(self, first: usize, last: usize) -> impl Iterator<Item = Strip> {
        let mut at = first;
        std::iter::from_fn(move || {
            if at >= last {
                return None;
            }
            let first = at;
            let box_first = first / self.shrink * self.shrink;
            let box_last = (box_first + self.shrink).min(self.height);
            at = box_last.min(last);
            Some(Strip { first, last: at, completes: (at == box_last).then_some(box_last - box_first) })
        })
    }
}

/// Multiplication that divides sums by a fixed count, for quotients below 2^16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Divisor {
    /// 2^44 / count, rounded.
    reciprocal: u64,
}

impl Divisor {
    const SHIFT: u32 = 44;

    /// `count`: 1..=2^28 (the pixels of the largest box).
    pub(crate) const fn new(count: u64) -> Self {
        Self { reciprocal: ((1 << Self::SHIFT) + count / 2) / count }
    }

    /// The quotient with 8 bits of fraction, exact to the last of them. `sum` is at most 255 * count.
    #[inline(always)]
    pub(crate) const fn divide(self, sum: u64) -> u32 {
        // At most 255 * 2^44, so no overflow.
        ((sum * self.reciprocal + (1 << (Self::SHIFT - 9))) >> (Self::SHIFT - 8)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_end_where_boxes_do() {
        let boxes = Boxes::new(5, 11, NonZeroU32::new(4).unwrap());
        let strips: Vec<_> = boxes.strips(2, 11).collect();
        let strip = |first, last, completes| Strip { first, last, completes };
        assert_eq!(strips, [strip(2, 4, Some(4)), strip(4, 8, Some(4)), strip(8, 11, Some(3))]);
        assert_eq!(boxes.strips(4, 6).collect::<Vec<_>>(), [strip(4, 6, None)]);
        assert_eq!(boxes.columns(), 2);
        assert_eq!(boxes.column_range(1), 4..5);
    }

    #[test]
    fn division_is_right_to_the_last_bit_of_fraction() {
        for count in [1, 2, 3, 7, 400, 1023, 16_383, 16_383 * 16_383] {
            let divisor = Divisor::new(count);
            for value in 0..=255 {
                assert_eq!(divisor.divide(count * value), (value << 8) as u32, "{count}");
                let sum = count * value / 2 + count / 3;
                let exact = (sum as f64 * 256.0) / count as f64;
                assert!((f64::from(divisor.divide(sum)) - exact).abs() <= 0.51, "{count} {sum}");
            }
        }
    }
}
