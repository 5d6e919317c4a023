//! The order in which a block's 64 terms are coded (T.81, figure A.6).

/// Row-major position (8 a row, row is the vertical frequency) of the term coded at index `k`.
pub(crate) const NATURAL: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Vertical and horizontal frequency of the term coded at index `k`.
pub(crate) const fn place(k: usize) -> (usize, usize) {
    ((NATURAL[k] / 8) as usize, (NATURAL[k] % 8) as usize)
}

#[cfg(test)]
mod tests {
    use super::{NATURAL, place};

    #[test]
    fn is_a_permutation_that_walks_to_neighbours() {
        let mut seen = [false; 64];
        for k in 1..64 {
            let (before, here) = (place(k - 1), place(k));
            assert!(before.0.abs_diff(here.0) <= 1 && before.1.abs_diff(here.1) <= 1);
        }
        for position in NATURAL {
            seen[usize::from(position)] = true;
        }
        assert!(seen.iter().all(|&seen| seen));
    }
}
