//! The RIFF container (RFC 9649, section 2): chunks, the canvas, where each frame's bytes are. Nothing is decoded or copied
//! here, and no list grows with the file: frames are found anew on each walk.
//!
//! A file cut short is accepted as long as the start of its image data is there; its last chunk then just ends early.

use crate::{
    error::Error,
    vp8::header::key_frame_size,
    vp8l::header::{LosslessHeader, lossless_header},
};

/// What a VP8X chunk says there is. Chunks that it does not announce are ignored, as libwebp does.
mod flag {
    pub(super) const ANIMATION: u8 = 0x02;
    pub(super) const XMP: u8 = 0x04;
    pub(super) const EXIF: u8 = 0x08;
    pub(super) const ALPHA: u8 = 0x10;
    pub(super) const ICC: u8 = 0x20;
}

/// One chunk; `payload` is shorter than the file says where the file ends early.
#[derive(Clone, Copy, Debug)]
struct Chunk<'a> {
    id: [u8; 4],
    payload: &'a [u8],
}

/// The chunks of a byte range, one after the other.
#[derive(Clone, Debug)]
struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (id, rest) = self.rest.split_first_chunk::<4>()?;
        let (size, rest) = rest.split_first_chunk::<4>()?;
        let size = u32::from_le_bytes(*size) as usize;
        let payload = rest.get(..size).unwrap_or(rest);
        // Chunks of odd size are followed by one byte of padding.
        self.rest = rest.get(size.saturating_add(size & 1)..).unwrap_or(&[]);
        Some(Chunk { id: *id, payload })
    }
}

/// The bitstream of one frame.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bitstream<'a> {
    /// A VP8 key frame and, where there is one, the payload of its `ALPH` chunk.
    Lossy {
        /// The `VP8 ` payload.
        data: &'a [u8],
        /// The `ALPH` payload.
        alpha: Option<&'a [u8]>,
    },
    /// A `VP8L` payload.
    Lossless {
        /// The whole payload, header included.
        data: &'a [u8],
        /// What its header says.
        header: LosslessHeader,
    },
}

/// One coded picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coded<'a> {
    /// 1..=16,384 pixels.
    pub(crate) width: u32,
    /// 1..=16,384 pixels.
    pub(crate) height: u32,
    pub(crate) bitstream: Bitstream<'a>,
}

impl<'a> Coded<'a> {
    /// The first image among `chunks`, with the `ALPH` chunk before it where that counts.
    fn find(chunks: Chunks<'a>, takes_alpha: bool) -> Result<Self, Error> {
        let mut alpha = None;
        for Chunk { id, payload } in chunks {
            match &id {
                b"ALPH" if takes_alpha => alpha = Some(payload),
                b"VP8 " => {
                    let (width, height) = key_frame_size(payload)?;
                    let bitstream = Bitstream::Lossy { data: payload, alpha };
                    return Ok(Self { width, height, bitstream });
                }
                b"VP8L" => {
                    let header = lossless_header(payload)?;
                    let bitstream = Bitstream::Lossless { data: payload, header };
                    return Ok(Self { width: header.width, height: header.height, bitstream });
                }
                _ => {}
            }
        }
        Err(Error::Malformed("no image data"))
    }

    /// Some pixel may be less than opaque.
    pub(crate) const fn has_alpha(&self) -> bool {
        match self.bitstream {
            Bitstream::Lossy { alpha, .. } => alpha.is_some(),
            Bitstream::Lossless { header, .. } => header.has_alpha,
        }
    }
}

/// One frame of an animation: an `ANMF` chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnimationFrame<'a> {
    /// Pixels from the canvas' left edge.
    pub(crate) left: u32,
    /// Pixels from the canvas' top edge.
    pub(crate) top: u32,
    pub(crate) duration_ms: u32,
    /// Drawn over what the canvas shows; otherwise it replaces it, alpha included.
    pub(crate) blend: bool,
    /// After it was shown, its rectangle is made transparent.
    pub(crate) dispose: bool,
    pub(crate) coded: Coded<'a>,
}

impl<'a> AnimationFrame<'a> {
    fn parse(payload: &'a [u8], canvas_width: u32, canvas_height: u32) -> Result<Self, Error> {
        const SHORT: Error = Error::Malformed("animation frame too short");
        let (head, chunks) = payload.split_first_chunk::<16>().ok_or(SHORT)?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]);
        let (left, top) = (number(0) * 2, number(3) * 2);
        let coded = Coded::find(Chunks::new(chunks), true)?;
        if coded.width != number(6) + 1 || coded.height != number(9) + 1 {
            return Err(Error::Malformed("frame size differs from its image"));
        }
        // 25-bit offsets and 14-bit sizes: no sum overflows.
        if left + coded.width > canvas_width || top + coded.height > canvas_height {
            return Err(Error::Malformed("frame outside of the canvas"));
        }
        Ok(Self {
            left,
            top,
            duration_ms: number(12),
            blend: head[15] & 2 == 0,
            dispose: head[15] & 1 == 1,
            coded,
        })
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    Still(Coded<'a>),
    Animation {
        /// All chunks after `VP8X`.
        chunks: &'a [u8],
        /// 0 = for ever.
        loop_count: u16,
        /// At least 1.
        frame_count: u32,
        /// The first one that is none of the broken.
        first: AnimationFrame<'a>,
        /// There are broken ones before it.
        begins_late: bool,
    },
}

/// A file whose structure is sound as far as its first image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Container<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) content: Content<'a>,
    pub(crate) icc: Option<&'a [u8]>,
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) xmp: Option<&'a [u8]>,
    /// The file is shorter than it says.
    pub(crate) cut: bool,
}

impl<'a> Container<'a> {
    /// # Errors
    /// [`Error::NotWebp`], or [`Error::Malformed`] where no image or no whole image header is there.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (head, body) = bytes.split_first_chunk::<12>().ok_or(Error::NotWebp)?;
        if &head[..4] != b"RIFF" || &head[8..] != b"WEBP" {
            return Err(Error::NotWebp);
        }
        // The size counts from the form type on. Bytes after it are no part of the image.
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let body_bytes = size.saturating_sub(4);
        let cut = body_bytes > body.len();
        let body = body.get(..body_bytes).unwrap_or(body);

        let extended = Chunks::new(body).next().filter(|chunk| &chunk.id == b"VP8X");
        let Some(extended) = extended else {
            let coded = Coded::find(Chunks::new(body), false)?;
            return Ok(Self {
                width: coded.width,
                height: coded.height,
                content: Content::Still(coded),
                icc: None,
                exif: None,
                xmp: None,
                cut,
            });
        };
        let head = extended.payload.first_chunk::<10>().ok_or(Error::Malformed("VP8X chunk too short"))?;
        let width = u32::from_le_bytes([head[4], head[5], head[6], 0]) + 1;
        let height = u32::from_le_bytes([head[7], head[8], head[9], 0]) + 1;

        let mut walk = Chunks::new(body);
        walk.next();
        let chunks = walk.rest;
        let payload =
            |id: &[u8; 4]| Chunks::new(chunks).find(|chunk| &chunk.id == id).map(|chunk| chunk.payload);
        let declares = |flag: u8| head[0] & flag != 0;
        let content = if !declares(flag::ANIMATION) {
            let coded = Coded::find(Chunks::new(chunks), declares(flag::ALPHA))?;
            if (coded.width, coded.height) != (width, height) {
                return Err(Error::Malformed("canvas size differs from its image"));
            }
            Content::Still(coded)
        } else {
            let mut walk = FrameWalk::new(chunks, width, height);
            let first = walk.next().ok_or(Error::Malformed("animation without frames"))?;
            let begins_late = first.is_err();
            let first = first.or_else(|error| walk.find_map(Result::ok).ok_or(error))?;
            let loop_count = payload(b"ANIM")
                .and_then(|payload| payload.get(4..6)?.try_into().ok())
                .map_or(0, u16::from_le_bytes);
            let frame_count = Chunks::new(chunks).filter(|chunk| &chunk.id == b"ANMF").count();
            let frame_count = u32::try_from(frame_count).unwrap_or(u32::MAX);
            Content::Animation { chunks, loop_count, frame_count, first, begins_late }
        };
        let find = |flag: u8, id: &[u8; 4]| if declares(flag) { payload(id) } else { None };
        Ok(Self {
            width,
            height,
            content,
            icc: find(flag::ICC, b"ICCP"),
            exif: find(flag::EXIF, b"EXIF"),
            xmp: find(flag::XMP, b"XMP "),
            cut,
        })
    }
}

/// Walks over the `ANMF` chunks of an animation, in order.
#[derive(Clone, Debug)]
pub(crate) struct FrameWalk<'a> {
    chunks: Chunks<'a>,
    canvas_width: u32,
    canvas_height: u32,
}

impl<'a> FrameWalk<'a> {
    pub(crate) const fn new(chunks: &'a [u8], canvas_width: u32, canvas_height: u32) -> Self {
        Self { chunks: Chunks::new(chunks), canvas_width, canvas_height }
    }
}

impl<'a> Iterator for FrameWalk<'a> {
    type Item = Result<AnimationFrame<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.chunks.find(|chunk| &chunk.id == b"ANMF")?;
        Some(AnimationFrame::parse(chunk.payload, self.canvas_width, self.canvas_height))
    }
}
