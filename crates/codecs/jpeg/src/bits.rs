//! Reading entropy-coded bits. The bytes of a scan are first copied, without the zeros stuffed after each FF, into a small window,
//! so that the hot loops can load eight bytes at a time without looking for markers: FF comes about once in 256 bytes, and a
//! copy of 16 bytes at a time costs far less than a check at each refill.
//!
//! Past the end of a segment the window holds nothing of meaning; [`BitReader::is_overrun`] tells whether any of it was used.

use thumbs_lanes::{BYTES, U8x16};

use crate::markers::{Markers, code};

/// More than any MCU can use: 10 blocks of 64 codes of 16 bits with 15 bits of value, and one load of look-ahead.
const MAX_MCU_BYTES: usize = 10 * 64 * 31 / 8 + 80;
/// A power of two, so that an index is bounded by a mask. Small, because it competes with the tables for the L1 cache.
const WINDOW_BYTES: usize = 8192;
/// Bytes of one load, by which a masked index may reach beyond.
const LOAD_BYTES: usize = 8;

/// The unstuffed bytes.
pub(crate) type Window = [u8; WINDOW_BYTES + LOAD_BYTES];

/// The next bits, the first one at the top. `Copy` and small: hot loops keep their own in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The top `count` bits are valid; those below are zero or already the right ones.
    acc: u64,
    /// Only the low 6 bits have a meaning: table entries are subtracted whole, with what they hold above.
    count: u32,
    /// Where in the window the first byte lies that `count` does not include.
    at: usize,
}

impl Cursor {
    const START: Self = Self { acc: 0, count: 0, at: 0 };

    /// Afterwards at least 56 bits are valid.
    #[inline(always)]
    pub(crate) fn refill(&mut self, window: &Window) {
        let at = self.at & (WINDOW_BYTES - 1);
        let mut bytes = [0; LOAD_BYTES];
        bytes.copy_from_slice(&window[at..at + LOAD_BYTES]);
        self.acc |= u64::from_be_bytes(bytes).wrapping_shr(self.count);
        // (63 - count) / 8
        self.at += (((self.count >> 3) & 7) ^ 7) as usize;
        self.count |= 56;
    }

    /// The next bits, at the top. As many are valid as a refill gave, less those consumed since.
    #[inline(always)]
    pub(crate) const fn bits(&self) -> u64 {
        self.acc
    }

    /// Drops up to 56 bits that are valid.
    #[inline(always)]
    pub(crate) const fn consume(&mut self, count: u32) {
        self.consume_entry(count);
    }

    /// Drops as many bits as the low 6 bits of `entry` say, at most 56.
    #[inline(always)]
    pub(crate) const fn consume_entry(&mut self, entry: u32) {
        self.acc = self.acc.wrapping_shl(entry);
        self.count = self.count.wrapping_sub(entry);
    }

    /// The next `count <= 16` bits as a number; they have to be valid.
    #[inline(always)]
    pub(crate) const fn take(&mut self, count: u32) -> u32 {
        let value = ((self.acc >> 1) >> (63 - count)) as u32;
        self.consume(count);
        value
    }

    /// Drops any number of bits.
    #[inline(always)]
    pub(crate) fn skip(&mut self, mut count: u32, window: &Window) {
        while count > 32 {
            self.refill(window);
            self.consume(32);
            count -= 32;
        }
        self.refill(window);
        self.consume(count);
    }

    /// Gives back whole bytes that are loaded but not used. Up to 7 bits stay, of a byte before `at`.
    const fn unload(&mut self) {
        self.count &= 63;
        self.at -= (self.count >> 3) as usize;
        self.count &= 7;
        self.acc &= !(u64::MAX >> self.count);
    }
}

/// What a restart found in place of the marker that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    /// The marker.
    Found,
    /// A later one: the interval's data is lost.
    Ahead,
    /// The end of the scan or of the file.
    End,
}

/// A scan's entropy-coded data, one segment between restart markers at a time.
pub(crate) struct BitReader<'a> {
    data: &'a [u8],
    /// What comes next into the window.
    next: usize,
    window: Box<Window>,
    /// Bytes of the window that hold data.
    filled: usize,
    /// The segment ends with the window: `next` is at a marker or at the end of the file.
    ended: bool,
    /// Public to the hot loops, which work on a copy together with [`BitReader::window`].
    pub(crate) cursor: Cursor,
}

impl<'a> BitReader<'a> {
    /// At the first byte after a scan's header.
    pub(crate) fn new(data: &'a [u8], at: usize) -> Self {
        let mut reader = Self {
            data,
            next: at,
            window: Box::new([0; WINDOW_BYTES + LOAD_BYTES]),
            filled: 0,
            ended: false,
            cursor: Cursor::START,
        };
        reader.load();
        reader
    }

    /// The bytes that [`BitReader::cursor`] reads.
    #[inline(always)]
    pub(crate) const fn window(&self) -> &Window {
        &self.window
    }

    /// To be called before each MCU (or as many blocks as one can have), after which the cursor can be used without a check.
    #[inline(always)]
    pub(crate) fn ensure_mcu(&mut self) {
        // The window is full as long as the segment goes on, and beyond its end nothing that is read is used.
        if self.cursor.at > WINDOW_BYTES - MAX_MCU_BYTES {
            self.load();
        }
    }

    /// More bits were used than the segment has.
    #[inline(always)]
    pub(crate) const fn is_overrun(&self) -> bool {
        self.ended && self.cursor.at * 8 > self.filled * 8 + (self.cursor.count & 63) as usize
    }

    /// Where the next marker is to be looked for, once the scan is done.
    pub(crate) const fn end(&self) -> usize {
        self.next
    }

    /// Moves what is unread to the front and fills up behind it.
    #[cold]
    #[inline(never)]
    fn load(&mut self) {
        self.cursor.unload();
        let from = self.cursor.at.min(self.filled);
        self.window.copy_within(from..self.filled, 0);
        self.filled -= from;
        self.cursor.at = 0;
        if !self.ended {
            self.unstuff();
        }
        // Look-ahead finds zeros here; what lies further is only read by an MCU that overruns, and then dropped.
        let zeros = self.filled..(self.filled + 2 * LOAD_BYTES).min(self.window.len());
        self.window[zeros].fill(0);
    }

    /// Copies until the window is full or the segment ends.
    fn unstuff(&mut self) {
        const CHUNK: usize = BYTES;
        while self.filled + CHUNK <= WINDOW_BYTES {
            let Some(chunk) = self.data.get(self.next..).and_then(|rest| rest.first_chunk::<CHUNK>()) else {
                break;
            };
            // What is copied beyond the FF is overwritten by what comes next.
            self.window[self.filled..self.filled + CHUNK].copy_from_slice(chunk);
            let clean = U8x16::load(chunk).find(0xff);
            self.filled += clean;
            self.next += clean;
            if clean < CHUNK && !self.unstuff_ff() {
                return;
            }
        }
        while self.filled < WINDOW_BYTES {
            match self.data.get(self.next) {
                None => {
                    self.ended = true;
                    return;
                }
                Some(0xff) => {
                    if !self.unstuff_ff() {
                        return;
                    }
                }
                Some(&byte) => {
                    self.window[self.filled] = byte;
                    self.filled += 1;
                    self.next += 1;
                }
            }
        }
    }

    /// At an FF: takes it as data if zeros follow. False where the segment ends here.
    fn unstuff_ff(&mut self) -> bool {
        // FF may be repeated as fill before a marker, and libjpeg takes FF FF 00 as one data byte FF as well.
        let fill = self.data[self.next..].iter().take_while(|&&byte| byte == 0xff).count();
        if self.data.get(self.next + fill) == Some(&0) {
            self.window[self.filled] = 0xff;
            self.filled += 1;
            self.next += fill + 1;
            true
        } else {
            self.ended = true;
            false
        }
    }

    /// Moves to the segment after the restart marker RSTn with `n == due`, past data left over before it.
    ///
    /// Where another marker is found, the most likely story is assumed: one or two ahead of the due one, and data was lost;
    /// one or two behind, and it is a leftover; else it is taken for the due one.
    pub(crate) fn restart(&mut self, due: u8) -> Restart {
        let mut markers = Markers::new(self.data, self.next);
        loop {
            let before = markers.at();
            let Some(marker) = markers.next_marker() else {
                self.next = self.data.len();
                return self.end_of_scan();
            };
            match marker {
                code::RST0..=code::RST7 => match (marker - code::RST0).wrapping_sub(due) & 7 {
                    1..=2 => {
                        self.next = before;
                        return Restart::Ahead;
                    }
                    6..=7 => {}
                    _ => {
                        self.next = markers.at();
                        self.filled = 0;
                        self.ended = false;
                        self.cursor = Cursor::START;
                        self.load();
                        return Restart::Found;
                    }
                },
                // Reserved: more likely damaged data than a marker.
                0x01..=0xbf => {}
                _ => {
                    self.next = before;
                    return self.end_of_scan();
                }
            }
        }
    }

    /// There is a restart marker before the end of the scan.
    pub(crate) fn restarts_later(&self) -> bool {
        let mut markers = Markers::new(self.data, self.next);
        loop {
            match markers.next_marker() {
                Some(code::RST0..=code::RST7) => return true,
                Some(0x01..=0xbf) => {}
                _ => return false,
            }
        }
    }

    fn end_of_scan(&mut self) -> Restart {
        self.ended = true;
        Restart::End
    }
}

#[cfg(test)]
mod tests {
    use super::{BitReader, Restart};

    fn all_bytes(data: &[u8]) -> Vec<u8> {
        let mut reader = BitReader::new(data, 0);
        let mut bytes = Vec::new();
        loop {
            reader.ensure_mcu();
            let mut cursor = reader.cursor;
            cursor.refill(reader.window());
            let byte = cursor.take(8);
            reader.cursor = cursor;
            if reader.is_overrun() {
                return bytes;
            }
            bytes.push(byte as u8);
        }
    }

    #[test]
    fn stuffed_zeros_are_dropped_wherever_the_ff_lies() {
        for before in 0..40 {
            let mut data = vec![0x5a; before];
            data.extend([0xff, 0x00, 0xff, 0xff, 0x00, 1, 2, 0xff, 0xd9, 3]);
            let mut expected = vec![0x5a; before];
            expected.extend([0xff, 0xff, 1, 2]);
            assert_eq!(all_bytes(&data), expected);
        }
    }

    #[test]
    fn long_segments_pass_through_the_window() {
        let data: Vec<u8> = (0..50_000_u32).map(|i| (i * 7 % 255) as u8).collect();
        assert_eq!(all_bytes(&data), data);
    }

    #[test]
    fn an_odd_number_of_bits_survives_a_reload() {
        let data: Vec<u8> = (0..40_000_u32).map(|i| (i * 31 % 251) as u8).collect();
        let mut reader = BitReader::new(&data, 0);
        let bit = |at: usize| u32::from(data[at / 8] >> (7 - at % 8)) & 1;
        for start in (0..data.len() * 8 - 13).step_by(13) {
            reader.ensure_mcu();
            assert!(!reader.is_overrun());
            let mut cursor = reader.cursor;
            cursor.refill(reader.window());
            let value = cursor.take(13);
            reader.cursor = cursor;
            assert_eq!(value, (start..start + 13).fold(0, |value, at| value << 1 | bit(at)));
        }
    }

    #[test]
    fn restarts_tell_lost_data_from_leftovers() {
        let data = [1, 2, 0xff, 0xd1, 3, 0xff, 0xd2, 4, 0xff, 0xd9];
        let mut reader = BitReader::new(&data, 0);
        assert_eq!(reader.restart(0), Restart::Ahead);
        assert_eq!(reader.restart(1), Restart::Found);
        assert_eq!(reader.restart(4), Restart::End);
        let mut reader = BitReader::new(&data, 0);
        assert_eq!(reader.restart(2), Restart::Found);
        let mut cursor = reader.cursor;
        cursor.refill(reader.window());
        assert_eq!(cursor.take(8), 4);
    }
}
