//! Walking a file by its blocks (GIF89a specification): the screen, and where each frame's bytes are.

use thumbs_canvas::Disposal;

use crate::error::Error;

const SCREEN_END: usize = 13;
const IMAGE: u8 = b',';
const EXTENSION: u8 = b'!';
const TRAILER: u8 = b';';
const GRAPHIC_CONTROL: u8 = 0xF9;
const APPLICATION: u8 = 0xFF;

/// One frame: where it stands, and where its bytes do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor<'a> {
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

impl Descriptor<'_> {
    pub(crate) const fn covers(&self, width: u32, height: u32) -> bool {
        self.left == 0 && self.top == 0 && self.width >= width && self.height >= height
    }
}

/// The frames of a file in order, until it ends or makes no more sense.
#[derive(Clone, Debug)]
pub(crate) struct Blocks<'a> {
    image: &'a [u8],
    at: usize,
    screen: (u32, u32),
    global: &'a [u8],
    loop_count: u16,
    ended: bool,
}

impl<'a> Blocks<'a> {
    /// # Errors
    /// [`Error::NotGif`], and [`Error::Malformed`] for a screen that is cut short.
    pub(crate) fn new(image: &'a [u8]) -> Result<Self, Error> {
        if !matches!(image, [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..]) {
            return Err(Error::NotGif);
        }
        let (Some(width), Some(height), Some(&flags)) = (le16(image, 6), le16(image, 8), image.get(10))
        else {
            return Err(Error::Malformed("the screen descriptor is cut short"));
        };
        let palette_end = SCREEN_END + palette_bytes(flags);
        let global = image.get(SCREEN_END..palette_end).unwrap_or_default();
        Ok(Self {
            image,
            at: palette_end,
            screen: (u32::from(width), u32::from(height)),
            global,
            loop_count: 1,
            ended: false,
        })
    }

    /// Width and height as the file says, 0 included.
    pub(crate) const fn screen(&self) -> (u32, u32) {
        self.screen
    }

    /// How often the animation is played, 0 for ever; known when the first frame is.
    pub(crate) const fn loop_count(&self) -> u16 {
        self.loop_count
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
            self.loop_count = if repetitions == 0 { 0 } else { repetitions.saturating_add(1) };
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

impl<'a> Iterator for Blocks<'a> {
    type Item = Descriptor<'a>;

    fn next(&mut self) -> Option<Descriptor<'a>> {
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
                            // The specification says background; viewers make it transparent.
                            2 => Disposal::Clear,
                            // 4 is undefined, and what old encoders wrote for 3.
                            3 | 4 => Disposal::Restore,
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
                    return Some(Descriptor {
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

/// Two bytes as a number, if they are there.
fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|&word| u16::from_le_bytes(word))
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
        assert_eq!(Blocks::new(&bytes).unwrap().screen(), (8, 6));
        let frames: Vec<Descriptor<'_>> = Blocks::new(&bytes).unwrap().collect();
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
            let mut blocks = Blocks::new(&bytes).unwrap();
            assert!(blocks.next().is_some());
            blocks.loop_count()
        };
        assert_eq!(loops(b""), 1);
        assert_eq!(loops(b"!\xFF\x0BNETSCAPE2.0\x03\x01\0\0\0"), 0);
        assert_eq!(loops(b"!\xFF\x0BNETSCAPE2.0\x03\x01\x02\0\0"), 3);
        assert_eq!(loops(b"!\xFF\x0BXMP DataXMP\x03\x01\x02\0\0"), 1);
    }

    #[test]
    fn knows_the_end_from_a_cut() {
        let ended = |tail: &[u8]| {
            let bytes = file(&[FRAME, tail]);
            let mut blocks = Blocks::new(&bytes).unwrap();
            assert_eq!(blocks.by_ref().count(), 1);
            blocks.has_ended()
        };
        assert!(ended(b";") && !ended(b"") && !ended(b"!\xF9\x04\x0D"));
    }
}
