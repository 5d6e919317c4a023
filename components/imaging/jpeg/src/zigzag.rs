//! The order in which a block's 64 terms are coded (T.81, figure A.6), and what of it each scale keeps.

/// Row-major position (8 a row, row is the vertical frequency) of the term coded at index `k`.
pub(crate) const NATURAL: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The coding indices whose term lies among the `side` x `side` lowest frequencies, as a bit set.
pub(crate) const fn kept(side: u32) -> u64 {
    let mut set = 0;
    let mut k = 0;
    while k < 64 {
        let natural = NATURAL[k] as u32;
        if natural / 8 < side && natural % 8 < side {
            set |= 1 << k;
        }
        k += 1;
    }
    set
}

/// Where terms that a scale does not keep are put, in a block of 64 whose transform does not look there.
const DROPPED: u8 = 63;

/// For each coding index, where its term lies in the block that the inverse DCT for `side` x `side` samples takes: row-major
/// for 2 and 8, column-major for 4 (its transform then needs one transposition less).
pub(crate) const fn layout(side: u32) -> [u8; 64] {
    let mut positions = [DROPPED; 64];
    let mut k = 0;
    while k < 64 {
        let (row, column) = (NATURAL[k] as u32 / 8, NATURAL[k] as u32 % 8);
        if row < side && column < side {
            positions[k] = if side == 4 { column * side + row } else { row * side + column } as u8;
        }
        k += 1;
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::{NATURAL, kept, layout};

    #[test]
    fn layouts_are_dense() {
        assert_eq!(layout(8), NATURAL);
        for side in [1, 2, 4, 8_u32] {
            let mut places: Vec<u8> =
                (0..64).filter(|k| kept(side) >> k & 1 == 1).map(|k| layout(side)[k]).collect();
            places.sort_unstable();
            assert!(places.iter().copied().eq(0..(side * side) as u8));
        }
    }

    #[test]
    fn is_a_permutation_that_walks_to_neighbours() {
        let mut seen = [false; 64];
        for pair in NATURAL.windows(2) {
            let (a, b) = (i32::from(pair[0]), i32::from(pair[1]));
            assert!((a / 8 - b / 8).abs() <= 1 && (a % 8 - b % 8).abs() <= 1);
        }
        for position in NATURAL {
            seen[usize::from(position)] = true;
        }
        assert!(seen.iter().all(|&seen| seen));
    }

    #[test]
    fn the_lowest_terms_are_those_of_each_scale() {
        assert_eq!(kept(1), 0b1);
        assert_eq!(kept(2), 0b1_0111);
        assert_eq!(kept(4).count_ones(), 16);
        assert_eq!(63 - kept(4).leading_zeros(), 24);
        assert_eq!(kept(8), u64::MAX);
    }
}
