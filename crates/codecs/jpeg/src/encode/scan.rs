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
            Self::Everything => by_turns(levels, |component, block, present, dc| {
                put_dc(sink, component, dc);
                put_all(sink, component, block, present);
            }),
            Self::Dc => by_turns(levels, |component, _, _, dc| put_dc(sink, component, dc)),
            Self::Band { component, first, last, low } => {
                let mut run = EndRun::new(ac_table(component));
                for shown in levels.components[component].shown() {
                    put_band(sink, &mut run, shown, (first, last), low);
                }
                run.put(sink);
            }
            Self::Refinement { component, low } => {
                let mut run = EndRun::new(ac_table(component));
                for shown in levels.components[component].shown() {
                    refine::put(sink, &mut run, shown, low);
                }
                run.put(sink);
            }
        }
    }
}

impl Component {
    /// Blocks that show something, row by row, and which of their levels are present.
    fn shown(&self) -> impl Iterator<Item = (&Block, u64)> {
        let rows = self.blocks.chunks_exact(self.stride).zip(self.present.chunks_exact(self.stride));
        rows.take(self.down)
            .flat_map(|(blocks, present)| blocks.iter().zip(present.iter().copied()).take(self.across))
    }
}

/// Calls `put` with each block, which of its levels are present, and the difference of its DC level to that of the block before.
fn by_turns(levels: &Levels, mut put: impl FnMut(usize, &Block, u64, i32)) {
    let mut before = [0; 3];
    let luma = &levels.components[0];
    let (across, down) = (luma.stride / levels.factor, luma.blocks.len() / luma.stride / levels.factor);
    for mcu in 0..across * down {
        for (at, component) in levels.components.iter().enumerate() {
            let factor = if at == 0 { levels.factor } else { 1 };
            for inside in 0..factor * factor {
                let column = mcu % across * factor + inside % factor;
                let row = mcu / across * factor + inside / factor;
                let index = row * component.stride + column;
                let block = &component.blocks[index];
                let dc = i32::from(block[0]);
                put(at, block, component.present[index], dc - before[at]);
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

/// The positions of a band, as bits.
pub(super) const fn band(first: usize, last: usize) -> u64 {
    (u64::MAX << first) & (u64::MAX >> (63 - last))
}

/// The positions that are set, from the first on.
pub(super) fn positions(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(at)
    })
}

/// All AC levels of a block, of a sequential scan.
fn put_all(sink: &mut impl Sink, component: usize, block: &Block, present: u64) {
    let table = ac_table(component);
    let mut next = 1;
    for at in positions(present & band(1, 63)) {
        put_level(sink, table, (at - next) as u32, block[at].into());
        next = at + 1;
    }
    if next < block.len() {
        sink.symbol(table, END);
    }
}

/// Behind so many zeros.
fn put_level(sink: &mut impl Sink, table: usize, mut zeros: u32, value: i32) {
    while zeros > 15 {
        sink.symbol(table, SIXTEEN_ZEROS);
        zeros -= 16;
    }
    let size = size_of(value.unsigned_abs());
    sink.symbol(table, (zeros << 4 | size) as u8);
    put_value(sink, value, size);
}

/// Levels from `first` to `last` without their lowest bits, of a progressive scan.
fn put_band(
    sink: &mut impl Sink,
    run: &mut EndRun,
    (block, present): (&Block, u64),
    (first, last): (usize, usize),
    low: u8,
) {
    let mut next = first;
    for at in positions(present & band(first, last)) {
        let level = block[at];
        let magnitude = i32::from(level.unsigned_abs() >> low);
        if magnitude == 0 {
            continue;
        }
        run.put(sink);
        put_level(sink, run.table, (at - next) as u32, magnitude * i32::from(level.signum()));
        next = at + 1;
    }
    if next <= last {
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
