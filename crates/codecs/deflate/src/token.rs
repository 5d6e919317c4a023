//! One step of the decoder: a byte, or a copy of earlier ones.

/// The longest copy, in bytes (RFC 1951, section 3.2.5); the shortest has 3.
pub(crate) const MAX_LENGTH: usize = 258;
/// The farthest place that a copy is made from, in bytes back.
pub(crate) const MAX_DISTANCE: usize = 32_768;

const COPY: u32 = 1 << 31;

/// Four bytes: bit 31 tells a copy, with its length from bit 16 on and its distance less one below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(u32);

impl Token {
    pub(crate) const fn literal(byte: u8) -> Self {
        Self(byte as u32)
    }

    /// Both within their bounds.
    pub(crate) const fn copy(length: usize, distance: usize) -> Self {
        Self(COPY | (length as u32) << 16 | (distance as u32 - 1))
    }

    /// The byte, unless it is a copy.
    pub(crate) const fn byte(self) -> Option<u8> {
        if self.0 & COPY == 0 { Some(self.0 as u8) } else { None }
    }

    /// How many bytes it stands for.
    pub(crate) const fn length(self) -> usize {
        if self.0 & COPY == 0 { 1 } else { (self.0 >> 16 & 0x1FF) as usize }
    }

    /// How far back a copy begins.
    pub(crate) const fn distance(self) -> usize {
        (self.0 & 0x7FFF) as usize + 1
    }
}
