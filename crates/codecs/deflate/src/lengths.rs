//! How long the codes of symbols are, by how often they occur: for deflate, and for lossless WebP, whose prefix codes are built as these are.

/// A symbol fits so many bits: no alphabet is larger, not that of lossless WebP with its largest cache of colours (RFC 9649).
const SYMBOL_BITS: u32 = 16;

/// Huffman's code lengths for symbols with these counts, at most 2^16 of them, 0 for what does not occur, none beyond `longest` bits, which must be enough for a flat code.
/// A symbol that occurs alone has 1. The codes fill the space of codes exactly, but not that of one symbol.
#[must_use]
pub fn code_lengths(counts: &[u32], longest: u8) -> Vec<u8> {
    let mut least = 1;
    loop {
        let lengths = unlimited_lengths(counts, least);
        if lengths.iter().all(|&length| length <= longest) {
            return lengths;
        }
        // Rare symbols counted as more frequent ones get shorter codes; with all counts alike the code is flat.
        least *= 2;
    }
}

fn unlimited_lengths(counts: &[u32], least: u32) -> Vec<u8> {
    debug_assert!(counts.len() <= 1 << SYMBOL_BITS, "a symbol would be taken for a weight");
    // By weight, and then by symbol.
    let mut leaves: Vec<u64> = (counts.iter().enumerate().filter(|&(_, &count)| count > 0))
        .map(|(symbol, &count)| u64::from(count.max(least)) << SYMBOL_BITS | symbol as u64)
        .collect();
    leaves.sort_unstable();
    let symbol = |leaf: u64| (leaf & ((1 << SYMBOL_BITS) - 1)) as usize;
    let mut lengths = vec![0; counts.len()];
    if let [only] = leaves[..] {
        lengths[symbol(only)] = 1;
        return lengths;
    }
    // Nodes: first the leaves, by weight, then the inner ones, which come into being by weight too. So the two lightest
    // are always at the heads of the two rows.
    let nodes = (2 * leaves.len()).saturating_sub(1);
    let mut weights: Vec<u64> = Vec::with_capacity(nodes);
    weights.extend(leaves.iter().map(|&leaf| leaf >> SYMBOL_BITS));
    let mut parents = vec![0_u32; nodes];
    let (mut leaf, mut inner) = (0, leaves.len());
    for _ in 1..leaves.len() {
        let mut lightest = || {
            let takes_leaf =
                leaf < leaves.len() && (inner >= weights.len() || weights[leaf] <= weights[inner]);
            let node = if takes_leaf { &mut leaf } else { &mut inner };
            *node += 1;
            *node - 1
        };
        let (a, b) = (lightest(), lightest());
        (parents[a], parents[b]) = (weights.len() as u32, weights.len() as u32);
        weights.push(weights[a] + weights[b]);
    }
    let mut depths = vec![0_u8; nodes];
    for node in (0..nodes.saturating_sub(1)).rev() {
        depths[node] = depths[parents[node] as usize].saturating_add(1);
    }
    for (&leaf, &depth) in leaves.iter().zip(&depths) {
        lengths[symbol(leaf)] = depth;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frequent_symbols_have_short_codes() {
        assert_eq!(code_lengths(&[10, 0, 5, 2, 2], 15), [1, 0, 2, 3, 3]);
        assert_eq!(code_lengths(&[0, 7, 0], 15), [0, 1, 0]);
        assert_eq!(code_lengths(&[0, 0], 15), [0, 0]);
    }

    #[test]
    fn fibonacci_counts_stay_within_the_limit() {
        let mut counts = vec![1_u32, 1];
        while counts.len() < 40 {
            counts.push(counts[counts.len() - 1] + counts[counts.len() - 2]);
        }
        for longest in [7, 15] {
            let lengths = code_lengths(&counts, longest);
            assert!(lengths.iter().all(|&length| (1..=longest).contains(&length)));
        }
    }

    proptest! {
        #[test]
        fn codes_fill_the_code_space_exactly(
            counts in prop::collection::vec(prop_oneof![Just(0u32), 0u32..100_000], 2..286),
            longest in prop_oneof![Just(9_u8), Just(15)],
        ) {
            prop_assume!(counts.iter().filter(|&&count| count > 0).count() > 1);
            let lengths = code_lengths(&counts, longest);
            prop_assert!(lengths.iter().all(|&length| length <= longest));
            let filled: u32 = lengths.iter().filter(|&&length| length > 0).map(|&length| 1 << (15 - length)).sum();
            prop_assert_eq!(filled, 1 << 15);
        }
    }
}
