//! Tokens as blocks: a new one where other codes save more than they take to tell.

use crate::bits::BitWriter;
use crate::code::{Code, Lengths};
use crate::symbols::{self, DISTANCES, END, LITERALS};
use crate::token::Token;

/// Blocks begin at multiples of so many tokens.
const PIECE: usize = 4_096;
/// Kinds of blocks.
const STORED: u32 = 0;
const DYNAMIC: u32 = 2;
/// The last byte before a stored block is filled up with at most so many bits.
const MAX_FILL_BITS: u64 = 7;

/// What a stored block of so many bytes takes, in bits: beside the bytes it has a length and its complement, and these begin with a whole byte.
const fn stored(bytes: usize, fill_bits: u64) -> u64 {
    3 + fill_bits + 32 + 8 * bytes as u64
}

/// How often each symbol occurs.
#[derive(Clone)]
pub(crate) struct Counts {
    pub(crate) literals: [u32; LITERALS],
    pub(crate) distances: [u32; DISTANCES],
    extra_bits: u64,
}

impl Counts {
    /// Of the tokens and the end of their block.
    pub(crate) fn of(tokens: &[Token]) -> Self {
        let mut counts = Self { literals: [0; LITERALS], distances: [0; DISTANCES], extra_bits: 0 };
        counts.literals[END] = 1;
        for &token in tokens {
            if let Some(byte) = token.byte() {
                counts.literals[usize::from(byte)] += 1;
                continue;
            }
            let (length, distance) = (symbols::length(token.length()), symbols::distance(token.distance()));
            counts.literals[length.symbol] += 1;
            counts.distances[distance.symbol] += 1;
            counts.extra_bits += u64::from(length.extra_bits + distance.extra_bits);
        }
        counts
    }

    /// Of both in one block.
    fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.literals.iter_mut().zip(&other.literals).for_each(|(sum, count)| *sum += count);
        joined.distances.iter_mut().zip(&other.distances).for_each(|(sum, count)| *sum += count);
        joined.literals[END] = 1;
        joined.extra_bits += other.extra_bits;
        joined
    }
}

/// Tokens of one block and the codes for them.
struct Block {
    tokens: usize,
    bytes: usize,
    counts: Counts,
    literals: Code,
    distances: Code,
    lengths: Lengths,
    /// By its codes, in bits.
    cost: u64,
}

impl Block {
    /// What it takes at most, by its codes or stored.
    fn least(&self) -> u64 {
        self.cost.min(stored(self.bytes, MAX_FILL_BITS))
    }

    fn new(tokens: usize, bytes: usize, counts: Counts) -> Self {
        let literals = Code::new(&counts.literals);
        let distances = Code::new(&counts.distances);
        let lengths = Lengths::of(&literals, &distances);
        let symbols = literals.cost(&counts.literals) + distances.cost(&counts.distances);
        let cost = 3 + lengths.cost() + symbols + counts.extra_bits;
        Self { tokens, bytes, counts, literals, distances, lengths, cost }
    }

    fn put(&self, bits: &mut BitWriter, tokens: &[Token]) {
        self.lengths.put(bits);
        for &token in tokens {
            if let Some(byte) = token.byte() {
                self.literals.put(bits, usize::from(byte));
                continue;
            }
            let (length, distance) = (symbols::length(token.length()), symbols::distance(token.distance()));
            self.literals.put(bits, length.symbol);
            bits.put(length.extra, length.extra_bits);
            self.distances.put(bits, distance.symbol);
            bits.put(distance.extra, distance.extra_bits);
        }
        self.literals.put(bits, END);
    }
}

/// All of `data`, at most 65,535 bytes, for which `tokens` stand; `ends`: nothing follows.
pub(crate) fn put(bits: &mut BitWriter, tokens: &[Token], data: &[u8], ends: bool) {
    let blocks = divided(tokens);
    if stored(data.len(), bits.to_align(3).into()) <= blocks.iter().map(Block::least).sum() {
        return store(bits, data, ends);
    }
    let (mut tokens, mut data) = (tokens, data);
    for (index, block) in blocks.iter().enumerate() {
        let is_last = ends && index + 1 == blocks.len();
        let (told, after) = tokens.split_at(block.tokens);
        let (bytes, left) = data.split_at(block.bytes);
        (tokens, data) = (after, left);
        if stored(bytes.len(), bits.to_align(3).into()) < block.cost {
            store(bits, bytes, is_last);
        } else {
            bits.put(u32::from(is_last) | DYNAMIC << 1, 3);
            block.put(bits, told);
        }
    }
}

/// At most 65,535 bytes.
fn store(bits: &mut BitWriter, bytes: &[u8], is_last: bool) {
    bits.put(u32::from(is_last) | STORED << 1, 3);
    bits.align();
    let length = bytes.len() as u16;
    bits.put_bytes(&length.to_le_bytes());
    bits.put_bytes(&(!length).to_le_bytes());
    bits.put_bytes(bytes);
}

/// At least one block, if only of nothing. Pieces are joined to the block before them where that is no dearer.
fn divided(tokens: &[Token]) -> Vec<Block> {
    let block = |tokens: &[Token]| {
        let bytes = tokens.iter().map(|token| token.length()).sum();
        Block::new(tokens.len(), bytes, Counts::of(tokens))
    };
    let mut blocks: Vec<Block> = Vec::new();
    for piece in tokens.chunks(PIECE) {
        let new = block(piece);
        let joined = blocks.last().map(|last| {
            let counts = last.counts.joined(&new.counts);
            Block::new(last.tokens + new.tokens, last.bytes + new.bytes, counts)
        });
        match (blocks.last_mut(), joined) {
            (Some(last), Some(joined)) if joined.least() <= last.least() + new.least() => *last = joined,
            _ => blocks.push(new),
        }
    }
    if blocks.is_empty() {
        blocks.push(block(&[]));
    }
    blocks
}
