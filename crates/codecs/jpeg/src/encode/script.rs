//! Which scans a file has: one with everything, or several, whatever takes fewer bytes.

use super::huffman::Codes;
use super::levels::Levels;
use super::scan::{Counts, Part, TABLES};

/// Scans that share their tables, which are told before the first.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) scans: Vec<Part>,
    pub(super) tables: [Option<Codes>; TABLES],
    /// Tables, headers and symbols.
    bits: u64,
}

/// What is tried for the bands of a component: the last position of the first of two, 63 being a single one, and bits that are told later.
const SPLITS: &[usize] = &[63, 2, 5, 8, 14];
const LOWS: std::ops::RangeInclusive<u8> = 0..=2;
/// Of a picture of more blocks, those of 512x512 pixels, only this is tried: others save some thousandths of it.
const MAX_TRIED_BLOCKS: usize = 4096;
const USUAL_SPLITS: &[usize] = &[5];
const USUAL_LOWS: std::ops::RangeInclusive<u8> = 1..=1;

/// Of DHT and SOS with their lengths, in bits.
const TABLE_BITS: u64 = 8 * 5;
const SCAN_BITS: u64 = 8 * 10;

impl Group {
    /// `scans` with tables of their own.
    pub(super) fn of(levels: &Levels, scans: Vec<Part>) -> Self {
        let mut counts = Counts::new();
        scans.iter().for_each(|scan| scan.walk(levels, &mut *counts));
        let tables = counts
            .symbols
            .each_ref()
            .map(|counts| counts.iter().any(|&count| count > 0).then(|| Codes::of(counts)));
        let mut bits = counts.bits + SCAN_BITS * scans.len() as u64;
        for (table, counts) in tables.iter().zip(&counts.symbols) {
            let Some(codes) = table else { continue };
            bits += codes.cost(counts) + TABLE_BITS + 8 * codes.listed_bytes() as u64;
        }
        Self { scans, tables, bits }
    }
}

/// The scans of the smallest file, in order.
pub(super) fn choose(levels: &Levels) -> Vec<Group> {
    let whole = vec![Group::of(levels, vec![Part::Everything])];
    let mut divided = vec![Group::of(levels, vec![Part::Dc])];
    let mut refinements = Vec::new();
    let chroma = 1..levels.components.len();
    for components in [0..1, chroma].into_iter().filter(|components| !components.is_empty()) {
        let (bands, refined) = bands(levels, components);
        divided.extend(bands);
        refinements.extend(refined);
    }
    divided.extend(refinements);
    let bits = |groups: &[Group]| groups.iter().map(|group| group.bits).sum::<u64>();
    if bits(&divided) < bits(&whole) { divided } else { whole }
}

/// AC levels of these components, all in the same way: bands, and the refinements that follow them.
fn bands(levels: &Levels, components: std::ops::Range<usize>) -> (Vec<Group>, Vec<Group>) {
    let is_large = levels.components[components.start].blocks.len() > MAX_TRIED_BLOCKS;
    let (splits, lows) = if is_large { (USUAL_SPLITS, USUAL_LOWS) } else { (SPLITS, LOWS) };
    let band = |first, last, low| {
        let part = |component| Part::Band { component, first, last, low };
        Group::of(levels, components.clone().map(part).collect())
    };
    let mut best: Option<(u64, Vec<Group>, Vec<Group>)> = None;
    let mut refinements: Vec<Group> = Vec::new();
    for low in 0..=*lows.end() {
        if low > 0 {
            let part = |component| Part::Refinement { component, low: low - 1 };
            refinements.insert(0, Group::of(levels, components.clone().map(part).collect()));
        }
        for &split in splits.iter().filter(|_| lows.contains(&low)) {
            let first = std::iter::once(band(1, split, low));
            let bands: Vec<Group> = first.chain((split < 63).then(|| band(split + 1, 63, low))).collect();
            let bits = bands.iter().chain(&refinements).map(|group| group.bits).sum();
            if best.as_ref().is_none_or(|(least, ..)| bits < *least) {
                best = Some((bits, bands, refinements.clone()));
            }
        }
    }
    best.map(|(_, bands, refinements)| (bands, refinements)).unwrap_or_default()
}
