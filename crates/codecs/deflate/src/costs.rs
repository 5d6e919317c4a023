//! What bytes take, by how often they occur: as if codes could be finer than bits.

/// A bit.
pub(crate) const BIT: u32 = 64;

/// What each byte takes by itself, in 64ths of a bit from 64 to 960, if bytes occur so often. One that does not occur counts as a rare one.
#[must_use]
pub fn literal_costs(counts: &[u32; 256]) -> [u32; 256] {
    let total = logarithm(counts.iter().sum());
    counts.map(|count| {
        let rare = if count == 0 { BIT } else { 0 };
        (total.saturating_sub(logarithm(count)) + rare).clamp(BIT, 15 * BIT)
    })
}

/// What symbols that occur so often take together at best, in bits.
pub(crate) fn ideal(counts: &[u32]) -> u64 {
    let total = logarithm(counts.iter().sum());
    let of = |&count: &u32| u64::from(count) * u64::from(total - logarithm(count));
    counts.iter().map(of).sum::<u64>() / u64::from(BIT)
}

/// To base 2, in 64ths, rounded down; that of 0 is 0.
fn logarithm(number: u32) -> u32 {
    /// Of small numbers, which are most.
    static LOGARITHMS: [u16; 1 << 10] = {
        let mut table = [0; 1 << 10];
        let mut number = 0;
        while number < table.len() {
            table[number] = digit_by_digit(number as u32) as u16;
            number += 1;
        }
        table
    };
    LOGARITHMS.get(number as usize).map_or_else(|| digit_by_digit(number), |&logarithm| logarithm.into())
}

const fn digit_by_digit(number: u32) -> u32 {
    let number = if number == 0 { 1 } else { number };
    let octave = number.ilog2();
    // From 1 to 2, of which 2^31 is 1. Its square is beyond 2 where the next digit is 1.
    let mut rest = (number as u64) << (31 - octave);
    let mut logarithm = octave;
    let mut digits = 0;
    while digits < BIT.ilog2() {
        rest = (rest * rest) >> 31;
        let digit = (rest >> 32) as u32;
        rest >>= digit;
        logarithm = logarithm << 1 | digit;
        digits += 1;
    }
    logarithm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_floats() {
        for number in (1..100_000).step_by(7).chain([u32::MAX]) {
            let exact = f64::from(number).log2() * f64::from(BIT);
            let short = exact - f64::from(logarithm(number));
            assert!((-0.001..1.001).contains(&short), "{number}: {short}");
        }
        assert_eq!(logarithm(0), 0);
    }

    #[test]
    fn what_is_frequent_is_cheap() {
        let mut counts = [0; 256];
        (counts[0], counts[1], counts[2]) = (4, 2, 2);
        let costs = literal_costs(&counts);
        assert_eq!(costs[..4], [BIT, 2 * BIT, 2 * BIT, 4 * BIT]);
    }
}
