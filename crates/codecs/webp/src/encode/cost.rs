//! What symbols cost, in 1/256 of a bit, under given probabilities. Integers from a table made at compile time, so that every
//! machine decides alike.

use crate::encode::tokens::{category, path_above_one};
use crate::vp8::tables::{BANDS, CoefficientProbs};

/// 1/256 bits of a bit that is 0 with a probability of `index / 256`.
const ZERO_COSTS: [u16; 256] = zero_costs();

const fn zero_costs() -> [u16; 256] {
    let mut costs = [0; 256];
    let mut prob = 1_u64;
    while prob < 256 {
        // The logarithm's digits by squaring: 31 bits of fraction are enough for 10 digits.
        let whole = prob.ilog2();
        let mut mantissa = prob << (31 - whole);
        let mut logarithm = (whole as u64) << 10;
        let mut digit = 1 << 9;
        while digit > 0 {
            mantissa = (mantissa * mantissa) >> 31;
            if mantissa >= 1 << 32 {
                mantissa >>= 1;
                logarithm += digit;
            }
            digit >>= 1;
        }
        costs[prob as usize] = (((8 << 10) - logarithm + 2) >> 2) as u16;
        prob += 1;
    }
    costs[0] = costs[1];
    costs
}

/// 1/256 bits of `bit` where 0 has a probability of `prob / 256`.
#[inline]
pub(super) const fn bit_cost(bit: bool, prob: u8) -> u32 {
    ZERO_COSTS[if bit { (256 - prob as usize) & 255 } else { prob as usize }] as u32
}

/// Magnitudes from this on share an entry, which leaves out the extra bits.
const SHARED: usize = 67;

/// By block type, band and context.
type ByPlace<T> = [[[T; 3]; 8]; 4];

/// Costs of levels under one set of probabilities.
#[derive(Debug)]
pub(super) struct TokenCosts {
    /// Of a magnitude with its sign; in contexts 1 and 2 with the decision that the block goes on.
    levels: ByPlace<[u16; SHARED + 1]>,
    /// Of the block going on, and of it ending.
    on: ByPlace<[u16; 2]>,
}

impl TokenCosts {
    pub(super) fn new(probs: &CoefficientProbs) -> Box<Self> {
        let mut costs = Box::new(Self { levels: [[[[0; SHARED + 1]; 3]; 8]; 4], on: [[[[0; 2]; 3]; 8]; 4] });
        for (kind, probs) in probs.iter().enumerate() {
            for (band, probs) in probs.iter().enumerate() {
                for (context, probs) in probs.iter().enumerate() {
                    let on = bit_cost(true, probs[0]);
                    costs.on[kind][band][context] = [on as u16, bit_cost(false, probs[0]) as u16];
                    let before = if context > 0 { on } else { 0 };
                    for (magnitude, cost) in costs.levels[kind][band][context].iter_mut().enumerate() {
                        *cost = (before + magnitude_cost(magnitude as u32, probs)) as u16;
                    }
                }
            }
        }
        costs
    }

    /// The costs of levels in one place.
    #[inline]
    pub(super) fn row(&self, kind: usize, position: usize, context: usize) -> &[u16; SHARED + 1] {
        &self.levels[kind][usize::from(BANDS[position & 15])][context]
    }

    /// Of the first level's decision that there is one, where the row leaves it out.
    #[inline]
    pub(super) fn start(&self, kind: usize, first: usize, context: usize) -> u32 {
        if context == 0 { u32::from(self.on[kind][usize::from(BANDS[first & 15])][0][0]) } else { 0 }
    }

    /// Of ending before `position`, which is free at 16.
    #[inline]
    pub(super) fn end(&self, kind: usize, position: usize, context: usize) -> u32 {
        BANDS.get(position).map_or(0, |&band| u32::from(self.on[kind][usize::from(band)][context][1]))
    }
}

/// Of a magnitude, by the row of its place.
#[inline]
pub(super) fn level_cost(row: &[u16; SHARED + 1], magnitude: u32) -> u32 {
    let shared = u32::from(row[(magnitude as usize).min(SHARED)]);
    if magnitude < SHARED as u32 { shared } else { shared + extra_cost(magnitude) }
}

/// Of the extra bits.
fn extra_cost(magnitude: u32) -> u32 {
    let (smallest, probs) = category(magnitude);
    let extra = magnitude - smallest;
    probs.iter().rev().enumerate().map(|(at, &prob)| bit_cost((extra >> at) & 1 == 1, prob)).sum()
}

/// Of everything but the decision that the block goes on, and the extra bits of the last category.
fn magnitude_cost(magnitude: u32, probs: &[u8; 11]) -> u32 {
    let mut cost = bit_cost(magnitude > 0, probs[1]);
    if magnitude == 0 {
        return cost;
    }
    cost += bit_cost(magnitude > 1, probs[2]) + 256;
    if magnitude > 1 {
        cost += path_above_one(magnitude).iter().map(|&(node, bit)| bit_cost(bit, probs[node])).sum::<u32>();
    }
    if (5..SHARED as u32).contains(&magnitude) {
        cost += extra_cost(magnitude);
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_costs_its_logarithm() {
        for prob in 1..=255_u8 {
            let exact = -256.0 * (f64::from(prob) / 256.0).log2();
            assert!((f64::from(bit_cost(false, prob)) - exact).abs() <= 1.0, "{prob}");
            let exact = -256.0 * (1.0 - f64::from(prob) / 256.0).log2();
            assert!((f64::from(bit_cost(true, prob)) - exact).abs() <= 1.0, "{prob}");
        }
    }
}
