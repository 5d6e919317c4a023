//! WebP: the canvas, the headers of bitstreams, of each of the first frames its rectangle, orientation. What else there is goes past.

use super::MAX_METADATA_BYTES;
use super::walk::{self, Passed, Want};

/// `RIFF`, a size, `WEBP`.
const START_BYTES: usize = 12;
/// A name and a size.
const HEAD_BYTES: usize = 8;
const CANVAS_BYTES: usize = 10;
const FRAME_BYTES: usize = 16;
const LOSSY_BYTES: usize = 10;
const LOSSLESS_BYTES: usize = 5;
const EXIF_FLAG: u8 = 0x08;
const XMP_FLAG: u8 = 0x04;
/// The first that is sound is looked for among so many frames; further ones are counted.
const MAX_OUTLINED_FRAMES: u32 = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Walk {
    at: At,
    /// By its own word; what follows is no part of the image.
    file_bytes: Option<u64>,
    name: [u8; 4],
    /// Of the chunk's payload, what was not asked for yet.
    left: u64,
    /// What makes the chunk's size even.
    padding: u64,
    /// Of the chunk within a frame.
    inner: [u8; 4],
    /// Of a frame: its rectangle, then the header of its bitstream.
    frame: Vec<u8>,
    frames: u32,
    flags: u8,
    has_first: bool,
    has_canvas: bool,
    has_alpha: bool,
    has_image: bool,
    has_exif: bool,
    has_xmp: bool,
    is_ready: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Start,
    /// Behind a chunk.
    Between,
    Head,
    /// Of a chunk, as much of its payload as is kept.
    Body,
    Frame,
    /// Within a frame, behind a chunk of it.
    InnerBetween,
    InnerHead,
    InnerBody,
}

/// What the size is read from.
fn header_bytes(name: [u8; 4]) -> Option<usize> {
    match &name {
        b"VP8 " => Some(LOSSY_BYTES),
        b"VP8L" => Some(LOSSLESS_BYTES),
        _ => None,
    }
}

/// Name and size.
fn head(bytes: &[u8]) -> ([u8; 4], u64) {
    let name = bytes.first_chunk().copied().unwrap_or_default();
    let size = bytes.get(4..).and_then(|bytes| bytes.first_chunk().copied()).map_or(0, u32::from_le_bytes);
    (name, size.into())
}

fn add_chunk(name: [u8; 4], payload: &[u8], outline: &mut Vec<u8>) {
    outline.extend_from_slice(&name);
    outline.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    outline.extend_from_slice(payload);
    if payload.len() % 2 == 1 {
        outline.push(0);
    }
}

impl Walk {
    /// So much of the payload, or all where it is shorter.
    fn want(&mut self, at: At, max_bytes: usize, outline: &mut Vec<u8>) -> Want {
        self.at = at;
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(max_bytes);
        self.left -= count as u64;
        if count == 0 { self.take(&[], outline) } else { Want::Bytes(count) }
    }

    /// The rest of the chunk.
    const fn past(&mut self) -> Want {
        self.at = At::Between;
        Want::Past(self.left + self.padding)
    }

    fn chunk(&mut self, outline: &mut Vec<u8>) -> Want {
        let is_first = !std::mem::replace(&mut self.has_first, true);
        match &self.name {
            b"VP8X" if is_first => {
                self.has_canvas = true;
                return self.want(At::Body, CANVAS_BYTES, outline);
            }
            b"EXIF" if self.flags & EXIF_FLAG != 0 && !self.has_exif => self.has_exif = true,
            b"XMP " if self.flags & XMP_FLAG != 0 && !self.has_xmp => self.has_xmp = true,
            b"ALPH" if self.has_canvas && !self.has_alpha && !self.has_image => {
                self.has_alpha = true;
                add_chunk(self.name, &[], outline);
                return self.past();
            }
            b"ANMF" if self.has_canvas => {
                self.frames = self.frames.saturating_add(1);
                if self.frames > MAX_OUTLINED_FRAMES {
                    return self.past();
                }
                return self.want(At::Frame, FRAME_BYTES, outline);
            }
            _ => {
                let Some(count) = header_bytes(self.name).filter(|_| !self.has_image) else {
                    return self.past();
                };
                self.has_image = true;
                return self.want(At::Body, count, outline);
            }
        }
        self.want(At::Body, MAX_METADATA_BYTES, outline)
    }

    /// The next chunk of a frame, if there is one.
    fn inner(&mut self, outline: &mut Vec<u8>) -> Want {
        if self.left < HEAD_BYTES as u64 {
            self.add_frame(outline);
            return self.past();
        }
        self.want(At::InnerHead, HEAD_BYTES, outline)
    }

    fn add_frame(&mut self, outline: &mut Vec<u8>) {
        add_chunk(*b"ANMF", &self.frame, outline);
        self.is_ready = true;
    }

    /// Of the payload what was asked for.
    fn take(&mut self, bytes: &[u8], outline: &mut Vec<u8>) -> Want {
        match self.at {
            At::Frame => {
                self.frame = bytes.to_vec();
                return self.inner(outline);
            }
            At::InnerHead => {
                let (name, size) = head(bytes);
                self.inner = name;
                if let Some(count) = header_bytes(name) {
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    return self.want(At::InnerBody, count.min(size), outline);
                }
                let past = (size + size % 2).min(self.left);
                self.left -= past;
                self.at = At::InnerBetween;
                return Want::Past(past);
            }
            At::InnerBody => {
                add_chunk(self.inner, bytes, &mut self.frame);
                self.add_frame(outline);
            }
            _ => {
                if &self.name == b"VP8X" {
                    self.flags = bytes.first().copied().unwrap_or_default();
                }
                add_chunk(self.name, bytes, outline);
                self.is_ready |= header_bytes(self.name).is_some();
            }
        }
        self.past()
    }
}

impl walk::Walk for Walk {
    fn begin(&self) -> Want {
        Want::Bytes(START_BYTES)
    }

    fn step(&mut self, bytes: &[u8], outline: &mut Vec<u8>) -> Want {
        match self.at {
            At::Start => {
                let (_, size) = head(bytes);
                self.file_bytes = Some(START_BYTES as u64 + size.saturating_sub(4));
                outline.extend_from_slice(b"RIFF\xFF\xFF\xFF\xFFWEBP");
                self.at = At::Head;
                Want::Bytes(HEAD_BYTES)
            }
            At::Between => {
                self.at = At::Head;
                Want::Bytes(HEAD_BYTES)
            }
            At::Head => {
                let (name, size) = head(bytes);
                (self.name, self.left, self.padding) = (name, size, size % 2);
                self.chunk(outline)
            }
            At::InnerBetween => self.inner(outline),
            At::Body | At::Frame | At::InnerHead | At::InnerBody => self.take(bytes, outline),
        }
    }

    fn end(&mut self, bytes: &[u8], outline: &mut Vec<u8>) {
        match self.at {
            At::Start | At::Between | At::Head => {}
            At::Body | At::InnerBody => {
                self.take(bytes, outline);
            }
            At::Frame => {
                self.frame = bytes.to_vec();
                self.add_frame(outline);
            }
            At::InnerBetween | At::InnerHead => self.add_frame(outline),
        }
    }

    fn file_bytes(&self) -> Option<u64> {
        self.file_bytes
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn passed(&self) -> Passed {
        Passed { frames: self.frames.saturating_sub(MAX_OUTLINED_FRAMES), ..Passed::default() }
    }
}
