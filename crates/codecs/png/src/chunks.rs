//! Walking a file by its chunks (PNG specification, section 5). Knows nothing of what they mean, and looks at no checksum.

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1A\n";
/// Length and type before the body of a chunk.
const LENGTH_AND_TYPE_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 4;

/// One chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) kind: [u8; 4],
    /// Shorter than the chunk says where the file ends.
    pub(crate) body: &'a [u8],
}

/// The chunks of a file, until it ends.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<'a> {
    image: &'a [u8],
    at: usize,
}

impl<'a> Chunks<'a> {
    /// `None` where the bytes do not begin with PNG's signature.
    pub(crate) fn new(image: &'a [u8]) -> Option<Self> {
        image.starts_with(SIGNATURE).then_some(Self { image, at: SIGNATURE.len() })
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let length = be32(self.image, self.at)? as usize;
        let kind = array(self.image, self.at + 4)?;
        let start = self.at + LENGTH_AND_TYPE_BYTES;
        let end = start.saturating_add(length).min(self.image.len());
        self.at = end.saturating_add(CHECKSUM_BYTES);
        Some(Chunk { kind, body: self.image.get(start..end)? })
    }
}

/// Two bytes as a number, if they are there.
pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(array(bytes, at)?))
}

/// Four bytes as a number, if they are there.
pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(array(bytes, at)?))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
