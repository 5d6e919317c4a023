//! Lossy WebP: VP8 key frames (RFC 6386), decoded one row of macroblocks at a time.
//!
//! Children: `header` (everything before the first macroblock), `modes` and `coefficients` (the two kinds of partitions),
//! `transform` and `predict` (pixels), `loop_filter`, `rows` (puts them together), and their tools.

pub(crate) mod bool_decoder;
pub(crate) mod coefficients;
pub(crate) mod header;
pub(crate) mod loop_filter;
pub(crate) mod modes;
pub(crate) mod predict;
pub(crate) mod rows;
pub(crate) mod tables;
pub(crate) mod transform;
pub(crate) mod workspace;
