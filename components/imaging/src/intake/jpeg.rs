//! JPEG: what stands before the first scan of sizes, tables and orientation. Profiles, previews and comments go past, and with the scan
//! everything behind it.

use super::walk::{self, Want};

/// Second byte of the markers that matter.
mod code {
    pub(super) const SOF0: u8 = 0xC0;
    pub(super) const SOF15: u8 = 0xCF;
    pub(super) const DHT: u8 = 0xC4;
    pub(super) const RST0: u8 = 0xD0;
    pub(super) const RST7: u8 = 0xD7;
    pub(super) const SOI: u8 = 0xD8;
    pub(super) const EOI: u8 = 0xD9;
    pub(super) const SOS: u8 = 0xDA;
    pub(super) const DQT: u8 = 0xDB;
    pub(super) const DRI: u8 = 0xDD;
    pub(super) const APP1: u8 = 0xE1;
}
/// What the first segment of EXIF and that of XMP begin with.
const TAGS: [&[u8]; 2] = [b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0"];
const LONGEST_TAG_BYTES: usize = 29;
/// Tables are kept to see whether they are sound; those of a file with more are found out when it is decoded.
const MAX_TABLE_BYTES: usize = 64 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Walk {
    at: At,
    /// Of the segment.
    marker: u8,
    payload_bytes: usize,
    has_frame: bool,
    /// Of each of [`TAGS`].
    has_tagged: [bool; 2],
    /// The beginning of a segment's payload that was looked at.
    tag: Vec<u8>,
    is_ready: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Start,
    /// Before the FF of a marker.
    Fill,
    /// Behind it.
    Marker,
    Length,
    Tag,
    Tagged,
    Payload,
    /// Behind the payload that goes past.
    Behind,
    Scan,
}

impl Walk {
    const fn want(&mut self, at: At, count: usize) -> Want {
        self.at = at;
        Want::Bytes(count)
    }

    fn past(&mut self, at: At, count: usize) -> Want {
        self.at = at;
        Want::Past(count as u64)
    }

    fn marker(&mut self, marker: u8, outline: &mut Vec<u8>) -> Want {
        match marker {
            0xFF => self.want(At::Marker, 1),
            0x00..=0xBF | code::RST0..=code::RST7 | code::SOI => self.want(At::Fill, 1),
            code::EOI => {
                outline.extend_from_slice(&[0xFF, code::EOI]);
                self.is_ready = true;
                Want::Nothing
            }
            _ => {
                self.marker = marker;
                self.want(At::Length, 2)
            }
        }
    }

    fn segment(&mut self, payload_bytes: usize, outline: &mut Vec<u8>) -> Want {
        self.payload_bytes = payload_bytes;
        let is_table = matches!(self.marker, code::DHT | code::DQT | code::DRI);
        let is_frame = matches!(self.marker, code::SOF0..=code::SOF15) && !is_table;
        let is_kept = is_frame && !self.has_frame
            || (is_table || is_frame) && outline.len() + payload_bytes <= MAX_TABLE_BYTES;
        self.has_frame |= is_frame;
        match self.marker {
            code::SOS => self.past(At::Scan, payload_bytes),
            code::APP1 if payload_bytes >= LONGEST_TAG_BYTES => self.want(At::Tag, LONGEST_TAG_BYTES),
            _ if is_kept && payload_bytes > 0 => self.want(At::Payload, payload_bytes),
            _ if is_kept => {
                self.add(&[], outline);
                self.want(At::Fill, 1)
            }
            _ => self.past(At::Behind, payload_bytes),
        }
    }

    fn add(&self, payload: &[u8], outline: &mut Vec<u8>) {
        outline.extend_from_slice(&[0xFF, self.marker]);
        let length = u16::try_from(payload.len() + 2).unwrap_or(u16::MAX);
        outline.extend_from_slice(&length.to_be_bytes());
        outline.extend_from_slice(payload);
    }

    /// Whether the payload is of the first segment with its tag.
    fn is_wanted(&mut self, tag: &[u8]) -> bool {
        let mut known = TAGS.iter().zip(&mut self.has_tagged);
        known.any(|(start, has)| tag.starts_with(start) && !std::mem::replace(has, true))
    }
}

impl walk::Walk for Walk {
    fn begin(&self) -> Want {
        Want::Bytes(2)
    }

    fn step(&mut self, bytes: &[u8], outline: &mut Vec<u8>) -> Want {
        match (self.at, bytes) {
            (At::Start, _) => {
                outline.extend_from_slice(bytes);
                self.want(At::Fill, 1)
            }
            (At::Fill, [0xFF]) => self.want(At::Marker, 1),
            (At::Marker, &[marker]) => self.marker(marker, outline),
            (At::Length, &[high, low]) => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                self.segment(length.saturating_sub(2), outline)
            }
            (At::Tag, _) => {
                let rest = self.payload_bytes - bytes.len();
                if !self.is_wanted(bytes) {
                    return self.past(At::Behind, rest);
                }
                if rest == 0 {
                    self.add(bytes, outline);
                    return self.want(At::Fill, 1);
                }
                self.tag = bytes.to_vec();
                self.want(At::Tagged, rest)
            }
            (At::Tagged, _) => {
                let mut payload = std::mem::take(&mut self.tag);
                payload.extend_from_slice(bytes);
                self.add(&payload, outline);
                self.want(At::Fill, 1)
            }
            (At::Payload, _) => {
                self.add(bytes, outline);
                self.want(At::Fill, 1)
            }
            (At::Scan, _) => {
                self.add(&[], outline);
                self.is_ready = true;
                Want::Nothing
            }
            (At::Fill | At::Behind | At::Marker | At::Length, _) => self.want(At::Fill, 1),
        }
    }

    /// What is cut off is no segment.
    fn end(&mut self, _: &[u8], _: &mut Vec<u8>) {}

    fn is_ready(&self) -> bool {
        self.is_ready
    }
}
