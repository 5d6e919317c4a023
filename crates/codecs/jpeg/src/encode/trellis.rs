//! Levels of one block by rate and distortion: the cheapest path through those that each coefficient may take.

use super::cost::Costs;
use super::quantiser::Steps;

/// The largest level that the format holds.
const MAX_LEVEL: i32 = 1023;
/// From this level on none becomes 0: it would cost more than all that it could save.
const KEPT_LEVEL: i32 = 3;
/// How many levels before one are looked at as those that it may follow.
const MAX_BEFORE: usize = 16;

/// A place where a path may stand: at a level that is not 0.
#[derive(Clone, Copy)]
struct Node {
    position: usize,
    cost: f64,
    level: i32,
    before: usize,
}

/// What the search weighs errors by; those of DC are not its matter.
pub(super) struct Way<'a> {
    pub(super) steps: &'a Steps,
    pub(super) costs: &'a Costs,
    /// What the square of an error of one step is worth, in bits, in a block without contrast.
    pub(super) error_bits: f64,
    /// At this sum of the squares of all coefficients it is worth half.
    pub(super) contrast: f64,
}

/// Writes the levels of AC terms to `levels`, both in the order of coding; gives the steps that it took.
pub(super) fn choose(coefficients: &[i32; 64], way: &Way<'_>, levels: &mut [i16; 64]) -> u64 {
    let energy: f64 = coefficients[1..].iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>();
    let worth = way.error_bits / (1.0 + energy / way.contrast);
    let mut steps = 0;
    // Errors of zeros before each position.
    let mut zeros = [0.0; 65];
    let mut nodes = [Node { position: 0, cost: 0.0, level: 0, before: 0 }; 64];
    let (mut count, mut first) = (1_usize, 0);
    for position in 1..64 {
        let exact = f64::from(coefficients[position].unsigned_abs()) * way.steps.inverse[position];
        zeros[position + 1] = zeros[position] + worth * exact * exact;
        let nearest = ((exact + 0.5) as i32).min(MAX_LEVEL);
        if nearest == 0 {
            continue;
        }
        let mut best = Node { position, cost: f64::INFINITY, level: nearest, before: first };
        for level in [nearest, nearest - 1] {
            if level == 0 {
                break;
            }
            let error = exact - f64::from(level);
            let size = 32 - (level as u32).leading_zeros();
            let own = worth * error * error;
            let nearest_before = first.max(count.saturating_sub(MAX_BEFORE));
            for (before, node) in nodes[..count].iter().enumerate().skip(nearest_before) {
                steps += 1;
                let skipped = zeros[position] - zeros[node.position + 1];
                let cost = node.cost + skipped + own + way.costs.level(position - node.position - 1, size);
                if cost < best.cost {
                    best = Node { position, cost, level, before };
                }
            }
        }
        nodes[count] = best;
        if nearest >= KEPT_LEVEL {
            first = count;
        }
        count += 1;
    }

    let whole = |node: &Node| {
        let end = if node.position < 63 { way.costs.end() } else { 0.0 };
        node.cost + zeros[64] - zeros[node.position + 1] + end
    };
    let mut last = first;
    for at in first + 1..count {
        if whole(&nodes[at]) < whole(&nodes[last]) {
            last = at;
        }
    }
    levels[1..].fill(0);
    while last > 0 {
        let Node { position, level, before, .. } = nodes[last];
        let sign = coefficients[position].signum();
        levels[position] = (sign * level) as i16;
        last = before;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::MAX_STEPS_PER_SAMPLE;
    use crate::encode::quantiser::Quantiser;

    fn searched(exact: impl Fn(usize) -> f64, quality: u8) -> ([i16; 64], u64) {
        let quantiser = Quantiser::of(quality);
        let costs = Costs::of(&[1; 256]);
        let way = quantiser.way(0, &costs);
        let coefficients = std::array::from_fn(|at| (exact(at) / way.steps.inverse[at]).round() as i32);
        let mut levels = [0; 64];
        let steps = choose(&coefficients, &way, &mut levels);
        (levels, steps)
    }

    #[test]
    fn the_hardest_block_takes_nearly_as_many_steps_as_any_may() {
        // Two levels to choose from everywhere, and none that has to stay.
        let (_, steps) = searched(|_| 2.0, 90);
        assert!(steps <= 64 * MAX_STEPS_PER_SAMPLE, "{steps}");
        assert!(steps > 64 * MAX_STEPS_PER_SAMPLE * 8 / 10, "{steps}");
        for exact in [0.0, 0.6, 1.4, 2.4, 2.6, 100.0] {
            assert!(searched(|_| exact, 90).1 <= 64 * MAX_STEPS_PER_SAMPLE, "{exact}");
        }
    }

    #[test]
    fn what_is_near_a_level_takes_it_and_a_lonely_speck_far_out_is_dropped() {
        let (levels, _) = searched(|at| if at < 6 { -7.1 } else { 0.2 }, 90);
        assert_eq!(levels[..8], [0, -7, -7, -7, -7, -7, 0, 0]);
        assert!(levels[8..].iter().all(|&level| level == 0));
        assert_eq!(searched(|at| if at == 60 { 0.55 } else { 0.0 }, 90).0, [0; 64]);
    }
}
