//! Lossless WebP: the VP8L bitstream (RFC 9649, section 3), decoded in batches of rows.
//!
//! Children: `header`; `bit_reader` and `prefix_code` (symbols); `group` (the five codes of a pixel) and `tables` (those of an image); `pixels` (the LZ77
//! decoder) with `distance` and `colour_cache`; `transforms` and `predictors` (undoing what the encoder did to the pixels);
//! `rows` (puts them together).

pub(crate) mod bit_reader;
pub(crate) mod colour_cache;
pub(crate) mod distance;
pub(crate) mod group;
pub(crate) mod header;
pub(crate) mod pixels;
pub(crate) mod predictors;
pub(crate) mod prefix_code;
pub(crate) mod rows;
pub(crate) mod tables;
pub(crate) mod transforms;
