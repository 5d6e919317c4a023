//! The bytes of one frame's zlib stream, as they stand in its chunks.

use crate::chunks::{Chunk, Chunks};

/// Bytes of the sequence number before the data in an fdAT chunk.
const SEQUENCE_BYTES: usize = 4;

/// Slices of one zlib stream, in order.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'a> {
    first: Option<Chunk<'a>>,
    /// `None` behind the last.
    rest: Option<Chunks<'a>>,
}

impl<'a> Pieces<'a> {
    /// The stream that begins with `first`, an IDAT or fdAT chunk, after which come `rest`.
    pub(crate) const fn new(first: Chunk<'a>, rest: Chunks<'a>) -> Self {
        Self { first: Some(first), rest: Some(rest) }
    }

    /// The image that is shown where animations are not.
    pub(crate) fn of_still(mut chunks: Chunks<'a>) -> Option<Self> {
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
            Some(Chunk { kind, body }) if kind == *b"IDAT" => Some(body),
            Some(Chunk { kind, body }) if kind == *b"fdAT" => {
                Some(body.get(SEQUENCE_BYTES..).unwrap_or_default())
            }
            _ => {
                self.rest = None;
                None
            }
        }
    }
}
