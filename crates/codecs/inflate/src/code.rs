//! Prefix codes as deflate describes them: by the lengths of their words (RFC 1951, section 3.2.2).

/// The length of the longest words.
pub(crate) const MAX_BITS: u32 = 15;

/// A code that makes sense.
#[derive(Debug)]
pub(crate) struct Code<'a> {
    /// By symbol; 0 for those that have no word.
    lengths: &'a [u8],
    /// The first word of each length.
    first: [u32; MAX_BITS as usize + 1],
    longest: u32,
}

impl<'a> Code<'a> {
    /// `lengths` are at most [`MAX_BITS`]. `None` for a code with more words than there can be, and for one in which bits stand
    /// for nothing; except where it has one word only, of any length, or none: there are blocks with one distance, and without.
    pub(crate) fn new(lengths: &'a [u8]) -> Option<Self> {
        let mut counts = [0_u32; MAX_BITS as usize + 1];
        for &length in lengths {
            *counts.get_mut(usize::from(length))? += 1;
        }
        counts[0] = 0;
        let (mut word, mut longest) = (0, 0);
        let mut first = [0; MAX_BITS as usize + 1];
        for (length, (first, &count)) in (0..).zip(first.iter_mut().zip(&counts)) {
            word <<= 1;
            *first = word;
            word += count;
            if count > 0 {
                longest = length;
            }
        }
        let is_complete = word == 1 << MAX_BITS;
        (is_complete || counts.iter().sum::<u32>() <= 1).then_some(Self { lengths, first, longest })
    }

    /// The length of its longest word.
    pub(crate) const fn longest(&self) -> u32 {
        self.longest
    }

    /// Its words as (symbol, word, length), with the bit that is read first lowest.
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, u32, u32)> {
        let mut next = self.first;
        self.lengths.iter().enumerate().filter(|&(_, &length)| length > 0).filter_map(
            move |(symbol, &length)| {
                let place = next.get_mut(usize::from(length))?;
                let word = *place;
                *place += 1;
                let length = u32::from(length);
                Some((symbol, word.reverse_bits() >> (u32::BITS - length), length))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_specification() {
        // The example of section 3.2.2: ABCDEFGH.
        let code = Code::new(&[3, 3, 3, 3, 3, 2, 4, 4]).unwrap();
        let words: Vec<_> =
            code.words().map(|(_, word, length)| (word.reverse_bits() >> (32 - length), length)).collect();
        assert_eq!(words, [(2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (0, 2), (14, 4), (15, 4)]);
        assert_eq!(code.longest(), 4);
    }

    #[test]
    fn codes_have_as_many_words_as_there_can_be() {
        for (lengths, makes_sense) in [
            (&[1, 1][..], true),
            (&[1, 2, 2], true),
            (&[1, 1, 1], false),
            (&[1, 2], false),
            (&[1, 2, 2, 15], false),
            (&[16], false),
            // A single word, and none.
            (&[0, 1], true),
            (&[15, 0], true),
            (&[0, 0], true),
            (&[], true),
        ] {
            assert_eq!(Code::new(lengths).is_some(), makes_sense, "{lengths:?}");
        }
    }
}
