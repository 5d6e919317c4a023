//! One more bit of levels that are partly told (T.81, section G.1.2.3).

use super::cost::SIXTEEN_ZEROS;
use super::levels::Block;
use super::scan::{EndRun, Sink, band, positions};

/// Bit `low` of the AC levels of a block, of which these are present.
pub(super) fn put(sink: &mut impl Sink, run: &mut EndRun, (block, present): (&Block, u64), low: u8) {
    let told = |at: usize| block[at].unsigned_abs() >> low;
    let present = present & band(1, 63);
    let last_new = positions(present).filter(|&at| told(at) == 1).last();
    // Those of which nothing is known yet, up to `next`.
    let (mut zeros, mut next) = (0, 1);
    // Of levels that are known not to be 0; they follow the next symbol.
    let mut corrections: Vec<bool> = Vec::new();
    for at in positions(present) {
        let magnitude = told(at);
        if magnitude == 0 {
            continue;
        }
        zeros += at - next;
        next = at + 1;
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
        sink.bits(u32::from(block[at] > 0), 1);
        corrections.drain(..).for_each(|correction| sink.bits(u32::from(correction), 1));
        zeros = 0;
    }
    if next < block.len() || zeros > 0 || !corrections.is_empty() {
        run.corrections.append(&mut corrections);
        run.add(sink);
    }
}
