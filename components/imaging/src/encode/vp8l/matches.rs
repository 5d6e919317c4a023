//! LZ77: which pixels are told, and which are copied from earlier ones (RFC 9649, section 3.6.2.2).

/// The longest copy.
const MAX_LENGTH: usize = 4096;
/// Earlier places with the same hash that are looked at.
const MAX_TRIES: usize = 24;
/// The same in an image of more pixels than [`THOROUGH_PIXELS`], whose places are far apart in memory.
const HASTY_TRIES: usize = 6;
/// The largest image that is searched thoroughly: 256 pixels a side.
const THOROUGH_PIXELS: usize = 1 << 16;
/// In a larger one the search skips a pixel more after each so many that were in vain, as in noise all of them are.
const MISSES_PER_SKIP: usize = 32;
const MAX_SKIP: usize = 15;
/// A copy this long is taken without looking for a longer one.
const GOOD_LENGTH: usize = 128;
/// Where copies may come from, in pixels back: far ones cost many bits.
const MAX_DISTANCE: usize = 1 << 18;
const HASH_BITS: u32 = 15;
/// No earlier place.
const NONE: u32 = u32::MAX;

/// One step of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Pixel(u32),
    Copy { length: u16, distance: u32 },
}

/// Every pixel told.
pub(super) fn literal(pixels: &[u32]) -> Vec<Token> {
    pixels.iter().copied().map(Token::Pixel).collect()
}

/// Copies of at least `min_length` pixels where there are any. `width` is that of the image.
pub(super) fn find(pixels: &[u32], width: usize, min_length: usize) -> Vec<Token> {
    let mut chains = Chains::new(pixels);
    let mut tokens = Vec::new();
    let (mut place, mut misses) = (0, 0);
    let mut here = chains.longest(place, width);
    while let Some(&pixel) = pixels.get(place) {
        chains.enter(place);
        let Copy { length, distance } = here;
        if length >= min_length {
            // A longer one that starts a pixel later is worth telling this pixel.
            let next = if length < GOOD_LENGTH { chains.longest(place + 1, width) } else { Copy::default() };
            if next.length <= length + 1 {
                // Both within their types by MAX_LENGTH and MAX_DISTANCE.
                tokens.push(Token::Copy { length: length as u16, distance: distance as u32 });
                misses = 0;
                (place + 1..place + length).for_each(|inside| chains.enter(inside));
                place += length;
                here = chains.longest(place, width);
                continue;
            }
            here = next;
        } else {
            if pixels.len() > THOROUGH_PIXELS {
                misses += 1;
                let skip = (misses / MISSES_PER_SKIP).min(MAX_SKIP);
                let skipped = pixels.get(place + 1..).unwrap_or_default().iter().take(skip);
                tokens.push(Token::Pixel(pixel));
                tokens.extend(skipped.copied().map(Token::Pixel));
                place += 1 + skip;
                here = chains.longest(place, width);
                continue;
            }
            here = chains.longest(place + 1, width);
        }
        tokens.push(Token::Pixel(pixel));
        place += 1;
    }
    tokens
}

/// A stretch that was there before; none with length 0.
#[derive(Clone, Copy, Default)]
struct Copy {
    length: usize,
    distance: usize,
}

/// Places by the hash of the two pixels there.
struct Chains<'p> {
    pixels: &'p [u32],
    /// The last place for each hash.
    heads: Vec<u32>,
    /// For each place the one before with the same hash.
    earlier: Vec<u32>,
    tries: usize,
}

impl<'p> Chains<'p> {
    fn new(pixels: &'p [u32]) -> Self {
        let tries = if pixels.len() > THOROUGH_PIXELS { HASTY_TRIES } else { MAX_TRIES };
        Self { pixels, heads: vec![NONE; 1 << HASH_BITS], earlier: vec![NONE; pixels.len()], tries }
    }

    fn hash(&self, place: usize) -> Option<usize> {
        let (first, second) = (self.pixels.get(place)?, self.pixels.get(place + 1)?);
        let mixed = first.wrapping_mul(0x9E37_79B1) ^ second.wrapping_mul(0x85EB_CA6B);
        Some((mixed.wrapping_mul(0xC2B2_AE35) >> (32 - HASH_BITS)) as usize)
    }

    fn enter(&mut self, place: usize) {
        if let Some(hash) = self.hash(place) {
            // Pictures have fewer than 2^32 pixels.
            self.earlier[place] = std::mem::replace(&mut self.heads[hash], place as u32);
        }
    }

    /// The longest stretch from before `place`, which need not be entered yet; of equally long ones the nearest.
    fn longest(&self, place: usize, width: usize) -> Copy {
        let mut best = Copy::default();
        let mut look = |from: usize| -> bool {
            let length = self.common(from, place);
            if length > best.length {
                best = Copy { length, distance: place - from };
            }
            length < GOOD_LENGTH
        };
        // The upper and the left neighbour have the cheapest distances.
        if let Some(above) = place.checked_sub(width)
            && !look(above)
        {
            return best;
        }
        if let Some(left) = place.checked_sub(1)
            && !look(left)
        {
            return best;
        }
        let mut from = self.hash(place).map_or(NONE, |hash| self.heads[hash]);
        for _ in 0..self.tries {
            let candidate = from as usize;
            if from == NONE || candidate >= place || place - candidate > MAX_DISTANCE || !look(candidate) {
                break;
            }
            from = self.earlier[candidate];
        }
        best
    }

    fn common(&self, from: usize, place: usize) -> usize {
        let (Some(old), Some(new)) = (self.pixels.get(from..), self.pixels.get(place..)) else { return 0 };
        old.iter().zip(new).take(MAX_LENGTH).take_while(|(old, new)| old == new).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replay(tokens: &[Token]) -> Vec<u32> {
        let mut pixels = Vec::new();
        for token in tokens {
            match *token {
                Token::Pixel(pixel) => pixels.push(pixel),
                Token::Copy { length, distance } => {
                    for _ in 0..length {
                        pixels.push(pixels[pixels.len() - distance as usize]);
                    }
                }
            }
        }
        pixels
    }

    #[test]
    fn a_run_is_one_pixel_and_a_copy() {
        let tokens = find(&[7; 100], 10, 3);
        assert_eq!(tokens, [Token::Pixel(7), Token::Copy { length: 99, distance: 1 }]);
        assert_eq!(find(&[], 10, 3), []);
    }

    #[test]
    fn long_runs_are_cut_at_the_longest_copy() {
        let pixels = vec![1; 3 * MAX_LENGTH];
        let tokens = find(&pixels, 64, 3);
        assert_eq!(replay(&tokens), pixels);
        assert!(tokens.len() < 10);
    }

    #[test]
    fn a_large_image_is_searched_hastily_and_loses_nothing() {
        // Noise, then the same again: what is skipped of the noise is found later all the same.
        let mut state = 1_u32;
        let noise: Vec<u32> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state
        })
        .take(THOROUGH_PIXELS)
        .collect();
        let pixels = [&noise[..], &noise, &[7; 100]].concat();
        let tokens = find(&pixels, 256, 3);
        assert_eq!(replay(&tokens), pixels);
        assert!(tokens.len() < THOROUGH_PIXELS + 1000, "{} tokens", tokens.len());
    }

    proptest! {
        #[test]
        fn replaying_gives_the_pixels(pixels in prop::collection::vec(0u32..4, 0..600), width in 1usize..40, min in 1usize..6) {
            prop_assert_eq!(replay(&find(&pixels, width, min)), pixels.clone());
            prop_assert_eq!(replay(&literal(&pixels)), pixels);
        }
    }
}
