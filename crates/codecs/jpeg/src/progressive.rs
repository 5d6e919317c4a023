//! Progressive files (T.81, annex G). All scan headers are looked up first, then only those scans are decoded that the scale needs:
//! at 1/8 those with DC terms, and of halved chroma those with the lowest AC terms. A scan of terms that are not kept is still needed where a later one refines a band that reaches
//! beyond what is kept, because the bits of a refinement cannot be told apart without knowing which terms are not zero.

use crate::bits::{BitReader, Cursor, Window};
use crate::block;
use crate::coefficients::Coefficients;
use crate::error::{Error, Limit};
use crate::frame::Frame;
use crate::header::{Header, Tables};
use crate::huffman::{AcTable, DcTable};
use crate::idct;
use crate::limits::Limits;
use crate::markers::{Markers, code};
use crate::output::Output;
use crate::plane::Plane;
use crate::scale::Scale;
use crate::scan::{Scan, Step, Walk};
use crate::sequential::Report;
use crate::shape::Shape;

/// A scan of the file, not yet decoded.
#[derive(Clone, Debug)]
struct Planned {
    scan: Scan,
    /// Where its entropy-coded data begins.
    at: usize,
    tables: Tables,
}

/// What the file holds after its header.
#[derive(Debug)]
struct Survey {
    scans: Vec<Planned>,
    /// An end-of-image marker was seen.
    closed: bool,
    damaged: bool,
}

impl Survey {
    /// # Errors
    /// [`Error::LimitExceeded`] for too many scans; [`Error::Malformed`] where not even the first one can be decoded.
    fn of(data: &[u8], header: &Header<'_>, limits: &Limits) -> Result<Self, Error> {
        let mut survey = Self { scans: Vec::new(), closed: false, damaged: false };
        let mut tables = header.tables.clone();
        let mut markers = Markers::new(data, header.scans_at);
        while let Some(segment) = markers.next_segment() {
            let taken = match segment.marker {
                code::EOI => {
                    survey.closed = true;
                    break;
                }
                code::SOS => parse_scan(&header.frame, segment.payload).map(|scan| {
                    survey.scans.push(Planned { scan, at: markers.at(), tables: tables.clone() });
                }),
                _ => tables.apply(segment),
            };
            if let Err(error) = taken {
                // What came before is still a picture.
                if survey.scans.is_empty() {
                    return Err(error);
                }
                survey.damaged = true;
                break;
            }
            if survey.scans.len() > limits.max_scans as usize {
                return Err(Error::LimitExceeded(Limit::Scans));
            }
        }
        Ok(survey)
    }

    /// Whether each scan has to be decoded for the terms in the sets `kept`, one for each component.
    fn needed(&self, kept: &[u64]) -> Vec<bool> {
        let mut watched = kept.to_vec();
        let mut needed = vec![false; self.scans.len()];
        for (planned, needed) in self.scans.iter().zip(&mut needed).rev() {
            let band = band(&planned.scan);
            for member in &planned.scan.members {
                let watched = &mut watched[member.component];
                if band & *watched != 0 {
                    *needed = true;
                    if planned.scan.high != 0 {
                        *watched |= band;
                    }
                }
            }
        }
        needed
    }

    /// All terms in the sets `kept` come down to their last bit.
    fn is_complete(&self, kept: &[u64]) -> bool {
        let mut missing = kept.to_vec();
        for planned in self.scans.iter().filter(|planned| planned.scan.low == 0) {
            for member in &planned.scan.members {
                missing[member.component] &= !band(&planned.scan);
            }
        }
        missing.iter().all(|&missing| missing == 0)
    }
}

/// The coding indices that a scan is about.
fn band(scan: &Scan) -> u64 {
    (u64::MAX >> (63 - scan.last)) & (u64::MAX << scan.first)
}

/// A scan header with the rules of T.81, G.1.1.1.
fn parse_scan(frame: &Frame, payload: &[u8]) -> Result<Scan, Error> {
    let scan = Scan::parse(frame, payload)?;
    let band_is_valid = if scan.first == 0 {
        scan.last == 0
    } else {
        scan.first <= scan.last && scan.last <= 63 && scan.members.len() == 1
    };
    if !band_is_valid {
        return Err(Error::Malformed("a scan's spectral band is not allowed"));
    }
    // libjpeg's bound; with more the first bits would not fit into a term.
    if scan.low > 13 || (scan.high != 0 && scan.high != scan.low + 1) {
        return Err(Error::Malformed("a scan's approximation is not allowed"));
    }
    Ok(scan)
}

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

/// What an AC scan carries from block to block.
struct BandState {
    /// The coding indices of the band, as a bit set.
    band: u64,
    first: u32,
    last: u32,
    /// The bit position of this scan.
    low: u32,
    kept: u64,
    layout: [u8; 64],
    /// Blocks still to come, this one included, that end at once.
    run: u32,
}

impl BandState {
    /// Reads how many blocks end here, after a symbol of size 0 whose run is below 15.
    #[inline(always)]
    fn start_run(&mut self, cursor: &mut Cursor, class: u32) {
        self.run = (1 << class) + cursor.take(class);
    }

    /// Where a kept term lies in its block.
    #[inline(always)]
    fn place(&self, k: u32) -> usize {
        usize::from(self.layout[(k & 63) as usize])
    }
}

/// The first scan of a band (T.81, G.1.2.2).
#[inline(always)]
fn first_ac(
    cursor: &mut Cursor,
    window: &Window,
    table: &AcTable,
    (terms, history): (&mut [i16], &mut u64),
    state: &mut BandState,
) {
    if state.run > 0 {
        state.run -= 1;
        return;
    }
    let mut k = state.first;
    let mut found = 0;
    while k <= state.last {
        cursor.refill(window);
        let symbol = table.symbol(cursor.bits());
        let value = cursor.bits() << (symbol.total - symbol.size);
        cursor.consume(symbol.total);
        k += symbol.run;
        if symbol.size == 0 {
            if symbol.run != 15 {
                state.start_run(cursor, symbol.run);
                state.run -= 1;
                break;
            }
        } else if k <= state.last {
            found |= 1 << k;
            if state.kept >> k & 1 == 1 {
                terms[state.place(k)] = (block::extend(value, symbol.size) << state.low) as i16;
            }
        }
        k += 1;
    }
    *history |= found;
}

/// A later scan of a band (T.81, G.1.2.3): one more bit for terms that are not zero, and terms that become so. The table has to be
/// [`AcTable::for_refinement`].
#[inline(always)]
fn refine_ac(
    cursor: &mut Cursor,
    window: &Window,
    table: &AcTable,
    (terms, history): (&mut [i16], &mut u64),
    state: &mut BandState,
) {
    // Both sets lose what has been passed.
    let mut set = *history & state.band;
    let mut zeros = !*history & state.band;
    if state.run == 0 {
        let mut found = 0;
        while set | zeros != 0 {
            cursor.refill(window);
            let bits = cursor.bits();
            let symbol = table.symbol(bits);
            if symbol.size == 0 && symbol.run != 15 {
                cursor.consume(symbol.total);
                state.start_run(cursor, symbol.run);
                break;
            }
            zeros = without_lowest(zeros, symbol.run);
            // One bit, or none where the run leads out of the band.
            let place = zeros & zeros.wrapping_neg();
            let before = place.wrapping_sub(1);
            let passed = set & before;
            let used = symbol.total + passed.count_ones();
            if passed & state.kept == 0 && used <= 56 {
                cursor.consume(used);
            } else {
                cursor.consume(symbol.total);
                correct(cursor, window, passed, terms, state);
            }
            set &= !before;
            zeros &= !place;
            if symbol.size != 0 {
                found |= place;
                if place & state.kept != 0 {
                    let positive = bits.wrapping_shl(symbol.total - 1) >> 63 == 1;
                    terms[state.place(place.trailing_zeros())] =
                        if positive { 1 << state.low } else { -1 << state.low };
                }
            }
        }
        *history |= found;
    }
    if state.run > 0 {
        state.run -= 1;
        correct(cursor, window, set, terms, state);
    }
}

/// The set without its `count` (at most 15) lowest members.
#[inline(always)]
fn without_lowest(set: u64, count: u32) -> u64 {
    let less = |set: u64| set & set.wrapping_sub(1);
    // No branch on counts that are common and hard to predict.
    let one = less(set);
    let two = less(one);
    let three = less(two);
    let (even, odd) = if count & 2 == 0 { (set, one) } else { (two, three) };
    let mut left = if count & 1 == 0 { even } else { odd };
    for _ in 0..count >> 2 {
        left = less(less(less(less(left))));
    }
    left
}

/// Reads one bit for each term of `set`, lowest index first; those that are 1 add to the term's magnitude.
#[inline(always)]
fn correct(cursor: &mut Cursor, window: &Window, set: u64, terms: &mut [i16], state: &BandState) {
    if set & state.kept == 0 {
        cursor.skip(set.count_ones(), window);
        return;
    }
    // At most 32 terms at a time, so that their bits are all in the cursor.
    for half in [set & 0xffff_ffff, set & !0xffff_ffff] {
        cursor.refill(window);
        let mut wanted = half & state.kept;
        while wanted != 0 {
            let k = wanted.trailing_zeros();
            let below = (1_u64 << k) - 1;
            let bit = (cursor.bits() << (half & below).count_ones() >> 63) as i16;
            let term = &mut terms[state.place(k)];
            // Away from zero. No branch: the bit is as good as random.
            *term = term.wrapping_add(((*term >> 15) | 1).wrapping_mul(bit << state.low));
            wanted &= wanted - 1;
        }
        cursor.consume(half.count_ones());
    }
}
