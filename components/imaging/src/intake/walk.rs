//! What a walk over the structure of a file is: it asks for some bytes, gets them when they are there, and asks for the next.

/// What a walk asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// So many bytes, at least one, to look at.
    Bytes(usize),
    /// To get past so many bytes.
    Past(u64),
    /// Nothing of what follows.
    Nothing,
}

/// A walk over the structure of one format.
pub(super) trait Walk {
    /// What to begin with.
    fn begin(&self) -> Want;

    /// Looks at what it asked for, `bytes` or nothing where it asked to get past some, and adds to the outline.
    fn step(&mut self, bytes: &[u8], outline: &mut Vec<u8>) -> Want;

    /// The file ends, with less than was asked for.
    fn end(&mut self, bytes: &[u8], outline: &mut Vec<u8>);

    /// How long the file is by its own word, where it says so: what follows is no part of the image.
    fn file_bytes(&self) -> Option<u64> {
        None
    }

    /// The outline has a header that says how large the image is.
    fn is_ready(&self) -> bool;

    /// What was counted and forgotten, so that no outline grows with the number of frames.
    fn passed(&self) -> Passed {
        Passed::default()
    }
}

/// Of frames that are not in the outline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) frames: u32,
    pub(super) hidden_pixels: u64,
    pub(super) has_alpha: bool,
}
