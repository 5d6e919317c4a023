//! Everything before the first scan, and the tables that may change between scans (T.81, section B.2).

use crate::error::Error;
use crate::frame::{ColourModel, Frame, Process};
use crate::huffman::Codes;
use crate::markers::{Markers, Segment, code};
use crate::profile::Parts;
use crate::standard_tables;
use std::borrow::Cow;

/// Tables as they stand at some place in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    quant: [Option<[u16; 64]>; 4],
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    /// MCUs between restart markers, 0 for none.
    pub(crate) restart_interval: u32,
}

impl Tables {
    /// Takes up a DQT, DHT or DRI segment; others leave it as it is.
    ///
    /// # Errors
    /// [`Error::Malformed`]; the tables before the bad one have been taken up.
    pub(crate) fn apply(&mut self, segment: Segment<'_>) -> Result<(), Error> {
        match segment.marker {
            code::DQT => self.define_quant(segment.payload),
            code::DHT => self.define_codes(segment.payload),
            code::DRI => {
                let interval =
                    segment.payload.first_chunk().ok_or(Error::Malformed("a DRI segment is too short"))?;
                self.restart_interval = u32::from(u16::from_be_bytes(*interval));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// In coding order.
    ///
    /// # Errors
    /// [`Error::Malformed`] where it is missing.
    pub(crate) fn quant(&self, number: usize) -> Result<[u16; 64], Error> {
        self.quant[number & 3].ok_or(Error::Malformed("a quantisation table is missing"))
    }

    /// The table for DC terms, or the standard's where the file has none.
    pub(crate) fn dc_codes(&self, number: usize) -> Result<Cow<'_, Codes>, Error> {
        match &self.dc[number & 3] {
            Some(codes) => Ok(Cow::Borrowed(codes)),
            None => standard_tables::dc(number).map(Cow::Owned),
        }
    }

    /// The table for AC terms, or the standard's where the file has none.
    pub(crate) fn ac_codes(&self, number: usize) -> Result<Cow<'_, Codes>, Error> {
        match &self.ac[number & 3] {
            Some(codes) => Ok(Cow::Borrowed(codes)),
            None => standard_tables::ac(number).map(Cow::Owned),
        }
    }

    fn define_quant(&mut self, mut rest: &[u8]) -> Result<(), Error> {
        const SHORT: Error = Error::Malformed("a quantisation table is too short");
        while let Some((&head, values)) = rest.split_first() {
            let table = self
                .quant
                .get_mut(usize::from(head & 15))
                .ok_or(Error::Malformed("a quantisation table's number is above 3"))?;
            let mut steps = [0; 64];
            if head >> 4 == 0 {
                let bytes: &[u8; 64] = values.first_chunk().ok_or(SHORT)?;
                steps = bytes.map(u16::from);
                rest = &values[64..];
            } else {
                let bytes: &[u8; 128] = values.first_chunk().ok_or(SHORT)?;
                for (step, pair) in steps.iter_mut().zip(bytes.chunks_exact(2)) {
                    *step = u16::from_be_bytes([pair[0], pair[1]]);
                }
                rest = &values[128..];
            }
            *table = Some(steps);
        }
        Ok(())
    }

    fn define_codes(&mut self, mut rest: &[u8]) -> Result<(), Error> {
        const SHORT: Error = Error::Malformed("a Huffman table is too short");
        while let Some((&head, values)) = rest.split_first() {
            let counts: &[u8; 16] = values.first_chunk().ok_or(SHORT)?;
            let symbols = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
            let codes = Codes::new(*counts, values.get(16..16 + symbols).ok_or(SHORT)?)?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables
                .get_mut(usize::from(head & 15))
                .ok_or(Error::Malformed("a Huffman table's number is above 3"))? = Some(codes);
            rest = &values[16 + symbols..];
        }
        Ok(())
    }
}

/// A file up to and without its first scan header.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) frame: Frame,
    pub(crate) tables: Tables,
    pub(crate) colour: ColourModel,
    /// The payload of the first EXIF segment, from its TIFF header on.
    pub(crate) exif: Option<&'a [u8]>,
    /// The XML of the first XMP segment.
    pub(crate) xmp: Option<&'a [u8]>,
    pub(crate) profile: Parts<'a>,
    /// Offset of the first SOS marker.
    pub(crate) scans_at: usize,
}

/// Then follows a byte of padding, whatever it is.
const EXIF_TAG: &[u8] = b"Exif\0";
const XMP_TAG: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const ICC_TAG: &[u8] = b"ICC_PROFILE\0";
const ADOBE_TAG: &[u8] = b"Adobe";
const JFIF_TAG: &[u8] = b"JFIF\0";

impl<'a> Header<'a> {
    /// # Errors
    /// [`Error::Unsupported`] for coding processes that are not decoded; [`Error::Malformed`] for what is no JPEG file or ends
    /// before its first scan.
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, Error> {
        if !data.starts_with(&[0xff, code::SOI]) {
            return Err(Error::Malformed("it doesn't begin with a start-of-image marker"));
        }
        let mut markers = Markers::new(data, 2);
        let mut tables = Tables::default();
        let mut frame = None;
        let (mut jfif, mut adobe_transform) = (false, None);
        let (mut exif, mut xmp) = (None, None);
        let mut profile = Parts::default();
        let scans_at = loop {
            let before = markers.at();
            let segment = markers.next_segment().ok_or(Error::Malformed("it ends before the first scan"))?;
            let payload = segment.payload;
            match segment.marker {
                code::SOF0..=code::SOF2 if frame.is_some() => {
                    return Err(Error::Malformed("it has two frame headers"));
                }
                code::SOF0 | code::SOF1 => frame = Some(Frame::parse(Process::Sequential, payload)?),
                code::SOF2 => frame = Some(Frame::parse(Process::Progressive, payload)?),
                code::DQT | code::DHT | code::DRI => tables.apply(segment)?,
                code::SOF3 => return Err(Error::Unsupported("a lossless JPEG image")),
                code::SOF5..code::JPG => return Err(Error::Unsupported("a hierarchical JPEG image")),
                code::JPG => return Err(Error::Unsupported("a JPEG extension")),
                code::SOF9..=code::SOF15 if segment.marker != code::DAC => {
                    return Err(Error::Unsupported("an arithmetic-coded JPEG image"));
                }
                code::EOI => return Err(Error::Malformed("it has no scan")),
                code::SOS => break before,
                code::APP0 if payload.starts_with(JFIF_TAG) => jfif = true,
                code::APP1 => {
                    exif = exif.or(payload.strip_prefix(EXIF_TAG).and_then(|tagged| tagged.get(1..)));
                    xmp = xmp.or(payload.strip_prefix(XMP_TAG));
                }
                code::APP2 => {
                    if let Some(part) = payload.strip_prefix(ICC_TAG) {
                        profile.add(part);
                    }
                }
                code::APP14 if payload.starts_with(ADOBE_TAG) => adobe_transform = payload.get(11).copied(),
                _ => {}
            }
        };
        let frame: Frame = frame.ok_or(Error::Malformed("it has a scan but no frame header"))?;
        let colour = colour_of(&frame, jfif, adobe_transform);
        Ok(Self { frame, tables, colour, exif, xmp, profile, scans_at })
    }
}

/// By libjpeg's rules: JFIF means YCbCr, Adobe says which, else the components' names decide.
fn colour_of(frame: &Frame, jfif: bool, adobe_transform: Option<u8>) -> ColourModel {
    match (frame.components.len(), adobe_transform) {
        (1, _) => ColourModel::Grey,
        (3, _) if jfif => ColourModel::YCbCr,
        (3, Some(transform)) => {
            if transform == 0 {
                ColourModel::Rgb
            } else {
                ColourModel::YCbCr
            }
        }
        (3, None) if frame.components.iter().map(|component| component.id).eq(*b"RGB") => ColourModel::Rgb,
        (3, None) => ColourModel::YCbCr,
        (_, None | Some(0)) => ColourModel::Cmyk,
        // 2 by the book, and libjpeg takes any other number for it.
        _ => ColourModel::Ycck,
    }
}

#[cfg(test)]
mod tests {
    use super::Header;
    use crate::error::Error;
    use crate::frame::ColourModel;

    fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, marker];
        bytes.extend((payload.len() as u16 + 2).to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn file(segments: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8];
        bytes.extend(segments.iter().flatten());
        bytes
    }

    fn sof(ids: &[u8]) -> Vec<u8> {
        let mut payload = vec![8, 0, 8, 0, 8, ids.len() as u8];
        for &id in ids {
            payload.extend([id, 0x11, 0]);
        }
        segment(0xc0, &payload)
    }

    fn adobe(transform: u8) -> Vec<u8> {
        segment(0xee, &[b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat())
    }

    #[test]
    fn the_colour_model_follows_jfif_then_adobe_then_names() {
        let (jfif, sos) = (segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"), segment(0xda, &[]));
        for (segments, expected) in [
            (vec![sof(&[1])], ColourModel::Grey),
            (vec![sof(&[1, 2, 3])], ColourModel::YCbCr),
            (vec![sof(b"RGB")], ColourModel::Rgb),
            (vec![jfif.clone(), sof(b"RGB")], ColourModel::YCbCr),
            (vec![adobe(0), sof(&[1, 2, 3])], ColourModel::Rgb),
            (vec![adobe(1), sof(&[1, 2, 3])], ColourModel::YCbCr),
            (vec![jfif, adobe(0), sof(&[1, 2, 3])], ColourModel::YCbCr),
            (vec![sof(&[1, 2, 3, 4])], ColourModel::Cmyk),
            (vec![adobe(0), sof(&[1, 2, 3, 4])], ColourModel::Cmyk),
            (vec![adobe(1), sof(&[1, 2, 3, 4])], ColourModel::Ycck),
            (vec![adobe(2), sof(&[1, 2, 3, 4])], ColourModel::Ycck),
            (vec![adobe(3), sof(&[1, 2, 3, 4])], ColourModel::Ycck),
        ] {
            let bytes = file(&[segments.concat(), sos.clone()]);
            assert_eq!(Header::parse(&bytes).unwrap().colour, expected);
        }
    }

    #[test]
    fn refuses_other_processes_by_name() {
        for (marker, text) in
            [(0xc3, "lossless"), (0xc5, "hierarchical"), (0xc9, "arithmetic"), (0xca, "arithmetic")]
        {
            let error = Header::parse(&file(&[segment(marker, &[8])])).unwrap_err();
            assert!(matches!(error, Error::Unsupported(what) if what.contains(text)), "{error}");
        }
    }

    #[test]
    fn the_first_exif_and_the_first_xmp_count() {
        let exif = |padding: u8, text: &[u8]| segment(0xe1, &[&b"Exif\0"[..], &[padding], text].concat());
        let xmp = |text: &[u8]| segment(0xe1, &[&b"http://ns.adobe.com/xap/1.0/\0"[..], text].concat());
        let parts = [
            segment(0xe1, b"something else"),
            xmp(b"one"),
            exif(0xff, b"two"),
            exif(0, b"three"),
            xmp(b"four"),
            sof(&[1]),
            segment(0xda, &[]),
        ];
        let bytes = file(&parts);
        let header = Header::parse(&bytes).unwrap();
        assert_eq!((header.exif, header.xmp), (Some(&b"two"[..]), Some(&b"one"[..])));
    }

    #[test]
    fn segments_that_claim_less_than_their_own_length_are_empty() {
        for length in [0, 1] {
            let bytes = file(&[
                vec![0xff, 0xfe, 0, length],
                vec![0xff, 0xe1, 0, length],
                sof(&[1]),
                segment(0xda, &[]),
            ]);
            assert_eq!(Header::parse(&bytes).unwrap().colour, ColourModel::Grey, "{length}");
        }
    }

    #[test]
    fn tables_that_are_cut_off_are_malformed() {
        for bad in [
            segment(0xdb, &[0; 64]),
            segment(0xdb, &[0x10; 128]),
            segment(0xdb, &[4; 65]),
            segment(0xc4, &[0; 16]),
            segment(0xc4, &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            segment(0xdd, &[1]),
        ] {
            assert!(matches!(Header::parse(&file(&[bad])), Err(Error::Malformed(_))));
        }
    }
}
