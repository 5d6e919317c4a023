//! What comes out of a decoder: frames, and how whole they are.

/// How much of a picture the file really held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that were there, of `rows`.
    pub rows_decoded: u32,
    /// Rows of the picture, or of a frame as far as it lies on the canvas; these may be none.
    pub rows: u32,
    /// The data ended before the last row that was wanted.
    pub truncated: bool,
}

/// A frame as it is shown: the whole canvas.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'c> {
    /// `R G B A` each, alpha not multiplied in, row by row.
    pub pixels: &'c [u8],
    /// How long it is shown, as the file has it: 0 is left to the viewer, which usually takes 100.
    pub duration_ms: u32,
    /// Of the frame's own picture, not of the canvas.
    pub outcome: Outcome,
}
