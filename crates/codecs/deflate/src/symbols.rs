//! Lengths and distances as symbols with extra bits (RFC 1951, section 3.2.5).

/// Literals, the end of a block, and lengths.
pub(crate) const LITERALS: usize = 286;
/// Distances.
pub(crate) const DISTANCES: usize = 30;
/// Ends a block.
pub(crate) const END: usize = 256;
const FIRST_LENGTH: usize = 257;

/// A symbol, and the bits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) symbol: usize,
    pub(crate) extra: u32,
    pub(crate) extra_bits: u32,
}

/// Of a length from 3 to 258.
pub(crate) const fn length(length: usize) -> Symbol {
    if length == 258 {
        return Symbol { symbol: 285, extra: 0, extra_bits: 0 };
    }
    let Symbol { symbol, extra, extra_bits } = in_octaves(length - 3, 2);
    Symbol { symbol: FIRST_LENGTH + symbol, extra, extra_bits }
}

/// Of a distance from 1 to 32,768.
pub(crate) const fn distance(distance: usize) -> Symbol {
    in_octaves(distance - 1, 1)
}

/// Numbers from 0 on: each doubling has 2^`bits` symbols of equally many numbers.
const fn in_octaves(number: usize, bits: u32) -> Symbol {
    if number < 2 << bits {
        return Symbol { symbol: number, extra: 0, extra_bits: 0 };
    }
    let extra_bits = number.ilog2() - bits;
    let symbol = ((extra_bits as usize) << bits) + (number >> extra_bits);
    Symbol { symbol, extra: (number & ((1 << extra_bits) - 1)) as u32, extra_bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(symbol: Symbol) -> (usize, u32, u32) {
        (symbol.symbol, symbol.extra, symbol.extra_bits)
    }

    #[test]
    fn lengths_and_distances_are_those_of_the_table() {
        assert_eq!(told(length(3)), (257, 0, 0));
        assert_eq!(told(length(10)), (264, 0, 0));
        assert_eq!(told(length(11)), (265, 0, 1));
        assert_eq!(told(length(18)), (268, 1, 1));
        assert_eq!(told(length(257)), (284, 30, 5));
        assert_eq!(told(length(258)), (285, 0, 0));
        assert_eq!(told(distance(1)), (0, 0, 0));
        assert_eq!(told(distance(4)), (3, 0, 0));
        assert_eq!(told(distance(5)), (4, 0, 1));
        assert_eq!(told(distance(24_577)), (29, 0, 13));
        assert_eq!(told(distance(32_768)), (29, 8_191, 13));
    }
}
