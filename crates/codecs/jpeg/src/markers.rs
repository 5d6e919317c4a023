//! Walking a file by its markers (T.81, section B.1.1). Knows nothing of what segments mean.

use thumbs_lanes::{BYTES, U8x16};

/// Second byte of each marker that this decoder looks at.
pub(crate) mod code {
    pub(crate) const SOF0: u8 = 0xc0;
    pub(crate) const SOF1: u8 = 0xc1;
    pub(crate) const SOF2: u8 = 0xc2;
    pub(crate) const SOF3: u8 = 0xc3;
    pub(crate) const DHT: u8 = 0xc4;
    pub(crate) const SOF5: u8 = 0xc5;
    pub(crate) const JPG: u8 = 0xc8;
    pub(crate) const SOF9: u8 = 0xc9;
    pub(crate) const DAC: u8 = 0xcc;
    pub(crate) const SOF15: u8 = 0xcf;
    pub(crate) const RST0: u8 = 0xd0;
    pub(crate) const RST7: u8 = 0xd7;
    pub(crate) const SOI: u8 = 0xd8;
    pub(crate) const EOI: u8 = 0xd9;
    pub(crate) const SOS: u8 = 0xda;
    pub(crate) const DQT: u8 = 0xdb;
    pub(crate) const DRI: u8 = 0xdd;
    pub(crate) const APP0: u8 = 0xe0;
    pub(crate) const APP1: u8 = 0xe1;
    pub(crate) const APP2: u8 = 0xe2;
    pub(crate) const APP14: u8 = 0xee;
    pub(crate) const TEM: u8 = 0x01;
}

/// A marker with its payload, empty where the marker has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    pub(crate) payload: &'a [u8],
}

/// A place in the file, always between segments or in entropy-coded data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Markers<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Markers<'a> {
    pub(crate) const fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at }
    }

    /// Offset in the file of what comes next.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The next segment, after whatever is no marker: entropy-coded data with its stuffed zeros and restart markers, fill
    /// bytes, and garbage, which libjpeg skips as well. `None` where the file ends before the segment does.
    pub(crate) fn next_segment(&mut self) -> Option<Segment<'a>> {
        loop {
            let marker = self.next_marker()?;
            match marker {
                code::RST0..=code::RST7 | code::TEM => {}
                code::SOI | code::EOI => return Some(Segment { marker, payload: &[] }),
                // 02 to BF are reserved; in damaged data they are more likely chance than segments.
                0x02..=0xbf => {}
                _ => {
                    let length = usize::from(u16::from_be_bytes(*self.data.get(self.at..)?.first_chunk()?));
                    let payload = self.data.get(self.at + 2..self.at + length.max(2))?;
                    self.at += length.max(2);
                    return Some(Segment { marker, payload });
                }
            }
        }
    }

    /// Moves past the next byte pair FF xx that is neither stuffed nor fill, and gives xx.
    pub(crate) fn next_marker(&mut self) -> Option<u8> {
        loop {
            let found = find_ff(self.data, self.at)?;
            self.at = found + 1;
            match *self.data.get(self.at)? {
                // The byte is looked at again: it may begin the marker.
                0xff => {}
                0x00 => self.at += 1,
                marker => {
                    self.at += 1;
                    return Some(marker);
                }
            }
        }
    }
}

/// The offset of the first FF at or after `from`.
fn find_ff(data: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(chunk) = data.get(at..).and_then(|rest| rest.first_chunk::<BYTES>()) {
        let clean = U8x16::load(chunk).find(0xff);
        at += clean;
        if clean < BYTES {
            return Some(at);
        }
    }
    data.get(at..)?.iter().position(|&byte| byte == 0xff).map(|offset| at + offset)
}

#[cfg(test)]
mod tests {
    use super::{Markers, Segment, find_ff};

    #[test]
    fn finds_ff_at_every_offset() {
        for length in 1..70 {
            for at in 0..length {
                let mut data = vec![0xfe; length];
                assert_eq!(find_ff(&data, 0), None);
                data[at] = 0xff;
                assert_eq!(find_ff(&data, 0), Some(at));
                assert_eq!(find_ff(&data, at), Some(at));
                assert_eq!(find_ff(&data, at + 1), None);
            }
        }
    }

    #[test]
    fn skips_entropy_coded_data_fill_and_restarts() {
        let data = [0x12, 0xff, 0x00, 0xff, 0xd3, 0x55, 0xff, 0xff, 0xff, 0xfe, 0, 3, 7, 0xff, 0xd9];
        let mut markers = Markers::new(&data, 0);
        assert_eq!(markers.next_segment(), Some(Segment { marker: 0xfe, payload: &[7] }));
        assert_eq!(markers.next_segment(), Some(Segment { marker: 0xd9, payload: &[] }));
        assert_eq!(markers.next_segment(), None);
    }

    #[test]
    fn a_segment_that_reaches_past_the_end_is_none() {
        assert_eq!(Markers::new(&[0xff, 0xfe, 0, 9, 1], 0).next_segment(), None);
        assert_eq!(Markers::new(&[0xff, 0xfe, 0], 0).next_segment(), None);
        assert_eq!(Markers::new(&[0xff], 0).next_segment(), None);
    }
}
