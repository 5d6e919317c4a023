//! What a file says of itself in all of its chunks, but for its pixels. Nothing is allocated.

use crate::chunks::{Chunk, Chunks, be32};
use crate::colour::{Colour, ColourChunks};
use crate::error::Error;
use crate::format::Format;
use crate::text::Texts;

/// The chunks that pixels need: a palette, and what of it or which colour is transparent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Palette<'a> {
    pub(crate) colours: &'a [u8],
    pub(crate) transparency: Option<&'a [u8]>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Header<'a> {
    pub(crate) format: Format,
    pub(crate) palette: Palette<'a>,
    /// Not 0. Those that are there, not those that are promised.
    pub(crate) frames: u32,
    /// How often an animation plays; 0 is for ever.
    pub(crate) loop_count: u32,
    pub(crate) has_alpha: bool,
    pub(crate) colour: Colour<'a>,
    /// The body of the first eXIf chunk.
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) texts: Texts<'a>,
    /// It is an animation of which the still image is no frame.
    pub(crate) hides_still: bool,
    /// The file ends before its end chunk.
    pub(crate) is_cut: bool,
}

impl<'a> Header<'a> {
    /// # Errors
    /// [`Error::Malformed`] for a first chunk that is no header or makes no sense, [`Error::CgBi`].
    pub(crate) fn read(mut chunks: Chunks<'a>) -> Result<Self, Error> {
        let format = match chunks.next() {
            Some(chunk) if chunk.kind == *b"IHDR" => Format::read(chunk.body)?,
            Some(chunk) if chunk.kind == *b"CgBI" => return Err(Error::CgBi),
            _ => return Err(Error::Malformed("the first chunk is not a header")),
        };
        let mut palette = Palette::default();
        let mut colour = ColourChunks::default();
        let (mut exif, mut texts) = (None, Texts::default());
        let mut hides_still = false;
        let (mut has_pixels, mut has_transparency, mut animated, mut is_cut) = (false, false, false, true);
        let (mut frames, mut loop_count) = (0_u32, 0);
        for Chunk { kind, body } in chunks {
            match &kind {
                b"IDAT" => {
                    hides_still |= !has_pixels && frames == 0;
                    has_pixels = true;
                }
                b"IEND" => {
                    is_cut = false;
                    break;
                }
                b"tRNS" => {
                    has_transparency = true;
                    if !has_pixels {
                        palette.transparency = Some(body);
                    }
                }
                b"PLTE" if !has_pixels => palette.colours = body,
                b"acTL" => {
                    loop_count = be32(body, 4).unwrap_or(0);
                    // What follows the pixels does not make an animation of them.
                    if !has_pixels {
                        animated = be32(body, 0).is_some_and(|frames| frames > 0);
                    }
                }
                b"fcTL" => frames = frames.saturating_add(1),
                b"eXIf" => exif = exif.or(Some(body)),
                b"tEXt" | b"zTXt" | b"iTXt" => texts.take(kind, body),
                _ if !has_pixels => colour.take(kind, body),
                _ => {}
            }
        }
        Ok(Self {
            format,
            palette,
            frames: if animated { frames.max(1) } else { 1 },
            loop_count,
            has_alpha: has_transparency || matches!(format.colour_type, 4 | 6),
            colour: colour.colour(),
            exif,
            texts,
            hides_still: hides_still && animated && frames > 0,
            is_cut,
        })
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

    fn read(image: &[u8]) -> Result<Header<'_>, Error> {
        Header::read(Chunks::new(image).unwrap())
    }

    fn colour_of(chunks: &[Vec<u8>]) -> String {
        let mut all = vec![ihdr(1, 1, 8, 2)];
        all.extend_from_slice(chunks);
        format!("{:?}", read(&file(&all)).unwrap().colour)
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
    fn a_still_that_no_control_precedes_is_no_frame() {
        let (promise, frame) = (chunk(b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]), chunk(b"fcTL", &[0; 26]));
        let (pixels, data) = (chunk(b"IDAT", &[]), chunk(b"fdAT", &[]));
        let hides_still = |chunks: &[&Vec<u8>]| {
            let chunks: Vec<Vec<u8>> = chunks.iter().map(|&chunk| chunk.clone()).collect();
            read(&file(&[vec![ihdr(1, 1, 8, 2)], chunks].concat())).unwrap().hides_still
        };
        assert!(hides_still(&[&promise, &pixels, &frame, &data]));
        assert!(!hides_still(&[&promise, &frame, &pixels, &frame, &data]));
        assert!(!hides_still(&[&promise, &pixels]), "there is nothing else to show");
        assert!(!hides_still(&[&pixels, &frame, &data]), "no acTL, no animation");
    }

    #[test]
    fn of_statements_about_colour_the_first_counts() {
        let twice = |kind: &[u8; 4], first: &[u8], second: &[u8]| {
            colour_of(&[chunk(kind, first), chunk(kind, second)]) == colour_of(&[chunk(kind, first)])
        };
        assert!(twice(b"iCCP", b"name\0\0one", b"name\0\0two"));
        assert!(twice(b"iCCP", b"broken", b"name\0\0two"));
        assert!(twice(b"gAMA", &100_000u32.to_be_bytes(), &50_000u32.to_be_bytes()));
        assert!(twice(b"cICP", &[12, 13, 0, 1], &[1, 13, 0, 1]));
    }

    #[test]
    fn what_xcode_makes_of_a_png_is_named() {
        let bytes = file(&[chunk(b"CgBI", &[0x50, 0, 0x20, 6]), ihdr(1, 1, 8, 6)]);
        assert_eq!(read(&bytes).unwrap_err(), Error::CgBi);
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
        assert!(colour_of(&[gamma.clone(), srgb, profile.clone()]).starts_with("DeflatedProfile"));
        assert!(colour_of(&[gamma, profile, codes]).starts_with("Codes"));
        assert_eq!(colour_of(&[chunk(b"iCCP", b"name without end")]), "Broken");
        assert_eq!(colour_of(&[chunk(b"IDAT", &[]), chunk(b"gAMA", &[0, 0, 0, 1])]), "Srgb", "too late");
    }

    #[test]
    fn the_first_chunk_has_to_be_the_header() {
        assert!(matches!(read(&file(&[])), Err(Error::Malformed(_))));
        assert!(matches!(read(&file(&[chunk(b"IDAT", &[])])), Err(Error::Malformed(_))));
    }

    #[test]
    fn survives_every_cut() {
        let whole = file(&[ihdr(3, 5, 8, 6), chunk(b"gAMA", &[0, 1, 2, 3]), chunk(b"IDAT", &[1, 2, 3])]);
        for length in 8..whole.len() {
            match read(&whole[..length]) {
                Ok(header) => assert_eq!((header.format.width, header.format.height), (3, 5)),
                Err(error) => assert!(matches!(error, Error::Malformed(_))),
            }
        }
    }
}
