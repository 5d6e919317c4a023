//! What symbols cost, in bits, by how often they were seen. From integers, so that every machine decides alike.

/// The logarithm to base 2, in 256ths. `value` is at least 1.
fn log2_256ths(value: u32) -> u32 {
    let whole = value.max(1).ilog2();
    // The logarithm's digits by squaring: 31 bits of fraction are enough for 8 digits.
    let mut mantissa = u64::from(value.max(1)) << (31 - whole);
    let mut logarithm = whole << 8;
    for digit in (0..8).rev() {
        mantissa = (mantissa * mantissa) >> 31;
        if mantissa >> 32 > 0 {
            mantissa >>= 1;
            logarithm += 1 << digit;
        }
    }
    logarithm
}

/// Of AC terms.
#[derive(Clone, Debug)]
pub(super) struct Costs {
    /// By symbol, a run and a size: its code and the bits that follow.
    symbols: [f64; 256],
}

/// The symbol for the end of a block, and that for 16 zeros.
pub(super) const END: u8 = 0;
pub(super) const SIXTEEN_ZEROS: u8 = 0xf0;

impl Costs {
    /// What was never seen counts as half of one that was seen once.
    pub(super) fn of(counts: &[u32; 256]) -> Self {
        let weight = |count: u32| 2 * count.min(1 << 22) + 1;
        let total = log2_256ths(counts.iter().map(|&count| weight(count)).fold(0, u32::saturating_add));
        let symbols = std::array::from_fn(|symbol| {
            let code = total.saturating_sub(log2_256ths(weight(counts[symbol]))).clamp(256, 16 * 256);
            f64::from(code) / 256.0 + (symbol % 16) as f64
        });
        Self { symbols }
    }

    /// A level of `size` bits after so many zeros, fewer than 64.
    #[inline]
    pub(super) fn level(&self, zeros: usize, size: u32) -> f64 {
        let long = (zeros / 16) as f64 * self.symbols[usize::from(SIXTEEN_ZEROS)];
        long + self.symbols[(zeros % 16 * 16) | (size as usize & 15)]
    }

    pub(super) fn end(&self) -> f64 {
        self.symbols[usize::from(END)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_a_256th() {
        for value in [1, 2, 3, 5, 10, 100, 12_345, u32::MAX] {
            let exact = f64::from(value).log2() * 256.0;
            assert!((f64::from(log2_256ths(value)) - exact).abs() <= 1.0, "{value}");
        }
    }

    #[test]
    fn the_frequent_is_cheap() {
        let mut counts = [0; 256];
        (counts[0], counts[1], counts[0x21]) = (800, 100, 10);
        let costs = Costs::of(&counts);
        assert!(costs.end() < costs.level(0, 1) && costs.level(0, 1) < costs.level(2, 1));
        assert!(costs.level(2, 1) < costs.level(3, 1) && costs.level(3, 1) < costs.level(19, 1));
    }
}
