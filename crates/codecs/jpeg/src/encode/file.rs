//! The file: markers, tables, scans (T.81, annex B; JFIF 1.01).

use crate::markers::code;

use super::bits::BitWriter;
use super::levels::Levels;
use super::quantiser::Quantiser;
use super::scan::{Part, TABLES, Writer};
use super::script::{self, Group};

/// JFIF 1.01, pixels as wide as high, no picture of it.
const JFIF: [u8; 14] = [b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];

/// The smallest.
pub(super) fn write(levels: &Levels, quantiser: &Quantiser) -> Vec<u8> {
    write_scans(levels, quantiser, &script::choose(levels))
}

/// That of these scans: one with everything, or several.
pub(super) fn write_scans(levels: &Levels, quantiser: &Quantiser, groups: &[Group]) -> Vec<u8> {
    let is_progressive = groups.len() > 1;
    let mut file = vec![0xff, code::SOI];
    segment(&mut file, code::APP0, &JFIF);
    let classes = levels.components.len().min(2);
    let mut tables = Vec::new();
    for (id, steps) in (0..).zip(&quantiser.steps[..classes]) {
        tables.push(id);
        // 1 to 255.
        tables.extend(steps.sizes.iter().map(|&size| size as u8));
    }
    segment(&mut file, code::DQT, &tables);
    segment(&mut file, if is_progressive { code::SOF2 } else { code::SOF0 }, &frame(levels));
    for group in groups {
        let mut tables = Vec::new();
        for (at, codes) in group.tables.iter().enumerate() {
            let Some(codes) = codes else { continue };
            tables.push(((at / 2) << 4 | (at % 2)) as u8);
            tables.extend(codes.listed());
        }
        if !tables.is_empty() {
            segment(&mut file, code::DHT, &tables);
        }
        for &scan in &group.scans {
            segment(&mut file, code::SOS, &scan_header(scan, levels));
            let mut writer = Writer { bits: BitWriter::default(), codes: &group.tables };
            scan.walk(levels, &mut writer);
            file.append(&mut writer.bits.finish());
        }
    }
    file.extend([0xff, code::EOI]);
    file
}

/// Payloads are far below 64 KiB.
fn segment(file: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((payload.len() as u16 + 2).to_be_bytes());
    file.extend_from_slice(payload);
}

/// 8 bits, sides, and of each component its number, sampling factors and table.
fn frame(levels: &Levels) -> Vec<u8> {
    let mut frame = vec![8];
    for side in [levels.height, levels.width] {
        frame.extend((side as u16).to_be_bytes());
    }
    frame.push(levels.components.len() as u8);
    for at in 0..levels.components.len() as u8 {
        let factor = if at == 0 { levels.factor as u8 } else { 1 };
        frame.extend([at + 1, factor << 4 | factor, at.min(1)]);
    }
    frame
}

fn scan_header(scan: Part, levels: &Levels) -> Vec<u8> {
    let components = scan.components(levels.components.len());
    let mut header = vec![components.len() as u8];
    for at in components {
        let table = at.min(1) as u8;
        header.extend([
            at as u8 + 1,
            match scan {
                Part::Everything => table << 4 | table,
                Part::Dc => table << 4,
                Part::Band { .. } | Part::Refinement { .. } => table,
            },
        ]);
    }
    header.extend(match scan {
        Part::Everything => [0, 63, 0],
        Part::Dc => [0, 0, 0],
        Part::Band { first, last, low, .. } => [first as u8, last as u8, low],
        Part::Refinement { low, .. } => [1, 63, (low + 1) << 4 | low],
    });
    header
}

const _: () = assert!(TABLES == 4, "two classes of two tables, in the order of their numbers in a file");
