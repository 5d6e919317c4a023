//! The bytes of the stream that are at hand, read by bits, lowest first (RFC 1951, section 3.1.1).

/// Bytes at hand at most.
const AT_HAND: usize = 32 << 10;
/// Bits are read as part of this many bytes.
const READ: usize = 8;
/// At least this many bits of what is read are those that come next: of its first byte, seven may have been taken before.
pub(crate) const AHEAD_BITS: u32 = 57;

/// Some bytes of the stream and, so that it can be read from each of them, eight more.
pub(crate) type AtHand = [u8; AT_HAND + READ];

/// The bits from `bit` on: [`AHEAD_BITS`], or up to 7 more. The next one is lowest.
#[inline(always)]
pub(crate) fn ahead_at(at_hand: &AtHand, bit: u32) -> u64 {
    let bytes = at_hand.get((bit / 8) as usize..).and_then(<[u8]>::first_chunk::<READ>);
    u64::from_le_bytes(bytes.copied().unwrap_or_default()) >> (bit % 8)
}

/// A place in the bytes at hand.
#[derive(Debug)]
pub(crate) struct Bits {
    pub(crate) at_hand: Box<AtHand>,
    /// The next bit. Behind the end where more was read than there was.
    pub(crate) next: u32,
    /// How many bytes are the stream's.
    filled: usize,
}

impl Bits {
    /// Where the bytes at hand end, in bits.
    pub(crate) const fn end(&self) -> u32 {
        // What is known about `filled`, said so that the compiler knows it too and checks no index twice.
        (if self.filled < AT_HAND { self.filled } else { AT_HAND }) as u32 * 8
    }

    pub(crate) const fn is_overrun(&self) -> bool {
        self.next > self.end()
    }

    /// Those from the next on; zeros behind the end of the stream.
    pub(crate) fn ahead(&self) -> u64 {
        ahead_at(&self.at_hand, self.next)
    }

    /// The next `count` bits, at most 32.
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        let bits = self.ahead() & ((1 << count) - 1);
        self.next += count;
        bits as u32
    }

    /// Goes on with the next whole byte.
    pub(crate) const fn align(&mut self) {
        self.next = self.next.next_multiple_of(8);
    }

    /// The bytes from here on, at most `most`. What comes next is the beginning of one: see [`Bits::align`].
    pub(crate) fn take_bytes(&mut self, most: usize) -> &[u8] {
        let begin = ((self.next / 8) as usize).min(self.filled);
        let end = self.filled.min(begin.saturating_add(most));
        self.next += (end - begin) as u32 * 8;
        self.at_hand.get(begin..end).unwrap_or_default()
    }
}

/// The stream, in pieces.
#[derive(Debug)]
pub(crate) struct Input<'a, P> {
    pub(crate) bits: Bits,
    /// Of the piece taken last, what is not at hand.
    piece: &'a [u8],
    pieces: P,
    /// No more bytes will come to hand.
    pub(crate) is_whole: bool,
}

impl<'a, P: Iterator<Item = &'a [u8]>> Input<'a, P> {
    pub(crate) fn new(pieces: P) -> Self {
        let bits = Bits { at_hand: Box::new([0; AT_HAND + READ]), next: 0, filled: 0 };
        Self { bits, piece: &[], pieces, is_whole: false }
    }

    /// Makes sure that `bytes` are at hand, few compared to what can be, unless the stream ends before.
    pub(crate) fn require(&mut self, bytes: usize) {
        if !self.is_whole && self.bits.next as usize + bytes * 8 > self.bits.end() as usize {
            self.refill();
        }
    }

    /// Takes as much to hand as there is room for.
    pub(crate) fn refill(&mut self) {
        let Bits { at_hand, next, filled } = &mut self.bits;
        let begin = ((*next / 8) as usize).min(*filled);
        at_hand.copy_within(begin..*filled, 0);
        *filled -= begin;
        *next -= begin as u32 * 8;
        while *filled < AT_HAND {
            if self.piece.is_empty() {
                match self.pieces.next() {
                    Some(piece) => self.piece = piece,
                    None => {
                        self.is_whole = true;
                        break;
                    }
                }
            }
            let (taken, left) = self.piece.split_at(self.piece.len().min(AT_HAND - *filled));
            if let Some(room) = at_hand.get_mut(*filled..*filled + taken.len()) {
                room.copy_from_slice(taken);
            }
            *filled += taken.len();
            self.piece = left;
        }
        if let Some(behind) = at_hand.get_mut(*filled..) {
            behind.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_across_pieces() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at * 7 % 251) as u8).collect();
        for piece in [1, 3, 4096, 100_000] {
            let mut input = Input::new(bytes.chunks(piece));
            for pair in bytes.chunks(2) {
                input.require(2);
                assert_eq!(input.bits.take(4), u32::from(pair[0] & 15));
                assert_eq!(input.bits.take(12), u32::from(pair[1]) << 4 | u32::from(pair[0] >> 4));
            }
            input.require(1);
            assert!(input.is_whole && !input.bits.is_overrun());
            assert_eq!((input.bits.take(9), input.bits.is_overrun()), (0, true), "zeros behind the end");
        }
    }

    #[test]
    fn bytes_are_taken_from_whole_ones() {
        let mut input = Input::new([&[0xFF, 1, 2][..], &[3]].into_iter());
        input.require(4);
        input.bits.take(3);
        input.bits.align();
        assert_eq!(input.bits.take_bytes(2), [1, 2]);
        assert_eq!(input.bits.take_bytes(9), [3]);
        assert_eq!(input.bits.take_bytes(9), []);
    }
}
