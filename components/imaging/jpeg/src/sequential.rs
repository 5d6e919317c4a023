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

/// The tables of one component of a scan, and its prediction.
struct Channel {
    dc: DcTable,
    ac: AcTable,
    skip: SkipTable,
    quant: [u16; 64],
    layout: [u8; 64],
    /// The last coding index that is needed of a block.
    last: u32,
    prediction: i32,
    /// Index of the component and its plane.
    component: usize,
    /// Blocks in an MCU, across and down.
    blocks_across: usize,
    blocks_down: usize,
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
    let mut channels = Vec::with_capacity(scan.members.len());
    for member in &scan.members {
        let ac = tables.ac_codes(member.ac)?;
        let (blocks_across, blocks_down) = scan.blocks(frame, member);
        channels.push(Channel {
            dc: DcTable::new(&*tables.dc_codes(member.dc)?)?,
            ac: AcTable::new(&ac),
            skip: SkipTable::new(&ac),
            quant: tables.quant(frame.components[member.component].quant)?,
            layout: planes[member.component].shape().layout(),
            last: planes[member.component].shape().last(),
            prediction: 0,
            component: member.component,
            blocks_across,
            blocks_down,
        });
    }
    let mut decoder = SequentialScan {
        reader: BitReader::new(data, at),
        walk: Walk::new(tables.restart_interval),
        channels,
        units: scan.units(frame),
        grid: scan.grid(frame),
        planes,
    };
    Ok(decoder.run(output))
}

struct SequentialScan<'a, 'p> {
    reader: BitReader<'a>,
    walk: Walk,
    channels: Vec<Channel>,
    units: Vec<Unit>,
    grid: (usize, usize),
    planes: &'p mut [Plane],
}

impl SequentialScan<'_, '_> {
    fn run(&mut self, mut output: Option<&mut Output<'_>>) -> Report {
        let (across, down) = self.grid;
        let banded = output.is_some();
        for row in 0..down {
            let plane_row = if banded { 0 } else { row };
            for column in 0..across {
                match self.walk.step(&mut self.reader, row) {
                    Step::Decode => {}
                    Step::Restarted => {
                        for channel in &mut self.channels {
                            channel.prediction = 0;
                        }
                    }
                    Step::Lost => {
                        self.blank_mcu(plane_row, column);
                        continue;
                    }
                }
                self.decode_mcu(plane_row, column);
                if self.reader.is_overrun() {
                    self.walk.overrun(&self.reader, row);
                    self.blank_mcu(plane_row, column);
                }
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

    #[inline(always)]
    fn decode_mcu(&mut self, plane_row: usize, column: usize) {
        let window = self.reader.window();
        let mut cursor = self.reader.cursor;
        for unit in &self.units {
            let channel = &mut self.channels[unit.member];
            let difference = block::difference(&mut cursor, window, &channel.dc);
            channel.prediction = channel.prediction.wrapping_add(difference);
            let dc = channel.prediction.wrapping_mul(i32::from(channel.quant[0]));
            let plane = &mut self.planes[channel.component];
            let (shape, stride) = (plane.shape(), plane.row_stride());
            let out = plane.block_mut(
                channel.blocks_down * plane_row + unit.dy,
                channel.blocks_across * column + unit.dx,
            );
            let tables = (&channel.skip, &channel.ac);
            if channel.last == 0 {
                out[0] = idct::mean(dc);
                block::skip_terms(&mut cursor, window, 1, tables);
                continue;
            }
            let mut terms = [0; 64];
            terms[0] = dc as i16;
            let places = (&channel.quant, &channel.layout);
            let any = match channel.last {
                0..=4 => block::terms::<4>(&mut cursor, window, tables, places, &mut terms),
                5..=24 => block::terms::<24>(&mut cursor, window, tables, places, &mut terms),
                _ => block::terms::<63>(&mut cursor, window, tables, places, &mut terms),
            };
            if any {
                idct::inverse(shape, &terms, out, stride);
            } else {
                idct::flat(shape, dc as i16, out, stride);
            }
        }
        self.reader.cursor = cursor;
    }

    #[cold]
    fn blank_mcu(&mut self, plane_row: usize, column: usize) {
        for unit in &self.units {
            let channel = &self.channels[unit.member];
            self.planes[channel.component]
                .blank(channel.blocks_down * plane_row + unit.dy, channel.blocks_across * column + unit.dx);
        }
    }
}
