//! `hvcC` (ISO/IEC 14496-15, 8.3.3): the parameter sets of a picture, and how long the lengths in its bytes are.

use heic_decoder::isobmff::{HevcDecoderConfig, HevcNalArray};

use crate::picture::Error;

const HEAD_BYTES: usize = 23;

const CUT: Error = Error::Malformed("its configuration ends too early");

/// As the decoder wants it.
pub(crate) fn read(bytes: &[u8]) -> Result<HevcDecoderConfig, Error> {
    let (head, mut rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(CUT)?;
    let length_size_minus_one = head.get(21).ok_or(CUT)? & 3;
    let mut arrays = Vec::new();
    for _ in 0..*head.get(22).ok_or(CUT)? {
        let (&[kind, count @ ..], after) = rest.split_first_chunk::<3>().ok_or(CUT)?;
        rest = after;
        let mut nalus = Vec::new();
        for _ in 0..u16::from_be_bytes(count) {
            let (unit, after) = unit(rest)?;
            rest = after;
            nalus.push(unit.to_vec());
        }
        arrays.push(HevcNalArray { nal_unit_type: kind & 0x3F, nalus });
    }
    Ok(HevcDecoderConfig { length_size_minus_one, arrays, ..HevcDecoderConfig::default() })
}

/// Behind its length; and what is behind it.
fn unit(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let (length, rest) = bytes.split_first_chunk().ok_or(CUT)?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(CUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_sets_are_found() {
        let mut bytes = vec![0; HEAD_BYTES];
        bytes[21] = 0xFD;
        bytes[22] = 2;
        bytes.extend([0xA1, 0, 2, 0, 3, 0x42, 1, 7, 0, 1, 0x44, 0x27, 0, 1, 0, 1, 0x4E]);
        let configuration = read(&bytes).unwrap();
        assert_eq!(configuration.length_size_minus_one, 1);
        let units: Vec<_> = configuration.nalus_of_type(33).cloned().collect();
        assert_eq!(units, [vec![0x42, 1, 7], vec![0x44]]);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
    }
}
