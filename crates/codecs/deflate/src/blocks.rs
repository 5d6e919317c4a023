//! Tokens as blocks: a new one where other codes save more than they take to tell.

use crate::bits::BitWriter;
use crate::code::{Code, Lengths};
use crate::costs::ideal;
use crate::symbols::{self, DISTANCES, END, LITERALS};
use crate::token::Token;

/// Blocks begin at multiples of so many tokens.
const PIECE: usize = 4_096;
/// What a block takes beside its symbols, about: to say that it is one, and for each symbol that occurs, how long its code is. Those of several pairs
/// that gave the fewest bytes of 46 photographs; a wrong one costs bytes and nothing else, for what is written is decided by what it takes.
const HEAD_BITS: u64 = 120;
const LENGTH_BITS: u64 = 4;
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
struct Counts {
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
    extra_bits: u64,
}

/// Tokens that become one block.
struct Piece {
    tokens: usize,
    bytes: usize,
    counts: Counts,
    /// About so many bits, by codes of its own or stored.
    cost: u64,
}

impl Piece {
    fn of(tokens: &[Token]) -> Self {
        let mut counts = Counts { literals: [0; LITERALS], distances: [0; DISTANCES], extra_bits: 0 };
        counts.literals[END] = 1;
        let mut bytes = 0;
        for &token in tokens {
            bytes += token.length();
            if let Some(byte) = token.byte() {
                counts.literals[usize::from(byte)] += 1;
                continue;
            }
            let (length, distance) = (symbols::length(token.length()), symbols::distance(token.distance()));
            counts.literals[length.symbol] += 1;
            counts.distances[distance.symbol] += 1;
            counts.extra_bits += u64::from(length.extra_bits + distance.extra_bits);
        }
        Self::new(tokens.len(), bytes, counts)
    }

    fn new(tokens: usize, bytes: usize, counts: Counts) -> Self {
        let told = counts.literals.iter().chain(&counts.distances).filter(|&&count| count > 0).count() as u64;
        let symbols = ideal(&counts.literals) + ideal(&counts.distances) + counts.extra_bits;
        let cost = (HEAD_BITS + told * LENGTH_BITS + symbols).min(stored(bytes, MAX_FILL_BITS));
        Self { tokens, bytes, counts, cost }
    }

    /// With the one behind it.
    fn joined(&self, next: &Self) -> Self {
        let mut counts = self.counts.clone();
        counts.literals.iter_mut().zip(&next.counts.literals).for_each(|(sum, count)| *sum += count);
        counts.distances.iter_mut().zip(&next.counts.distances).for_each(|(sum, count)| *sum += count);
        counts.literals[END] = 1;
        counts.extra_bits += next.counts.extra_bits;
        Self::new(self.tokens + next.tokens, self.bytes + next.bytes, counts)
    }
}

/// Tokens of one block and the codes for them.
struct Block {
    tokens: usize,
    bytes: usize,
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

    fn new(Piece { tokens, bytes, counts, .. }: &Piece) -> Self {
        let literals = Code::new(&counts.literals);
        let distances = Code::new(&counts.distances);
        let lengths = Lengths::of(&literals, &distances);
        let symbols = literals.cost(&counts.literals) + distances.cost(&counts.distances);
        let cost = 3 + lengths.cost() + symbols + counts.extra_bits;
        Self { tokens: *tokens, bytes: *bytes, literals, distances, lengths, cost }
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
    let blocks: Vec<Block> = divided(tokens).iter().map(Block::new).collect();
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

/// At least one, if only of nothing. Pieces are joined to those before them where that is no dearer.
fn divided(tokens: &[Token]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for tokens in tokens.chunks(PIECE) {
        let new = Piece::of(tokens);
        let joined = pieces.last().map(|last| last.joined(&new));
        match (pieces.last_mut(), joined) {
            (Some(last), Some(joined)) if joined.cost <= last.cost + new.cost => *last = joined,
            _ => pieces.push(new),
        }
    }
    if pieces.is_empty() {
        pieces.push(Piece::of(&[]));
    }
    pieces
}
