//! What was put out: the history that matches refer to, then what nobody took yet.

/// How far back a match refers at most (RFC 1951, section 2).
const HISTORY: usize = 32 << 10;
/// What is put out at a time, unless more is wanted: together with the history it fits the second-level cache.
const AT_ONCE: usize = 96 << 10;
/// What is held at most.
const CAPACITY: usize = 256 << 10;
/// What may be written behind the end that was asked for: two literals, a match of 258 bytes, and what its last chunks have too
/// much. The rest is for lengths that are not known to be so small where indices are checked.
const SLACK: usize = 640;
/// Matches are copied this many bytes at a time, so up to two chunks less a byte too many.
const CHUNK: usize = 16;

pub(crate) type Bytes = [u8; CAPACITY + SLACK];

#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) bytes: Box<Bytes>,
    /// The first byte that was not taken.
    taken: usize,
    /// Where the output ends; what stands behind means nothing. Less than [`CAPACITY`] where a symbol is read.
    pub(crate) filled: usize,
    /// How many bytes stood before the first one that is here.
    gone: u64,
}

impl Window {
    /// What can be asked for at a time.
    pub(crate) const MOST: usize = CAPACITY - HISTORY;

    #[expect(clippy::unwrap_used, reason = "a vector of the array's length")]
    pub(crate) fn new() -> Self {
        // By way of a vector: an array would be made on the stack and moved.
        let bytes = vec![0; CAPACITY + SLACK].into_boxed_slice().try_into().unwrap();
        Self { bytes, taken: 0, filled: 0, gone: 0 }
    }

    /// How many bytes were put out so far.
    pub(crate) const fn put_out(&self) -> u64 {
        self.gone + self.filled as u64
    }

    /// How many of them were not taken.
    pub(crate) const fn pending(&self) -> usize {
        self.filled - self.taken
    }

    /// Makes room for `wanted` bytes, at most [`Window::MOST`]; says where the output is to end.
    pub(crate) fn make_room(&mut self, wanted: usize) -> usize {
        // At least twice as much as is wanted, as far as that can be: the less often is history moved.
        let until = HISTORY + AT_ONCE.max(2 * wanted).min(Self::MOST);
        if self.taken + wanted > until {
            let keep = self.taken.min(self.filled.saturating_sub(HISTORY));
            self.bytes.copy_within(keep..self.filled, 0);
            self.taken -= keep;
            self.filled -= keep;
            self.gone += keep as u64;
        }
        until
    }

    /// The next bytes, at most `wanted`.
    pub(crate) fn take(&mut self, wanted: usize) -> &[u8] {
        let begin = self.taken;
        self.taken = self.filled.min(begin + wanted);
        self.bytes.get(begin..self.taken).unwrap_or_default()
    }

    /// Puts out the bytes, which fit before [`CAPACITY`].
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.filled..self.filled + bytes.len()) {
            room.copy_from_slice(bytes);
            self.filled += bytes.len();
        }
    }
}

/// Where to stop so that what a symbol puts out fits.
pub(crate) fn bound(until: usize) -> usize {
    until.min(CAPACITY)
}

/// Copies what was put out `distance` bytes ago, and up to two chunks less a byte that mean nothing. `filled` is at most
/// [`CAPACITY`] and two literals, `distance` at least 1 and at most `filled`, `length` at most 258.
#[inline(always)]
pub(crate) fn copy(bytes: &mut Bytes, filled: usize, distance: usize, length: usize) {
    if distance < CHUNK {
        copy_near(bytes, filled, distance, length);
        return;
    }
    // Up to half of a photograph's matches are longer than one chunk, up to a third longer than two.
    copy_chunk(bytes, filled, distance);
    copy_chunk(bytes, filled + CHUNK, distance);
    if length > 2 * CHUNK {
        copy_long(bytes, filled, distance, length);
    }
}

/// What is behind the first two chunks.
// On its own: its loop would cost the loop over the symbols registers.
#[inline(never)]
fn copy_long(bytes: &mut Bytes, filled: usize, distance: usize, length: usize) {
    let mut done = 2 * CHUNK;
    while done < length {
        copy_chunk(bytes, filled + done, distance);
        copy_chunk(bytes, filled + done + CHUNK, distance);
        done += 2 * CHUNK;
    }
}

/// Of a match that overlaps itself by less than a chunk, more and more is there to be copied.
#[inline(never)]
fn copy_near(bytes: &mut Bytes, filled: usize, distance: usize, length: usize) {
    if distance == 1 {
        let last = bytes.get(filled - 1).copied().unwrap_or_default();
        if let Some(run) = bytes.get_mut(filled..filled + length) {
            run.fill(last);
        }
        return;
    }
    let (mut period, mut done) = (distance, 0);
    while done < length {
        copy_chunk(bytes, filled + done, period);
        if period < CHUNK {
            done += period;
            period *= 2;
        } else {
            done += CHUNK;
        }
    }
}

#[inline(always)]
fn copy_chunk(bytes: &mut Bytes, to: usize, distance: usize) {
    let chunk = bytes.get(to - distance..).and_then(<[u8]>::first_chunk::<CHUNK>).copied();
    let place = bytes.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<CHUNK>);
    if let (Some(chunk), Some(place)) = (chunk, place) {
        *place = chunk;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_of_all_lengths_repeat_what_was_put_out() {
        let mut window = Window::new();
        let value = |at: usize| (at * 31 % 253) as u8;
        for (at, byte) in window.bytes.iter_mut().enumerate() {
            *byte = value(at);
        }
        let filled = HISTORY + 5;
        for distance in (1..=70).chain([300, HISTORY]) {
            for length in 3..=258 {
                copy(&mut window.bytes, filled, distance, length);
                for (at, byte) in window.bytes.iter_mut().enumerate().skip(filled).take(length + 2 * CHUNK) {
                    let repeated = value(filled - distance + (at - filled) % distance);
                    assert!(*byte == repeated || at >= filled + length, "{distance} {length}");
                    *byte = value(at);
                }
            }
        }
    }

    #[test]
    fn the_longest_match_fits_at_the_end() {
        let mut window = Window::new();
        let last = CAPACITY - 1 + 2;
        for distance in [1, 2, 15, 16, 17, HISTORY] {
            window.bytes[last - distance..last].fill(7);
            copy(&mut window.bytes, last, distance, 258);
            assert!(window.bytes[last..last + 258].iter().all(|&byte| byte == 7), "{distance}");
        }
    }

    #[test]
    fn what_matches_may_refer_to_is_kept() {
        let mut window = Window::new();
        let mut put_out = 0_u32;
        for wanted in [1, 5000, Window::MOST, 7, 100_000, Window::MOST] {
            for _ in 0..5 {
                let until = window.make_room(wanted);
                assert!(until <= CAPACITY);
                while window.filled < until {
                    put_out += 1;
                    window.put(&[(put_out % 251) as u8]);
                }
                assert_eq!(window.put_out(), u64::from(put_out));
                let back = window.filled.min(HISTORY) as u32;
                for at in 0..back {
                    assert_eq!(window.bytes[window.filled - 1 - at as usize], ((put_out - at) % 251) as u8);
                }
                assert_eq!(window.take(wanted).len(), wanted);
            }
        }
    }
}
