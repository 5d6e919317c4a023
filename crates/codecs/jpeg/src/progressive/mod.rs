//! Progressive files (T.81, annex G). All scan headers are looked up first (`survey`), then only those scans are decoded that the scale
//! needs: at 1/8 those with DC terms, and of halved chroma those with the lowest AC terms. A scan of terms that are not kept is still
//! needed where a later one refines a band that reaches beyond what is kept, because the bits of a refinement cannot be told apart
//! without knowing which terms are not zero. `band` has what an AC scan does to a block.

mod band;
mod survey;

use crate::bits::{BitReader, Cursor, Window};
use crate::block;
use crate::coefficients::Coefficients;
use crate::error::Error;
use crate::frame::Frame;
use crate::header::Header;
use crate::huffman::{AcTable, DcTable};
use crate::idct;
use crate::limits::Limits;
use crate::output::Output;
use crate::plane::Plane;
use crate::scale::Scale;
use crate::scan::{Scan, Step, Walk};
use crate::sequential::Report;
use crate::shape::Shape;

use band::{BandState, first_ac, refine_ac};
use survey::{Planned, Survey, band};

/// Decodes the file and hands over its rows.
///
/// # Errors
/// Where there is no picture, or a limit is exceeded.
pub(crate) fn decode(
    data: &[u8],
    header: &Header<'_>,
    scale: Scale,
    limits: &Limits,
    output: &mut Output<'_>,
) -> Result<Report, Error> {
    let frame = &header.frame;
    let shapes: Vec<Shape> =
        frame.components.iter().map(|component| Shape::of(frame, component, scale)).collect();
    let kept: Vec<u64> = shapes.iter().map(|shape| shape.kept()).collect();
    let survey = Survey::of(data, header, limits)?;
    let quant = frame
        .components
        .iter()
        .enumerate()
        .map(|(index, component)| {
            let first = survey
                .scans
                .iter()
                .find(|planned| planned.scan.members.iter().any(|member| member.component == index));
            first.map_or(Ok([1; 64]), |planned| planned.tables.quant(component.quant))
        })
        .collect::<Result<Vec<_>, _>>()?;

    let mut picture = Picture {
        frame,
        components: frame
            .components
            .iter()
            .zip(&shapes)
            .map(|(component, &shape)| Coefficients::new(component, shape))
            .collect(),
        shapes: &shapes,
        mcu_rows: vec![0; frame.components.len()],
        damaged: survey.damaged,
        cut_off: false,
    };
    for (planned, needed) in survey.scans.iter().zip(survey.needed(&kept)) {
        if needed {
            picture.decode_scan(data, planned)?;
        }
    }
    picture.render(&quant, output);
    Ok(Report {
        mcu_rows: picture.mcu_rows.iter().copied().min().unwrap_or(0),
        damaged: picture.damaged,
        truncated: picture.cut_off || (!survey.closed && !survey.is_complete(&kept)),
        end: data.len(),
    })
}

/// The coefficients as they grow.
struct Picture<'f> {
    frame: &'f Frame,
    shapes: &'f [Shape],
    components: Vec<Coefficients>,
    /// For each component, MCU rows that the first DC scan covered.
    mcu_rows: Vec<usize>,
    damaged: bool,
    /// A needed scan ended before its last block.
    cut_off: bool,
}

/// Where a scan is being read.
struct Reading<'a> {
    reader: BitReader<'a>,
    walk: Walk,
}

impl Picture<'_> {
    fn decode_scan(&mut self, data: &[u8], planned: &Planned) -> Result<(), Error> {
        let mut reading = Reading {
            reader: BitReader::new(data, planned.at),
            walk: Walk::new(planned.tables.restart_interval),
        };
        let scan = &planned.scan;
        match (scan.first, scan.high) {
            (0, 0) => self.first_dc(&mut reading, planned)?,
            (0, _) => self.refine_dc(&mut reading, scan),
            (_, 0) => {
                let table = AcTable::new(&*planned.tables.ac_codes(scan.members[0].ac)?);
                self.ac_scan(&mut reading, scan, |cursor, window, terms, state| {
                    first_ac(cursor, window, &table, terms, state)
                });
            }
            _ => {
                let table = AcTable::for_refinement(&*planned.tables.ac_codes(scan.members[0].ac)?);
                self.ac_scan(&mut reading, scan, |cursor, window, terms, state| {
                    refine_ac(cursor, window, &table, terms, state)
                });
            }
        }
        self.damaged |= reading.walk.damaged;
        self.cut_off |= reading.walk.has_ended();
        Ok(())
    }

    fn first_dc(&mut self, reading: &mut Reading<'_>, planned: &Planned) -> Result<(), Error> {
        let scan = &planned.scan;
        let mut tables = Vec::with_capacity(scan.members.len());
        for member in &scan.members {
            tables.push(DcTable::new(&*planned.tables.dc_codes(member.dc)?)?);
        }
        let mut predictions = [0_i32; 4];
        let rows = self.dc_scan(reading, scan, |cursor, window, member, restarted| {
            if restarted {
                predictions = [0; 4];
            }
            let difference = block::difference(cursor, window, &tables[member]);
            predictions[member] = predictions[member].wrapping_add(difference);
            let value = (predictions[member] << scan.low) as i16;
            move |dc: &mut i16| *dc = value
        });
        for member in &scan.members {
            let component = &self.frame.components[member.component];
            // A lone component's rows are single blocks.
            let rows = if scan.members.len() > 1 {
                rows
            } else if reading.walk.has_ended() {
                rows / component.v
            } else {
                self.frame.mcus_down
            };
            self.mcu_rows[member.component] = self.mcu_rows[member.component].max(rows);
        }
        Ok(())
    }

    fn refine_dc(&mut self, reading: &mut Reading<'_>, scan: &Scan) {
        self.dc_scan(reading, scan, |cursor, window, _, _| {
            cursor.refill(window);
            let bit = (cursor.take(1) << scan.low) as i16;
            move |dc: &mut i16| *dc |= bit
        });
    }

    /// Visits the blocks of a DC scan; `decode` gives what is to be done with the DC term. Returns the rows before the data
    /// ended for good.
    #[inline(always)]
    fn dc_scan<Change: FnOnce(&mut i16)>(
        &mut self,
        reading: &mut Reading<'_>,
        scan: &Scan,
        mut decode: impl FnMut(&mut Cursor, &Window, usize, bool) -> Change,
    ) -> usize {
        let units = scan.units(self.frame);
        let (across, down) = scan.grid(self.frame);
        let blocks: Vec<(usize, usize)> =
            scan.members.iter().map(|member| scan.blocks(self.frame, member)).collect();
        for row in 0..down {
            for column in 0..across {
                let step = reading.walk.step(&mut reading.reader, row);
                if step == Step::Lost {
                    if reading.walk.has_ended() {
                        return reading.walk.whole_rows(down);
                    }
                    continue;
                }
                let mut restarted = step == Step::Restarted;
                let mut cursor = reading.reader.cursor;
                for unit in &units {
                    let change = decode(&mut cursor, reading.reader.window(), unit.member, restarted);
                    restarted = false;
                    let coefficients = &mut self.components[scan.members[unit.member].component];
                    let (h, v) = blocks[unit.member];
                    let index = coefficients.index(row * v + unit.dy, column * h + unit.dx);
                    change(coefficients.dc_mut(index));
                }
                reading.reader.cursor = cursor;
                if reading.reader.is_overrun() {
                    reading.walk.overrun(&reading.reader, row);
                }
            }
        }
        reading.walk.whole_rows(down)
    }

    /// Visits the blocks of an AC scan.
    #[inline(always)]
    fn ac_scan(
        &mut self,
        reading: &mut Reading<'_>,
        scan: &Scan,
        decode: impl Fn(&mut Cursor, &Window, (&mut [i16], &mut u64), &mut BandState),
    ) {
        let shape = self.shapes[scan.members[0].component];
        let mut state = BandState {
            band: band(scan),
            first: scan.first,
            last: scan.last,
            low: scan.low,
            kept: shape.kept(),
            layout: shape.layout(),
            run: 0,
        };
        let (across, down) = scan.grid(self.frame);
        let coefficients = &mut self.components[scan.members[0].component];
        for row in 0..down {
            for column in 0..across {
                match reading.walk.step(&mut reading.reader, row) {
                    Step::Decode => {}
                    Step::Restarted => state.run = 0,
                    Step::Lost => {
                        if reading.walk.has_ended() {
                            return;
                        }
                        continue;
                    }
                }
                let index = coefficients.index(row, column);
                let mut cursor = reading.reader.cursor;
                decode(&mut cursor, reading.reader.window(), coefficients.block_mut(index), &mut state);
                reading.reader.cursor = cursor;
                if reading.reader.is_overrun() {
                    reading.walk.overrun(&reading.reader, row);
                }
            }
        }
    }

    /// From coefficients to rows.
    fn render(&self, quant: &[[u16; 64]], output: &mut Output<'_>) {
        let shaped = self.frame.components.iter().zip(self.shapes);
        let mut planes: Vec<Plane> =
            shaped.map(|(component, &shape)| Plane::band(component, shape)).collect();
        let mut steps = vec![[0_i16; 64]; quant.len()];
        for ((steps, quant), shape) in steps.iter_mut().zip(quant).zip(self.shapes) {
            let (kept, layout) = (shape.kept(), shape.layout());
            for k in (0..64).filter(|k| kept >> k & 1 == 1) {
                steps[usize::from(layout[k])] = quant[k] as i16;
            }
        }
        for mcu_row in 0..self.frame.mcus_down {
            for (index, plane) in planes.iter_mut().enumerate() {
                let (coefficients, steps) = (&self.components[index], &steps[index]);
                let rows = self.frame.components[index].v;
                for row in 0..rows {
                    for column in 0..coefficients.across() {
                        let terms = coefficients.terms(coefficients.index(mcu_row * rows + row, column));
                        let stride = plane.row_stride();
                        let at = plane.block_at(row, column);
                        render_block(self.shapes[index], terms, steps, plane.samples_mut(at), stride);
                    }
                }
            }
            output.emit(&planes);
            for plane in &mut planes {
                plane.advance();
            }
        }
    }
}

/// Dequantises and transforms one block.
#[inline(always)]
fn render_block(shape: Shape, terms: &[i16], steps: &[i16; 64], out: &mut [u8], stride: usize) {
    if terms.len() == 1 {
        out[0] = idct::mean(i32::from(terms[0]) * i32::from(steps[0] as u16));
        return;
    }
    let mut block = [0; 64];
    let mut any = 0;
    for ((to, &term), &step) in block.iter_mut().zip(terms).zip(steps) {
        *to = term.wrapping_mul(step);
    }
    for &term in &terms[1..] {
        any |= term;
    }
    if any == 0 {
        idct::flat(shape, block[0], out, stride)
    } else {
        idct::inverse(shape, &block, out, stride)
    }
}
