//! The symbols of a scan (T.81, annexes F and G), to be counted or written.

use super::bits::BitWriter;
use super::cost::{END, SIXTEEN_ZEROS};
use super::huffman::Codes;
use super::levels::{Block, Component, Levels};
use super::refine;

/// Which part of the levels a scan holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, components by turns.
    Everything,
    /// DC levels, components by turns.
    Dc,
    /// AC levels of one component, positions `first` to `last`, without their `low` lowest bits.
    Band { component: usize, first: usize, last: usize, low: u8 },
    /// Bit `low` of all AC levels of one component.
    Refinement { component: usize, low: u8 },
}

/// What takes symbols.
pub(super) trait Sink {
    /// One of a table's symbols; tables are those of DC, luma and chroma, then those of AC.
    fn symbol(&mut self, table: usize, symbol: u8);
    /// Bits as they are, at most 16.
    fn bits(&mut self, value: u32, count: u32);
}

/// The number of tables.
pub(super) const TABLES: usize = 4;
/// The first of AC.
const AC: usize = 2;

/// The table of a component's bands.
pub(super) const fn ac_table(component: usize) -> usize {
    if component == 0 { AC } else { AC + 1 }
}

/// How often each symbol comes.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) symbols: [[u32; 256]; TABLES],
    /// That are not symbols'.
    pub(super) bits: u64,
}

impl Counts {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self { symbols: [[0; 256]; TABLES], bits: 0 })
    }
}

impl Sink for Counts {
    #[inline]
    fn symbol(&mut self, table: usize, symbol: u8) {
        self.symbols[table][usize::from(symbol)] += 1;
    }

    #[inline]
    fn bits(&mut self, _: u32, count: u32) {
        self.bits += u64::from(count);
    }
}

/// Writes with codes that were made for it.
pub(super) struct Writer<'a> {
    pub(super) bits: BitWriter,
    pub(super) codes: &'a [Option<Codes>; TABLES],
}

impl Sink for Writer<'_> {
    #[inline]
    fn symbol(&mut self, table: usize, symbol: u8) {
        if let Some(codes) = &self.codes[table] {
            let (code, length) = codes.code(symbol);
            self.bits.put(u32::from(code), u32::from(length));
        }
    }

    #[inline]
    fn bits(&mut self, value: u32, count: u32) {
        self.bits.put(value, count);
    }
}

impl Part {
    /// The components that are in it.
    pub(super) fn components(self, all: usize) -> std::ops::Range<usize> {
        match self {
            Self::Everything | Self::Dc => 0..all,
            Self::Band { component, .. } | Self::Refinement { component, .. } => component..component + 1,
        }
    }

    /// Hands its symbols to `sink`.
    pub(super) fn walk(self, levels: &Levels, sink: &mut impl Sink) {
        match self {
            Self::Everything => by_turns(levels, |component, block, dc| {
                put_dc(sink, component, dc);
                put_band(sink, component, block);
            }),
            Self::Dc => by_turns(levels, |component, _, dc| put_dc(sink, component, dc)),
            Self::Band { component, first, last, low } => {
                let mut run = EndRun::new(ac_table(component));
                for block in levels.components[component].shown() {
                    put_part(sink, &mut run, &block[first..=last], low);
                }
                run.put(sink);
            }
            Self::Refinement { component, low } => {
                let mut run = EndRun::new(ac_table(component));
                for block in levels.components[component].shown() {
                    refine::put(sink, &mut run, &block[1..], low);
                }
                run.put(sink);
            }
        }
    }
}

impl Component {
    /// Blocks that show something, row by row.
    fn shown(&self) -> impl Iterator<Item = &Block> {
        self.blocks.chunks_exact(self.stride).take(self.down).flat_map(|row| &row[..self.across])
    }
}

/// Calls `put` with each block and the difference of its DC level to that of the block before.
fn by_turns(levels: &Levels, mut put: impl FnMut(usize, &Block, i32)) {
    let mut before = [0; 3];
    let luma = &levels.components[0];
    let (across, down) = (luma.stride / levels.factor, luma.blocks.len() / luma.stride / levels.factor);
    for mcu in 0..across * down {
        for (at, component) in levels.components.iter().enumerate() {
            let factor = if at == 0 { levels.factor } else { 1 };
            for inside in 0..factor * factor {
                let column = mcu % across * factor + inside % factor;
                let row = mcu / across * factor + inside / factor;
                let block = &component.blocks[row * component.stride + column];
                let dc = i32::from(block[0]);
                put(at, block, dc - before[at]);
                before[at] = dc;
            }
        }
    }
}

/// Bits that a magnitude takes.
pub(super) const fn size_of(magnitude: u32) -> u32 {
    32 - magnitude.leading_zeros()
}

/// The bits after a symbol: of what is negative those of one less.
fn put_value(sink: &mut impl Sink, value: i32, size: u32) {
    let bits = if value < 0 { value - 1 } else { value };
    sink.bits(bits as u32 & ((1 << size) - 1), size);
}

fn put_dc(sink: &mut impl Sink, component: usize, difference: i32) {
    let size = size_of(difference.unsigned_abs());
    sink.symbol(component.min(1), size as u8);
    put_value(sink, difference, size);
}

/// All AC levels of a block, of a sequential scan.
fn put_band(sink: &mut impl Sink, component: usize, block: &Block) {
    let table = ac_table(component);
    let mut zeros = 0;
    for &level in &block[1..] {
        if level == 0 {
            zeros += 1;
            continue;
        }
        put_level(sink, table, &mut zeros, i32::from(level));
    }
    if zeros > 0 {
        sink.symbol(table, END);
    }
}

fn put_level(sink: &mut impl Sink, table: usize, zeros: &mut u32, value: i32) {
    while *zeros > 15 {
        sink.symbol(table, SIXTEEN_ZEROS);
        *zeros -= 16;
    }
    let size = size_of(value.unsigned_abs());
    sink.symbol(table, (*zeros << 4 | size) as u8);
    put_value(sink, value, size);
    *zeros = 0;
}

/// Levels of a band without their lowest bits, of a progressive scan.
fn put_part(sink: &mut impl Sink, run: &mut EndRun, levels: &[i16], low: u8) {
    let mut zeros = 0;
    for &level in levels {
        let magnitude = i32::from(level.unsigned_abs() >> low);
        if magnitude == 0 {
            zeros += 1;
            continue;
        }
        run.put(sink);
        put_level(sink, run.table, &mut zeros, magnitude * i32::from(level.signum()));
    }
    if zeros > 0 {
        run.add(sink);
    }
}

/// Blocks that have ended and are not told yet, and the bits that correct levels in them.
#[derive(Debug)]
pub(super) struct EndRun {
    pub(super) table: usize,
    blocks: u32,
    pub(super) corrections: Vec<bool>,
}

/// As many as a symbol can tell.
const MAX_RUN: u32 = 0x7fff;
/// Told before there are more bits than this that wait for it.
const MAX_CORRECTIONS: usize = 1000;

impl EndRun {
    fn new(table: usize) -> Self {
        Self { table, blocks: 0, corrections: Vec::new() }
    }

    /// One more.
    pub(super) fn add(&mut self, sink: &mut impl Sink) {
        self.blocks += 1;
        if self.blocks == MAX_RUN || self.corrections.len() > MAX_CORRECTIONS {
            self.put(sink);
        }
    }

    /// Tells them, if there are any.
    pub(super) fn put(&mut self, sink: &mut impl Sink) {
        if self.blocks == 0 {
            return;
        }
        let size = self.blocks.ilog2();
        sink.symbol(self.table, (size << 4) as u8);
        sink.bits(self.blocks - (1 << size), size);
        self.blocks = 0;
        for correction in self.corrections.drain(..) {
            sink.bits(u32::from(correction), 1);
        }
    }
}
