//! GIF's blocks (GIF89a specification): the screen, and the walk over frames that both the probe and the decoder take.

use super::{Colour, Header, Model, malformed};
use crate::bytes::le16;
use crate::error::Error;
use crate::options::SourceFormat;
use crate::orientation::Orientation;
use crate::raster::Loops;

const SCREEN_END: usize = 13;
const IMAGE: u8 = b',';
const EXTENSION: u8 = b'!';
const TRAILER: u8 = b';';
const GRAPHIC_CONTROL: u8 = 0xF9;
const APPLICATION: u8 = 0xFF;

pub(super) fn read(image: &[u8]) -> Result<Header<'_>, Error> {
    let walk = Walk::new(image)?;
    let (mut width, mut height) = walk.screen();
    let mut frames = 0u32;
    let mut has_alpha = false;
    let mut hidden_pixels = 0u64;
    for frame in walk {
        if frames == 0 {
            // Some encoders leave the screen at 0x0; viewers then take the first frame for it.
            if width == 0 || height == 0 {
                (width, height) = (frame.left + frame.width, frame.top + frame.height);
            }
            has_alpha = !frame.covers(width, height);
        }
        has_alpha |= frame.transparent.is_some();
        let (coded, shown) = (area(frame.width, frame.height), area(width, height));
        hidden_pixels = hidden_pixels.saturating_add(coded.saturating_sub(shown));
        frames = frames.saturating_add(1);
    }
    if frames == 0 {
        return Err(malformed("there are no frames"));
    }
    if width == 0 || height == 0 {
        return Err(malformed("a side is 0"));
    }
    Ok(Header {
        format: SourceFormat::Gif,
        width,
        height,
        frames,
        hidden_pixels,
        orientation: Orientation::UPRIGHT,
        has_alpha,
        model: Model::Rgb,
        colour: Colour::Srgb,
    })
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

/// What happens to a frame's area before the next frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposal {
    Keep,
    /// It becomes transparent, which is what viewers do where the specification says background.
    Clear,
    /// It becomes what it was before the frame.
    Restore,
}

/// One frame: where it stands, and where its bytes do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameHeader<'a> {
    /// On the screen, in pixels; may be partly or wholly outside.
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) interlaced: bool,
    /// RGB triples: its own or the global ones. Empty where the file has neither.
    pub(crate) palette: &'a [u8],
    pub(crate) transparent: Option<u8>,
    pub(crate) disposal: Disposal,
    /// In hundredths of a second.
    pub(crate) delay_cs: u16,
    /// The LZW code size, then sub-blocks, to the end of the file.
    pub(crate) data: &'a [u8],
}

impl FrameHeader<'_> {
    pub(crate) const fn covers(&self, width: u32, height: u32) -> bool {
        self.left == 0 && self.top == 0 && self.width >= width && self.height >= height
    }
}

/// The frames of a file in order, until it ends or makes no more sense.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    image: &'a [u8],
    at: usize,
    screen: (u32, u32),
    global: &'a [u8],
    loops: Loops,
    ended: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(image: &'a [u8]) -> Result<Self, Error> {
        let (Some(width), Some(height), Some(&flags)) = (le16(image, 6), le16(image, 8), image.get(10))
        else {
            return Err(malformed("the screen descriptor is cut short"));
        };
        let palette_end = SCREEN_END + palette_bytes(flags);
        let global = image.get(SCREEN_END..palette_end).unwrap_or_default();
        Ok(Self {
            image,
            at: palette_end,
            screen: (u32::from(width), u32::from(height)),
            global,
            loops: Loops::Times(1),
            ended: false,
        })
    }

    /// Width and height as the file says, 0 included.
    pub(crate) const fn screen(&self) -> (u32, u32) {
        self.screen
    }

    /// How often the animation is played; known when the first frame is.
    pub(crate) const fn loops(&self) -> Loops {
        self.loops
    }

    /// The file has come to its own end, rather than been cut off.
    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    fn application(&mut self) {
        // Netscape's looping extension: a block of 11 bytes with the name, one of 3 with the count of repetitions.
        let Some(blocks) = self.image.get(self.at..) else { return };
        let Some(name) = blocks.get(..12) else { return };
        if !matches!(name, b"\x0BNETSCAPE2.0" | b"\x0BANIMEXTS1.0") || blocks.get(12..14) != Some(&[3, 1]) {
            return;
        }
        if let Some(repetitions) = le16(blocks, 14) {
            self.loops =
                if repetitions == 0 { Loops::Forever } else { Loops::Times(repetitions.saturating_add(1)) };
        }
    }

    /// Moves behind the empty block that ends a sequence of sub-blocks, or to the end of the file.
    fn skip_blocks(&mut self) {
        loop {
            match self.image.get(self.at) {
                Some(0) => {
                    self.at += 1;
                    return;
                }
                Some(&length) => self.at += usize::from(length) + 1,
                None => return,
            }
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = FrameHeader<'a>;

    fn next(&mut self) -> Option<FrameHeader<'a>> {
        let mut transparent = None;
        let mut disposal = Disposal::Keep;
        let mut delay_cs = 0;
        loop {
            let kind = *self.image.get(self.at)?;
            self.at += 1;
            match kind {
                EXTENSION => {
                    let label = *self.image.get(self.at)?;
                    self.at += 1;
                    if label == GRAPHIC_CONTROL
                        && let Some(&[4, flags, low, high, index]) = self.image.get(self.at..self.at + 5)
                    {
                        transparent = (flags & 1 != 0).then_some(index);
                        disposal = match flags >> 2 & 7 {
                            2 => Disposal::Clear,
                            3 => Disposal::Restore,
                            _ => Disposal::Keep,
                        };
                        delay_cs = u16::from_le_bytes([low, high]);
                    } else if label == APPLICATION {
                        self.application();
                    }
                    self.skip_blocks();
                }
                IMAGE => {
                    let side = |at| le16(self.image, self.at + at).map(u32::from);
                    let (left, top, width, height) = (side(0)?, side(2)?, side(4)?, side(6)?);
                    let flags = *self.image.get(self.at + 8)?;
                    let palette_start = self.at + 9;
                    let palette_end = palette_start + palette_bytes(flags);
                    let local = self.image.get(palette_start..palette_end)?;
                    let data = self.image.get(palette_end..)?;
                    self.at = palette_end + 1;
                    self.skip_blocks();
                    return Some(FrameHeader {
                        left,
                        top,
                        width,
                        height,
                        interlaced: flags & 0x40 != 0,
                        palette: if local.is_empty() { self.global } else { local },
                        transparent,
                        disposal,
                        delay_cs,
                        data,
                    });
                }
                TRAILER => {
                    self.ended = true;
                    return None;
                }
                // Padding between blocks occurs; anything else is skipped the same way until a block begins.
                _ => {}
            }
        }
    }
}

/// Of the palette that the flags announce.
fn palette_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: &[u8] = b"GIF89a\x08\0\x06\0\x80\0\0\x01\x02\x03\x04\x05\x06";
    const FRAME: &[u8] = b",\x01\0\x02\0\x04\0\x03\0\0\x02\x01\x44\0";

    fn file(parts: &[&[u8]]) -> Vec<u8> {
        [SCREEN, &parts.concat()].concat()
    }

    #[test]
    fn reads_frames_with_their_controls() {
        let control = b"!\xF9\x04\x0D\x07\0\x01\0";
        let bytes = file(&[FRAME, control, FRAME, b";"]);
        let header = read(&bytes).unwrap();
        assert_eq!((header.width, header.height, header.frames, header.has_alpha), (8, 6, 2, true));
        let frames: Vec<FrameHeader<'_>> = Walk::new(&bytes).unwrap().collect();
        assert_eq!(
            (frames[0].transparent, frames[0].disposal, frames[0].delay_cs),
            (None, Disposal::Keep, 0)
        );
        assert_eq!(
            (frames[1].transparent, frames[1].disposal, frames[1].delay_cs),
            (Some(1), Disposal::Restore, 7)
        );
        assert_eq!((frames[1].left, frames[1].top, frames[1].width, frames[1].height), (1, 2, 4, 3));
        assert_eq!(frames[1].palette, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn reads_how_often_it_plays() {
        let loops = |extension: &[u8]| {
            let bytes = file(&[extension, FRAME]);
            let mut walk = Walk::new(&bytes).unwrap();
            assert!(walk.next().is_some());
            walk.loops()
        };
        assert_eq!(loops(b""), Loops::Times(1));
        assert_eq!(loops(b"!\xFF\x0BNETSCAPE2.0\x03\x01\0\0\0"), Loops::Forever);
        assert_eq!(loops(b"!\xFF\x0BNETSCAPE2.0\x03\x01\x02\0\0"), Loops::Times(3));
        assert_eq!(loops(b"!\xFF\x0BXMP DataXMP\x03\x01\x02\0\0"), Loops::Times(1));
    }

    #[test]
    fn knows_the_end_from_a_cut() {
        let ended = |tail: &[u8]| {
            let bytes = file(&[FRAME, tail]);
            let mut walk = Walk::new(&bytes).unwrap();
            assert_eq!(walk.by_ref().count(), 1);
            walk.has_ended()
        };
        assert!(ended(b";") && !ended(b"") && !ended(b"!\xF9\x04\x0D"));
    }

    #[test]
    fn an_empty_screen_takes_the_size_of_the_first_frame() {
        let bytes = [b"GIF89a\0\0\0\0\0\0\0", FRAME].concat();
        let header = read(&bytes).unwrap();
        assert_eq!((header.width, header.height), (5, 5));
    }

    #[test]
    fn what_lies_beyond_the_screen_is_counted() {
        // The screen has 8x6 pixels.
        let larger = b",\x01\0\x02\0\x64\0\x0A\0\0\x02\x01\x44\0";
        let hidden = |parts: &[&[u8]]| read(&file(parts)).unwrap().hidden_pixels;
        assert_eq!(hidden(&[FRAME, FRAME]), 0);
        assert_eq!(hidden(&[larger, FRAME, larger]), 2 * (1000 - 48));
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
