//! The terms of one block in an AC scan: its first bits (T.81, G.1.2.2), or one more (G.1.2.3).

use crate::bits::{Cursor, Window};
use crate::block;
use crate::huffman::AcTable;

/// What an AC scan carries from block to block.
pub(super) struct BandState {
    /// The coding indices of the band, as a bit set.
    pub(super) band: u64,
    pub(super) first: u32,
    pub(super) last: u32,
    /// The bit position of this scan.
    pub(super) low: u32,
    pub(super) kept: u64,
    pub(super) layout: [u8; 64],
    /// Blocks still to come, this one included, that end at once.
    pub(super) run: u32,
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
pub(super) fn first_ac(
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
pub(super) fn refine_ac(
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
