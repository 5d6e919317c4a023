//! Huffman codes of at most 16 bits from counts of symbols (T.81, annex K.2).

/// The longest code, in bits.
const MAX_LENGTH: usize = 16;

/// The codes of one table.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    /// How many have each length, from 1 bit on.
    lengths: [u8; MAX_LENGTH],
    /// Those that have a code, the shortest first.
    symbols: Vec<u8>,
    /// By symbol: code, and its length in bits.
    codes: Box<[(u16, u8); 256]>,
}

impl Codes {
    /// `counts` by symbol; those that do not occur have no code. There is always at least one.
    pub(super) fn of(counts: &[u32; 256]) -> Self {
        let mut symbols: Vec<u8> = (0..=u8::MAX).filter(|&symbol| counts[usize::from(symbol)] > 0).collect();
        if symbols.is_empty() {
            symbols.push(0);
        }
        // The most frequent first; of equals the smaller.
        symbols.sort_by_key(|&symbol| (u32::MAX - counts[usize::from(symbol)], symbol));
        // The code of ones alone may not be used: an entry that occurs least of all has it.
        let mut weights: Vec<u64> =
            symbols.iter().map(|&symbol| 2 * u64::from(counts[usize::from(symbol)].max(1))).collect();
        weights.push(1);
        let mut lengths = limited(&depths(&weights));
        if let Some(longest) = lengths.iter_mut().rev().find(|count| **count > 0) {
            *longest -= 1;
        }

        let mut codes = Box::new([(0, 0); 256]);
        let (mut code, mut next) = (0_u32, symbols.iter());
        for (length, &count) in (1..).zip(&lengths) {
            for &symbol in next.by_ref().take(usize::from(count)) {
                codes[usize::from(symbol)] = (code as u16, length);
                code += 1;
            }
            code <<= 1;
        }
        Self { lengths, symbols, codes }
    }

    /// Code and length of a symbol that was counted.
    pub(super) fn code(&self, symbol: u8) -> (u16, u8) {
        self.codes[usize::from(symbol)]
    }

    /// Bits of so many symbols.
    pub(super) fn cost(&self, counts: &[u32; 256]) -> u64 {
        counts
            .iter()
            .zip(&*self.codes)
            .map(|(&count, &(_, length))| u64::from(count) * u64::from(length))
            .sum()
    }

    /// As DHT lists them: how many of each length, and the symbols.
    pub(super) fn listed(&self) -> impl Iterator<Item = u8> {
        self.lengths.iter().chain(&self.symbols).copied()
    }

    /// Of [`Codes::listed`].
    pub(super) fn listed_bytes(&self) -> usize {
        MAX_LENGTH + self.symbols.len()
    }
}

/// How many leaves of the tree have each depth; `weights` fall.
fn depths(weights: &[u64]) -> Vec<usize> {
    let leaves = weights.len();
    // Leaves from the lightest on, then the nodes in the order in which they are made, which is that of their weights.
    let mut weight: Vec<u64> = weights.iter().rev().copied().collect();
    let mut parent = vec![0; leaves];
    let (mut leaf, mut node) = (0, leaves);
    while weight.len() < 2 * leaves - 1 {
        let mut lightest = || {
            let is_leaf = leaf < leaves && (node >= weight.len() || weight[leaf] <= weight[node]);
            let place = if is_leaf { &mut leaf } else { &mut node };
            *place += 1;
            *place - 1
        };
        let (first, second) = (lightest(), lightest());
        parent[first] = weight.len();
        parent[second] = weight.len();
        parent.push(0);
        weight.push(weight[first] + weight[second]);
    }
    let mut depth = vec![0; weight.len()];
    let mut counts = vec![0; leaves.max(2)];
    for at in (0..weight.len().saturating_sub(1)).rev() {
        depth[at] = depth[parent[at]] + 1;
        if at < leaves {
            counts[depth[at]] += 1;
        }
    }
    counts
}

/// The same for codes of at most [`MAX_LENGTH`] bits: of two that are too long one takes the place of the next shorter, the other is put
/// beside one that is shorter still.
fn limited(depths: &[usize]) -> [u8; MAX_LENGTH] {
    let mut counts = depths.to_vec();
    counts.resize(counts.len().max(MAX_LENGTH + 1), 0);
    for long in (MAX_LENGTH + 1..counts.len()).rev() {
        while counts[long] > 0 {
            let Some(short) = (1..long - 1).rev().find(|&short| counts[short] > 0) else { break };
            counts[long] -= 2;
            counts[long - 1] += 1;
            counts[short + 1] += 2;
            counts[short] -= 1;
        }
    }
    // At most 257 leaves, of which no length has all.
    std::array::from_fn(|at| counts[at + 1].min(255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[u32; 256]) {
        let codes = Codes::of(counts);
        let used: Vec<(u16, u8)> = (0..=u8::MAX)
            .filter(|&symbol| counts[usize::from(symbol)] > 0)
            .map(|symbol| codes.code(symbol))
            .collect();
        let mut space = 0;
        for (at, &(code, length)) in used.iter().enumerate() {
            assert!((1..=16).contains(&length));
            assert!(u32::from(code) + 1 < 1 << length, "ones alone");
            space += 1 << (16 - length);
            for &(other, longer) in used.iter().skip(at + 1) {
                let (short, long) = (length.min(longer), length.max(longer));
                let (a, b) = if length <= longer { (code, other) } else { (other, code) };
                assert!(b >> (long - short) != a, "one begins with the other");
            }
        }
        assert!(space < 1 << 16);
    }

    #[test]
    fn codes_are_of_16_bits_at_most_and_none_begins_with_another() {
        let mut counts = [0; 256];
        counts[7] = 1;
        check(&counts);
        check(&[1; 256]);
        check(&std::array::from_fn(|at| at as u32 * at as u32 + 1));
        // Those of Fibonacci make the longest codes.
        let (mut a, mut b) = (1, 1);
        check(&std::array::from_fn(|at| {
            (a, b) = if at < 40 { (b, a + b) } else { (a, b) };
            if at < 40 { a } else { 0 }
        }));
    }

    #[test]
    fn the_frequent_have_the_short_codes() {
        let mut counts = [0; 256];
        (counts[3], counts[200], counts[9]) = (100, 10, 1);
        let codes = Codes::of(&counts);
        assert_eq!([3, 200, 9].map(|symbol| codes.code(symbol).1), [1, 2, 3]);
        assert_eq!(codes.cost(&counts), 100 + 20 + 3);
        assert_eq!(codes.listed().collect::<Vec<_>>()[..4], [1, 1, 1, 0]);
    }
}
