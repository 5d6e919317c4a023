//! GIF: the screen, and of each frame its descriptor and whether a colour of it is transparent. Palettes, pixels and texts go past.

use thumbs_gif::Decoder;

use super::walk::{self, Passed, Want};

const SCREEN_BYTES: usize = 13;
const SCREEN_FLAGS_AT: usize = 10;
/// Left, top, width, height, flags.
const DESCRIPTOR_BYTES: usize = 9;
const PALETTE_FLAG: u8 = 0x80;
const EXTENSION: u8 = b'!';
const IMAGE: u8 = b',';
const TRAILER: u8 = b';';
const GRAPHIC_CONTROL: u8 = 0xF9;
/// No outline is longer than this and a frame: frames after the first are counted then, and forgotten.
const MAX_OUTLINE_BYTES: usize = 16 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Walk {
    at: At,
    /// Of the frame that comes.
    control: Option<[u8; 4]>,
    descriptor: [u8; DESCRIPTOR_BYTES],
    /// Where the outline's first frame ends; 0 before there is one.
    first_end: usize,
    passed: Passed,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Screen,
    /// Behind a palette, or what else stands before a block.
    Between,
    Block,
    Label,
    /// The length of the first part of a graphic control.
    ControlLength,
    Control,
    Descriptor,
    /// Behind a frame's palette.
    Frame,
    CodeSize,
    /// The length of the next part of a block.
    Length,
    /// Behind such a part.
    Part,
}

impl Walk {
    const fn want(&mut self, at: At, count: usize) -> Want {
        self.at = at;
        Want::Bytes(count)
    }

    fn palette(&mut self, flags: u8, behind: At) -> Want {
        self.at = behind;
        Want::Past(if flags & PALETTE_FLAG == 0 { 0 } else { 3 << ((flags & 7) + 1) })
    }

    /// A frame counts once its palette is there.
    fn add_frame(&mut self, outline: &mut Vec<u8>) {
        if let Some([flags, low, high, index]) = self.control.take() {
            outline.extend_from_slice(&[EXTENSION, GRAPHIC_CONTROL, 4, flags, low, high, index, 0]);
        }
        let [position @ .., flags] = self.descriptor;
        outline.push(IMAGE);
        outline.extend_from_slice(&position);
        // Then a code size, and no pixels.
        outline.extend_from_slice(&[flags & !PALETTE_FLAG, 0, 0]);
        if self.first_end == 0 {
            self.first_end = outline.len();
        } else if outline.len() > MAX_OUTLINE_BYTES {
            self.forget_frames(outline);
        }
    }

    /// All but the first, which hides nothing.
    fn forget_frames(&mut self, outline: &mut Vec<u8>) {
        if let Ok(decoder) = Decoder::new(outline) {
            let info = decoder.info();
            let Passed { frames, hidden_pixels, has_alpha } = &mut self.passed;
            *frames = frames.saturating_add(info.frames.saturating_sub(1));
            *hidden_pixels = hidden_pixels.saturating_add(info.hidden_pixels);
            *has_alpha |= info.has_alpha;
        }
        outline.truncate(self.first_end);
    }
}

impl walk::Walk for Walk {
    fn begin(&self) -> Want {
        Want::Bytes(SCREEN_BYTES)
    }

    fn step(&mut self, bytes: &[u8], outline: &mut Vec<u8>) -> Want {
        let first = bytes.first().copied().unwrap_or_default();
        match self.at {
            At::Screen => {
                outline.extend_from_slice(bytes);
                let flags = outline.get_mut(SCREEN_FLAGS_AT).map_or(0, |flags| {
                    let before = *flags;
                    *flags &= !PALETTE_FLAG;
                    before
                });
                self.palette(flags, At::Between)
            }
            At::Between => self.want(At::Block, 1),
            At::Block => match first {
                EXTENSION => self.want(At::Label, 1),
                IMAGE => self.want(At::Descriptor, DESCRIPTOR_BYTES),
                TRAILER => Want::Nothing,
                _ => self.want(At::Block, 1),
            },
            At::Label if first == GRAPHIC_CONTROL => self.want(At::ControlLength, 1),
            At::Label => self.want(At::Length, 1),
            At::ControlLength if first == 4 => self.want(At::Control, 4),
            At::Control => {
                self.control = bytes.first_chunk().copied();
                self.want(At::Length, 1)
            }
            At::Descriptor => {
                self.descriptor = bytes.first_chunk().copied().unwrap_or_default();
                let [.., flags] = self.descriptor;
                self.palette(flags, At::Frame)
            }
            At::Frame => {
                self.add_frame(outline);
                self.want(At::CodeSize, 1)
            }
            At::CodeSize | At::Part => self.want(At::Length, 1),
            At::ControlLength | At::Length if first == 0 => self.want(At::Block, 1),
            At::ControlLength | At::Length => {
                self.at = At::Part;
                Want::Past(first.into())
            }
        }
    }

    fn end(&mut self, bytes: &[u8], outline: &mut Vec<u8>) {
        if matches!(self.at, At::Screen) {
            outline.extend_from_slice(bytes);
        }
    }

    fn is_ready(&self) -> bool {
        self.first_end > 0
    }

    fn passed(&self) -> Passed {
        self.passed
    }
}
