//! PNG's chunks (PNG specification, third edition) with those of APNG, without checking sums: whether pixels are intact
//! shows when they are decoded, and a thumbnail of a slightly damaged file is wanted all the same.

use super::{Colour, Header, Model, malformed};
use crate::bytes::{array, be32};
use crate::error::Error;
use crate::exif;
use crate::options::SourceFormat;
use crate::orientation::Orientation;

const SIGNATURE_BYTES: usize = 8;
/// Length, type and checksum around the body of a chunk.
const LENGTH_AND_TYPE_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 4;
/// Largest side the format allows.
const MAX_SIDE: u32 = 0x7FFF_FFFF;

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let Format { width, height, colour_type, .. } = Format::read(image)?;
    let mut has_pixels = false;
    let mut has_transparency = false;
    let mut animated = false;
    let mut frames = 0u32;
    let mut orientation = None;
    let mut said = Said::default();
    for Chunk { kind, body, .. } in Chunks::new(image) {
        match &kind {
            b"IDAT" => has_pixels = true,
            b"IEND" => break,
            b"tRNS" => has_transparency = true,
            // What follows the pixels does not make an animation of them.
            b"acTL" if !has_pixels => animated = be32(body, 0).is_some_and(|frames| frames > 0),
            b"fcTL" => frames = frames.saturating_add(1),
            b"eXIf" => orientation = orientation.or(exif::orientation(body)),
            _ if !has_pixels => said.hear(kind, body),
            _ => {}
        }
    }
    Ok(Header {
        format: SourceFormat::Png,
        width,
        height,
        frames: if animated { frames.max(1) } else { 1 },
        hidden_pixels: 0,
        orientation: Orientation::new(orientation.unwrap_or(1)),
        has_alpha: has_transparency || matches!(colour_type, 4 | 6),
        model: if matches!(colour_type, 0 | 4) { Model::Grey } else { Model::Rgb },
        colour: said.colour(),
    })
}

/// What IHDR says (section 11.2.1), all checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// Not 0.
    pub(crate) width: u32,
    /// Not 0.
    pub(crate) height: u32,
    /// Bits of a sample, or of an index.
    pub(crate) depth: u8,
    /// 0 grey, 2 RGB, 3 indexed, 4 grey with alpha, 6 RGB with alpha.
    pub(crate) colour_type: u8,
    pub(crate) interlaced: bool,
}

impl Format {
    pub(crate) fn read(image: &[u8]) -> Result<Self, Error> {
        match Chunks::new(image).next() {
            Some(chunk) if chunk.kind == *b"IHDR" => image_header(chunk.body),
            _ => Err(malformed("the first chunk is not a header")),
        }
    }

    /// 1 for an index.
    pub(crate) const fn channels(&self) -> usize {
        match self.colour_type {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        }
    }

    /// 1 where a byte holds several pixels.
    pub(crate) const fn bytes_per_pixel(&self) -> usize {
        (self.channels() * self.depth as usize).div_ceil(8)
    }

    /// Of a row of so many pixels, without the filter.
    pub(crate) const fn row_bytes(&self, width: u32) -> usize {
        (self.channels() * self.depth as usize * width as usize).div_ceil(8)
    }
}

fn image_header(body: &[u8]) -> Result<Format, Error> {
    let Some([a, b, c, d, e, f, g, h, depth, colour_type, compression, filter, interlace]) =
        array::<13>(body, 0)
    else {
        return Err(malformed("the image header is cut short"));
    };
    let (width, height) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
        return Err(malformed("a side is out of range"));
    }
    let depth_is_valid = match colour_type {
        0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
        3 => matches!(depth, 1 | 2 | 4 | 8),
        2 | 4 | 6 => matches!(depth, 8 | 16),
        _ => false,
    };
    if !depth_is_valid {
        return Err(malformed("the colour type and bit depth do not go together"));
    }
    if compression != 0 || filter != 0 || interlace > 1 {
        return Err(malformed("the compression, filter or interlace method is unknown"));
    }
    Ok(Format { width, height, depth, colour_type, interlaced: interlace == 1 })
}

/// The chunks about colour, each in its turn.
#[derive(Default)]
struct Said<'a> {
    srgb: bool,
    profile: Option<Colour<'a>>,
    codes: Option<Colour<'a>>,
    exponent: Option<u32>,
    chromaticities: Option<[u32; 8]>,
}

impl<'a> Said<'a> {
    fn hear(&mut self, kind: [u8; 4], body: &'a [u8]) {
        match &kind {
            b"sRGB" => self.srgb = true,
            b"iCCP" => self.profile = Some(deflated_profile(body)),
            b"cICP" => {
                self.codes = match *body {
                    // Only RGB (matrix 0) with the full range can stand in a PNG.
                    [primaries, transfer, 0, 1] => Some(Colour::Codes { primaries, transfer }),
                    _ => Some(Colour::Broken),
                }
            }
            b"gAMA" => self.exponent = be32(body, 0),
            b"cHRM" => {
                self.chromaticities = body.as_chunks::<4>().0.get(..8).and_then(|values| {
                    <[[u8; 4]; 8]>::try_from(values).ok().map(|values| values.map(u32::from_be_bytes))
                });
            }
            _ => {}
        }
    }

    /// In the order of precedence of section 4.3.
    fn colour(self) -> Colour<'a> {
        if let Some(codes) = self.codes {
            return codes;
        }
        if let Some(profile) = self.profile {
            return profile;
        }
        match self.exponent {
            Some(exponent) if !self.srgb => Colour::Gamma { exponent, chromaticities: self.chromaticities },
            _ => Colour::Srgb,
        }
    }
}

/// iCCP: a name, 0, the compression method (0), a zlib stream.
fn deflated_profile(body: &[u8]) -> Colour<'_> {
    let name = body.iter().take(80).position(|&byte| byte == 0);
    match name.and_then(|end| body.get(end + 1..)) {
        Some([0, stream @ ..]) => Colour::DeflatedIcc(stream),
        _ => Colour::Broken,
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) kind: [u8; 4],
    /// Shorter than the chunk says where the file ends.
    pub(crate) body: &'a [u8],
}

/// The chunks of a file, until it ends.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<'a> {
    image: &'a [u8],
    at: usize,
}

impl<'a> Chunks<'a> {
    pub(crate) const fn new(image: &'a [u8]) -> Self {
        Self { image, at: SIGNATURE_BYTES }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let length = be32(self.image, self.at)? as usize;
        let kind = array(self.image, self.at + 4)?;
        let start = self.at + LENGTH_AND_TYPE_BYTES;
        let end = start.saturating_add(length).min(self.image.len());
        self.at = end.saturating_add(CHECKSUM_BYTES);
        Some(Chunk { kind, body: self.image.get(start..end)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], kind, body, &[0; 4]].concat()
    }

    fn ihdr(width: u32, height: u32, depth: u8, colour_type: u8) -> Vec<u8> {
        let body = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour_type, 0, 0, 0]].concat();
        chunk(b"IHDR", &body)
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        [b"\x89PNG\r\n\x1A\n", &chunks.concat()[..]].concat()
    }

    fn colour_of(chunks: &[Vec<u8>]) -> String {
        let mut all = vec![ihdr(1, 1, 8, 2)];
        all.extend_from_slice(chunks);
        format!("{:?}", read(&file(&all)).unwrap().colour)
    }

    #[test]
    fn knows_which_depths_go_with_which_colour_types() {
        for colour_type in 0..=255 {
            for depth in 0..=255 {
                let valid = match colour_type {
                    0 => [1, 2, 4, 8, 16].contains(&depth),
                    3 => [1, 2, 4, 8].contains(&depth),
                    2 | 4 | 6 => [8, 16].contains(&depth),
                    _ => false,
                };
                assert_eq!(read(&file(&[ihdr(1, 1, depth, colour_type)])).is_ok(), valid);
            }
        }
    }

    #[test]
    fn refuses_sides_out_of_range() {
        for (width, height) in [(0, 1), (1, 0), (0x8000_0000, 1), (1, u32::MAX)] {
            assert!(matches!(read(&file(&[ihdr(width, height, 8, 2)])), Err(Error::Malformed(_))));
        }
    }

    #[test]
    fn counts_the_frames_that_are_there_and_not_those_promised() {
        let promise = chunk(b"acTL", &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
        let frame = chunk(b"fcTL", &[0; 26]);
        let pixels = chunk(b"IDAT", &[]);
        let header = ihdr(1, 1, 8, 2);
        let frames = |chunks: &[&Vec<u8>]| {
            let chunks: Vec<Vec<u8>> = chunks.iter().map(|&chunk| chunk.clone()).collect();
            read(&file(&chunks)).unwrap().frames
        };
        assert_eq!(frames(&[&header, &promise, &frame, &pixels, &frame, &frame]), 3);
        assert_eq!(frames(&[&header, &promise, &pixels]), 1);
        assert_eq!(frames(&[&header, &frame, &pixels, &frame]), 1, "no acTL, no animation");
        assert_eq!(frames(&[&header, &pixels, &promise, &frame]), 1, "acTL is too late");
    }

    #[test]
    fn colour_is_said_in_the_order_of_precedence() {
        let srgb = chunk(b"sRGB", &[0]);
        let profile = chunk(b"iCCP", b"name\0\0zlib");
        let gamma = chunk(b"gAMA", &100_000u32.to_be_bytes());
        let codes = chunk(b"cICP", &[12, 13, 0, 1]);
        assert_eq!(colour_of(&[]), "Srgb");
        assert!(colour_of(std::slice::from_ref(&gamma)).starts_with("Gamma { exponent: 100000"));
        assert_eq!(colour_of(&[gamma.clone(), srgb.clone()]), "Srgb");
        assert!(colour_of(&[gamma.clone(), srgb, profile.clone()]).starts_with("DeflatedIcc"));
        assert!(colour_of(&[gamma, profile, codes]).starts_with("Codes"));
        assert_eq!(colour_of(&[chunk(b"iCCP", b"name without end")]), "Broken");
        assert_eq!(colour_of(&[chunk(b"IDAT", &[]), chunk(b"gAMA", &[0, 0, 0, 1])]), "Srgb", "too late");
    }

    #[test]
    fn survives_every_cut() {
        let whole = file(&[ihdr(3, 5, 8, 6), chunk(b"gAMA", &[0, 1, 2, 3]), chunk(b"IDAT", &[1, 2, 3])]);
        for length in 8..whole.len() {
            match read(&whole[..length]) {
                Ok(header) => assert_eq!((header.width, header.height), (3, 5)),
                Err(error) => assert!(matches!(error, Error::Malformed(_))),
            }
        }
    }
}
