//! One more bit of levels that are partly told (T.81, section G.1.2.3).

use super::cost::SIXTEEN_ZEROS;
use super::scan::{EndRun, Sink};

/// Bit `low` of the AC levels of a block.
pub(super) fn put(sink: &mut impl Sink, run: &mut EndRun, levels: &[i16], low: u8) {
    let told = |level: i16| level.unsigned_abs() >> low;
    let last_new = levels.iter().rposition(|&level| told(level) == 1);
    let mut zeros = 0;
    // Of levels that are known not to be 0; they follow the next symbol.
    let mut corrections: Vec<bool> = Vec::new();
    for (at, &level) in levels.iter().enumerate() {
        let magnitude = told(level);
        if magnitude == 0 {
            zeros += 1;
            continue;
        }
        while zeros > 15 && last_new.is_some_and(|last| at <= last) {
            run.put(sink);
            sink.symbol(run.table, SIXTEEN_ZEROS);
            corrections.drain(..).for_each(|correction| sink.bits(u32::from(correction), 1));
            zeros -= 16;
        }
        if magnitude > 1 {
            corrections.push(magnitude & 1 == 1);
            continue;
        }
        run.put(sink);
        sink.symbol(run.table, (zeros << 4 | 1) as u8);
        sink.bits(u32::from(level > 0), 1);
        corrections.drain(..).for_each(|correction| sink.bits(u32::from(correction), 1));
        zeros = 0;
    }
    if zeros > 0 || !corrections.is_empty() {
        run.corrections.append(&mut corrections);
        run.add(sink);
    }
}
