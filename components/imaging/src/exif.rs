//! The one thing we take from EXIF (CIPA DC-008, a TIFF 6.0 block): the orientation. Cameras, editors and cutters break
//! these blocks in every way, and a picture is never refused for it.

use crate::bytes::{be16, be32, le16, le32};

/// Tag 0x0112 of the first directory.
const ORIENTATION: u16 = 0x0112;
/// TIFF's types of whole numbers. It should be a SHORT; programs write all of them.
mod kind {
    pub(super) const BYTE: u16 = 1;
    pub(super) const SHORT: u16 = 3;
    pub(super) const LONG: u16 = 4;
    pub(super) const SBYTE: u16 = 6;
    pub(super) const SSHORT: u16 = 8;
    pub(super) const SLONG: u16 = 9;
}
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
            kind::BYTE | kind::SBYTE => u32::from(*tiff.get(entry + 8)?),
            kind::SHORT | kind::SSHORT => u32::from(short(entry + 8)?),
            // What is negative is out of range one way or the other.
            kind::LONG | kind::SLONG => long(entry + 8)?,
            _ => return None,
        };
        return u8::try_from(value).ok().filter(|value| (1..=8).contains(value));
    }
    None
}

/// The longest block that is read out of a text. Real ones have some hundred bytes, or some ten thousand with a picture in them.
const MAX_RAW_BYTES: usize = 64 << 10;

/// The block out of a text of ImageMagick's: a line with a name, a line with the number of bytes, then these in hexadecimal. What is no
/// digit between them is passed over, and what comes behind the longest block.
pub(crate) fn from_text(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.trim_ascii_start().splitn(3, |&byte| byte == b'\n').skip(2);
    let digits: Vec<u8> = lines
        .next()?
        .iter()
        .filter_map(|&byte| char::from(byte).to_digit(16))
        .take(2 * MAX_RAW_BYTES)
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    Some(digits.as_chunks().0.iter().map(|&[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::kind::{LONG, SHORT};
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
        match kind {
            kind::BYTE | kind::SBYTE => bytes.extend([u8::try_from(value).unwrap(), 0, 0, 0]),
            SHORT | kind::SSHORT => {
                bytes.extend(short(u16::try_from(value).unwrap()));
                bytes.extend([0, 0]);
            }
            _ => bytes.extend(long(value)),
        }
        bytes
    }

    #[test]
    fn reads_all_eight_in_both_byte_orders() {
        for value in 1..=8 {
            for big_endian in [true, false] {
                for kind in [kind::BYTE, SHORT, LONG, kind::SBYTE, kind::SSHORT, kind::SLONG] {
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
        assert_eq!(orientation(&block(true, kind::SLONG, 6_u32.wrapping_neg())), None);
        // A rational number, and a text.
        assert_eq!(orientation(&block(true, 5, 6)), None);
        assert_eq!(orientation(&block(true, 2, 6)), None);
    }

    #[test]
    fn reads_a_block_out_of_a_text() {
        let bytes = block(true, SHORT, 6);
        let lines =
            bytes.chunks(36).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let text = format!("\nexif\n      {}\n{}\n", bytes.len(), lines.collect::<Vec<_>>().join("\n"));
        assert_eq!(from_text(text.as_bytes()), Some(bytes));
        assert_eq!(from_text(b""), None);
        assert_eq!(from_text(b"\nexif\n 4"), None);
        assert_eq!(
            from_text(&[&b"exif\n1\n"[..], &vec![b'0'; 3 * MAX_RAW_BYTES]].concat()).unwrap().len(),
            MAX_RAW_BYTES
        );
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
