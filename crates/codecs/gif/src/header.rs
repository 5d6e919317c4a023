//! What a file says of itself but for its pixels. Walks over all blocks, and allocates nothing.

use crate::blocks::Blocks;
use crate::error::Error;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    /// Of the screen, not 0.
    pub(crate) width: u32,
    /// Of the screen, not 0.
    pub(crate) height: u32,
    /// Not 0.
    pub(crate) frames: u32,
    /// See [`crate::Info::hidden_pixels`].
    pub(crate) hidden_pixels: u64,
    pub(crate) has_alpha: bool,
    /// How often an animation plays; 0 is for ever.
    pub(crate) loop_count: u16,
    /// The file ends before its trailer.
    pub(crate) is_cut: bool,
}

impl Header {
    /// # Errors
    /// [`Error::Malformed`] where there are no frames, or no pixels in them.
    pub(crate) fn read(mut blocks: Blocks<'_>) -> Result<Self, Error> {
        let (mut width, mut height) = blocks.screen();
        let mut frames = 0_u32;
        let mut has_alpha = false;
        let mut hidden_pixels = 0_u64;
        for frame in blocks.by_ref() {
            if frames == 0 {
                // Some encoders leave the screen at 0x0 or at the size of another picture; viewers show all of the first frame.
                width = width.max(frame.left + frame.width);
                height = height.max(frame.top + frame.height);
                has_alpha = !frame.covers(width, height);
            }
            has_alpha |= frame.transparent.is_some();
            let (coded, shown) = (area(frame.width, frame.height), area(width, height));
            hidden_pixels = hidden_pixels.saturating_add(coded.saturating_sub(shown));
            frames = frames.saturating_add(1);
        }
        if frames == 0 {
            return Err(Error::Malformed("there are no frames"));
        }
        if width == 0 || height == 0 {
            return Err(Error::Malformed("a side is 0"));
        }
        Ok(Self {
            width,
            height,
            frames,
            hidden_pixels,
            has_alpha,
            loop_count: blocks.loop_count(),
            is_cut: !blocks.has_ended(),
        })
    }
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: &[u8] = b"GIF89a\x08\0\x06\0\x80\0\0\x01\x02\x03\x04\x05\x06";
    const FRAME: &[u8] = b",\x01\0\x02\0\x04\0\x03\0\0\x02\x01\x44\0";

    fn read(image: &[u8]) -> Result<Header, Error> {
        Header::read(Blocks::new(image)?)
    }

    fn file(parts: &[&[u8]]) -> Vec<u8> {
        [SCREEN, &parts.concat()].concat()
    }

    #[test]
    fn a_frame_with_a_transparent_colour_has_alpha() {
        let header = read(&file(&[b"!\xF9\x04\x0D\x07\0\x01\0", FRAME, FRAME, b";"])).unwrap();
        assert_eq!((header.width, header.height, header.frames, header.has_alpha), (8, 6, 2, true));
        assert!(!header.is_cut);
    }

    #[test]
    fn an_empty_screen_takes_the_size_of_the_first_frame() {
        let bytes = [b"GIF89a\0\0\0\0\0\0\0", FRAME].concat();
        let header = read(&bytes).unwrap();
        assert_eq!((header.width, header.height), (5, 5));
    }

    #[test]
    fn the_screen_grows_to_hold_the_first_frame_and_no_other() {
        // The screen has 8x6 pixels.
        let larger = b",\x01\0\x02\0\x64\0\x0A\0\0\x02\x01\x44\0";
        let size = |parts: &[&[u8]]| read(&file(parts)).map(|header| (header.width, header.height)).unwrap();
        assert_eq!(size(&[FRAME, larger]), (8, 6));
        assert_eq!(size(&[larger, FRAME]), (101, 12));
    }

    #[test]
    fn what_lies_beyond_the_screen_is_counted() {
        let larger = b",\x01\0\x02\0\x64\0\x0A\0\0\x02\x01\x44\0";
        let hidden = |parts: &[&[u8]]| read(&file(parts)).unwrap().hidden_pixels;
        assert_eq!(hidden(&[FRAME, FRAME]), 0);
        assert_eq!(hidden(&[FRAME, larger, larger]), 2 * (1000 - 48));
    }

    #[test]
    fn no_frames_is_an_error() {
        for bytes in [&b"GIF89a"[..], SCREEN, b"GIF89a\x08\0\x06\0\0\0\0;", b"GIF89a\x08\0\x06\0\0\0\0!\xF9"]
        {
            assert!(matches!(read(bytes), Err(Error::Malformed(_))));
        }
    }

    #[test]
    fn survives_every_cut() {
        let whole =
            file(&[b"!\xFF\x0BNETSCAPE2.0\x03\x01\0\0\0!\xF9\x04\x0D\x07\0\x01\0", FRAME, FRAME, b";"]);
        for length in 6..whole.len() {
            assert!(read(&whole[..length]).map_or(true, |header| header.frames <= 2));
        }
    }
}
