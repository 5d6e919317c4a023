//! Baseline and extended sequential scans, from bits straight to samples: no coefficient outlives its block.

use crate::bits::BitReader;
use crate::block;
use crate::error::Error;
use crate::frame::Frame;
use crate::header::Tables;
use crate::huffman::{AcTable, DcTable, SkipTable};
use crate::idct;
use crate::output::Output;
use crate::plane::Plane;
use crate::scan::{Scan, Step, Unit, Walk};
use crate::shape::Shape;

/// The lookup tables of a scan, each made once: what all components use together should stay in the cache.
#[derive(Default)]
struct Lookups {
    dc: [Option<DcTable>; 4],
    ac: [Option<(SkipTable, AcTable)>; 4],
}

impl Lookups {
    fn new(scan: &Scan, tables: &Tables) -> Result<Self, Error> {
        let mut lookups = Self::default();
        for member in &scan.members {
            if lookups.dc[member.dc].is_none() {
                lookups.dc[member.dc] = Some(DcTable::new(&*tables.dc_codes(member.dc)?)?);
            }
            if lookups.ac[member.ac].is_none() {
                let codes = tables.ac_codes(member.ac)?;
                lookups.ac[member.ac] = Some((SkipTable::new(&codes), AcTable::new(&codes)));
            }
        }
        Ok(lookups)
    }
}

/// One component of a scan.
struct Channel<'t> {
    dc: &'t DcTable,
    ac: (&'t SkipTable, &'t AcTable),
    quant: [u16; 64],
    layout: [u8; 64],
    shape: Shape,
    /// The last coding index that is needed of a block.
    last: u32,
    prediction: i32,
    /// Index of the component and its plane.
    component: usize,
    /// Blocks of an MCU, downwards.
    blocks_down: usize,
}

/// One block of the MCU.
struct Target {
    unit: Unit,
    /// Where it lies in its plane, and how far the next MCU's is.
    at: usize,
    step: usize,
}

/// How a scan went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    /// MCU rows, from the top, before the data ended for good.
    pub(crate) mcu_rows: usize,
    pub(crate) damaged: bool,
    pub(crate) truncated: bool,
    /// Where the next marker is to be looked for.
    pub(crate) end: usize,
}

/// Decodes a scan into the planes of its components.
///
/// With an output the planes are bands, and rows are handed over after each MCU row; the scan then has to hold all components.
/// Without, the planes are whole.
///
/// # Errors
/// [`Error::Malformed`] for missing or unusable tables.
pub(crate) fn decode(
    data: &[u8],
    at: usize,
    (frame, scan, tables): (&Frame, &Scan, &Tables),
    planes: &mut [Plane],
    output: Option<&mut Output<'_>>,
) -> Result<Report, Error> {
    let lookups = Lookups::new(scan, tables)?;
    let mut channels = Vec::with_capacity(scan.members.len());
    let mut steps = Vec::with_capacity(scan.members.len());
    for member in &scan.members {
        let (Some(dc), Some((skip, ac))) = (&lookups.dc[member.dc], &lookups.ac[member.ac]) else { continue };
        let shape = planes[member.component].shape();
        let (blocks_across, blocks_down) = scan.blocks(frame, member);
        steps.push(blocks_across * shape.across);
        channels.push(Channel {
            dc,
            ac: (skip, ac),
            quant: tables.quant(frame.components[member.component].quant)?,
            layout: shape.layout(),
            shape,
            last: shape.last(),
            prediction: 0,
            component: member.component,
            blocks_down,
        });
    }
    let target = |unit: Unit| Target { unit, at: 0, step: steps[unit.member] };
    let mut decoder = SequentialScan {
        reader: BitReader::new(data, at),
        walk: Walk::new(tables.restart_interval),
        channels,
        targets: scan.units(frame).into_iter().map(target).collect(),
        grid: scan.grid(frame),
        planes,
    };
    Ok(decoder.run(output))
}

struct SequentialScan<'a, 't, 'p> {
    reader: BitReader<'a>,
    walk: Walk,
    channels: Vec<Channel<'t>>,
    targets: Vec<Target>,
    grid: (usize, usize),
    planes: &'p mut [Plane],
}

impl SequentialScan<'_, '_, '_> {
    fn run(&mut self, mut output: Option<&mut Output<'_>>) -> Report {
        let (across, down) = self.grid;
        for row in 0..down {
            self.start_row(if output.is_some() { 0 } else { row });
            for _ in 0..across {
                match self.walk.step(&mut self.reader, row) {
                    Step::Decode => {}
                    Step::Restarted => {
                        for channel in &mut self.channels {
                            channel.prediction = 0;
                        }
                    }
                    Step::Lost => {
                        self.blank_mcu();
                        self.advance();
                        continue;
                    }
                }
                self.decode_mcu();
                if self.reader.is_overrun() {
                    self.walk.overrun(&self.reader, row);
                    self.blank_mcu();
                }
                self.advance();
            }
            if let Some(output) = output.as_deref_mut() {
                output.emit(self.planes);
                for plane in self.planes.iter_mut() {
                    plane.advance();
                }
            }
        }
        Report {
            mcu_rows: self.walk.whole_rows(down),
            damaged: self.walk.damaged,
            truncated: self.walk.has_ended(),
            end: self.reader.end(),
        }
    }

    /// To the first MCU of a row.
    fn start_row(&mut self, row: usize) {
        for target in &mut self.targets {
            let channel = &self.channels[target.unit.member];
            let plane = &self.planes[channel.component];
            target.at = plane.block_at(channel.blocks_down * row + target.unit.dy, target.unit.dx);
        }
    }

    /// To the next MCU.
    #[inline(always)]
    fn advance(&mut self) {
        for target in &mut self.targets {
            target.at += target.step;
        }
    }

    #[inline(always)]
    fn decode_mcu(&mut self) {
        let window = self.reader.window();
        let mut cursor = self.reader.cursor;
        for target in &self.targets {
            let channel = &mut self.channels[target.unit.member];
            let difference = block::difference(&mut cursor, window, channel.dc);
            channel.prediction = channel.prediction.wrapping_add(difference);
            let dc = channel.prediction.wrapping_mul(i32::from(channel.quant[0]));
            let plane = &mut self.planes[channel.component];
            let stride = plane.row_stride();
            let out = plane.samples_mut(target.at);
            if channel.last == 0 {
                out[0] = idct::mean(dc);
                block::skip_terms(&mut cursor, window, 1, channel.ac);
                continue;
            }
            let mut terms = [0; 64];
            terms[0] = dc as i16;
            let places = (&channel.quant, &channel.layout);
            let any = match channel.last {
                0..=4 => block::terms::<4>(&mut cursor, window, channel.ac, places, &mut terms),
                5..=24 => block::terms::<24>(&mut cursor, window, channel.ac, places, &mut terms),
                _ => block::terms::<63>(&mut cursor, window, channel.ac, places, &mut terms),
            };
            if any {
                idct::inverse(channel.shape, &terms, out, stride);
            } else {
                idct::flat(channel.shape, dc as i16, out, stride);
            }
        }
        self.reader.cursor = cursor;
    }

    #[cold]
    fn blank_mcu(&mut self) {
        for target in &self.targets {
            let channel = &self.channels[target.unit.member];
            self.planes[channel.component].blank(target.at);
        }
    }
}
