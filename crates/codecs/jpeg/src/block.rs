//! Decoding one block of a sequential scan (T.81, section F.2.2). All functions expect that the reader has ensured an MCU.

use crate::bits::{Cursor, Window};
use crate::huffman::{AcTable, DcTable, END_OF_BLOCK, SkipTable};

/// The value that `size` bits at the top of `bits` stand for (T.81, EXTEND in F.2.2.1).
#[inline(always)]
pub(crate) const fn extend(bits: u64, size: u32) -> i32 {
    let value = ((bits >> 1) >> (63 - size)) as i32;
    // All ones where the first bit is set, that is, where the value is positive.
    let positive = ((bits as i64) >> 63) as i32;
    value + (!positive & (1 - (1 << size)))
}

/// The difference of a DC term. Refills; at least [`SkipTable::MAX_BITS`] bits stay valid afterwards.
#[inline(always)]
pub(crate) fn difference(cursor: &mut Cursor, window: &Window, table: &DcTable) -> i32 {
    cursor.refill(window);
    let symbol = table.symbol(cursor.bits());
    let difference = extend(cursor.bits() << (symbol.total - symbol.size), symbol.size);
    cursor.consume(symbol.total);
    if symbol.total > DcTable::MAX_TOTAL {
        cursor.refill(window);
    }
    difference
}

const _: () = assert!(DcTable::MAX_TOTAL + SkipTable::MAX_BITS <= 56);

/// Steps over a block's terms from index `k` (1 to 63) to its end. At least [`SkipTable::MAX_BITS`] bits have to be valid.
#[inline(always)]
pub(crate) fn skip_terms(cursor: &mut Cursor, window: &Window, mut k: u32, tables: (&SkipTable, &AcTable)) {
    // One refill is enough for two steps.
    const { assert!(2 * SkipTable::MAX_BITS <= 56) };
    loop {
        if skip_step(cursor, window, &mut k, tables) {
            return;
        }
        cursor.refill(window);
        if skip_step(cursor, window, &mut k, tables) {
            return;
        }
    }
}

/// One step. True where it ends the block.
#[inline(always)]
fn skip_step(cursor: &mut Cursor, window: &Window, k: &mut u32, (skip, ac): (&SkipTable, &AcTable)) -> bool {
    let entry = skip.entry(cursor.bits());
    let after = *k + (entry >> 8);
    if after < 64 {
        cursor.consume_entry(entry);
        *k = after;
        return false;
    }
    if after == 64 || (END_OF_BLOCK..END_OF_BLOCK + 64).contains(&after) {
        cursor.consume_entry(entry);
        return true;
    }
    (*cursor, *k) = skip_one(*cursor, window, *k, ac);
    *k > 63
}

/// Steps over one symbol, near the end of a block or where a code is long, and refills. Gives 64 or more where the block is done.
#[inline(never)]
fn skip_one(mut cursor: Cursor, window: &Window, k: u32, ac: &AcTable) -> (Cursor, u32) {
    cursor.refill(window);
    let symbol = ac.symbol(cursor.bits());
    cursor.consume(symbol.total);
    cursor.refill(window);
    let ended = symbol.size == 0 && symbol.run != 15;
    (cursor, if ended { 64 } else { k + symbol.run + 1 })
}

/// Decodes the terms 1 to `LAST` into `block`, dequantised, and steps over the rest. Says whether any was not zero.
#[inline(always)]
pub(crate) fn terms<const LAST: u32>(
    cursor: &mut Cursor,
    window: &Window,
    (skip, ac): (&SkipTable, &AcTable),
    (quant, layout): (&[u16; 64], &[u8; 64]),
    block: &mut [i16; 64],
) -> bool {
    let mut k = 1;
    let mut any = false;
    while k <= LAST {
        cursor.refill(window);
        let symbol = ac.symbol(cursor.bits());
        let value = extend(cursor.bits() << (symbol.total - symbol.size), symbol.size);
        cursor.consume(symbol.total);
        k += symbol.run;
        if symbol.size == 0 {
            if symbol.run != 15 {
                return any;
            }
        } else if k <= LAST {
            any = true;
            let index = (k & 63) as usize;
            block[usize::from(layout[index] & 63)] = (value as i16).wrapping_mul(quant[index] as i16);
        }
        k += 1;
    }
    if k < 64 {
        cursor.refill(window);
        skip_terms(cursor, window, k, (skip, ac));
    }
    any
}

#[cfg(test)]
mod tests {
    use super::extend;

    #[test]
    fn extends_as_the_standard_tabulates() {
        // T.81, tables F.1 and F.2.
        let value =
            |bits: u64, size: u32| extend(if size == 0 { u64::MAX } else { bits << (64 - size) }, size);
        assert_eq!(value(0, 0), 0);
        assert_eq!([value(0, 1), value(1, 1)], [-1, 1]);
        assert_eq!([value(0, 2), value(1, 2), value(2, 2), value(3, 2)], [-3, -2, 2, 3]);
        assert_eq!([value(0, 10), value(511, 10), value(512, 10), value(1023, 10)], [-1023, -512, 512, 1023]);
        assert_eq!([value(0, 15), value(0x7fff, 15)], [-32_767, 32_767]);
    }
}
