//! In which order the rows of a frame are stored (GIF89a specification, appendix E).

use crate::blocks::Descriptor;

/// Where the rows of an interlaced frame begin, and how far apart they are, pass by pass.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

/// All rows of the frame, 0 at its top.
pub(crate) fn rows(frame: &Descriptor<'_>) -> impl Iterator<Item = usize> {
    let height = frame.height as usize;
    let passes = if frame.interlaced { &PASSES[..] } else { &[(0, 1)] };
    passes.iter().flat_map(move |&(first, step)| (first..height).step_by(step))
}
