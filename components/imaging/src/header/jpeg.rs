//! JPEG's segments (ITU-T T.81, annex B) up to the first scan, with the application segments we read: EXIF (APP1, CIPA
//! DC-008) and ICC profiles (APP2, ICC.1 annex B.4).

use super::{Colour, Header, Model, malformed};
use crate::bytes::be16;
use crate::error::Error;
use crate::exif;
use crate::options::SourceFormat;
use crate::orientation::Orientation;

const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const PROFILE_MARK: &[u8] = b"ICC_PROFILE\0";

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let mut frame = None;
    let mut orientation = None;
    let mut profile = Profile::default();
    let mut segments = Segments { image, at: 2, scan_follows: false };
    for Segment { marker, body } in segments.by_ref() {
        match marker {
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => frame = Some(frame_header(marker, body)?),
            APP1 if orientation.is_none() && body.starts_with(b"Exif\0") => {
                orientation = exif::orientation(body)
            }
            APP2 => {
                if let Some(part) = body.strip_prefix(PROFILE_MARK) {
                    profile.add(part);
                }
            }
            _ => {}
        }
    }
    let (width, height, model) = frame.ok_or_else(|| malformed("there is no frame header"))?;
    if !segments.scan_follows {
        return Err(malformed("it ends before its pixels"));
    }
    Ok(Header {
        format: SourceFormat::Jpeg,
        width,
        height,
        frames: 1,
        hidden_pixels: 0,
        orientation: Orientation::new(orientation.unwrap_or(1)),
        has_alpha: false,
        model,
        colour: profile.finish(),
    })
}

/// Width, height and model out of a frame header (T.81, B.2.2).
fn frame_header(marker: u8, body: &[u8]) -> Result<(u32, u32, Model), Error> {
    let unsupported = |what: &str| Err(Error::UnsupportedFeature(what.to_owned()));
    match marker {
        0xC0..=0xC2 => {}
        0xC3 => return unsupported("lossless JPEG"),
        0xC9..=0xCB | 0xCD..=0xCF => return unsupported("arithmetic-coded JPEG"),
        _ => return unsupported("hierarchical JPEG"),
    }
    let (Some(&precision), Some(height), Some(width), Some(&components)) =
        (body.first(), be16(body, 1), be16(body, 3), body.get(5))
    else {
        return Err(malformed("the frame header is cut short"));
    };
    if precision != 8 {
        return unsupported("JPEG with other than 8 bits a sample");
    }
    if height == 0 {
        return unsupported("JPEG that states its height after its pixels");
    }
    if width == 0 {
        return Err(malformed("the width is 0"));
    }
    let model = match components {
        1 => Model::Grey,
        3 => Model::Rgb,
        4 => Model::Inks,
        _ => return unsupported("JPEG with other than 1, 3 or 4 components"),
    };
    Ok((u32::from(width), u32::from(height), model))
}

/// The caller's bounds on size were checked before; what is left is the decoder's own bound on memory and scans.
impl From<thumbs_jpeg::Error> for Error {
    fn from(error: thumbs_jpeg::Error) -> Self {
        match error {
            thumbs_jpeg::Error::Unsupported(what) => Self::UnsupportedFeature(what.to_owned()),
            thumbs_jpeg::Error::Malformed(what) => malformed(what),
            thumbs_jpeg::Error::LimitExceeded(_) => malformed("it takes too much memory or too many scans"),
        }
    }
}

struct Segment<'a> {
    marker: u8,
    body: &'a [u8],
}

/// The segments before the first scan. Bytes between segments are skipped, as all decoders do; the walk ends where the
/// file does.
struct Segments<'a> {
    image: &'a [u8],
    at: usize,
    /// The walk ended at the first scan.
    scan_follows: bool,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        loop {
            let rest = self.image.get(self.at..)?;
            let mark = rest.iter().position(|&byte| byte == 0xFF)?;
            let fill = rest.get(mark..)?.iter().position(|&byte| byte != 0xFF)?;
            let marker = *rest.get(mark + fill)?;
            self.at += mark + fill + 1;
            match marker {
                // Stuffing, and markers that stand alone.
                0x00 | 0x01 | 0xD0..=0xD8 => {}
                EOI => return None,
                SOS => {
                    self.scan_follows = true;
                    return None;
                }
                _ => {
                    let length = usize::from(be16(self.image, self.at)?);
                    let body = self.image.get(self.at + 2..self.at + length)?;
                    self.at += length;
                    return Some(Segment { marker, body });
                }
            }
        }
    }
}

/// The parts of an ICC profile: each begins with its number, from 1, and how many there are.
#[derive(Default)]
struct Profile<'a> {
    parts: Vec<(u8, &'a [u8])>,
    count: u8,
    broken: bool,
}

impl<'a> Profile<'a> {
    fn add(&mut self, part: &'a [u8]) {
        match part {
            [number, count, body @ ..] if self.parts.is_empty() || *count == self.count => {
                self.count = *count;
                self.parts.push((*number, body));
            }
            _ => self.broken = true,
        }
    }

    fn finish(mut self) -> Colour<'a> {
        if self.parts.is_empty() && !self.broken {
            return Colour::Srgb;
        }
        self.parts.sort_by_key(|&(number, _)| number);
        let complete = self.parts.len() == usize::from(self.count)
            && self.parts.iter().zip(1..).all(|(&(number, _), expected)| number == expected);
        if complete && !self.broken {
            Colour::Icc(self.parts.into_iter().map(|(_, part)| part).collect())
        } else {
            Colour::Broken
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker][..], &length, body].concat()
    }

    fn frame(marker: u8, width: u16, height: u16) -> Vec<u8> {
        let body = [&[8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
        segment(marker, &body)
    }

    fn file(segments: &[Vec<u8>]) -> Vec<u8> {
        [&[0xFF, 0xD8][..], &segments.concat(), &[0xFF, SOS, 0, 8]].concat()
    }

    fn colour(segments: &[Vec<u8>]) -> Vec<u8> {
        let bytes = file(segments);
        match read(&bytes).unwrap().colour {
            Colour::Icc(parts) => parts.concat(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn finds_the_size_behind_other_segments_and_fill_bytes() {
        let bytes = file(&[segment(0xE0, b"JFIF\0"), vec![0xFF, 0xFF, 0xFF], frame(0xC2, 640, 480)]);
        let header = read(&bytes).unwrap();
        assert_eq!((header.width, header.height, header.frames), (640, 480, 1));
    }

    #[test]
    fn names_what_is_not_decoded() {
        for (marker, word) in
            [(0xC3, "lossless"), (0xC9, "arithmetic"), (0xCA, "arithmetic"), (0xC5, "hierarchical")]
        {
            match read(&file(&[frame(marker, 1, 1)])) {
                Err(Error::UnsupportedFeature(text)) => assert!(text.contains(word), "{text}"),
                other => panic!("{other:?}"),
            }
        }
        let twelve_bits = segment(0xC1, &[12, 0, 1, 0, 1, 1, 1, 0x11, 0]);
        assert!(matches!(read(&file(&[twelve_bits])), Err(Error::UnsupportedFeature(_))));
    }

    #[test]
    fn a_file_without_frame_is_malformed() {
        for bytes in [&b"\xFF\xD8\xFF"[..], b"\xFF\xD8\xFF\xD9", b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01"] {
            assert!(matches!(read(bytes), Err(Error::Malformed(_))), "{bytes:?}");
        }
    }

    #[test]
    fn joins_a_profile_in_any_order() {
        let part = |number: u8, count: u8, text: &[u8]| {
            segment(APP2, &[PROFILE_MARK, &[number, count], text].concat())
        };
        let frame = frame(0xC0, 1, 1);
        assert_eq!(colour(&[part(2, 2, b"cd"), part(1, 2, b"ab"), frame.clone()]), b"abcd");
        for broken in [
            vec![part(1, 2, b"ab"), frame.clone()],
            vec![part(1, 2, b"ab"), part(1, 2, b"ab"), frame.clone()],
            vec![part(1, 2, b"ab"), part(2, 3, b"cd"), frame.clone()],
            vec![segment(APP2, PROFILE_MARK), frame.clone()],
        ] {
            assert_eq!(read(&file(&broken)).unwrap().colour, Colour::Broken);
        }
        let other = segment(APP2, b"MPF\0");
        assert_eq!(read(&file(&[other, frame])).unwrap().colour, Colour::Srgb);
    }
}
