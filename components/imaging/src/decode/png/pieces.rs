//! The bytes of one frame's zlib stream, as they stand in its chunks.

use crate::header::{PngChunk, PngChunks};

/// Bytes of the sequence number before the data in an fdAT chunk.
const SEQUENCE_BYTES: usize = 4;

/// Slices of one zlib stream, in order.
#[derive(Clone, Debug)]
pub(super) struct Pieces<'a> {
    first: Option<PngChunk<'a>>,
    /// `None` behind the last.
    rest: Option<PngChunks<'a>>,
}

impl<'a> Pieces<'a> {
    /// The stream that begins with `first`, an IDAT or fdAT chunk, after which come `rest`.
    pub(super) const fn new(first: PngChunk<'a>, rest: PngChunks<'a>) -> Self {
        Self { first: Some(first), rest: Some(rest) }
    }

    /// The image that is shown where animations are not.
    pub(super) fn of_still(image: &'a [u8]) -> Option<Self> {
        let mut chunks = PngChunks::new(image);
        let first = chunks.find(|chunk| chunk.kind == *b"IDAT")?;
        Some(Self::new(first, chunks))
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let chunk = self.first.take().or_else(|| {
            // Chunks of other kinds in between are against the rules and harmless; the next frame's control is neither.
            self.rest.as_mut()?.find(|chunk| matches!(&chunk.kind, b"IDAT" | b"fdAT" | b"fcTL" | b"IEND"))
        });
        match chunk {
            Some(PngChunk { kind, body }) if kind == *b"IDAT" => Some(body),
            Some(PngChunk { kind, body }) if kind == *b"fdAT" => {
                Some(body.get(SEQUENCE_BYTES..).unwrap_or_default())
            }
            _ => {
                self.rest = None;
                None
            }
        }
    }
}
