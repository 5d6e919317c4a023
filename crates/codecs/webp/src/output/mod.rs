//! From decoded rows to the rows a caller gets: box averages, chroma upsampling, colour conversion.
//!
//! Every converter takes rows as its codec yields them and hands finished rows of bytes to a sink, one by one from the top.

pub(crate) mod boxes;
pub(crate) mod colour;
pub(crate) mod reduce_argb;
pub(crate) mod reduce_rgba;
pub(crate) mod reduce_yuv;
pub(crate) mod upsample;

/// Takes one finished row: 3 or 4 bytes a pixel.
pub(crate) type RowSink<'a> = dyn FnMut(&[u8]) + 'a;
