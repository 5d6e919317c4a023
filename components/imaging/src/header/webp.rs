//! WebP's chunks (RFC 9649): the simple and the extended layouts, and the first bytes of both bitstreams.

use super::{Colour, Header, malformed};
use crate::bytes::{array, le16, le24, le32};
use crate::error::Error;
use crate::exif;
use crate::options::SourceFormat;
use crate::orientation::Orientation;

/// `RIFF`, size, `WEBP`.
const FILE_HEADER_BYTES: usize = 12;
const CHUNK_HEADER_BYTES: usize = 8;

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let mut canvas = None;
    let mut bitstream = None;
    let mut has_alpha = false;
    let mut animated = false;
    let mut frames = 0u32;
    let mut orientation = None;
    let mut colour = Colour::Srgb;
    for Chunk { kind, body } in (Chunks { image, at: FILE_HEADER_BYTES }) {
        match &kind {
            b"VP8X" if canvas.is_none() => {
                let (Some(&flags), Some(width), Some(height)) = (body.first(), le24(body, 4), le24(body, 7))
                else {
                    return Err(malformed("the extended header is cut short"));
                };
                canvas = Some((width + 1, height + 1));
                has_alpha |= flags & 0x10 != 0;
                animated = flags & 0x02 != 0;
            }
            b"VP8 " if bitstream.is_none() => bitstream = Some(lossy_size(body)?),
            b"VP8L" if bitstream.is_none() => {
                let (width, height, alpha) = lossless_size(body)?;
                bitstream = Some((width, height));
                has_alpha |= alpha;
            }
            b"ALPH" => has_alpha = true,
            b"ANMF" => frames = frames.saturating_add(1),
            b"EXIF" => orientation = orientation.or(exif::orientation(body)),
            b"ICCP" if colour == Colour::Srgb => colour = Colour::Icc(vec![body]),
            _ => {}
        }
    }
    let pixels = if animated { (frames > 0).then_some(()).and(canvas) } else { bitstream };
    let (width, height) = pixels.ok_or_else(|| malformed("there are no pixels"))?;
    Ok(Header {
        format: SourceFormat::Webp,
        width,
        height,
        frames: if animated { frames } else { 1 },
        orientation: Orientation::new(orientation.unwrap_or(1)),
        has_alpha,
        colour,
    })
}

/// A VP8 key frame begins with a tag of 3 bytes, a start code, and 14 bits for each side (RFC 6386, section 9.1).
fn lossy_size(body: &[u8]) -> Result<(u32, u32), Error> {
    let (Some([tag, _, _, 0x9D, 0x01, 0x2A]), Some(width), Some(height)) =
        (array::<6>(body, 0), le16(body, 6), le16(body, 8))
    else {
        return Err(malformed("the frame header makes no sense"));
    };
    let (width, height) = (u32::from(width & 0x3FFF), u32::from(height & 0x3FFF));
    if tag & 1 != 0 || width == 0 || height == 0 {
        return Err(malformed("the first frame is not a key frame"));
    }
    Ok((width, height))
}

/// A VP8L stream begins with a signature, 14 bits for each side less 1, and whether alpha is used (RFC 9649, section 3.4).
fn lossless_size(body: &[u8]) -> Result<(u32, u32, bool), Error> {
    match (body.first(), le32(body, 1)) {
        (Some(0x2F), Some(bits)) => Ok(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bits >> 28 & 1 != 0)),
        _ => Err(malformed("the lossless header makes no sense")),
    }
}

struct Chunk<'a> {
    kind: [u8; 4],
    /// Shorter than the chunk says where the file ends.
    body: &'a [u8],
}

/// The chunks of a file until it ends. The size in the file header is not believed: trailing or missing bytes show by
/// themselves.
struct Chunks<'a> {
    image: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let kind = array(self.image, self.at)?;
        let length = le32(self.image, self.at + 4)? as usize;
        let start = self.at + CHUNK_HEADER_BYTES;
        let end = start.saturating_add(length).min(self.image.len());
        // Chunks are padded to an even length.
        self.at = end.saturating_add(length % 2);
        Some(Chunk { kind, body: self.image.get(start..end)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = [kind, &u32::try_from(body.len()).unwrap().to_le_bytes()[..], body].concat();
        if body.len() % 2 == 1 {
            bytes.push(0);
        }
        bytes
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP", &chunks.concat()[..]].concat()
    }

    fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
        let side = |side: u32| (side - 1).to_le_bytes();
        chunk(b"VP8X", &[&[flags, 0, 0, 0][..], &side(width)[..3], &side(height)[..3]].concat())
    }

    const LOSSY: &[u8] = &[0, 0, 0, 0x9D, 0x01, 0x2A, 0x10, 0, 0x20, 0];

    #[test]
    fn reads_both_bitstreams() {
        let lossy = file(&[chunk(b"VP8 ", LOSSY)]);
        let header = read(&lossy).unwrap();
        assert_eq!((header.width, header.height, header.frames, header.has_alpha), (16, 32, 1, false));
        let bits: u32 = 15 | 31 << 14 | 1 << 28;
        let lossless = file(&[chunk(b"VP8L", &[&[0x2F][..], &bits.to_le_bytes()].concat())]);
        let header = read(&lossless).unwrap();
        assert_eq!((header.width, header.height, header.has_alpha), (16, 32, true));
    }

    #[test]
    fn counts_frames_of_an_animation() {
        let bytes = file(&[extended(0x02, 7, 9), chunk(b"ANMF", &[1; 17]), chunk(b"ANMF", &[1; 16])]);
        let header = read(&bytes).unwrap();
        assert_eq!((header.width, header.height, header.frames), (7, 9, 2));
        assert!(matches!(read(&file(&[extended(0x02, 7, 9)])), Err(Error::Malformed(_))));
    }

    #[test]
    fn finds_profile_and_orientation() {
        let tiff = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
        let bytes = file(&[
            extended(0x28, 16, 32),
            chunk(b"ICCP", b"abc"),
            chunk(b"VP8 ", LOSSY),
            chunk(b"EXIF", tiff),
        ]);
        let header = read(&bytes).unwrap();
        assert_eq!(header.colour, Colour::Icc(vec![b"abc"]));
        assert_eq!(header.orientation, Orientation::new(6));
    }

    #[test]
    fn survives_every_cut() {
        let whole = file(&[extended(0x10, 16, 32), chunk(b"ALPH", &[0; 3]), chunk(b"VP8 ", LOSSY)]);
        for length in 12..whole.len() {
            assert!(matches!(read(&whole[..length]), Err(Error::Malformed(_))), "{length}");
        }
    }
}
