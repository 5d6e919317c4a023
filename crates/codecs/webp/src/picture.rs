//! One coded picture, from its bytes to rows in the caller's scale and layout.

use std::num::NonZeroU32;

use crate::{
    alpha::AlphaRows,
    container::{Bitstream, Coded},
    error::Error,
    image::Extent,
    output::{RowSink, boxes::Boxes, reduce_argb::ArgbReducer, reduce_yuv::YuvReducer, upsample::Upsampler},
    vp8::rows::{LossyRows, YuvRows},
    vp8l::rows::LosslessRows,
};

/// From this `shrink` on, the loop filter is left out (see the crate's documentation).
const UNFILTERED_SHRINK: u32 = 4;

/// Hands all rows of the reduced picture to `sink`, 4 bytes a pixel where it has alpha, else 3.
///
/// # Errors
/// [`Error::Malformed`], also where not even one row is there; [`Error::LimitExceeded`] for the tables.
pub(crate) fn decode(
    coded: &Coded<'_>,
    shrink: NonZeroU32,
    max_table_bytes: u32,
    sink: &mut RowSink<'_>,
) -> Result<Extent, Error> {
    let boxes = Boxes::new(coded.width, coded.height, shrink);
    let mut emitted_rows = 0;
    let mut counting_sink = |row: &[u8]| {
        emitted_rows += 1;
        sink(row);
    };
    let decoded_rows = match coded.bitstream {
        Bitstream::Lossy { data, alpha } => {
            let filter = shrink.get() < UNFILTERED_SHRINK;
            let rows = LossyRows::new(data, coded.width, coded.height, filter)?;
            let alpha = alpha
                .map(|alpha| AlphaRows::new(alpha, coded.width, coded.height, max_table_bytes))
                .transpose()?;
            decode_lossy(rows, alpha, boxes, &mut counting_sink)?
        }
        Bitstream::Lossless { data, header } => {
            let mut rows = LosslessRows::new(data, coded.width, coded.height, max_table_bytes)?;
            let mut reducer = ArgbReducer::new(boxes, header.has_alpha);
            let mut decoded_rows = 0;
            while let Some(rows) = rows.next_rows()? {
                reducer.push(&rows, &mut counting_sink);
                decoded_rows = rows.top + rows.pixels.len() / boxes.width;
            }
            reducer.finish(&mut counting_sink);
            decoded_rows
        }
    };
    if decoded_rows == 0 {
        return Err(Error::Malformed("the data end before the first row"));
    }
    let has_alpha = coded.has_alpha();
    let filler = if has_alpha { vec![0; 4 * boxes.columns()] } else { vec![128; 3 * boxes.columns()] };
    for _ in emitted_rows..boxes.height.div_ceil(boxes.shrink) {
        sink(&filler);
    }
    Ok(Extent { decoded_rows: decoded_rows as u32, rows: coded.height })
}

/// Returns the number of source rows that were there.
fn decode_lossy(
    mut rows: LossyRows<'_>,
    mut alpha: Option<AlphaRows<'_>>,
    boxes: Boxes,
    sink: &mut RowSink<'_>,
) -> Result<usize, Error> {
    let has_alpha = alpha.is_some();
    let mut alpha_of = |rows: &YuvRows<'_>, run: &mut dyn FnMut(&[u8])| -> Result<(), Error> {
        match &mut alpha {
            Some(alpha) => run(alpha.rows(rows.count)?),
            None => run(&[]),
        }
        Ok(())
    };
    let mut decoded_rows = 0;
    if boxes.shrink == 1 {
        let mut upsampler = Upsampler::new(boxes.width, boxes.height, has_alpha);
        while let Some(rows) = rows.next_rows() {
            alpha_of(&rows, &mut |alpha| upsampler.push(&rows, alpha, sink))?;
            decoded_rows = rows.top + rows.count;
        }
        upsampler.finish(sink);
    } else {
        let stride = boxes.width.next_multiple_of(16);
        let mut reducer = YuvReducer::new(boxes, stride, has_alpha);
        while let Some(rows) = rows.next_rows() {
            alpha_of(&rows, &mut |alpha| reducer.push(&rows, alpha, sink))?;
            decoded_rows = rows.top + rows.count;
        }
        reducer.finish(sink);
    }
    Ok(decoded_rows)
}
