//! The one thing we take from EXIF (CIPA DC-008, a TIFF 6.0 block): the orientation. Cameras, editors and cutters break
//! these blocks in every way, and a picture is never refused for it.

use crate::bytes::{be16, be32, le16, le32};

/// Tag 0x0112 of the first directory.
const ORIENTATION: u16 = 0x0112;
/// TIFF's field types that occur for it.
const SHORT: u16 = 3;
const LONG: u16 = 4;
/// A directory entry: tag, type, count, value.
const ENTRY_BYTES: usize = 12;

/// 1 to 8, from a TIFF block or one with EXIF's `Exif\0\0` before it. `None` where there is none that makes sense.
pub(crate) fn orientation(block: &[u8]) -> Option<u8> {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let big_endian = match tiff.get(..4)? {
        [b'M', b'M', 0, 42] => true,
        [b'I', b'I', 42, 0] => false,
        _ => return None,
    };
    let short = |at| if big_endian { be16(tiff, at) } else { le16(tiff, at) };
    let long = |at| if big_endian { be32(tiff, at) } else { le32(tiff, at) };

    let directory = usize::try_from(long(4)?).ok()?;
    let entries = short(directory)?;
    let first = directory.checked_add(2)?;
    for index in 0..usize::from(entries) {
        let entry = first.checked_add(index * ENTRY_BYTES)?;
        // A directory cut short: what comes before the cut is as good as ever.
        if short(entry)? != ORIENTATION {
            continue;
        }
        let value = match short(entry + 2)? {
            SHORT => u32::from(short(entry + 8)?),
            LONG => long(entry + 8)?,
            _ => return None,
        };
        return u8::try_from(value).ok().filter(|value| (1..=8).contains(value));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(big_endian: bool, kind: u16, value: u32) -> Vec<u8> {
        let short = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
        let long = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut bytes = if big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        bytes.extend(short(42));
        bytes.extend(long(8));
        bytes.extend(short(2));
        // Something else comes first.
        bytes.extend([short(0x0100), short(SHORT)].concat());
        bytes.extend([long(1), long(7)].concat());
        bytes.extend([short(ORIENTATION), short(kind)].concat());
        bytes.extend(long(1));
        if kind == SHORT {
            bytes.extend(short(u16::try_from(value).unwrap()));
            bytes.extend([0, 0]);
        } else {
            bytes.extend(long(value));
        }
        bytes
    }

    #[test]
    fn reads_all_eight_in_both_byte_orders() {
        for value in 1..=8 {
            for big_endian in [true, false] {
                for kind in [SHORT, LONG] {
                    assert_eq!(orientation(&block(big_endian, kind, value)), u8::try_from(value).ok());
                }
            }
        }
    }

    #[test]
    fn reads_behind_the_marker_that_jpeg_has_and_webp_may_have() {
        let bytes = [&b"Exif\0\0"[..], &block(true, SHORT, 6)].concat();
        assert_eq!(orientation(&bytes), Some(6));
    }

    #[test]
    fn ignores_values_out_of_range() {
        for value in [0, 9, 255, 65535] {
            assert_eq!(orientation(&block(true, SHORT, value)), None);
        }
        assert_eq!(orientation(&block(true, LONG, 0x0006_0000)), None);
    }

    #[test]
    fn survives_every_cut() {
        let whole = block(false, SHORT, 3);
        for length in 0..whole.len() {
            let cut = orientation(&whole[..length]);
            assert!(cut.is_none() || cut == Some(3));
        }
    }

    #[test]
    fn survives_a_directory_beyond_the_end() {
        assert_eq!(orientation(b"MM\0\x2A\xFF\xFF\xFF\xFF"), None);
        assert_eq!(orientation(b"MM\0\x2A\0\0\0\x08\xFF\xFF"), None);
    }
}
