//! PNG: the image header, what says that it is an animation, frames without their pixels, orientation. What else there is goes past.

use super::MAX_METADATA_BYTES;
use super::walk::{self, Passed, Want};

const SIGNATURE_BYTES: usize = 8;
/// Length and type.
const HEAD_BYTES: usize = 8;
const CHECKSUM_BYTES: u64 = 4;
const IMAGE_HEADER_BYTES: usize = 13;
const ANIMATION_CONTROL_BYTES: usize = 8;
/// A keyword and the zero byte behind it.
const MAX_KEYWORD_BYTES: usize = 80;
/// Of texts, the kinds that an orientation is read from.
const KEYWORDS: [&[u8]; 3] = [b"XML:com.adobe.xmp\0", b"Raw profile type exif\0", b"Raw profile type APP1\0"];
/// Frames that stay in the outline, so that it is one of an animation; further ones are counted.
const MAX_OUTLINED_FRAMES: u32 = 2;
/// Texts that stay in the outline: of each kind the first counts, if it makes sense.
const MAX_TEXTS: u32 = 8;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Walk {
    at: At,
    kind: [u8; 4],
    body_bytes: u64,
    /// The beginning of a body that was looked at.
    kept: Vec<u8>,
    is_ready: bool,
    has_pixels: bool,
    has_transparency: bool,
    has_exif: bool,
    texts: u32,
    frames: u32,
    /// The last statement before the pixels.
    animation: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Signature,
    /// Behind a chunk.
    Between,
    Head,
    /// Bytes of a body that is kept as far as this.
    Body,
    Keyword,
}

impl Walk {
    const fn want(&mut self, at: At, count: usize) -> Want {
        self.at = at;
        Want::Bytes(count)
    }

    /// What of the body was not asked for.
    fn past(&mut self, seen_bytes: usize) -> Want {
        self.at = At::Between;
        Want::Past(self.body_bytes.saturating_sub(seen_bytes as u64) + CHECKSUM_BYTES)
    }

    /// So much of the body, or all where it is shorter.
    fn body(&mut self, at: At, max_bytes: usize, outline: &mut Vec<u8>) -> Want {
        let count = usize::try_from(self.body_bytes).unwrap_or(usize::MAX).min(max_bytes);
        if count == 0 {
            self.at = at;
            return self.take(&[], outline);
        }
        self.want(at, count)
    }

    fn chunk(&mut self, outline: &mut Vec<u8>) -> Want {
        if !self.is_ready {
            return self.body(At::Body, IMAGE_HEADER_BYTES, outline);
        }
        match &self.kind {
            b"acTL" if !self.has_pixels => return self.body(At::Body, ANIMATION_CONTROL_BYTES, outline),
            b"eXIf" if !self.has_exif => return self.body(At::Body, MAX_METADATA_BYTES, outline),
            b"tEXt" | b"zTXt" | b"iTXt" if self.texts < MAX_TEXTS && outline.len() < MAX_METADATA_BYTES => {
                return self.body(At::Keyword, MAX_KEYWORD_BYTES, outline);
            }
            b"fcTL" => {
                if self.frames < MAX_OUTLINED_FRAMES {
                    self.add(&[], outline);
                }
                self.frames = self.frames.saturating_add(1);
            }
            b"IDAT" if !self.has_pixels => {
                self.add_animation(outline);
                self.has_pixels = true;
                self.add(&[], outline);
            }
            b"tRNS" if !self.has_transparency => {
                self.has_transparency = true;
                self.add(&[], outline);
            }
            b"IEND" => {
                self.add_animation(outline);
                self.add(&[], outline);
                return Want::Nothing;
            }
            _ => {}
        }
        self.past(0)
    }

    /// Bytes of a body that were asked for.
    fn take(&mut self, bytes: &[u8], outline: &mut Vec<u8>) -> Want {
        if matches!(self.at, At::Keyword) {
            if !KEYWORDS.iter().any(|keyword| bytes.starts_with(keyword)) {
                return self.past(bytes.len());
            }
            let rest = usize::try_from(self.body_bytes).unwrap_or(usize::MAX).min(MAX_METADATA_BYTES);
            if let rest @ 1.. = rest.saturating_sub(bytes.len()) {
                self.kept = bytes.to_vec();
                return self.want(At::Body, rest);
            }
        }
        let mut body = std::mem::take(&mut self.kept);
        body.extend_from_slice(bytes);
        self.keep(&body, outline);
        self.past(body.len())
    }

    fn keep(&mut self, body: &[u8], outline: &mut Vec<u8>) {
        if !self.is_ready {
            self.is_ready = true;
            return self.add(body, outline);
        }
        match &self.kind {
            b"acTL" => self.animation = Some(body.to_vec()),
            b"eXIf" => {
                self.has_exif = true;
                self.add(body, outline);
            }
            _ => {
                self.texts += 1;
                self.add(body, outline);
            }
        }
    }

    fn add(&self, body: &[u8], outline: &mut Vec<u8>) {
        add_chunk(self.kind, body, outline);
    }

    fn add_animation(&mut self, outline: &mut Vec<u8>) {
        if !self.has_pixels
            && let Some(body) = &self.animation
        {
            add_chunk(*b"acTL", body, outline);
        }
    }

    fn is_animated(&self) -> bool {
        self.animation.as_ref().and_then(|body| body.first_chunk()).is_some_and(|frames| *frames != [0; 4])
    }
}

fn add_chunk(kind: [u8; 4], body: &[u8], outline: &mut Vec<u8>) {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    outline.extend_from_slice(&length.to_be_bytes());
    outline.extend_from_slice(&kind);
    outline.extend_from_slice(body);
    // Nobody looks at checksums.
    outline.extend_from_slice(&[0; 4]);
}

impl walk::Walk for Walk {
    fn begin(&self) -> Want {
        Want::Bytes(SIGNATURE_BYTES)
    }

    fn step(&mut self, bytes: &[u8], outline: &mut Vec<u8>) -> Want {
        match self.at {
            At::Signature => {
                outline.extend_from_slice(bytes);
                self.want(At::Head, HEAD_BYTES)
            }
            At::Between => self.want(At::Head, HEAD_BYTES),
            At::Head => {
                if let Some(([a, b, c, d], kind)) = bytes.split_first_chunk() {
                    self.body_bytes = u32::from_be_bytes([*a, *b, *c, *d]).into();
                    self.kind = kind.first_chunk().copied().unwrap_or_default();
                }
                self.chunk(outline)
            }
            At::Body | At::Keyword => self.take(bytes, outline),
        }
    }

    fn end(&mut self, bytes: &[u8], outline: &mut Vec<u8>) {
        if matches!(self.at, At::Body | At::Keyword) {
            // Of a body that is cut off there is as much as there is.
            self.body_bytes = (self.kept.len() + bytes.len()) as u64;
            self.take(bytes, outline);
        }
        self.add_animation(outline);
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn passed(&self) -> Passed {
        let frames = if self.is_animated() { self.frames.saturating_sub(MAX_OUTLINED_FRAMES) } else { 0 };
        Passed { frames, ..Passed::default() }
    }
}
